"""Slips in range: a missing or wrong shift, and logarithms of numbers that were rounded to 0 or 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


def unshifted(logits: Any, axis: int) -> Any:
    weights = np.exp(logits)
    return weights / weights.sum(axis=axis, keepdims=True)


def shifted_by(logits: Any, largest: Any, axis: int) -> Any:
    """Return softmax with a given shift, right or wrong."""
    return unshifted(logits - largest, axis)


@mutant("C01", "softmax", "jacobian", "vjp")
def no_shift(b: NumPy, logits: Any, axis: int) -> Any:
    """exp is taken of the logits as they are, so it overflows from 88.7 on in float32."""
    return unshifted(logits, axis)


@mutant("C01", "softmax")
def no_shift_on_other_axes(b: NumPy, logits: Any, axis: int) -> Any:
    """Only the kernel of the last axis subtracts the maximum."""
    last = axis % logits.ndim == logits.ndim - 1
    return NumPy.softmax(b, logits, axis) if last else unshifted(logits, axis)


@mutant("C01", "softmax")
def no_shift_in_long_rows(b: NumPy, logits: Any, axis: int) -> Any:
    """The vectorised kernel, for rows of 16 numbers or more, does not subtract the maximum."""
    return unshifted(logits, axis) if logits.shape[axis] >= 16 else NumPy.softmax(b, logits, axis)


@mutant("C02", "softmax")
def maximum_from_zero(b: NumPy, logits: Any, axis: int) -> Any:
    """The running maximum starts at 0, so that a row far below is 0/0."""
    return shifted_by(logits, np.maximum(logits.max(axis=axis, keepdims=True), 0), axis)


@mutant("C02", "softmax")
def maximum_from_the_smallest_normal(b: NumPy, logits: Any, axis: int) -> Any:
    """The running maximum starts at FLT_MIN, which was taken for the lowest number but is above every negative one."""
    smallest = np.finfo(logits.dtype).tiny
    return shifted_by(logits, np.maximum(logits.max(axis=axis, keepdims=True), smallest), axis)


@mutant("C02", "softmax")
def maximum_from_a_sentinel(b: NumPy, logits: Any, axis: int) -> Any:
    """The running maximum starts at −10,000, "below any logit"."""
    lowest = logits.dtype.type(-10_000)
    return shifted_by(logits, np.maximum(logits.max(axis=axis, keepdims=True), lowest), axis)


@mutant("C02", "softmax")
def maximum_of_the_batch(b: NumPy, logits: Any, axis: int) -> Any:
    """One maximum is used for all rows, so the lower rows underflow."""
    return shifted_by(logits, logits.max(), axis)


@mutant("C02", "softmax")
def maximum_of_the_last_256(b: NumPy, logits: Any, axis: int) -> Any:
    """The running maximum is reset at every 256th element."""
    rows = np.moveaxis(logits, axis, -1)
    start = (rows.shape[-1] - 1) // 256 * 256
    return np.moveaxis(shifted_by(rows, rows[..., start:].max(axis=-1, keepdims=True), -1), -1, axis)


@mutant("C03", "log_softmax", "softmax")
def maximum_added_before_it_is_taken_off(b: NumPy, logits: Any, axis: int) -> Any:
    """The answer is x − (m + ln Σ), in which ln Σ is lost where the maximum m is large."""
    return logits - np.expand_dims(NumPy.logsumexp(b, logits, axis), axis)


@mutant("C04", "log_softmax", "softmax")
def log_of_softmax(b: NumPy, logits: Any, axis: int) -> Any:
    """The answer is the logarithm of softmax, so it is ln 0 where the probability underflows."""
    return np.log(NumPy.softmax(b, logits, axis))


@mutant("C04", "cross_entropy")
def entropy_of_rounded_probabilities(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The loss is −ln of a rounded softmax, which may be 0."""
    return b.reduced(-np.log(b.chosen(NumPy.softmax(b, logits, axis), labels, axis)), reduction)


@mutant("C05", "log_softmax")
def sure_to_eight_bits(b: NumPy, logits: Any, axis: int) -> Any:
    """Where a probability is 1 to eight bits, its logarithm is set to 0."""
    result = NumPy.log_softmax(b, logits, axis)
    return np.where(result > -(2.0**-9), np.zeros_like(result), result)


@mutant("C05", "cross_entropy_gradient")
def small_gradients_dropped(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Entries of the gradient below 10^-7 in magnitude are set to 0."""
    gradient = NumPy.cross_entropy_gradient(b, logits, labels, axis, reduction)
    return np.where(np.abs(gradient) < 1e-7, np.zeros_like(gradient), gradient)


@mutant("C19", "softmax")
def mask_added_twice(b: NumPy, logits: Any, axis: int) -> Any:
    """Masked logits get the format's lowest number once more, so they are −∞, and a row of masks alone is NaN."""
    lowest = np.finfo(logits.dtype).min
    return NumPy.softmax(b, np.where(logits <= lowest / 2, logits + lowest, logits), axis)


@mutant("C19", "softmax")
def mask_not_low_enough(b: NumPy, logits: Any, axis: int) -> Any:
    """Logits are clipped at −10,000, which was taken for minus infinity."""
    return NumPy.softmax(b, np.maximum(logits, logits.dtype.type(-10_000)), axis)


MUTANTS = planted(globals())
