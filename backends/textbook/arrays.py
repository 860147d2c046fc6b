"""What several formulas need of arrays."""

from __future__ import annotations

from math import prod
from typing import Any

from backends.base import Backend
from backends.textbook.softmaxes import shifted


def last_axis_softmax(b: Backend, logits: Any, axis: int) -> Any:
    return shifted(b, b.xp.moveaxis(logits, axis, -1), -1)


def outputs_first(b: Backend, s: Any) -> Any:
    """To go through output by output: an index of its own for each would be a compilation of its own in JAX."""
    return b.xp.moveaxis(s, -1, 0)


def identity(b: Backend, s: Any) -> Any:
    return b.xp.eye(s.shape[-1], dtype=s.dtype)


def one_hot(b: Backend, s: Any, labels: Any) -> Any:
    """1 at each row's label, 0 elsewhere."""
    return b.xp.where(labels[..., None] == b.xp.arange(s.shape[-1]), b.xp.ones_like(s), b.xp.zeros_like(s))


def batch(labels: Any) -> int:
    """Rows in the batch."""
    return prod(labels.shape)


def flat(b: Backend, derivative: Any) -> Any:
    """W row by row."""
    return b.xp.reshape(derivative, (*derivative.shape[:-2], -1))
