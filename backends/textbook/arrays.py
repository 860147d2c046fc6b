"""Array helpers that several formulas share."""

from __future__ import annotations

from math import prod
from typing import Any

from backends.base import Backend
from backends.textbook.softmaxes import shifted


def last_axis_softmax(b: Backend, logits: Any, axis: int) -> Any:
    return shifted(b, b.xp.moveaxis(logits, axis, -1), -1)


def outputs_first(b: Backend, s: Any) -> Any:
    """Move the outputs first, to go through them one by one. In JAX, indexing each would compile a program for each."""
    return b.xp.moveaxis(s, -1, 0)


def identity(b: Backend, s: Any) -> Any:
    return b.xp.eye(s.shape[-1], dtype=s.dtype)


def one_hot(b: Backend, s: Any, labels: Any) -> Any:
    """Return 1 at each row's label and 0 elsewhere, of the shape of s."""
    return b.xp.where(labels[..., None] == b.xp.arange(s.shape[-1]), b.xp.ones_like(s), b.xp.zeros_like(s))


def batch(labels: Any) -> int:
    """Return the number of rows in the batch."""
    return prod(labels.shape)


def flat(b: Backend, derivative: Any) -> Any:
    """Flatten the last two dimensions, those of W, row by row."""
    return b.xp.reshape(derivative, (*derivative.shape[:-2], -1))
