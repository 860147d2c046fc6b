"""Derivatives in terms of a framework's own transforms: this module says what is differentiated, for all frameworks.

An adapter gives its functions (`softmax`, `cross_entropy`, …) and its transforms. Nothing here computes a number.
No first derivative is built out of another derivative. A second derivative differentiates a first one.
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
        """Return the gradient of the sum of the function's values at x, in reverse mode."""

    @abstractmethod
    def pull_back(self, function: Function, x: Any, cotangent: Any) -> Any:
        """Return the vector-Jacobian product Jᵀ·cotangent of the function at x, in reverse mode."""

    @abstractmethod
    def push_forward(self, function: Function, x: Any, tangent: Any) -> Any:
        """Return the Jacobian-vector product J·tangent of the function at x, in forward mode."""

    @abstractmethod
    def row_jacobians(self, function: Callable[[Any, int], Any], x: Any, axis: int) -> Any:
        """Return the Jacobian of each row, of shape (…, n, n), with the axis moved last.

        `function` takes an array and an axis, and maps each row along that axis independently.
        """

    @abstractmethod
    def whole_jacobian(self, function: Function, x: Any) -> Any:
        """Return the derivative of every value of the function with respect to every entry of the matrix x.

        The last two dimensions, those of x, are flattened into one.
        """

    @abstractmethod
    def entry(self, values: Any, index: int, axis: int) -> Any:
        """Return the values at that index of the axis, without the axis."""

    @abstractmethod
    def linear(self, inputs: Any, weights: Any) -> Any:
        """Return Σ_j W_ij·x_j, for inputs along the last axis."""

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
        """Differentiate in forward mode over reverse mode."""
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
        """Differentiate in forward mode over reverse mode."""
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
    """Second derivatives by reverse mode of reverse mode, which is valid because the Hessian is symmetric.

    This class is a mixin: it stands before the native class among the bases.
    """

    variant, operations = "reverse_over_reverse", ("hvp", "cross_entropy_hvp")

    def hvp(self, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
        return self.pull_back(lambda x: self.vjp(x, cotangent, axis), logits, tangent)

    def cross_entropy_hvp(self, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
        return self.pull_back(lambda x: self.cross_entropy_gradient(x, labels, axis, "sum"), logits, tangent)
