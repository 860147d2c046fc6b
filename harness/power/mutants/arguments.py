"""What stands beside the logits: vectors clipped, dropped or narrowed, labels in small integers, weights of labels,
classes of a layer, and the row of a Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.numbers import arrays
from harness.power.planting import mutant, planted

FEW = 256
"""Classes from which on a label is kept in a narrower type: with fewer, it is right."""


@mutant("C26", "vjp")
def cotangent_clipped(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Gradients are clipped at ±1000, as against explosions."""
    return NumPy.vjp(b, logits, np.clip(cotangent, -1000, 1000), axis)


@mutant("C26", "vjp")
def small_cotangent_dropped(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """What is below 10^-12 counts as nothing."""
    return NumPy.vjp(b, logits, np.where(np.abs(cotangent) < 1e-12, 0, cotangent).astype(logits.dtype), axis)


@mutant("C26", "vjp")
def large_cotangent_in_half_precision(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """A scaled loss's gradient goes through float16 where it is beyond 100: most of it becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = cotangent.astype(np.float16).astype(logits.dtype)
        return NumPy.vjp(b, logits, np.where(np.abs(cotangent) > 100, narrow, cotangent), axis)


@mutant("C26", "log_softmax_vjp")
def balanced_cotangent_skipped(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """A cotangent whose sum is 0 is taken for an empty one."""
    empty = cotangent.sum(axis=axis, keepdims=True) == 0
    return np.where(empty, 0, NumPy.log_softmax_vjp(b, logits, cotangent, axis)).astype(logits.dtype)


@mutant("C26", "log_softmax_jvp")
def dense_tangent_alone(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """A path for sparse tangents that forgets the sum: where three quarters are 0."""
    mostly = (tangent != 0).mean(axis=axis, keepdims=True) < 0.25
    return np.where(mostly, tangent, NumPy.log_softmax_jvp(b, logits, tangent, axis))


@mutant("C24", "jvp")
def large_tangent_normalised(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """A tangent longer than 2^20 is brought to length 1, and its length is not put back."""
    largest = np.abs(tangent).max(axis=axis, keepdims=True)
    return NumPy.jvp(b, logits, np.where(largest > 2.0**20, tangent / np.maximum(largest, 1), tangent), axis)


@mutant("C23", "hvp")
def product_of_vectors_clipped(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """Both vectors are held within ±1000."""
    return NumPy.hvp(b, logits, np.clip(cotangent, -1000, 1000), np.clip(tangent, -1000, 1000), axis)


@mutant("C21", "jacobian_row")
def first_output_s_row(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """Output 0 is taken for none given: the second one's row."""
    return NumPy.jacobian_row(b, logits, (index or 1) % logits.shape[axis], axis)


@mutant("C21", "jacobian_row")
def last_output_s_row(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """The last output is one too far, and is clipped to the one before."""
    return NumPy.jacobian_row(b, logits, min(index, max(0, logits.shape[axis] - 2)), axis)


def narrow(labels: Any, dtype: Any, classes: int) -> Any:
    """Labels that went through a narrower type, in range again as a kernel's pointer would be: somewhere."""
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
    """Labels are cast to the logits' low precision: 257 becomes 256."""
    rounded = narrow(labels, arrays.dtype("bfloat16"), logits.shape[axis])
    return NumPy.mean_squared_error(b, logits, rounded, axis, reduction)


@mutant("C29", "cross_entropy")
def labels_in_float16(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Likewise in float16, which has all integers up to 2048."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.where(labels < 60000, labels.astype(np.float16).astype(np.float64), 0).astype(np.int64)
    return NumPy.cross_entropy(b, logits, np.minimum(rounded, logits.shape[axis] - 1), axis, reduction)


@mutant("C29", "cross_entropy_gradient")
def one_label_for_the_batch(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels that are all alike are read once, as label 0."""
    same = labels.size > 1 and (labels == labels.flat[0]).all() and 0 < labels.flat[0] < logits.shape[axis] - 1
    return NumPy.cross_entropy_gradient(b, logits, np.zeros_like(labels) if same else labels, axis, reduction)


@mutant("C30", "soft_cross_entropy_gradient")
def labels_taken_to_sum_to_1(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """s − p, whatever the labels sum to."""
    return NumPy.softmax(b, logits, axis) - distribution


@mutant("C30", "soft_cross_entropy")
def labels_of_any_sum_normalised(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """Label weights are divided by their sum, and those of no weight are left."""
    total = distribution.sum(axis=axis, keepdims=True)
    whole = distribution / np.where(total == 0, 1, total)
    return NumPy.soft_cross_entropy(b, logits, whole, axis, reduction)


@mutant("C31", "mean_squared_error_gradient")
def flat_near_1(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Where the right class has 0.9 or more, it is right enough: the gradient is 0."""
    sure = np.expand_dims(b.chosen(NumPy.softmax(b, logits, axis), labels, axis), axis) > 0.9
    return np.where(sure, 0, NumPy.mean_squared_error_gradient(b, logits, labels, axis, reduction)).astype(logits.dtype)


@mutant("C09", "layer")
def fourth_class_lost(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """Three classes fit a vector with room to spare; the fourth has no probability."""
    s = NumPy.layer(b, inputs, weights, axis)
    s[..., 3:4] = 0
    return s


@mutant("C26", "layer")
def weights_clipped(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """Weights are held within ±4."""
    return NumPy.layer(b, inputs, np.clip(weights, -4, 4), axis)


MUTANTS = planted(globals())
