"""NumPy, which has neither a softmax nor a differentiation of its own.

This backend is the shifted formula and the closed forms of `docs/operations.md`, in NumPy's arithmetic.
"""

from __future__ import annotations

from typing import Any

from backends import textbook
from backends.base import Backend


class NumPy(Backend):
    framework = "numpy"
    dtypes, threaded = ("float64", "float32", "float16"), False

    def __init__(self) -> None:
        import numpy

        self.xp = numpy
        self.version = numpy.__version__

    def from_numpy(self, array: Any) -> Any:
        return array

    def to_numpy(self, array: Any) -> Any:
        return array

    def softmax(self, logits: Any, axis: int) -> Any:
        weights = self.xp.exp(logits - logits.max(axis=axis, keepdims=True))
        return weights / weights.sum(axis=axis, keepdims=True)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        shifted = logits - logits.max(axis=axis, keepdims=True)
        return shifted - self.xp.log(self.xp.exp(shifted).sum(axis=axis, keepdims=True))

    def logsumexp(self, logits: Any, axis: int) -> Any:
        largest = logits.max(axis=axis, keepdims=True)
        total = self.xp.exp(logits - largest).sum(axis=axis, keepdims=True)
        return (largest + self.xp.log(total)).squeeze(axis)

    def jacobian(self, logits: Any, axis: int) -> Any:
        s = self.softmax(self.xp.moveaxis(logits, axis, -1), -1)
        return s[..., :, None] * (self.xp.eye(s.shape[-1], dtype=s.dtype) - s[..., None, :])

    def jacobian_row(self, logits: Any, index: int, axis: int) -> Any:
        s = self.softmax(self.xp.moveaxis(logits, axis, -1), -1)
        return s[..., [index]] * (self.xp.eye(s.shape[-1], dtype=s.dtype)[index] - s)

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        s = self.softmax(logits, axis)
        return s * (cotangent - (s * cotangent).sum(axis=axis, keepdims=True))

    def jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        return self.vjp(logits, tangent, axis)  # J is symmetric

    def hvp(self, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
        s = self.softmax(logits, axis)
        product = (tangent - (s * tangent).sum(axis=axis, keepdims=True)) * (
            cotangent - (s * cotangent).sum(axis=axis, keepdims=True)
        )
        return s * (product - (s * product).sum(axis=axis, keepdims=True))

    def log_softmax_vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        return cotangent - self.softmax(logits, axis) * cotangent.sum(axis=axis, keepdims=True)

    def log_softmax_jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        return tangent - (self.softmax(logits, axis) * tangent).sum(axis=axis, keepdims=True)

    def log_softmax_jacobian(self, logits: Any, axis: int) -> Any:
        s = self.softmax(self.xp.moveaxis(logits, axis, -1), -1)
        return self.xp.eye(s.shape[-1], dtype=s.dtype) - s[..., None, :]

    def cross_entropy(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        return self.reduced(-self.chosen(self.log_softmax(logits, axis), labels, axis), reduction)

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        gradient = self.softmax(logits, axis)
        at_label = self.chosen(gradient, labels, axis)
        self.xp.put_along_axis(
            gradient, self.xp.expand_dims(labels, axis), self.xp.expand_dims(at_label - 1, axis), axis
        )
        return gradient / labels.size if reduction == "mean" else gradient

    def cross_entropy_hvp(self, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
        return self.jvp(logits, tangent, axis)  # the Hessian is J, whatever the label

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        return self.reduced(-(distribution * self.log_softmax(logits, axis)).sum(axis=axis), reduction)

    def soft_cross_entropy_gradient(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        gradient = self.softmax(logits, axis) * distribution.sum(axis=axis, keepdims=True) - distribution
        return gradient * (logits.shape[axis] / logits.size) if reduction == "mean" else gradient

    def mean_squared_error(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        return self.reduced((self.chosen(self.softmax(logits, axis), labels, axis) - 1) ** 2, reduction)

    def mean_squared_error_gradient(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        at_label = self.chosen(self.softmax(logits, axis), labels, axis)
        cotangent = self.xp.zeros_like(logits)
        values = 2 * (at_label - 1) / (labels.size if reduction == "mean" else 1)
        self.xp.put_along_axis(cotangent, self.xp.expand_dims(labels, axis), self.xp.expand_dims(values, axis), axis)
        return self.vjp(logits, cotangent, axis)

    def layer(self, inputs: Any, weights: Any, axis: int) -> Any:
        return self.softmax(self.xp.moveaxis(inputs, axis, -1) @ weights.T, -1)

    def layer_jacobian(self, inputs: Any, weights: Any, axis: int) -> Any:
        x = self.xp.moveaxis(inputs, axis, -1)
        return self.flat(self.jacobian(x @ weights.T, -1)[..., None] * x[..., None, None, :])

    def layer_cross_entropy_gradient(self, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
        x = self.xp.moveaxis(inputs, axis, -1)
        gradient = self.cross_entropy_gradient(x @ weights.T, classes, -1, "sum")
        return self.flat(gradient[..., None] * x[..., None, :])

    def chosen(self, values: Any, labels: Any, axis: int) -> Any:
        return self.xp.take_along_axis(values, self.xp.expand_dims(labels, axis), axis).squeeze(axis)

    def reduced(self, losses: Any, reduction: str) -> Any:
        return losses if reduction == "none" else getattr(losses, reduction)()

    def flat(self, derivative: Any) -> Any:
        """Flatten the last two dimensions, those of W, row by row."""
        return derivative.reshape(*derivative.shape[:-2], -1)


BACKENDS = (NumPy, *textbook.variants(NumPy))
