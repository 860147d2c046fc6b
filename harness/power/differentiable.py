"""An operation in the form that a checker of derivatives needs: a function of one array, and its derivative.

Jacobians are turned into products, so every operation with a derivative in it can be asked about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backends import Backend

Function = Callable[..., Any]


@dataclass(frozen=True)
class Differentiable:
    """A function at a point, with Jᵀ·cotangent (`pull`) or J·tangent (`push`)."""

    function: Function
    x: Any
    pull: Function | None = None
    push: Function | None = None


def entries(j: Any, g: Any, axis: int) -> Any:
    """Return Σ_i g_i·J_ij for each row, with the axis back in its place."""
    return np.moveaxis(np.einsum("...i,...ij->...j", np.moveaxis(g, axis, -1), j), -1, axis)


def by_weights(derivative: Any, cotangent: Any, weights: Any) -> Any:
    """Return the derivative with respect to the weights, summed over all rows.

    The cotangent has the derivative's shape without its last axis.
    """
    return np.tensordot(cotangent, derivative, cotangent.ndim).reshape(weights.shape)


def posed(b: Backend, operation: str, given: dict[str, Any], axis: int) -> Differentiable:
    """Return what a backend computes for an operation as a function with its derivative. `given`: the arguments."""
    if "weights" in given:
        return of_a_layer(b, operation, given, axis)
    if "labels" in given or "distribution" in given:
        return of_a_loss(b, operation, given, axis)
    x, v, index = given["logits"], given.get("cotangent"), int(given.get("index", 0))
    match operation:
        case "softmax" | "vjp":
            return Differentiable(lambda x: b.softmax(x, axis), x, lambda x, g: b.vjp(x, g, axis))
        case "jvp":
            return Differentiable(lambda x: b.softmax(x, axis), x, push=lambda x, t: b.jvp(x, t, axis))
        case "jacobian":
            return Differentiable(lambda x: b.softmax(x, axis), x, lambda x, g: entries(b.jacobian(x, axis), g, axis))
        case "jacobian_row":
            return Differentiable(
                lambda x: np.take(b.softmax(x, axis), index, axis),
                x,
                lambda x, g: np.moveaxis(g[..., None] * b.jacobian_row(x, index, axis), -1, axis),
            )
        case "hvp":
            return Differentiable(lambda x: b.vjp(x, v, axis), x, lambda x, t: b.hvp(x, v, t, axis))
        case "log_softmax" | "log_softmax_vjp":
            return Differentiable(lambda x: b.log_softmax(x, axis), x, lambda x, g: b.log_softmax_vjp(x, g, axis))
        case "log_softmax_jvp":
            return Differentiable(lambda x: b.log_softmax(x, axis), x, push=lambda x, t: b.log_softmax_jvp(x, t, axis))
        case "log_softmax_jacobian":
            return Differentiable(
                lambda x: b.log_softmax(x, axis), x, lambda x, g: entries(b.log_softmax_jacobian(x, axis), g, axis)
            )
        case "logsumexp":
            return Differentiable(
                lambda x: b.logsumexp(x, axis), x, lambda x, g: np.expand_dims(g, axis) * b.softmax(x, axis)
            )
    raise ValueError(f"nothing is known of {operation}")


def of_a_loss(b: Backend, operation: str, given: dict[str, Any], axis: int) -> Differentiable:
    """Return a loss of labels with its gradient; for a Hessian, the gradient with its own derivative."""
    x, targets, loss = given["logits"], given.get("labels", given.get("distribution")), loss_of(operation)
    if operation == "cross_entropy_hvp":
        return Differentiable(
            lambda x: b.cross_entropy_gradient(x, targets, axis, "sum"),
            x,
            lambda x, t: b.cross_entropy_hvp(x, targets, t, axis),
        )
    reduction = reduction_of(operation)
    function, gradient = getattr(b, loss), getattr(b, f"{loss}_gradient")
    own = "mean" if loss != "soft_cross_entropy" and reduction == "mean" else "sum"
    share = x.shape[axis] / x.size if reduction == "mean" and own == "sum" else 1

    def pull(x: Any, g: Any) -> Any:
        return (np.expand_dims(g, axis) if reduction == "none" else g) * share * gradient(x, targets, axis, own)

    return Differentiable(lambda x: function(x, targets, axis, reduction), x, pull)


def loss_of(operation: str) -> str:
    return next(loss for loss in ("soft_cross_entropy", "cross_entropy", "mean_squared_error") if loss in operation)


def reduction_of(operation: str) -> str:
    """Return the reduction of an operation's loss. The gradient of the sum is that of each row's own loss."""
    if "mean" in operation:
        return "mean"
    return "none" if operation in ("cross_entropy", "soft_cross_entropy") else "sum"


def of_a_layer(b: Backend, operation: str, given: dict[str, Any], axis: int) -> Differentiable:
    """Return an operation of a layer as a function of its weights."""
    inputs, weights = given["inputs"], given["weights"]
    if operation == "layer_cross_entropy_gradient":
        rows = np.moveaxis(inputs, axis, -1)
        return Differentiable(
            lambda w: b.cross_entropy(rows @ w.T, given["classes"], -1, "none"),
            weights,
            lambda w, g: by_weights(b.layer_cross_entropy_gradient(inputs, w, given["classes"], axis), g, w),
        )
    return Differentiable(
        lambda w: b.layer(inputs, w, axis),
        weights,
        lambda w, g: by_weights(b.layer_jacobian(inputs, w, axis), g, w),
    )
