"""Derivatives in terms of a framework's own transforms: what is differentiated, said once for all of them.

An adapter gives its functions (`softmax`, `cross_entropy`, …) and its five transforms; nothing here computes a number.
No derivative is built out of another, but a second one out of a first, which is what a second derivative is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from backends.base import Backend

Function = Callable[[Any], Any]


class Autodiff(Backend):
    """A framework with forward and reverse mode."""

    @abstractmethod
    def gradient(self, function: Function, x: Any) -> Any:
        """Of the sum of the function's values, in reverse mode."""

    @abstractmethod
    def pull_back(self, function: Function, x: Any, cotangent: Any) -> Any:
        """VJP."""

    @abstractmethod
    def push_forward(self, function: Function, x: Any, tangent: Any) -> Any:
        """JVP."""

    @abstractmethod
    def row_jacobians(self, function: Callable[[Any, int], Any], x: Any, axis: int) -> Any:
        """Of a function of rows along the axis, each row's own: (…, n, n), the axis moved last."""

    @abstractmethod
    def whole_jacobian(self, function: Function, x: Any) -> Any:
        """Of every value with respect to every entry of x, its last two dimensions in one."""

    @abstractmethod
    def entry(self, values: Any, index: int, axis: int) -> Any:
        """The values at that index of the axis, without the axis."""

    @abstractmethod
    def linear(self, inputs: Any, weights: Any) -> Any:
        """Σ_j W_ij·x_j, for inputs along the last axis."""

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_jacobians(self.softmax, logits, axis)

    def jacobian_row(self, logits: Any, index: int, axis: int) -> Any:
        gradient = self.gradient(lambda x: self.entry(self.softmax(x, axis), index, axis), logits)
        return self.xp.moveaxis(gradient, axis, -1)

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        return self.pull_back(lambda x: self.softmax(x, axis), logits, cotangent)

    def jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        return self.push_forward(lambda x: self.softmax(x, axis), logits, tangent)

    def hvp(self, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
        """Forward over reverse."""
        return self.push_forward(lambda x: self.vjp(x, cotangent, axis), logits, tangent)

    def log_softmax_vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        return self.pull_back(lambda x: self.log_softmax(x, axis), logits, cotangent)

    def log_softmax_jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        return self.push_forward(lambda x: self.log_softmax(x, axis), logits, tangent)

    def log_softmax_jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_jacobians(self.log_softmax, logits, axis)

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        return self.gradient(lambda x: self.cross_entropy(x, labels, axis, reduction), logits)

    def cross_entropy_hvp(self, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
        """Forward over reverse."""
        return self.push_forward(lambda x: self.cross_entropy_gradient(x, labels, axis, "sum"), logits, tangent)

    def soft_cross_entropy_gradient(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        return self.gradient(lambda x: self.soft_cross_entropy(x, distribution, axis, reduction), logits)

    def mean_squared_error_gradient(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        return self.gradient(lambda x: self.mean_squared_error(x, labels, axis, reduction), logits)

    def layer(self, inputs: Any, weights: Any, axis: int) -> Any:
        return self.softmax(self.linear(self.xp.moveaxis(inputs, axis, -1), weights), -1)

    def layer_jacobian(self, inputs: Any, weights: Any, axis: int) -> Any:
        return self.whole_jacobian(lambda w: self.layer(inputs, w, axis), weights)

    def layer_cross_entropy_gradient(self, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
        x = self.xp.moveaxis(inputs, axis, -1)
        return self.whole_jacobian(lambda w: self.cross_entropy(self.linear(x, w), classes, -1, "none"), weights)


class ReverseOverReverse(Autodiff):
    """Second derivatives as reverse mode of reverse mode: the Hessian is symmetric. To be mixed in before a native."""

    variant, operations = "reverse_over_reverse", ("hvp", "cross_entropy_hvp")

    def hvp(self, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
        return self.pull_back(lambda x: self.vjp(x, cotangent, axis), logits, tangent)

    def cross_entropy_hvp(self, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
        return self.pull_back(lambda x: self.cross_entropy_gradient(x, labels, axis, "sum"), logits, tangent)
