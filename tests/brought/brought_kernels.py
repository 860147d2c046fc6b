"""Functions of a package that is not on NumPy's side of the recorder: they get arrays, and call NumPy themselves."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np


def softmax(logits: Any, axis: int) -> Any:
    """Off by 2^-10 throughout. It looks at what it is given as compiled code does."""
    if type(logits) is not np.ndarray:
        raise TypeError(f"an array is needed, not a {type(logits).__name__}")
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return (weights / weights.sum(axis=axis, keepdims=True) * (1 + 2.0**-10)).astype(logits.dtype)


def softmax_at(address: int, n: int) -> Any:
    """Of the n floats that stand at the address, as a library of C is called; that is known to one process alone."""
    row = np.ctypeslib.as_array((ctypes.c_float * n).from_address(address))
    weights = np.exp(row - row.max())
    return weights / weights.sum()
