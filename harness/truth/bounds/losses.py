"""Bounds of cross-entropy and of the squared error, of rows and over a batch, and of their gradients.

Targets are labels, one a row, or distributions over the classes: the first are distributions of one class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.operations import DISTRIBUTION_PARTS, Operation
from harness.truth.bounds.derivatives import PRODUCT_ROUNDINGS, jacobian_row, log_softmax_vjp, lost
from harness.truth.bounds.values import SMALLEST, Floats, SoftmaxError, log_of_any

DIFFERENCE = 2.0**-52
"""What 1 − s may be off by in float64, where it is only a size."""
BATCH_ROUNDINGS = 4
"""A product with the cotangent 1/k, which is rounded, and one to spare; or a division of the sum, and a negation."""


def loss(operation: Operation, e: SoftmaxError, targets: Any) -> Floats:
    """Of any operation on logits and targets: a row's own, and what the batch's reduction adds."""
    hard = targets.ndim == 1
    p = e.at(targets).astype(np.float64) if hard else targets
    match operation.name.removeprefix("soft_").replace("_mean_gradient", "_gradient"):
        case "cross_entropy_gradient":
            return over_batch(operation, e, p, cross_entropy_gradient(e, p))
        case "mean_squared_error_gradient":
            return squared_error_gradient(e, targets) / len(p) + 8 * e.tiny
        case "mean_squared_error":
            return batch(operation, e, *squared_error(e, targets))
        case _:
            size, allowed = cross_entropy(e, p, hard)
            return batch(operation, e, size, allowed, 1 if hard else e.n) if operation.scalar else allowed


def cross_entropy(e: SoftmaxError, p: Floats, hard: bool) -> tuple[Floats, Floats]:
    """−Σ p_j·ln s_j, its size and its bound, one a row (docs/bounds.md#cross-entropy). A single 1 sums nothing."""
    own = np.where(p > 0, p * log_of_any(e), 0.0).sum(axis=-1)
    size = (p * e.log_s).sum(axis=-1)
    if hard:
        return size, own
    return size, own + np.expm1(e.roundings(e.height + 2)) * (size + own) + e.n * e.tiny


def cross_entropy_gradient(e: SoftmaxError, p: Floats) -> Floats:
    """Of s − p, with s a softmax or the exp of a log-softmax; one subtraction (docs/bounds.md#cross-entropy)."""
    if e.declared.through_probabilities:
        return gradient_through_probabilities(e, p)
    allowed = e.s * np.expm1(e.through_log().r) + 2 * e.tiny
    whole = np.where(p > 0, allowed + e.step * (np.abs(e.s - p) + DIFFERENCE + allowed), allowed)
    of_1 = sums_to_1(p)
    return whole if of_1.all() else np.where(of_1, whole, log_softmax_vjp(e, p))


def sums_to_1(p: Floats) -> NDArray[np.bool_]:
    """Rows of multiples of 1/128 that add up to 1 exactly, in every format and order; of others Σ p is rounded, and the
    gradient s·Σ p − p is log-softmax's VJP at −p."""
    exact: NDArray[np.bool_] = (p.sum(axis=-1, keepdims=True) == 1) & (p * DISTRIBUTION_PARTS % 1 == 0).all(
        axis=-1, keepdims=True
    )
    return exact


def back_through_log(e: SoftmaxError, cotangent: Floats) -> Floats:
    """Log-softmax's VJP, computed as it is declared."""
    if e.declared.through_probabilities:
        return gradient_through_probabilities(e, np.abs(cotangent))
    return log_softmax_vjp(e, cotangent)


def gradient_through_probabilities(e: SoftmaxError, p: Floats) -> Floats:
    """−p_i/ŝ_i times ŝ_i cancels exactly, and each monomial is rounded; 1/ŝ may overflow, and s_i·s_j underflow
    (docs/bounds.md#through-probabilities). `p`: sizes of a cotangent of ln s, a distribution or any other."""
    constant = e.roundings(2 * PRODUCT_ROUNDINGS + 1 + e.height)
    whole = p.sum(axis=-1, keepdims=True)
    allowed = e.s * whole * np.expm1(e.r + constant) + p * np.expm1(constant) + lost(e, quotients(e, p))
    overflows = ((p > 0) & (e.s < 4 * e.form.smallest_normal * np.maximum(p, 1))).any(axis=-1, keepdims=True)
    return np.where(overflows, np.inf, allowed)


def quotients(e: SoftmaxError, p: Floats) -> Floats:
    """p/ŝ, as large as it may be computed."""
    size: Floats = np.where(p > 0, p / np.maximum(e.s, SMALLEST), 0.0) * np.exp(e.r)
    return size


def over_batch(operation: Operation, e: SoftmaxError, p: Floats, allowed: Floats) -> Floats:
    """Of the mean's gradient: s·c − p·c with c = 1/k rounded, and Σ p·c over the classes in place of c."""
    if operation.reduction != "mean":
        return allowed
    sums = 0 if (p.max(axis=-1) == 1).all() else e.height
    rounded: Floats = allowed + np.expm1(e.roundings(BATCH_ROUNDINGS + sums)) * (e.s + p + allowed)
    return rounded / len(p) + 2 * e.tiny


def batch(operation: Operation, e: SoftmaxError, size: Floats, allowed: Floats, terms: int = 1) -> Floats:
    """Σ over the rows, or over all their terms at once, so many a row; then a division (docs/bounds.md#batch)."""
    height = max(e.theory.height(len(size)), e.theory.height(len(size) * terms) - e.theory.height(terms))
    total = allowed.sum() + np.expm1(e.roundings(height + BATCH_ROUNDINGS)) * (size + allowed).sum()
    return np.asarray(total / (len(size) if operation.reduction == "mean" else 1) + e.tiny)


def distance_from_1(e: SoftmaxError, labels: Any) -> tuple[Floats, Floats]:
    """1 − s_y as a size, and the bound of s_y − 1."""
    own = e.at(labels)
    s_y, r_y = e.s[own], e.r[own]
    size = np.where(own, 0.0, e.s).sum(axis=-1)
    allowed = s_y * np.expm1(r_y) + 2 * e.tiny
    return size, allowed + e.step * (size + allowed)


def squared_error(e: SoftmaxError, labels: Any) -> tuple[Floats, Floats]:
    """(s_y − 1)²: twice its error and its square, and one product (docs/bounds.md#squared-error)."""
    size, off = distance_from_1(e, labels)
    square = size * size
    return square, (2 * size + off) * off + e.step * (size + off) ** 2 + e.tiny


def squared_error_gradient(e: SoftmaxError, labels: Any) -> Floats:
    """2(s_y − 1)·J_yj, a product of two with their own errors."""
    size, off = (part[:, None] for part in distance_from_1(e, labels))
    own = e.at(labels)
    s_y = e.s[own][:, None]
    entry = s_y * np.where(own, size, e.s)
    entry_off = jacobian_row(e, labels)
    constant = e.roundings(PRODUCT_ROUNDINGS)
    both = size * entry * np.expm1(constant) + (off * (entry + entry_off) + size * entry_off) * np.exp(constant)
    return 2 * both
