"""Slips at sizes and in calls that one would not think to ask.

They are many dimensions, square matrices, very long and very many rows, odd batches, two maxima, zeros of either
sign, the first call, and answers that are read late.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.mutants.state import memory, over_sum
from harness.power.planting import mutant, planted

LONG, LONGER, MANY = 2**17, 2**20, 2**16


def shifted(logits: Any, axis: int) -> Any:
    return np.exp(logits - logits.max(axis=axis, keepdims=True))


def summed_up_to(logits: Any, axis: int, most: int) -> Any:
    """Return softmax with a sum of that many terms at most."""
    weights = shifted(logits, axis)
    return weights / weights.take(range(min(most, weights.shape[axis])), axis=axis).sum(axis=axis, keepdims=True)


@mutant("C09", "softmax")
def tail_beyond_2_17(b: NumPy, logits: Any, axis: int) -> Any:
    """Answers beyond position 2^17 of a row are not written."""
    s = np.moveaxis(NumPy.softmax(b, logits, axis), axis, -1).copy()
    s[..., LONG:] = 0
    return np.moveaxis(s, -1, axis)


@mutant("C08", "softmax")
def sum_stops_at_2_16(b: NumPy, logits: Any, axis: int) -> Any:
    """Where a row is longer than 65,536, the rest is left out of its sum."""
    return summed_up_to(logits, axis, MANY)


@mutant("C08", "softmax")
def sum_stops_at_2_20(b: NumPy, logits: Any, axis: int) -> Any:
    """Where a row is longer than 2^20, the rest is left out of its sum."""
    return summed_up_to(logits, axis, LONGER)


@mutant("C08", "cross_entropy_sum")
def losses_beyond_2_16(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Rows are counted in 16 bits, so the losses beyond 65,536 rows are left out of the sum."""
    return NumPy.cross_entropy(b, logits, labels, axis, "none").ravel()[:MANY].sum()


@mutant("C28", "cross_entropy_mean")
def mean_over_the_first_dimension(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The sum of the losses is divided by the length of the first dimension alone."""
    losses = NumPy.cross_entropy(b, logits, labels, axis, "none")
    return losses.sum() / (labels.shape[0] if labels.ndim else 1)


@mutant("C38", "softmax")
def five_dimensions(b: NumPy, logits: Any, axis: int) -> Any:
    """From five dimensions on, the first slab's answer is given for every slab."""
    s = NumPy.softmax(b, logits, axis)
    return np.broadcast_to(s[:1], s.shape).copy() if s.ndim >= 5 else s


@mutant("C12", "softmax")
def square_matrix_at_its_other_axis(b: NumPy, logits: Any, axis: int) -> Any:
    """A matrix is taken for transposed by its shape, so a square one is normalised along its other axis."""
    square = logits.ndim == 2 and logits.shape[0] == logits.shape[1] > 1
    return NumPy.softmax(b, logits, 1 - axis % 2 if square else axis)


@mutant("C12", "vjp")
def last_axis_of_a_square_matrix(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """For a square matrix the last axis is used, whatever was asked for."""
    square = logits.ndim == 2 and logits.shape[0] == logits.shape[1]
    return NumPy.vjp(b, logits, cotangent, -1 if square else axis)


@mutant("C23", "hvp")
def hvp_beyond_1000(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """Rows longer than 1,000 use only the terms of each element with itself."""
    if logits.shape[axis] <= 1000:
        return NumPy.hvp(b, logits, cotangent, tangent, axis)
    s = NumPy.softmax(b, logits, axis)
    return s * (1 - s) * (1 - 2 * s) * cotangent * tangent


@mutant("C24", "jvp")
def jvp_in_row_4096(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """A second launch, from row 4096 on, gets the first row's tangent."""
    s, t = (np.moveaxis(part, axis, -1) for part in (NumPy.softmax(b, logits, axis), tangent))
    t = t.reshape(-1, t.shape[-1]).copy()
    t[4096:] = t[:1]
    t = t.reshape(s.shape)
    return np.moveaxis(s * (t - (s * t).sum(axis=-1, keepdims=True)), -1, axis)


@mutant("C36", "softmax", dtypes=("float16",))
def odd_batch_in_float16(b: NumPy, logits: Any, axis: int) -> Any:
    """Rows are computed in pairs in float16, and the last of an odd number is left at 0."""
    s = np.moveaxis(NumPy.softmax(b, logits, axis), axis, -1)
    rows = s.reshape(-1, s.shape[-1]).copy()
    if len(rows) % 2 and len(rows) > 1:
        rows[-1] = 0
    return np.moveaxis(rows.reshape(s.shape), -1, axis)


@mutant("C25", "vjp")
def two_maxima(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """If exactly two logits are largest, the second one gets the gradient 0."""
    tied = logits == logits.max(axis=axis, keepdims=True)
    second = tied & (np.cumsum(tied, axis=axis) == 2) & (tied.sum(axis=axis, keepdims=True) == 2)
    return np.where(second, 0, NumPy.vjp(b, logits, cotangent, axis)).astype(logits.dtype)


@mutant("C19", "softmax")
def negative_zero_for_a_mask(b: NumPy, logits: Any, axis: int) -> Any:
    """A logit of −0 is taken for what a mask leaves behind, and is masked."""
    masked = (logits == 0) & np.signbit(logits)
    weights = np.where(masked, 0, shifted(logits, axis)).astype(logits.dtype)
    total = weights.sum(axis=axis, keepdims=True)
    return weights / np.where(total == 0, 1, total)


@mutant("C02", "softmax")
def maximum_of_the_first_1024(b: NumPy, logits: Any, axis: int) -> Any:
    """The maximum is taken of one block of 1,024 alone, which is the whole row in most tests."""
    first = logits.take(range(min(1024, logits.shape[axis])), axis=axis).max(axis=axis, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):
        return over_sum(np.exp(logits - first), axis)


@mutant("C38", "softmax")
def first_call_of_a_process(b: NumPy, logits: Any, axis: int) -> Any:
    """The first call gives zeros, because what it sets up is not there yet."""
    calls = memory(b)["calls"] = memory(b).get("calls", 0) + 1
    return np.zeros_like(logits) if calls == 1 else NumPy.softmax(b, logits, axis)


@mutant("C38", "softmax")
def buffer_of_the_next_call(b: NumPy, logits: Any, axis: int) -> Any:
    """All answers of one shape are views of one buffer, so each call overwrites the answer before."""
    kept = memory(b).setdefault((logits.shape, logits.dtype), np.empty_like(logits))
    kept[...] = NumPy.softmax(b, logits, axis)
    return kept


MUTANTS = planted(globals())
