"""Slips in kernels for 16 bits, which compute in float32 and round once, so that what is wrong there is not rounding.

Mutants of other modules stand here again in 16 bits, beside some that show only in 16 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.mutants import classics, derivatives, losses, precision, ranges
from harness.power.narrow import NARROW
from harness.power.planting import CLASSIC, Mutant, in_16_bits, mutant, planted

BFLOAT16, FLOAT16 = "bfloat16", "float16"
IN_BFLOAT16 = (
    classics.zeros, classics.uniform, classics.wrong_axis, classics.maximum_alone, classics.without_identity,
    classics.negated, classics.halved, classics.without_the_mean, classics.zero_gradient,
    classics.one_input_left_out, ranges.maximum_from_zero, ranges.log_of_softmax, precision.flushed,
    derivatives.without_the_covariance, derivatives.saved_probabilities_cut_off, derivatives.hessian_of_a_sigmoid,
    derivatives.transposed_rule, derivatives.tangent_alone, derivatives.cotangent_ignored,
    losses.from_clipped_probabilities, losses.smoothed_labels, losses.averaged_over_entries, losses.labels_sum_left_out,
    losses.through_the_diagonal_alone,
)  # fmt: skip
IN_FLOAT16 = (
    ranges.no_shift, classics.temperature_of_two, classics.negated, derivatives.without_the_covariance,
    derivatives.elementwise, losses.hardened, losses.gradient_of_the_sum,
)  # fmt: skip


def by(factor: float) -> Any:
    """Return the factor in float32."""
    return np.float32(factor)


@mutant(CLASSIC, "softmax", dtypes=(BFLOAT16,))
def eight_percent_too_much(b: Mutant, logits: Any, axis: int) -> Any:
    """Probabilities are 8 % too large, which a unit of bfloat16, 0.4 %, does not explain."""
    return (NumPy.softmax(b, logits.astype(np.float32), axis) * by(1.08)).astype(logits.dtype)


@mutant(CLASSIC, "softmax", dtypes=(FLOAT16,))
def one_percent_too_much(b: Mutant, logits: Any, axis: int) -> Any:
    """Probabilities are 1 % too large, which a unit of float16, 0.05 %, does not explain."""
    return (NumPy.softmax(b, logits.astype(np.float32), axis) * by(1.01)).astype(logits.dtype)


@mutant(CLASSIC, "vjp", dtypes=(BFLOAT16,))
def gradient_by_a_third_too_much(b: Mutant, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is 1.3 times too large."""
    return Mutant.vjp(b, logits, (cotangent.astype(np.float32) * by(1.3)).astype(logits.dtype), axis)


@mutant(CLASSIC, "jacobian", dtypes=(BFLOAT16,))
def jacobian_by_a_seventh_too_much(b: Mutant, logits: Any, axis: int) -> Any:
    """The Jacobian is 1.15 times too large."""
    return (NumPy.jacobian(b, logits.astype(np.float32), axis) * by(1.15)).astype(logits.dtype)


@mutant("C23", "hvp", dtypes=NARROW)
def negated_curvature(b: Mutant, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """The second derivative has the wrong sign."""
    return -Mutant.hvp(b, logits, cotangent, tangent, axis)


@mutant("C33", "softmax", dtypes=(BFLOAT16,))
def exponent_bits_for_exp(b: Mutant, logits: Any, axis: int) -> Any:
    """exp is x/ln 2 in a float32's bits, a straight line between powers of two, up to 6 % off (Schraudolph)."""
    wide = logits.astype(np.float32)
    shifted = np.maximum(wide - wide.max(axis=axis, keepdims=True), np.float32(-87))
    weights = (shifted * np.float32(2**23 / np.log(2)) + np.float32(127 * 2**23)).astype(np.int32).view(np.float32)
    return (weights / weights.sum(axis=axis, keepdims=True)).astype(logits.dtype)


@mutant("C06", "softmax", dtypes=NARROW)
def sum_in_the_format_itself(b: Mutant, logits: Any, axis: int) -> Any:
    """The sum is added one by one in 16 bits: equal terms stop it at 256 in bfloat16, and at 2,048 in float16."""
    wide = logits.astype(np.float32)
    weights = np.exp(wide - wide.max(axis=axis, keepdims=True))
    rows = np.moveaxis(weights.astype(logits.dtype), axis, 0)
    total = rows[0]
    for row in rows[1:]:
        total = (total.astype(np.float32) + row.astype(np.float32)).astype(logits.dtype)
    return (weights / np.expand_dims(total.astype(np.float32), axis)).astype(logits.dtype)


@mutant("C37", "softmax", dtypes=(FLOAT16,))
def eight_bits_for_eleven(b: Mutant, logits: Any, axis: int) -> Any:
    """The answer is rounded to bfloat16's 8 bits on its way to float16."""
    s = NumPy.softmax(b, logits.astype(np.float32), axis)
    return precision.bfloat16(s).astype(logits.dtype)


MUTANTS = (
    *planted(globals()),
    *(in_16_bits(plain, BFLOAT16) for plain in IN_BFLOAT16),
    *(in_16_bits(plain, FLOAT16) for plain in IN_FLOAT16),
)
