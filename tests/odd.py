"""Backends that are odd at special inputs, for the worker that asks them: their framework's name is their own.

`odd` itself is right at all that has a right answer; each variant has one defect in its softmax.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import numpy as np

from backends.numpy import NumPy


class Odd(NumPy):
    framework, operations = "odd", ("softmax",)

    def softmax(self, logits: Any, axis: int) -> Any:
        kept = logits.astype(np.float64) if logits.dtype.kind in "iub" else logits
        return super().softmax(kept, axis)


def variant(function: Callable[..., Any]) -> type[NumPy]:
    return type(function.__name__, (Odd,), {"variant": function.__name__, "softmax": function})


@variant
def masked_by_dtype(b: NumPy, logits: Any, axis: int) -> Any:
    """A row that is masked throughout is 0 in float32, NaN in others."""
    s = Odd.softmax(b, logits, axis)
    gone = np.isneginf(logits).all(axis=axis, keepdims=True) & (logits.dtype == np.float32)
    return np.where(gone, np.array(0, s.dtype), s) if gone.any() else s


@variant
def nan_by_width(b: NumPy, logits: Any, axis: int) -> Any:
    """The last number of rows of 3 and more is not looked at for NaN."""
    rows = np.moveaxis(logits, axis, -1)
    if rows.shape[-1] < 3 or logits.dtype.kind != "f":
        return Odd.softmax(b, logits, axis)
    last = np.where(np.isnan(rows[..., -1:]), np.array(0, rows.dtype), rows[..., -1:])
    return np.moveaxis(Odd.softmax(b, np.concatenate([rows[..., :-1], last], axis=-1), -1), -1, axis)


@variant
def wrapping(b: NumPy, logits: Any, axis: int) -> Any:
    """x − max in the integers' own type."""
    return NumPy.softmax(b, logits, axis)


@variant
def neighbours(b: NumPy, logits: Any, axis: int) -> Any:
    """One NaN in the batch spoils every row."""
    s = Odd.softmax(b, logits, axis)
    return s * np.array(np.nan, s.dtype) if np.isnan(logits).any() else s


@variant
def deadly(b: NumPy, logits: Any, axis: int) -> Any:
    """By a call that +inf makes a deadly one, and no other number: the adapter itself does not look at it."""
    signal.raise_signal(np.isposinf(logits).any() * 11)
    return Odd.softmax(b, logits, axis)


BACKENDS = (Odd, masked_by_dtype, nan_by_width, wrapping, neighbours, deadly)
