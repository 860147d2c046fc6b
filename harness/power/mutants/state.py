"""Slips in state: inputs written to, buffers that outlive a call, rows that affect others, two threads, and compilers.

Races are interleavings that always happen: what two threads would do now and then is done in every call, or in every
second one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.base import threads
from backends.numpy import NumPy
from harness.power.planting import CLASSIC, mutant, planted


def memory(b: NumPy) -> dict[Any, Any]:
    """Return the dictionary that an instance keeps from call to call."""
    kept: dict[Any, Any] = vars(b).setdefault("kept", {})
    return kept


def over_sum(weights: Any, axis: int) -> Any:
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant(CLASSIC, "vjp")
def stale_saved_output(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Backward uses the output that an earlier call of that shape saved."""
    s = memory(b).setdefault((logits.shape, logits.dtype, axis), NumPy.softmax(b, logits, axis))
    return s * (cotangent - (s * cotangent).sum(axis=axis, keepdims=True))


@mutant("C27", "softmax")
def shifted_in_place(b: NumPy, logits: Any, axis: int) -> Any:
    """The maximum is subtracted in the caller's own logits."""
    logits -= logits.max(axis=axis, keepdims=True)
    return over_sum(np.exp(logits), axis)


@mutant("C27", "vjp")
def gradient_in_the_cotangent(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is written into the cotangent's buffer."""
    cotangent[...] = NumPy.vjp(b, logits, cotangent, axis)
    return cotangent.copy()


@mutant("C27", "cross_entropy_gradient")
def label_subtracted_in_place(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The gradient is written over the caller's logits."""
    logits[...] = NumPy.cross_entropy_gradient(b, logits, labels, axis, reduction)
    return logits


@mutant("C32", "log_softmax", dtypes=("float64", "float32"))
def fused_and_unfused(b: NumPy, logits: Any, axis: int) -> Any:
    """The maximum of rounded products is subtracted from fused ones, so the largest difference is not 0."""
    scale, wide = 1 / 3, np.longdouble
    products = logits.astype(wide) * wide(scale)
    rounded = products.astype(logits.dtype).max(axis=axis, keepdims=True)
    shifted = ((products - rounded) * 3).astype(logits.dtype)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@mutant("C32", "softmax")
def algebra_before_numerics(b: NumPy, logits: Any, axis: int) -> Any:
    """A rewrite replaces exp(x − m) by exp(x)/exp(m), which overflows."""
    weights = np.exp(logits) / np.exp(logits.max(axis=axis, keepdims=True))
    return over_sum(weights, axis)


@mutant("C35", "softmax", threaded=True)
def two_threads_one_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """On two threads, both halves of a row are added without a lock, so only the second half's sum stays."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    if threads() == 1:
        return over_sum(weights, axis)
    half = np.take(weights, range(weights.shape[axis] // 2, weights.shape[axis]), axis=axis)
    return weights / half.sum(axis=axis, keepdims=True)


@mutant("C35", "softmax")
def sum_in_the_order_of_arrival(b: NumPy, logits: Any, axis: int) -> Any:
    """Terms are added in another order at every call, so the sum is right but its bits change."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    calls = memory(b)["calls"] = memory(b).get("calls", 0) + 1
    return weights / np.roll(weights, 7 * calls, axis=axis).cumsum(axis=axis).take([-1], axis=axis)


@mutant("C35", "softmax")
def barrier_dropped(b: NumPy, logits: Any, axis: int) -> Any:
    """In every second call the sum is read before its last term is added."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    calls = memory(b)["calls"] = memory(b).get("calls", 0) + 1
    early = weights.take(range(weights.shape[axis] - calls % 2), axis=axis)
    return weights / early.sum(axis=axis, keepdims=True)


@mutant("C36", "softmax")
def normalised_by_the_batch(b: NumPy, logits: Any, axis: int) -> Any:
    """The sum is taken over all rows."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return weights / weights.sum()


@mutant("C36", "softmax")
def careful_if_any_row_needs_it(b: NumPy, logits: Any, axis: int) -> Any:
    """One large number anywhere sends the whole batch through another kernel, which is right but gives other bits."""
    if np.abs(logits).max(initial=0) < 1e3:
        return NumPy.softmax(b, logits, axis)
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return weights * (1 / weights.sum(axis=axis, keepdims=True))


@mutant("C36", "softmax")
def nan_of_a_neighbour(b: NumPy, logits: Any, axis: int) -> Any:
    """0 times the sum of the batch is added, so a number that is not finite makes all rows NaN."""
    return NumPy.softmax(b, logits, axis) + 0 * logits.sum()


@mutant("C38", "softmax")
def sum_into_an_uncleared_buffer(b: NumPy, logits: Any, axis: int) -> Any:
    """The sum is added to the totals that earlier calls of that shape left."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    key = (logits.shape, logits.dtype, axis)
    memory(b)[key] = memory(b).get(key, 0) + weights.sum(axis=axis, keepdims=True)
    return weights / memory(b)[key]


@mutant("C38", "softmax")
def wrong_head(b: NumPy, logits: Any, axis: int) -> Any:
    """From four dimensions on, the index leaves out the first, so the first slab's answer is given for every slab."""
    s = NumPy.softmax(b, logits, axis)
    return np.broadcast_to(s[:1], s.shape).copy() if logits.ndim >= 4 else s


@mutant("C38", "softmax")
def answer_of_the_call_before(b: NumPy, logits: Any, axis: int) -> Any:
    """Answers are cached by shape, so the second question of a shape gets the first one's answer."""
    return memory(b).setdefault((logits.shape, logits.dtype, axis), NumPy.softmax(b, logits, axis))


MUTANTS = planted(globals())
