"""Bounds of cross-entropy and of the squared error, of rows and over a batch, and of their gradients.

Targets are labels, one a row, or distributions over the classes. A label is treated as a distribution of one class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.operations import DISTRIBUTION_PARTS, Operation
from harness.truth.bounds.derivatives import PRODUCT_ROUNDINGS, jacobian_row, log_softmax_vjp, lost
from harness.truth.bounds.values import SMALLEST, Floats, SoftmaxError, log_of_any

DIFFERENCE = 2.0**-52
"""What 1 − s may be off by in float64, where only its size is needed."""
BATCH_ROUNDINGS = 4
"""Roundings that a batch adds: a product with the rounded cotangent 1/k, and one to spare; or a division of the sum,
and a negation."""


def loss(operation: Operation, e: SoftmaxError, targets: Any) -> Floats:
    """Return the bound of any operation on logits and targets, with what the batch's reduction adds."""
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
    """Return the size of −Σ p_j·ln s_j and its bound, shape (rows,) each (docs/bounds.md#cross-entropy).

    `hard`: each row of p is a single 1, so that nothing is summed.
    """
    own = np.where(p > 0, p * log_of_any(e), 0.0).sum(axis=-1)
    size = (p * e.log_s).sum(axis=-1)
    if hard:
        return size, own
    return size, own + np.expm1(e.roundings(e.height + 2)) * (size + own) + e.n * e.tiny


def cross_entropy_gradient(e: SoftmaxError, p: Floats) -> Floats:
    """Return the bound of s − p, with s a softmax or the exp of a log-softmax (docs/bounds.md#cross-entropy).

    It has one subtraction, unless the gradient is declared `through_probabilities` or Σ p is not exactly 1.
    """
    if e.declared.through_probabilities:
        return gradient_through_probabilities(e, p)
    allowed = e.s * np.expm1(e.through_log().r) + 2 * e.tiny
    whole = np.where(p > 0, allowed + e.step * (np.abs(e.s - p) + DIFFERENCE + allowed), allowed)
    of_1 = sums_to_1(p)
    return whole if of_1.all() else np.where(of_1, whole, log_softmax_vjp(e, p))


def sums_to_1(p: Floats) -> NDArray[np.bool_]:
    """Return a mask, shape (rows, 1), of the rows of multiples of 1/128 that add up to exactly 1.

    They do so in every format and order. In other rows Σ p is rounded, and the gradient s·Σ p − p is the VJP of
    log-softmax at −p.
    """
    exact: NDArray[np.bool_] = (p.sum(axis=-1, keepdims=True) == 1) & (p * DISTRIBUTION_PARTS % 1 == 0).all(
        axis=-1, keepdims=True
    )
    return exact


def back_through_log(e: SoftmaxError, cotangent: Floats) -> Floats:
    """Return the bound of the VJP of log-softmax, computed as the backend declares."""
    if e.declared.through_probabilities:
        return gradient_through_probabilities(e, np.abs(cotangent))
    return log_softmax_vjp(e, cotangent)


def gradient_through_probabilities(e: SoftmaxError, p: Floats) -> Floats:
    """Return the bound of a gradient through a rounded softmax (docs/bounds.md#through-probabilities).

    The product of −p_i/ŝ_i with ŝ_i cancels exactly, and each monomial is rounded. s_i·s_j may underflow, and 1/ŝ may
    overflow, where the bound of the row is infinite. `p`: sizes of a cotangent of ln s, a distribution or any other.
    """
    constant = e.roundings(2 * PRODUCT_ROUNDINGS + 1 + e.height)
    whole = p.sum(axis=-1, keepdims=True)
    allowed = e.s * whole * np.expm1(e.r + constant) + p * np.expm1(constant) + lost(e, quotients(e, p))
    overflows = ((p > 0) & (e.s < 4 * e.form.smallest_normal * np.maximum(p, 1))).any(axis=-1, keepdims=True)
    return np.where(overflows, np.inf, allowed)


def quotients(e: SoftmaxError, p: Floats) -> Floats:
    """Return p/ŝ, as large as it may be computed."""
    size: Floats = np.where(p > 0, p / np.maximum(e.s, SMALLEST), 0.0) * np.exp(e.r)
    return size


def over_batch(operation: Operation, e: SoftmaxError, p: Floats, allowed: Floats) -> Floats:
    """Return the bound of the mean's gradient, or `allowed`, that of s − p, unless the operation takes a mean.

    The gradient is s·c − p·c with c = 1/k rounded, where s may also be multiplied by Σ p·c over the classes.
    """
    if operation.reduction != "mean":
        return allowed
    sums = 0 if (p.max(axis=-1) == 1).all() else e.height
    rounded: Floats = allowed + np.expm1(e.roundings(BATCH_ROUNDINGS + sums)) * (e.s + p + allowed)
    return rounded / len(p) + 2 * e.tiny


def batch(operation: Operation, e: SoftmaxError, size: Floats, allowed: Floats, terms: int = 1) -> Floats:
    """Return the bound of a sum or mean over the rows, as one number (docs/bounds.md#batch).

    All terms of all rows may also be summed at once. `size` and `allowed`: of each row's loss. `terms`: how many terms
    a row has.
    """
    height = max(e.theory.height(len(size)), e.theory.height(len(size) * terms) - e.theory.height(terms))
    total = allowed.sum() + np.expm1(e.roundings(height + BATCH_ROUNDINGS)) * (size + allowed).sum()
    return np.asarray(total / (len(size) if operation.reduction == "mean" else 1) + e.tiny)


def distance_from_1(e: SoftmaxError, labels: Any) -> tuple[Floats, Floats]:
    """Return the size of 1 − s_y and the bound of s_y − 1, shape (rows,) each."""
    own = e.at(labels)
    s_y, r_y = e.s[own], e.r[own]
    size = np.where(own, 0.0, e.s).sum(axis=-1)
    allowed = s_y * np.expm1(r_y) + 2 * e.tiny
    return size, allowed + e.step * (size + allowed)


def squared_error(e: SoftmaxError, labels: Any) -> tuple[Floats, Floats]:
    """Return the size of (s_y − 1)² and its bound, shape (rows,) each (docs/bounds.md#squared-error)."""
    size, off = distance_from_1(e, labels)
    square = size * size
    return square, (2 * size + off) * off + e.step * (size + off) ** 2 + e.tiny


def squared_error_gradient(e: SoftmaxError, labels: Any) -> Floats:
    """Return the bound of 2(s_y − 1)·J_yj, shape (rows, n), a product of two factors with their own errors."""
    size, off = (part[:, None] for part in distance_from_1(e, labels))
    own = e.at(labels)
    s_y = e.s[own][:, None]
    entry = s_y * np.where(own, size, e.s)
    entry_off = jacobian_row(e, labels)
    constant = e.roundings(PRODUCT_ROUNDINGS)
    both = size * entry * np.expm1(constant) + (off * (entry + entry_off) + size * entry_off) * np.exp(constant)
    return 2 * both
