"""Softmax itself, right and wrong: rows 1, 2, 7, 8 and 18 of `docs/seeds.md`."""

from __future__ import annotations

from typing import Any

from backends.base import Backend


def naive(b: Backend, logits: Any, axis: int) -> Any:
    """Divide the exponentials by their sum (rows 1, 2 and 7)."""
    weights = b.xp.exp(logits)
    return weights / b.xp.sum(weights, axis=axis, keepdims=True)


def shifted(b: Backend, logits: Any, axis: int) -> Any:
    """Compute softmax after subtracting the row's maximum (row 8)."""
    return naive(b, logits - b.xp.max(logits, axis=axis, keepdims=True), axis)


def batch_max(b: Backend, logits: Any, axis: int) -> Any:
    """Compute softmax after subtracting the maximum of the *whole batch*, as printed (row 18).

    Rows far below that maximum underflow to 0/0.
    """
    return naive(b, logits - b.xp.max(logits), axis)
