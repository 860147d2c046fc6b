"""NumPy, which has neither a softmax nor a differentiation of its own.

So this backend is the shifted formula and the closed forms of `docs/operations.md`, in NumPy's arithmetic.
"""

from __future__ import annotations

from typing import Any

from backends import textbook
from backends.base import Backend


class NumPy(Backend):
    framework = "numpy"
    dtypes = ("float64", "float32", "float16")

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

    def cross_entropy(self, logits: Any, labels: Any, axis: int) -> Any:
        chosen = self.xp.expand_dims(labels, axis)
        return -self.xp.take_along_axis(self.log_softmax(logits, axis), chosen, axis).squeeze(axis)

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int) -> Any:
        chosen, gradient = self.xp.expand_dims(labels, axis), self.softmax(logits, axis)
        at_label = self.xp.take_along_axis(gradient, chosen, axis)
        self.xp.put_along_axis(gradient, chosen, at_label - 1, axis)
        return gradient


BACKENDS = (NumPy, *textbook.variants(NumPy))
