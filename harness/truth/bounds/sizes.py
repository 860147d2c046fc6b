"""Sizes of elements in float64, which is good enough for a scale or a direction (docs/bounds.md#grades)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats


def softmax(x: Floats) -> Floats:
    """Return the softmax of each row."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    s: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return s


def mean(s: Floats, size: Floats) -> Floats:
    """Return Σ s_i·|v_i|, shape (rows, 1)."""
    total: Floats = (s * size).sum(axis=-1, keepdims=True)
    return total


def with_softmax(rule: Callable[..., Floats]) -> Callable[..., Floats]:
    """Return a function of logits and other arguments from a rule that takes the logits' softmax."""
    return lambda x, *beside: rule(softmax(x), *beside)


def absolute(vector: NDArray[Any]) -> Floats:
    size: Floats = np.abs(np.asarray(vector, dtype=np.float64))
    return size


def at(s: Floats, labels: NDArray[np.integer]) -> Floats:
    """Return each row's entry at its label, shape (rows, 1)."""
    return np.take_along_axis(s, labels[:, None], axis=-1)
