"""Slips in derivatives: Jacobians, their products in both modes, second derivatives, ties and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


def inner(a: Any, b: Any, axis: int) -> Any:
    return (a * b).sum(axis=axis, keepdims=True)


def unshifted(logits: Any, axis: int) -> Any:
    weights = np.exp(logits)
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant("C20", "vjp")
def divided_by_the_probability(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The cotangent is recovered as a product divided by its probability: 0/0 where a masked probability is 0."""
    s = NumPy.softmax(b, logits, axis)
    products = s * cotangent
    return s * (products / s - products.sum(axis=axis, keepdims=True))


@mutant("C20", "log_softmax_vjp")
def through_a_single_where(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Masked entries are left out after the product and not before, so it is 0 · ∞ where a logarithm is −∞."""
    s = NumPy.softmax(b, logits, axis)
    surprise = np.log(s) - NumPy.log_softmax(b, logits, axis)
    return NumPy.log_softmax_vjp(b, logits, cotangent, axis) + 0 * surprise


@mutant("C21", "vjp", "jacobian", "jvp")
def elementwise(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is g·s·(1 − s), as if softmax were a sigmoid."""
    s = NumPy.softmax(b, logits, axis)
    return cotangent * s * (1 - s)


@mutant("C21", "jvp", "jacobian", "vjp")
def elementwise_forwards(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The JVP is s·(1 − s)·t, as if softmax were a sigmoid."""
    s = NumPy.softmax(b, logits, axis)
    return s * (1 - s) * tangent


@mutant("C21", "jacobian_row")
def without_its_own_term(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """The row is −s_i·s_j for all j, also for j = i."""
    s = NumPy.softmax(b, np.moveaxis(logits, axis, -1), -1)
    return -s[..., [index]] * s


@mutant("C22", "log_softmax_vjp")
def softmax_s_own_backward(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is g − Σ g·y with y the output: softmax's formula on log_softmax's numbers."""
    y = NumPy.log_softmax(b, logits, axis)
    return cotangent - inner(cotangent, y, axis)


@mutant("C22", "log_softmax_jvp")
def tangent_alone(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The normaliser is taken for a constant, so the tangent itself is returned."""
    return tangent.copy()


@mutant("C22", "log_softmax_vjp")
def exponential_forgotten(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is g − y·Σ g, with y instead of exp y."""
    return cotangent - NumPy.log_softmax(b, logits, axis) * cotangent.sum(axis=axis, keepdims=True)


@mutant("C23", "hvp")
def saved_probabilities_cut_off(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """The saved output is taken for a constant when backward is differentiated, so the result is 0."""
    return np.zeros_like(logits)


@mutant("C23", "hvp")
def without_the_covariance(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """The inner product in backward is taken for a constant when it is differentiated."""
    s = NumPy.softmax(b, logits, axis)
    return s * (tangent - inner(s, tangent, axis)) * (cotangent - inner(s, cotangent, axis))


@mutant("C23", "cross_entropy_hvp", "jvp")
def hessian_at_the_label_alone(b: NumPy, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
    """The Hessian has the label's column, and zeros elsewhere."""
    kept = np.zeros_like(tangent)
    chosen = np.expand_dims(labels, axis)
    np.put_along_axis(kept, chosen, np.take_along_axis(tangent, chosen, axis), axis)
    return NumPy.jvp(b, logits, kept, axis)


@mutant("C23", "cross_entropy_hvp", "jvp")
def hessian_of_a_sigmoid(b: NumPy, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
    """The Hessian is diag(s(1 − s)), a diagonal preconditioner."""
    s = NumPy.softmax(b, logits, axis)
    return s * (1 - s) * tangent


@mutant("C24", "jvp")
def jvp_without_the_shift(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The rule for forward mode uses the exponentials of unshifted logits."""
    s = unshifted(logits, axis)
    return s * (tangent - inner(s, tangent, axis))


@mutant("C24", "jacobian", "vjp", "jvp")
def mapped_over_the_first_row(b: NumPy, logits: Any, axis: int) -> Any:
    """The batching rule uses the first row's saved output for all rows."""
    s = NumPy.softmax(b, np.moveaxis(logits, axis, -1), -1)
    s = np.broadcast_to(s.reshape(-1, s.shape[-1])[:1].reshape((1,) * (s.ndim - 1) + (-1,)), s.shape)
    return s[..., :, None] * (np.eye(s.shape[-1], dtype=s.dtype) - s[..., None, :])


@mutant("C24", "jvp", "vjp", "jacobian")
def transposed_rule(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """Forward mode subtracts the plain mean of the tangent, not the mean weighted by s."""
    s = NumPy.softmax(b, logits, axis)
    return s * (tangent - tangent.mean(axis=axis, keepdims=True))


@mutant("C25", "log_softmax_vjp")
def maximum_routed_to_every_tie(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The maximum's gradient goes to every largest logit where subtracted, and to the first where added back."""
    tied = logits == logits.max(axis=axis, keepdims=True)
    first = np.cumsum(tied, axis=axis) == 1
    routed = cotangent.sum(axis=axis, keepdims=True) * ((tied & first).astype(logits.dtype) - tied)
    return NumPy.log_softmax_vjp(b, logits, cotangent, axis) + routed


@mutant("C25", "vjp")
def maximum_not_detached(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient through the shift goes to every largest logit, and what cancels it in the sum is left out."""
    s = NumPy.softmax(b, logits, axis)
    tied = (logits == logits.max(axis=axis, keepdims=True)).astype(logits.dtype)
    return NumPy.vjp(b, logits, cotangent, axis) - tied * inner(s, cotangent, axis)


@mutant("C26", "vjp")
def cotangent_taken_for_a_number(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The cotangent's first entry stands for all, so the gradient is 0, as Jᵀ of a constant is."""
    return NumPy.vjp(b, logits, np.full_like(cotangent, cotangent.flat[0]), axis)


@mutant("C26", "log_softmax_vjp")
def cotangent_ignored(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The cotangent is taken for all ones, as if everybody summed the outputs."""
    return NumPy.log_softmax_vjp(b, logits, np.ones_like(cotangent), axis)


MUTANTS = planted(globals())
