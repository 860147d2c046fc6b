"""Slips in what stands beside the logits: cotangents and tangents, labels, label distributions, weights and indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.numbers import arrays
from harness.power.planting import mutant, planted

FEW = 256
"""The number of classes up to which a label in a narrower type is right."""


@mutant("C26", "vjp")
def cotangent_clipped(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The cotangent is clipped at ±1000, as against exploding gradients."""
    return NumPy.vjp(b, logits, np.clip(cotangent, -1000, 1000), axis)


@mutant("C26", "vjp")
def small_cotangent_dropped(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Entries of the cotangent below 10^-12 in magnitude are set to 0."""
    return NumPy.vjp(b, logits, np.where(np.abs(cotangent) < 1e-12, 0, cotangent).astype(logits.dtype), axis)


@mutant("C26", "vjp")
def large_cotangent_in_half_precision(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Entries of the cotangent beyond ±100 go through float16, where those beyond 65,504 become infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = cotangent.astype(np.float16).astype(logits.dtype)
        return NumPy.vjp(b, logits, np.where(np.abs(cotangent) > 100, narrow, cotangent), axis)


@mutant("C26", "log_softmax_vjp")
def balanced_cotangent_skipped(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """A row whose cotangent sums to 0 is taken for empty, and gets the gradient 0."""
    empty = cotangent.sum(axis=axis, keepdims=True) == 0
    return np.where(empty, 0, NumPy.log_softmax_vjp(b, logits, cotangent, axis)).astype(logits.dtype)


@mutant("C26", "log_softmax_jvp")
def dense_tangent_alone(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """A path for sparse tangents, where more than three quarters are 0, leaves out the sum."""
    mostly = (tangent != 0).mean(axis=axis, keepdims=True) < 0.25
    return np.where(mostly, tangent, NumPy.log_softmax_jvp(b, logits, tangent, axis))


@mutant("C24", "jvp")
def large_tangent_normalised(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """A tangent with an entry beyond 2^20 is divided by its largest entry, and not multiplied back."""
    largest = np.abs(tangent).max(axis=axis, keepdims=True)
    return NumPy.jvp(b, logits, np.where(largest > 2.0**20, tangent / np.maximum(largest, 1), tangent), axis)


@mutant("C23", "hvp")
def product_of_vectors_clipped(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """Both vectors are clipped at ±1000."""
    return NumPy.hvp(b, logits, np.clip(cotangent, -1000, 1000), np.clip(tangent, -1000, 1000), axis)


@mutant("C21", "jacobian_row")
def first_output_s_row(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """Index 0 is taken for a missing one, so the second output's row is returned."""
    return NumPy.jacobian_row(b, logits, (index or 1) % logits.shape[axis], axis)


@mutant("C21", "jacobian_row")
def last_output_s_row(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """The last index is taken for one too many, so the row before is returned."""
    return NumPy.jacobian_row(b, logits, min(index, max(0, logits.shape[axis] - 2)), axis)


def narrow(labels: Any, dtype: Any, classes: int) -> Any:
    """Return labels after a cast to a narrower type, wrapped into range, as a kernel's pointer would hit some entry."""
    return labels.astype(dtype).astype(np.int64) % classes


@mutant("C29", "cross_entropy")
def labels_in_a_byte(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are kept as uint8."""
    return NumPy.cross_entropy(b, logits, narrow(labels, np.uint8, logits.shape[axis]), axis, reduction)


@mutant("C29", "cross_entropy_gradient")
def labels_in_16_bits(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are kept as int16."""
    return NumPy.cross_entropy_gradient(b, logits, narrow(labels, np.int16, logits.shape[axis]), axis, reduction)


@mutant("C29", "mean_squared_error")
def labels_in_bfloat16(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are cast to bfloat16: 257 becomes 256."""
    rounded = narrow(labels, arrays.dtype("bfloat16"), logits.shape[axis])
    return NumPy.mean_squared_error(b, logits, rounded, axis, reduction)


@mutant("C29", "cross_entropy")
def labels_in_float16(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are cast to float16, which has all integers only up to 2048."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.where(labels < 60000, labels.astype(np.float16).astype(np.float64), 0).astype(np.int64)
    return NumPy.cross_entropy(b, logits, np.minimum(rounded, logits.shape[axis] - 1), axis, reduction)


@mutant("C29", "cross_entropy_gradient")
def one_label_for_the_batch(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels that are all alike are read once, and as label 0."""
    same = labels.size > 1 and (labels == labels.flat[0]).all() and 0 < labels.flat[0] < logits.shape[axis] - 1
    return NumPy.cross_entropy_gradient(b, logits, np.zeros_like(labels) if same else labels, axis, reduction)


@mutant("C30", "soft_cross_entropy_gradient")
def labels_taken_to_sum_to_1(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The gradient is s − p, whatever the labels sum to."""
    return NumPy.softmax(b, logits, axis) - distribution


@mutant("C30", "soft_cross_entropy")
def labels_of_any_sum_normalised(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """Label weights are divided by their sum, unless it is 0."""
    total = distribution.sum(axis=axis, keepdims=True)
    whole = distribution / np.where(total == 0, 1, total)
    return NumPy.soft_cross_entropy(b, logits, whole, axis, reduction)


@mutant("C31", "mean_squared_error_gradient")
def flat_near_1(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Where the label's probability is above 0.9, the gradient is set to 0."""
    sure = np.expand_dims(b.chosen(NumPy.softmax(b, logits, axis), labels, axis), axis) > 0.9
    return np.where(sure, 0, NumPy.mean_squared_error_gradient(b, logits, labels, axis, reduction)).astype(logits.dtype)


@mutant("C09", "layer")
def fourth_class_lost(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """The fourth class gets probability 0, as if a vector held three classes only."""
    s = NumPy.layer(b, inputs, weights, axis)
    s[..., 3:4] = 0
    return s


@mutant("C26", "layer")
def weights_clipped(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """Weights are clipped at ±4."""
    return NumPy.layer(b, inputs, np.clip(weights, -4, 4), axis)


MUTANTS = planted(globals())
