"""Held-out mutants: losses and layers with a slip. The package's docstring has the rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import CLASSIC, mutant, planted


@mutant(CLASSIC, "cross_entropy")
def softmax_twice(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Probabilities are passed to a loss that expects logits."""
    return NumPy.cross_entropy(b, NumPy.softmax(b, logits, axis), labels, axis, reduction)


@mutant("C28", "cross_entropy")
def last_class_is_padding(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """An ignored index of −1 is wrapped to the last class, so that class costs nothing."""
    losses = NumPy.cross_entropy(b, logits, labels, axis, "none")
    return b.reduced(np.where(labels == logits.shape[axis] - 1, losses.dtype.type(0), losses), reduction)


@mutant("C28", "cross_entropy_mean")
def mean_of_two_means(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The means of two halves of the batch count alike, as in gradient accumulation, also if one half is larger."""
    losses = NumPy.cross_entropy(b, logits, labels, axis, "none")
    flat, half = losses.reshape(-1), losses.size // 2
    if reduction != "mean" or not half:
        return b.reduced(losses, reduction)
    return (flat[:half].mean() + flat[half:].mean()) / losses.dtype.type(2)


@mutant("C31", "soft_cross_entropy")
def labels_with_an_epsilon(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """10^-7 is added to every label, so that no logarithm meets a 0."""
    return NumPy.soft_cross_entropy(b, logits, distribution + distribution.dtype.type(1e-7), axis, reduction)


@mutant("C30", "soft_cross_entropy_gradient")
def labels_softmaxed_too(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The label distribution is passed through softmax too."""
    return NumPy.soft_cross_entropy_gradient(b, logits, NumPy.softmax(b, distribution, axis), axis, reduction)


@mutant("C21", "mean_squared_error_gradient")
def factor_two_left_out(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The gradient is that of half the square."""
    return NumPy.mean_squared_error_gradient(b, logits, labels, axis, reduction) / logits.dtype.type(2)


@mutant("C23", "cross_entropy_hvp")
def empirical_fisher(b: NumPy, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
    """The Hessian is (p − y)(p − y)ᵀ, which has the same expectation but is another matrix."""
    gradient = NumPy.cross_entropy_gradient(b, logits, labels, axis, "sum")
    return gradient * (gradient * tangent).sum(axis=axis, keepdims=True)


@mutant("C10", "layer")
def square_weights_transposed(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """The weights are transposed once too often wherever they are square."""
    square = weights.shape[0] == weights.shape[1]
    return NumPy.layer(b, inputs, weights.T if square else weights, axis)


@mutant("C28", "layer_cross_entropy_gradient")
def every_row_has_the_mean(b: NumPy, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
    """The gradient is averaged over the batch and broadcast to every row."""
    own = NumPy.layer_cross_entropy_gradient(b, inputs, weights, classes, axis)
    rows = own.reshape(-1, own.shape[-1])
    return np.broadcast_to(rows.mean(axis=0), own.shape).copy()


@mutant("C29", "cross_entropy_gradient")
def last_label_wins(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Labels are written into a buffer for one row, so all rows get the last one's."""
    last = np.full_like(labels, labels.reshape(-1)[-1])
    return NumPy.cross_entropy_gradient(b, logits, last, axis, reduction)


MUTANTS = planted(globals())
