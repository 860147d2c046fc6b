"""`numpy.allclose` as it comes: rtol 1e-5, atol 1e-8."""

from __future__ import annotations

from typing import Any

import numpy as np


def allclose(actual: Any, expected: Any) -> str:
    """Arrays that do not broadcast are objected to by an exception."""
    try:
        return "" if np.allclose(actual, expected) else "not close"
    except ValueError as error:
        return str(error)


VALUES = {"np.allclose": allclose}
GRADIENTS: dict[str, Any] = {}
