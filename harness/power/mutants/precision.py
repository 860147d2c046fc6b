"""Slips in precision: sums in 16 bits, approximate exponentials, flushed results, and dtypes other than asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.base import NEXT_WIDER
from backends.numpy import NumPy
from harness.power.planting import CLASSIC, mutant, planted


def weights_of(logits: Any, axis: int) -> Any:
    return np.exp(logits - logits.max(axis=axis, keepdims=True))


def bfloat16(values: Any) -> Any:
    """Round float32 values towards zero to 8 bits, as if the lower half were dropped."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


def last_sum(terms: Any, axis: int) -> Any:
    """Return the last entry of a running sum, with the axis kept."""
    return np.take(terms, [-1], axis=axis)


@mutant(CLASSIC, "softmax", "log_softmax")
def float16_inside(b: NumPy, logits: Any, axis: int) -> Any:
    """The softmax is computed in float16 and cast to the dtype that was asked for."""
    return NumPy.softmax(b, logits.astype(np.float16), axis).astype(logits.dtype)


@mutant("C06", "softmax", dtypes=("float64", "float32", "float16"))
def sum_in_float16(b: NumPy, logits: Any, axis: int) -> Any:
    """The running sum is kept in float16, so it stops growing at 2,048."""
    weights = weights_of(logits, axis)
    return weights / last_sum(np.cumsum(weights, axis=axis, dtype=np.float16), axis).astype(logits.dtype)


@mutant("C06", "softmax", dtypes=("float64", "float32", "float16"))
def sum_in_bfloat16(b: NumPy, logits: Any, axis: int) -> Any:
    """The running sum is kept in bfloat16, so it stops growing at 256."""
    rows = np.moveaxis(weights_of(logits, axis), axis, -1)
    total = np.zeros(rows.shape[:-1], np.float32)
    for j in range(rows.shape[-1]):
        total = bfloat16(total + rows[..., j].astype(np.float32))
    return np.moveaxis(rows / total[..., None].astype(logits.dtype), -1, axis)


@mutant("C07", "logsumexp", dtypes=("float16",))
def sum_back_in_float16(b: NumPy, logits: Any, axis: int) -> Any:
    """The sum is computed in float32 but stored in float16 before the logarithm, so it is infinite from 65,520 on."""
    wide = logits.astype(np.float32)
    largest = wide.max(axis=axis, keepdims=True)
    total = np.exp(wide - largest).sum(axis=axis, keepdims=True).astype(np.float16)
    return (largest + np.log(total.astype(np.float32))).squeeze(axis).astype(np.float16)


@mutant("C07", "softmax", dtypes=("float16",))
def count_in_float16(b: NumPy, logits: Any, axis: int) -> Any:
    """The sum is the mean of the weights times their count, which does not fit into float16."""
    weights = weights_of(logits.astype(np.float32), axis)
    count = np.float32(np.float16(logits.shape[axis]))
    return (weights / (weights.mean(axis=axis, keepdims=True) * count)).astype(np.float16)


@mutant("C33", "softmax")
def polynomial_of_degree_two(b: NumPy, logits: Any, axis: int) -> Any:
    """exp is a parabola between powers of two, right to three digits."""
    scaled = (logits - logits.max(axis=axis, keepdims=True)) * np.log2(np.e).astype(logits.dtype)
    whole = np.floor(scaled)
    part = scaled - whole
    weights = np.ldexp(1 + part * (0.6565 + 0.3435 * part), np.maximum(whole, -2000).astype(np.int32))
    return (weights / weights.sum(axis=axis, keepdims=True)).astype(logits.dtype)


@mutant("C33", "softmax")
def exp_that_stops_early(b: NumPy, logits: Any, axis: int) -> Any:
    """The argument of exp is clamped at −60, so what is far below the maximum is not small enough."""
    shifted = np.maximum(logits - logits.max(axis=axis, keepdims=True), logits.dtype.type(-60))
    return NumPy.softmax(b, shifted, axis)


@mutant("C33", "softmax", dtypes=("float64", "float32"))
def exp_right_to_ten_bits_less(b: NumPy, logits: Any, axis: int) -> Any:
    """The exponential has fast-math's slack: it is off by up to 1,000 u in a pattern of the logits' last bits."""
    weights = weights_of(logits, axis)
    slack = 500 * np.finfo(logits.dtype).eps * np.sin(1e3 * logits.astype(np.float64))
    weights = (weights * (1 + slack)).astype(logits.dtype)
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant("C34", "softmax")
def flushed(b: NumPy, logits: Any, axis: int) -> Any:
    """Results below the normal numbers are set to 0, and nothing declares it."""
    s = NumPy.softmax(b, logits, axis)
    return np.where(s < np.finfo(s.dtype).tiny, np.zeros_like(s), s)


@mutant("C37", "softmax")
def answers_in_float32(b: NumPy, logits: Any, axis: int) -> Any:
    """The answer is right, but in float32 instead of the dtype that was asked for."""
    return NumPy.softmax(b, logits, axis).astype(np.float32)


@mutant("C37", "softmax", dtypes=("float64",))
def float32_inside(b: NumPy, logits: Any, axis: int) -> Any:
    """The softmax of float64 logits is computed in float32."""
    return NumPy.softmax(b, logits.astype(np.float32), axis).astype(logits.dtype)


@mutant("C37", "softmax", dtypes=("float32", "float16"), answers_in=NEXT_WIDER)
def dtype_applied_at_the_end(b: NumPy, logits: Any, axis: int) -> Any:
    """`dtype=` casts the result and not the input."""
    return NumPy.softmax(b, logits, axis).astype(NEXT_WIDER[logits.dtype.name])


@mutant("C37", "softmax", dtypes=("float64", "float32"))
def workspace_of_the_call_before(b: NumPy, logits: Any, axis: int) -> Any:
    """A buffer is kept for the next call of that shape, together with the dtype of the last one."""
    kept = vars(b).get("workspace", logits)
    b.workspace = logits  # type: ignore[attr-defined]
    dtype = kept.dtype if kept.shape == logits.shape else logits.dtype
    return NumPy.softmax(b, logits.astype(dtype), axis).astype(logits.dtype)


MUTANTS = planted(globals())
