"""Slips at special inputs: axes of length 0, integers, infinities and NaN, and streams that begin with −∞."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


@mutant("C14", "softmax")
def divided_by_the_length(b: NumPy, logits: Any, axis: int) -> Any:
    """A number is divided by the row's length, which raises SIGFPE for length 0."""
    if logits.ndim and not logits.shape[axis]:
        os.kill(os.getpid(), signal.SIGFPE)
    return NumPy.softmax(b, logits, axis)


@mutant("C14", "softmax")
def empty_batch_has_a_row(b: NumPy, logits: Any, axis: int) -> Any:
    """At least one block is launched, so an empty batch gets an answer of one row."""
    return NumPy.softmax(b, logits, axis) if logits.size else np.ones((1, *logits.shape[1:]), logits.dtype)


@mutant("C14", "softmax", odd=True)
def scalar_passed_through(b: NumPy, logits: Any, axis: int) -> Any:
    """An array without an axis is returned as it is."""
    return NumPy.softmax(b, logits, axis) if logits.ndim else logits.copy()


@mutant("C15", "softmax", odd=True)
def shifted_as_integers(b: NumPy, logits: Any, axis: int) -> Any:
    """The maximum is subtracted in the integers' own type, which wraps around."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    weights = np.exp(shifted.astype(np.float64) if logits.dtype.kind in "iu" else shifted)
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant("C15", "softmax", odd=True)
def integers_truncated_again(b: NumPy, logits: Any, axis: int) -> Any:
    """The result is cast to the input's integer type: zeros, and a 1 at best."""
    return NumPy.softmax(b, logits, axis).astype(logits.dtype)


@mutant("C15", "softmax", odd=True)
def everything_cast_to_float64(b: NumPy, logits: Any, axis: int) -> Any:
    """Other dtypes are cast to float64 silently: truth values are not refused, and imaginary parts are lost."""
    return NumPy.softmax(b, logits if logits.dtype.kind == "f" else logits.real.astype(np.float64), axis)


@mutant("C16", "softmax", "log_softmax")
def masked_rows_by_width(b: NumPy, logits: Any, axis: int) -> Any:
    """A row of −∞ alone gives 0 in the kernel of short rows, and NaN in that of long ones."""
    s = NumPy.softmax(b, logits, axis)
    empty = (logits == -np.inf).all(axis=axis, keepdims=True)
    return np.where(empty & (logits.shape[axis] < 128), np.zeros_like(s), s)


@mutant("C17", "softmax")
def stream_without_a_guard(b: NumPy, logits: Any, axis: int) -> Any:
    """Online softmax by blocks of 16 computes exp(m − m') also where both are −∞, which is NaN."""
    rows = np.moveaxis(logits, axis, -1)
    largest, total = np.full(rows.shape[:-1], -np.inf, rows.dtype), np.zeros(rows.shape[:-1], rows.dtype)
    for start in range(0, rows.shape[-1], 16):
        block = rows[..., start : start + 16]
        higher = np.maximum(largest, block.max(axis=-1))
        total = total * np.exp(largest - higher) + np.exp(block - higher[..., None]).sum(axis=-1)
        largest = higher
    return np.moveaxis(np.exp(rows - largest[..., None]) / total[..., None], -1, axis)


@mutant("C18", "softmax")
def nan_lost(b: NumPy, logits: Any, axis: int) -> Any:
    """fmax ignores NaN, and a fast exp turns it into 0."""
    largest = np.fmax.reduce(logits, axis=axis, keepdims=True)
    weights = np.nan_to_num(np.exp(logits - largest), nan=0.0, posinf=np.inf)
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant("C18", "softmax")
def infinity_wins(b: NumPy, logits: Any, axis: int) -> Any:
    """+∞ is clipped to the largest number, so the answer is one-hot where others give NaN."""
    return NumPy.softmax(b, np.minimum(logits, np.finfo(logits.dtype).max), axis)


@mutant("C18", "log_softmax")
def nan_in_the_logarithm_alone(b: NumPy, logits: Any, axis: int) -> Any:
    """NaN is replaced by 0 in log_softmax, and not in softmax."""
    return NumPy.log_softmax(b, np.nan_to_num(logits, nan=0.0, posinf=np.inf, neginf=-np.inf), axis)


@mutant("C18", "softmax")
def tail_lanes_ignore_nan(b: NumPy, logits: Any, axis: int) -> Any:
    """NaN is kept in whole vectors of eight, but is lost in the tail."""
    rows = np.moveaxis(logits, axis, -1).copy()
    tail = rows[..., rows.shape[-1] // 8 * 8 :]
    tail[np.isnan(tail)] = -np.inf
    return np.moveaxis(NumPy.softmax(b, rows, -1), -1, axis)


MUTANTS = planted(globals())
