"""Held-out mutants: softmax, log_softmax and logsumexp with a slip. The package's docstring has the rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import CLASSIC, mutant, planted


def weights_of(logits: Any, axis: int) -> Any:
    return np.exp(logits - logits.max(axis=axis, keepdims=True))


def normalised(weights: Any, axis: int) -> Any:
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant("C17", "softmax")
def last_block_not_rescaled(b: NumPy, logits: Any, axis: int) -> Any:
    """Online softmax by blocks of 64 does not scale the earlier sum down for a maximum in the last block."""
    rows = np.moveaxis(logits, axis, -1)
    blocks = [rows[..., k : k + 64] for k in range(0, rows.shape[-1], 64)]
    largest = np.maximum.accumulate([block.max(axis=-1, keepdims=True) for block in blocks])
    total: Any = 0
    for number, block in enumerate(blocks):
        if 0 < number < len(blocks) - 1:
            total = total * np.exp(largest[number - 1] - largest[number])
        total = total + np.exp(block - largest[number]).sum(axis=-1, keepdims=True)
    return np.moveaxis(np.exp(rows - largest[-1]) / total, -1, axis)


@mutant("C33", "softmax", dtypes=("float64",))
def constant_of_single_precision(b: NumPy, logits: Any, axis: int) -> Any:
    """exp2 in float64 uses a log2(e) that was copied from a float32 kernel."""
    shifted = logits - logits.max(axis=axis, keepdims=True)
    return normalised(np.exp2(shifted * np.float64(np.float32(np.log2(np.e)))), axis)


@mutant("C19", "softmax")
def causal_where_square(b: NumPy, logits: Any, axis: int) -> Any:
    """Attention's mask stays on: the upper triangle of a square matrix counts as masked."""
    if logits.ndim < 2 or logits.shape[-1] != logits.shape[-2]:
        return NumPy.softmax(b, logits, axis)
    seen = np.tril(np.ones(logits.shape[-2:], bool))
    return normalised(np.where(seen, weights_of(logits, axis), logits.dtype.type(0)), axis)


@mutant("C38", "softmax")
def order_not_undone(b: NumPy, logits: Any, axis: int) -> Any:
    """Rows of more than 100 are sorted for a better sum, and stay sorted."""
    s = NumPy.softmax(b, logits, axis)
    return np.sort(s, axis=axis) if logits.shape[axis] > 100 else s


@mutant("C09", "softmax")
def largest_64_alone(b: NumPy, logits: Any, axis: int) -> Any:
    """Only the 64 largest logits are in the denominator, "the rest is nothing"."""
    weights = weights_of(logits, axis)
    largest = np.take(np.sort(weights, axis=axis), range(-min(64, logits.shape[axis]), 0), axis=axis)
    return weights / largest.sum(axis=axis, keepdims=True)


@mutant("C38", "softmax")
def cache_by_the_first_number(b: NumPy, logits: Any, axis: int) -> Any:
    """Answers are cached by shape, axis and first logit."""
    kept = vars(b).setdefault("kept", {})
    key = (logits.shape, axis, logits.dtype.name, float(logits.flat[0]) if logits.size else 0.0)
    if key not in kept:
        kept[key] = NumPy.softmax(b, logits, axis)
    return kept[key].copy()


@mutant("C33", "softmax", dtypes=("float32",))
def reciprocal_by_one_step_too_few(b: NumPy, logits: Any, axis: int) -> Any:
    """The sum's reciprocal is an estimate of 12 bits, and Newton's step is left out."""
    weights = weights_of(logits, axis)
    mantissa, exponent = np.frexp(1 / weights.sum(axis=axis, keepdims=True))
    return weights * np.ldexp(np.round(mantissa * 4096) / np.float32(4096), exponent)


@mutant("C12", "softmax")
def middle_axis_with_what_is_behind(b: NumPy, logits: Any, axis: int) -> Any:
    """An axis in the middle is normalised together with all axes behind it."""
    if logits.ndim < 3 or axis % logits.ndim in (0, logits.ndim - 1):
        return NumPy.softmax(b, logits, axis)
    weights = weights_of(logits, axis)
    return weights / weights.sum(axis=tuple(range(axis % logits.ndim, logits.ndim)), keepdims=True)


@mutant("C35", "softmax")
def remainder_of_four_parts(b: NumPy, logits: Any, axis: int) -> Any:
    """Rows from 1,024 on are summed in four equal parts, and the remainder is left out."""
    weights = np.moveaxis(weights_of(logits, axis), axis, -1)
    n = weights.shape[-1]
    kept = n - n % 4 if n >= 1024 else n
    return np.moveaxis(weights / weights[..., :kept].sum(axis=-1, keepdims=True), -1, axis)


