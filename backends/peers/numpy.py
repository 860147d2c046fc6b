"""`numpy.allclose` with its defaults: rtol 1e-5, atol 1e-8."""

from __future__ import annotations

from typing import Any

import numpy as np


def allclose(actual: Any, expected: Any) -> str:
    """Compare two arrays. For arrays that do not broadcast, the exception's message is the objection."""
    try:
        return "" if np.allclose(actual, expected) else "not close"
    except ValueError as error:
        return str(error)


VALUES = {"np.allclose": allclose}
GRADIENTS: dict[str, Any] = {}
