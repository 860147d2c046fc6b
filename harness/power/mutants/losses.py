"""Slips in losses: normalisers, labels, label distributions, and cross-entropy from probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


def one_hot(logits: Any, labels: Any, axis: int) -> Any:
    hot = np.zeros_like(logits)
    np.put_along_axis(hot, np.expand_dims(labels, axis), 1, axis)
    return hot


@mutant("C28", "cross_entropy_mean")
def averaged_over_entries(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The sum is divided by rows times classes."""
    return NumPy.cross_entropy(b, logits, labels, axis, "sum") / logits.size


@mutant("C28", "cross_entropy_mean")
def class_zero_ignored_and_counted(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Rows of class 0 count as padding in the sum, and as rows in the mean."""
    losses = NumPy.cross_entropy(b, logits, labels, axis, "none")
    return b.reduced(np.where(labels == 0, np.zeros_like(losses), losses), reduction)


@mutant("C28", "cross_entropy")
def smoothed_labels(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are smoothed by 0.1, which nobody asked for."""
    s = NumPy.log_softmax(b, logits, axis)
    return b.reduced(-(0.9 * b.chosen(s, labels, axis) + 0.1 * s.mean(axis=axis)).astype(logits.dtype), reduction)


@mutant("C28", "cross_entropy_sum")
def last_row_left_out(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The loop over rows ends one row too soon."""
    return NumPy.cross_entropy(b, logits, labels, axis, "none").ravel()[:-1].sum()


@mutant("C28", "cross_entropy_mean_gradient")
def gradient_of_the_sum(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The loss is averaged, and its gradient is not."""
    return NumPy.cross_entropy_gradient(b, logits, labels, axis, "sum")


@mutant("C28", "soft_cross_entropy_mean")
def averaged_over_batch_and_classes(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The mean is taken over an array that still has its classes."""
    return NumPy.soft_cross_entropy(b, logits, distribution, axis, "sum") / logits.size


@mutant("C29", "cross_entropy")
def neighbour_of_a_label_out_of_range(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are not checked, so one beyond the classes reads the next row's memory."""
    rows = np.moveaxis(NumPy.log_softmax(b, logits, axis), axis, -1)
    places = np.arange(labels.size) * rows.shape[-1] + labels.ravel()
    return b.reduced(-rows.ravel()[places % rows.size].reshape(labels.shape), reduction)


@mutant("C29", "cross_entropy_gradient")
def label_one_too_far(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """One is added to every label, and the result is clipped to the last class."""
    return NumPy.cross_entropy_gradient(b, logits, np.minimum(labels + 1, logits.shape[axis] - 1), axis, reduction)


@mutant("C30", "soft_cross_entropy_gradient")
def labels_sum_left_out(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The gradient is s·mean(p) − p instead of s·sum(p) − p, which is right only for one class."""
    s = NumPy.softmax(b, logits, axis)
    return s * distribution.mean(axis=axis, keepdims=True) - distribution


@mutant("C30", "soft_cross_entropy")
def hardened(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """Only the likeliest label counts."""
    return NumPy.cross_entropy(b, logits, distribution.argmax(axis=axis), axis, reduction)


@mutant("C30", "soft_cross_entropy_sum")
def entropy_of_the_labels_taken_off(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The loss is the Kullback-Leibler divergence, which has the same gradient."""
    own = np.where(distribution > 0, distribution * np.log(np.maximum(distribution, 1e-7)), 0).sum()
    return (NumPy.soft_cross_entropy(b, logits, distribution, axis, "sum") + own).astype(logits.dtype)


@mutant("C30", "soft_cross_entropy_gradient")
def distribution_forgotten(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The gradient is s alone, without −p."""
    return NumPy.softmax(b, logits, axis)


@mutant("C30", "soft_cross_entropy")
def renormalised_labels(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """Label distributions are made to sum to 1 in the loss, but not in its gradient."""
    whole = distribution / distribution.sum(axis=axis, keepdims=True)
    return NumPy.soft_cross_entropy(b, logits, whole, axis, reduction)


@mutant("C31", "cross_entropy")
def from_clipped_probabilities(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Probabilities are clipped to [10^-7, 1 − 10^-7], so no loss exceeds 16.2."""
    s = b.chosen(NumPy.softmax(b, logits, axis), labels, axis)
    return b.reduced(-np.log(np.clip(s, 1e-7, 1 - 1e-7)).astype(logits.dtype), reduction)


@mutant("C31", "cross_entropy")
def logarithm_with_an_epsilon(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The loss is −ln(s + 10^-10), so none exceeds 23.1."""
    s = b.chosen(NumPy.softmax(b, logits, axis), labels, axis).astype(np.float64)
    return b.reduced(-np.log(s + 1e-10).astype(logits.dtype), reduction)


@mutant("C31", "cross_entropy_gradient")
def saturated_gradient(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Where the label's probability is below 10^-7, as if clipped, the gradient is 0."""
    chosen = np.expand_dims(b.chosen(NumPy.softmax(b, logits, axis), labels, axis), axis)
    gradient = NumPy.cross_entropy_gradient(b, logits, labels, axis, reduction)
    return np.where(chosen < 1e-7, np.zeros_like(gradient), gradient)


@mutant("C31", "mean_squared_error")
def over_all_classes(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The loss is the squared error over all classes of one-hot vectors, not of the label's probability alone."""
    differences = NumPy.softmax(b, logits, axis) - one_hot(logits, labels, axis)
    return (differences**2).sum() / labels.size


@mutant("C21", "mean_squared_error_gradient")
def through_the_diagonal_alone(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The gradient goes only through s(1 − s) of the label's own class."""
    s = NumPy.softmax(b, logits, axis)
    return 2 * (s - 1) * s * (1 - s) * one_hot(logits, labels, axis) / labels.size


MUTANTS = planted(globals())
