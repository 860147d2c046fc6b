"""The largest error that leaves one digit of an answer right, element by element (docs/bounds.md#grades)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import DIGIT
from harness.truth.bounds import size


def digit(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Floats:
    """Return DIGIT times each element's size, shape (rows, elements); (1, 1) for one number for all rows."""
    scale = size(operation, logits, beside)
    return DIGIT * scale.reshape(1 if scale.ndim == 0 else len(logits), -1)


def leaves_digit(bound: Floats, a_digit: Floats) -> NDArray[np.bool_]:
    """Decide at each element whether every answer within the bound has a digit right. `digit` returns `a_digit`."""
    return np.less_equal(bound, a_digit)
