"""Softmax itself, right and wrong: rows 1, 2, 7, 8 and 18."""

from __future__ import annotations

from typing import Any

from backends.base import Backend


def naive(b: Backend, logits: Any, axis: int) -> Any:
    """Rows 1, 2 and 7: exponentials over their sum."""
    weights = b.xp.exp(logits)
    return weights / b.xp.sum(weights, axis=axis, keepdims=True)


def shifted(b: Backend, logits: Any, axis: int) -> Any:
    """Row 8: the same, after the row's maximum is taken off."""
    return naive(b, logits - b.xp.max(logits, axis=axis, keepdims=True), axis)


def batch_max(b: Backend, logits: Any, axis: int) -> Any:
    """Row 18: the maximum of the *whole batch* is taken off, as printed: rows far below it underflow to 0/0."""
    return naive(b, logits - b.xp.max(logits), axis)
