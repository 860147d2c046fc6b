"""Losses of a batch, computed from its probabilities, and their gradients: row 16 of `docs/seeds.md`."""

from __future__ import annotations

from typing import Any

from backends.base import Backend
from backends.textbook.arrays import batch, one_hot
from backends.textbook.derivatives import by_columns
from backends.textbook.softmaxes import shifted


def entropy_of(b: Backend, x: Any, hot: Any) -> Any:
    """Return −ln s_y for each row. s_y is the sum of s times the one-hot label, so zeros are added to it."""
    return -b.xp.log(b.xp.sum(hot * shifted(b, x, -1), axis=-1))


def squared_error_of(b: Backend, x: Any, hot: Any) -> Any:
    return (b.xp.sum(hot * shifted(b, x, -1), axis=-1) - 1) ** 2


def entropy(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Return −Σ ln(s_y) over the batch, divided by its size (row 16)."""
    x = b.xp.moveaxis(logits, axis, -1)
    return b.xp.sum(entropy_of(b, x, one_hot(b, x, labels))) / batch(labels)


def entropy_gradient(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Compute −1/s_y at the label, divided by the batch's size, then row 13's backward (row 16)."""
    x = b.xp.moveaxis(logits, axis, -1)
    hot = one_hot(b, x, labels)
    chosen = b.xp.sum(hot * shifted(b, x, -1), axis=-1, keepdims=True)
    return b.xp.moveaxis(by_columns(b, x, -hot / chosen / batch(labels), -1), -1, axis)


def squared_error(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Return Σ (s_y − 1)² over the batch, divided by its size (row 16)."""
    x = b.xp.moveaxis(logits, axis, -1)
    return b.xp.sum(squared_error_of(b, x, one_hot(b, x, labels))) / batch(labels)


def squared_error_gradient(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Compute 2(s_y − 1) at the label, divided by the batch's size, then row 13's backward (row 16)."""
    x = b.xp.moveaxis(logits, axis, -1)
    hot, s = one_hot(b, x, labels), shifted(b, x, -1)
    return b.xp.moveaxis(by_columns(b, x, 2 * hot * (s - 1) / batch(labels), -1), -1, axis)
