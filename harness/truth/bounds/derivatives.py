"""Bounds of the derivatives: Jacobians, and products with them, first and second (docs/bounds.md#products)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.truth.bounds.rows import Rule, of_softmax
from harness.truth.bounds.sizes import absolute, mean, with_softmax
from harness.truth.bounds.softmax_error import SMALLEST, SoftmaxError

PRODUCT_ROUNDINGS = 8
"""Roundings that one monomial s_j·v_j or s_j·s_k·v_k meets outside of the sum over k."""
SECOND_ROUNDINGS = 6
"""Roundings that a monomial of a second derivative meets under no sum. Under d sums it meets 2d more, and d times their
height (docs/bounds.md#second-order)."""
OUTSIDE = 2
"""Roundings of a term outside of every sum: a subtraction, and one to spare."""


def sums(e: SoftmaxError, size: Floats) -> tuple[Floats, Floats]:
    """Return Σ s_k·|v_k| as large as it may be computed, and how far off that is, shape (rows, 1) each.

    They are Σ s_k·|v_k|·e^r_k and Σ s_k·|v_k|·(e^r_k − 1). `size`: |v|.
    """
    terms = e.s * size
    off = (terms * np.expm1(e.r)).sum(axis=-1, keepdims=True)
    return terms.sum(axis=-1, keepdims=True) + off, off


def jacobian_row(e: SoftmaxError, index: NDArray[np.integer]) -> Floats:
    """Return the bound of one row of J a row of logits, shape (rows, n) (docs/bounds.md#jacobian).

    It is that of the VJP at e_i, where additions of exact zeros round nothing.
    """
    own = e.at(index)
    s_i, r_i = e.s[own][:, None], e.r[own][:, None]
    constant = e.roundings(PRODUCT_ROUNDINGS)
    allowed: Floats = s_i * e.s * np.expm1(r_i + e.r + constant) + 4 * e.tiny
    return allowed + own * (s_i * np.expm1(r_i + constant))


def jacobian(e: SoftmaxError) -> Floats:
    """Return the bounds of all rows of J, shape (rows, n, n)."""
    return np.stack([jacobian_row(e, np.full(len(e.s), i)) for i in range(e.n)], axis=1)


def in_range(e: SoftmaxError, size: Floats, allowed: Floats) -> Floats:
    """Return the bound, infinite where a sum on the way may overflow.

    `size`: the sum of the sizes of a row's terms. On the way to the answer a term is at most 4 times as large.
    """
    overflows = ~(4 * size < e.form.largest)
    return np.where(overflows, np.inf, allowed) if overflows.any() else allowed


def product(e: SoftmaxError, vector: Floats) -> Floats:
    """Return the bound of VJP and JVP: every monomial of s_j·v_j − s_j Σ s_k·v_k is off by a factor of its own."""
    size = np.abs(vector)
    outer = np.expm1(e.r + e.roundings(PRODUCT_ROUNDINGS + 1 + e.height))
    weight, inner = sums(e, size)
    if e.declared.through_entries:
        apart: Floats = e.s * (outer * (size + weight) + inner) + lost(e, size)
        return in_range(e, size.sum(axis=-1, keepdims=True), apart)
    inside = 2 * e.tiny * size.sum(axis=-1, keepdims=True) + 3 * e.n * e.least
    # A loss inside the sum is multiplied by ζ·s_j·(1 + outer), which joins the other terms with s_j, and by 2 `tiny`.
    grown = e.spare * inside
    allowed: Floats = e.s * (outer * (size + (weight + grown)) + (inner + grown))
    allowed += 2 * e.tiny * e.spare * size + 2 * e.tiny * (e.spare * (weight + 4) + inside)
    return in_range(e, size.sum(axis=-1, keepdims=True), allowed)


def lost(e: SoftmaxError, size: Floats) -> Floats:
    """Return the losses below the normal numbers if none is multiplied by an s_j: 2 `tiny` for each monomial."""
    cost: Floats = 2 * e.tiny * (size + size.sum(axis=-1, keepdims=True) + e.n + 4)
    return cost


def hvp(e: SoftmaxError, cotangent: Floats, tangent: Floats) -> Floats:
    """Return the bound of the HVP: six kinds of monomials under no, one, two or three sums.

    The proof is in docs/bounds.md#second-order.
    """
    t, v = np.abs(tangent), np.abs(cotangent)
    outer = [np.expm1(e.r + e.roundings(SECOND_ROUNDINGS + under * (2 + e.height))) for under in range(4)]
    (all_t, off_t), (all_v, off_v), (all_tv, off_tv) = sums(e, t), sums(e, v), sums(e, t * v)
    all_s, off_s = (part + 2 * e.n * e.tiny for part in sums(e, np.ones_like(t)))
    both, off_both = all_t * all_v, off_t * all_v + all_t * off_v
    size = outer[0] * t * v + outer[1] * (t * all_v + v * all_t + all_tv) + (3 * outer[2] + outer[3] * all_s) * both
    off = t * off_v + v * off_t + off_tv + (3 + all_s) * off_both + off_s * both
    one_t, one_v = t + all_t + 1, v + all_v + 1
    lost_t, lost_v = (e.tiny * part.sum(axis=-1, keepdims=True) + 2 * e.n * e.least for part in (t, v))
    inside = one_t * lost_v + one_v * lost_t + lost_t * lost_v + e.tiny * (t * v).sum(axis=-1, keepdims=True)
    grown = 8 * e.spare * inside  # multiplied by s_j·(1 + outer) and by 2 `tiny`, as in `product`
    allowed: Floats = e.s * (size + outer[3] * grown + (off + grown))
    allowed += 8 * e.tiny * (e.spare * (one_t * one_v + all_tv) + 2 * inside)
    sum_t, sum_v = (part + part.sum(axis=-1, keepdims=True) for part in (t, v))
    return in_range(e, sum_t * sum_v, allowed)


def log_softmax_vjp(e: SoftmaxError, cotangent: Floats) -> Floats:
    """Return the bound of v_j − s_j·Σ v_k, with s_j a softmax or the exp of a log-softmax.

    The proof is in docs/bounds.md#log-softmax-derivatives.
    """
    size, either = np.abs(cotangent), e.through_log()
    outer = np.expm1(either.r + e.roundings(PRODUCT_ROUNDINGS + 1 + e.height))
    total = size.sum(axis=-1, keepdims=True)
    allowed: Floats = size * np.expm1(e.roundings(OUTSIDE)) + e.s * total * outer + 2 * e.tiny * (total + 4)
    if e.declared.flush:  # Σ v_k has no products, and only a flush makes a sum lose bits
        allowed += (e.s * (1 + outer) * e.spare + 2 * e.tiny) * e.n * e.declared.flush
    return in_range(e, total, allowed)


def log_softmax_jvp(e: SoftmaxError, tangent: Floats) -> Floats:
    """Return the bound of t_i − Σ s_k·t_k."""
    size, either = np.abs(tangent), e.through_log()
    outer = np.expm1(either.r + e.roundings(PRODUCT_ROUNDINGS + 1 + e.height))
    total = (e.s * size * outer).sum(axis=-1, keepdims=True)
    allowed: Floats = size * np.expm1(e.roundings(OUTSIDE)) + total + lost(e, size)
    return in_range(e, size.sum(axis=-1, keepdims=True), allowed)


def log_softmax_jacobian(e: SoftmaxError) -> Floats:
    """Return the bound of δ_ij − s_j, shape (rows, n, n). Nothing is summed."""
    off = e.s * np.expm1(e.through_log().r + e.roundings(PRODUCT_ROUNDINGS)) + 4 * e.tiny
    diagonal = np.eye(e.n) * (np.expm1(e.roundings(OUTSIDE)) * (1 + off))[:, None, :]
    allowed: Floats = off[:, None, :] + diagonal
    return allowed


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


def size_of_product(s: Floats, vector: NDArray[np.generic]) -> Floats:
    """Return s_j(|v_j| + Σ s_i·|v_i|)."""
    size = absolute(vector)
    return s * (size + mean(s, size))


def size_of_hvp(s: Floats, cotangent: NDArray[np.generic], tangent: NDArray[np.generic]) -> Floats:
    v, t = absolute(cotangent), absolute(tangent)
    return s * (t * v + t * mean(s, v) + v * mean(s, t) + mean(s, t * v) + 2 * mean(s, t) * mean(s, v))


def size_of_log_vjp(s: Floats, cotangent: NDArray[np.generic]) -> Floats:
    return absolute(cotangent) + s * absolute(cotangent).sum(axis=-1, keepdims=True)


def size_of_log_jvp(s: Floats, tangent: NDArray[np.generic]) -> Floats:
    return absolute(tangent) + mean(s, absolute(tangent))


def size_of_jacobian(s: Floats) -> Floats:
    """Return the sizes of s_i(δ_ij − s_j), whose two terms are added without signs."""
    size: Floats = s[:, :, None] * (np.eye(s.shape[-1]) + s[:, None, :])
    return size


def size_of_jacobian_row(s: Floats, index: int) -> Floats:
    size: Floats = s[:, [index]] * (np.eye(s.shape[-1])[index] + s)
    return size


def size_of_log_jacobian(s: Floats) -> Floats:
    size: Floats = np.eye(s.shape[-1]) + s[:, None, :]
    return size


PRODUCT = Rule(of_softmax(product), with_softmax(size_of_product), cancels=True)
ROWS: dict[str, Rule] = {
    "jacobian": Rule(of_softmax(jacobian), with_softmax(size_of_jacobian)),
    "jacobian_row": Rule(
        of_softmax(lambda e, index: jacobian_row(e, np.full(len(e.s), index))), with_softmax(size_of_jacobian_row)
    ),
    "vjp": PRODUCT,
    "jvp": PRODUCT,
    "hvp": Rule(of_softmax(hvp), with_softmax(size_of_hvp), cancels=True),
    "log_softmax_vjp": Rule(of_softmax(back_through_log), with_softmax(size_of_log_vjp), cancels=True),
    "log_softmax_jvp": Rule(of_softmax(log_softmax_jvp), with_softmax(size_of_log_jvp), cancels=True),
    "log_softmax_jacobian": Rule(of_softmax(log_softmax_jacobian), with_softmax(size_of_log_jacobian)),
}
