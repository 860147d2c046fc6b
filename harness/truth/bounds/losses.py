from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.operations import DISTRIBUTION_PARTS
from harness.truth.bounds.derivatives import (
    PRODUCT_ROUNDINGS,
    gradient_through_probabilities,
    jacobian_row,
    log_softmax_vjp,
    product,
    size_of_product,
)
from harness.truth.bounds.rows import Rule, of_softmax
from harness.truth.bounds.sizes import absolute, at, with_softmax
from harness.truth.bounds.softmax_error import SoftmaxError
from harness.truth.bounds.values import log_of_any

DIFFERENCE = 2.0**-52
"""What 1 − s may be off by in float64, where only its size is needed."""
BATCH_ROUNDINGS = 4
"""Roundings that a batch adds: a product with the rounded cotangent 1/k, and one to spare; or a division of the sum,
and a negation."""


def shares(e: SoftmaxError, targets: Any) -> Floats:
    """Return targets as distributions, shape (rows, n)."""
    return e.at(targets).astype(np.float64) if targets.ndim == 1 else targets


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


def over_batch(e: SoftmaxError, p: Floats, allowed: Floats) -> Floats:
    """Return the bound of the mean's gradient from `allowed`, that of s − p.

    The gradient is s·c − p·c with c = 1/k rounded, where s may also be multiplied by Σ p·c over the classes.
    """
    sums = 0 if (p.max(axis=-1) == 1).all() else e.height
    rounded: Floats = allowed + np.expm1(e.roundings(BATCH_ROUNDINGS + sums)) * (e.s + p + allowed)
    return rounded / len(p) + 2 * e.tiny


def batch(e: SoftmaxError, size: Floats, allowed: Floats, averaged: bool, terms: int = 1) -> Floats:
    """Return the bound of a sum or mean over the rows, as one number (docs/bounds.md#batch).

    All terms of all rows may also be summed at once. `size` and `allowed`: of each row's loss. `terms`: how many terms
    a row has.
    """
    height = max(e.theory.height(len(size)), e.theory.height(len(size) * terms) - e.theory.height(terms))
    total = allowed.sum() + np.expm1(e.roundings(height + BATCH_ROUNDINGS)) * (size + allowed).sum()
    return np.asarray(total / (len(size) if averaged else 1) + e.tiny)


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


def loss(e: SoftmaxError, targets: Any) -> Floats:
    """Return the bound of each row's cross-entropy, shape (rows,)."""
    return cross_entropy(e, shares(e, targets), targets.ndim == 1)[1]


def reduced(e: SoftmaxError, targets: Any, averaged: bool) -> Floats:
    """Return the bound of the mean of the rows' cross-entropies, or of their sum."""
    hard = targets.ndim == 1
    return batch(e, *cross_entropy(e, shares(e, targets), hard), averaged, 1 if hard else e.n)


def gradient(e: SoftmaxError, targets: Any) -> Floats:
    return cross_entropy_gradient(e, shares(e, targets))


def mean_gradient(e: SoftmaxError, targets: Any) -> Floats:
    p = shares(e, targets)
    return over_batch(e, p, cross_entropy_gradient(e, p))


def weights_of_logs(targets: NDArray[np.generic]) -> Floats:
    """Return Σ |p_j| for each row: the weight of the logarithms in its loss. For a label it is 1."""
    size: Floats = np.ones(len(targets)) if targets.ndim == 1 else absolute(targets).sum(axis=-1)
    return size


def size_of_gradient(s: Floats, labels: NDArray[np.integer]) -> Floats:
    scale: Floats = s + (np.arange(s.shape[-1]) == labels[:, None])
    return scale


def size_of_soft_gradient(s: Floats, distribution: NDArray[np.generic]) -> Floats:
    return s * absolute(distribution).sum(axis=-1, keepdims=True) + absolute(distribution)


def size_of_squared_error(s: Floats, labels: NDArray[np.integer]) -> Floats:
    return np.asarray(((1 + at(s, labels)) ** 2).mean())


def size_of_squared_error_gradient(s: Floats, labels: NDArray[np.integer]) -> Floats:
    size: Floats = 2 * (1 + at(s, labels)) * at(s, labels) * (np.eye(s.shape[-1])[labels] + s) / len(s)
    return size


ROW = Rule(of_softmax(loss), lambda x, targets: weights_of_logs(targets))
MEAN = Rule(
    of_softmax(partial(reduced, averaged=True)), lambda x, targets: np.asarray(weights_of_logs(targets).sum() / len(x))
)
SUM = Rule(of_softmax(partial(reduced, averaged=False)), lambda x, targets: np.asarray(weights_of_logs(targets).sum()))
ROWS: dict[str, Rule] = {
    "cross_entropy": ROW,
    "cross_entropy_mean": MEAN,
    "cross_entropy_sum": SUM,
    "cross_entropy_gradient": Rule(of_softmax(gradient), with_softmax(size_of_gradient), cancels=True),
    "cross_entropy_mean_gradient": Rule(
        of_softmax(mean_gradient),
        with_softmax(lambda s, labels: size_of_gradient(s, labels) / len(s)),
        cancels=True,
    ),
    "cross_entropy_hvp": Rule(
        of_softmax(lambda e, labels, tangent: product(e.through_log(), tangent)),
        with_softmax(lambda s, labels, tangent: size_of_product(s, tangent)),
        cancels=True,
    ),
    "soft_cross_entropy": ROW,
    "soft_cross_entropy_mean": MEAN,
    "soft_cross_entropy_sum": SUM,
    "soft_cross_entropy_gradient": Rule(of_softmax(gradient), with_softmax(size_of_soft_gradient), cancels=True),
    "mean_squared_error": Rule(
        of_softmax(lambda e, labels: batch(e, *squared_error(e, labels), averaged=True)),
        with_softmax(size_of_squared_error),
    ),
    "mean_squared_error_gradient": Rule(
        of_softmax(lambda e, labels: squared_error_gradient(e, labels) / len(e.s) + 8 * e.tiny),
        with_softmax(size_of_squared_error_gradient),
    ),
}