@mutant("C31", "log_softmax")
def not_below_minus_100(b: NumPy, logits: Any, axis: int) -> Any:
    """Logarithms are clamped at −100, as those of a binary cross-entropy are."""
    return np.maximum(NumPy.log_softmax(b, logits, axis), logits.dtype.type(-100))


@mutant("C05", "logsumexp")
def little_ones_skipped(b: NumPy, logits: Any, axis: int) -> Any:
    """One logaddexp follows another, and each takes ln(1 + e^−d) for 0 from d = 10 on."""
    rows = np.moveaxis(logits, axis, -1)
    total = rows[..., 0]
    for j in range(1, rows.shape[-1]):
        d = np.abs(total - rows[..., j])
        total = np.maximum(total, rows[..., j]) + np.where(d < 10, np.log1p(np.exp(-d)), logits.dtype.type(0))
    return total.astype(logits.dtype)


@mutant(CLASSIC, "logsumexp")
def mean_for_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """The answer is ln of the mean of the exponentials."""
    return NumPy.logsumexp(b, logits, axis) - np.log(logits.dtype.type(logits.shape[axis]))


@mutant("C08", "softmax")
def last_chunk_of_rows_skipped(b: NumPy, logits: Any, axis: int) -> Any:
    """More than 100 rows are computed in chunks of 100, and a last chunk that is not whole is left out."""
    s = np.moveaxis(NumPy.softmax(b, logits, axis), axis, -1).copy()
    rows = s.reshape(-1, s.shape[-1])
    if len(rows) > 100 and len(rows) % 100:
        rows[-(len(rows) % 100) :] = 0
    return np.moveaxis(rows.reshape(s.shape), -1, axis)


@mutant("C37", "softmax", dtypes=("float64",))
def total_in_float32(b: NumPy, logits: Any, axis: int) -> Any:
    """The exponentials are in float64, but their sum is in float32."""
    weights = weights_of(logits, axis)
    return weights / weights.sum(axis=axis, keepdims=True, dtype=np.float32).astype(np.float64)


@mutant("C02", "softmax")
def shifted_by_the_largest_magnitude(b: NumPy, logits: Any, axis: int) -> Any:
    """max |x| is subtracted instead of max x, which does not matter until all logits are far below 0."""
    return normalised(np.exp(logits - np.abs(logits).max(axis=axis, keepdims=True)), axis)


@mutant("C25", "softmax")
def ties_broken_by_position(b: NumPy, logits: Any, axis: int) -> Any:
    """A millionth of the position is subtracted, so that no two logits are equal."""
    rows = np.moveaxis(logits, axis, -1)
    moved = (rows - 1e-6 * np.arange(rows.shape[-1])).astype(logits.dtype)
    return np.moveaxis(NumPy.softmax(b, moved, -1), -1, axis)


@mutant("C38", "softmax")
def another_kernel_after_three_calls(b: NumPy, logits: Any, axis: int) -> Any:
    """After three calls of a shape, a tuner takes a kernel that is 4 ulp or more off."""
    seen = vars(b).setdefault("seen", {})
    seen[logits.shape] = seen.get(logits.shape, 0) + 1
    s = NumPy.softmax(b, logits, axis)
    return s * (1 + 4 * np.finfo(s.dtype).eps) if seen[logits.shape] > 3 else s


@mutant("C02", "softmax")
def maximum_not_reset_between_rows(b: NumPy, logits: Any, axis: int) -> Any:
    """The running maximum goes on from row to row, so a row far below an earlier one underflows."""
    rows = np.moveaxis(logits, axis, -1)
    flat = rows.reshape(-1, rows.shape[-1])
    running = np.maximum.accumulate(flat.max(axis=-1, keepdims=True), axis=0)
    return np.moveaxis(normalised(np.exp(flat - running), -1).reshape(rows.shape), -1, axis)


@mutant("C09", "softmax")
def unrolled_by_three_vectors(b: NumPy, logits: Any, axis: int) -> Any:
    """Where three vectors of 32 fit exactly, the unrolled loop ends one vector too soon."""
    weights = np.moveaxis(weights_of(logits, axis), axis, -1)
    n = weights.shape[-1]
    kept = n - 32 if n % 96 == 0 else n
    return np.moveaxis(weights / weights[..., :kept].sum(axis=-1, keepdims=True), -1, axis)


@mutant("C09", "softmax")
def halved_again_and_again(b: NumPy, logits: Any, axis: int) -> Any:
    """A sum by halves drops the last number where a length is odd."""
    weights = np.moveaxis(weights_of(logits, axis), axis, -1)
    total = weights
    while total.shape[-1] > 1:
        half = total.shape[-1] // 2
        total = total[..., :half] + total[..., half : 2 * half]
    return np.moveaxis(weights / total, -1, axis)


MUTANTS = planted(globals())
