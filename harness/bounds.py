"""What error theory allows a correct implementation, element by element. Proofs: `docs/bounds.md`.

All bounds are rigorous in u, without dropped higher orders: a chain of k roundings is a factor within exp(±k·u'), with
u' = u/(1 − u). They hold for every formula of the documents, written out or differentiated, whose sums meet no more
roundings a term than a `Theory` says. What they assume of a library is stated in `Accuracy`.

A value is lost below the normal numbers: `tiny` is what each such loss may cost, the declared threshold where a backend
flushes to zero, a few quanta elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.formats import Format

Floats = NDArray[np.float64]
SLACK = 1 + 2.0**-20
"""Covers the float64 rounding of the bounds' own evaluation, which is under 2^-40 relative."""


@dataclass(frozen=True)
class Accuracy:
    """Assumed of exp, log and division, in u. Measured at worst: 6.5 and 4.3 (TensorFlow, float32), 1.0."""

    exp: float = 8.0
    log: float = 5.0
    division: float = 2.0


ASSUMED = Accuracy()


@dataclass(frozen=True)
class Theory:
    """What is assumed of an implementation: the height of its summation tree, and whether its shift is rounded.

    `ranged` False is for a shift that is compensated, or done in a wider format: errors free of the logits' range.
    """

    height: int
    ranged: bool = True


def any_order(n: int) -> Theory:
    """One chain of n − 1 additions is the highest tree there is."""
    return Theory(n - 1)


def blocked_tree(n: int, extra: int = 16) -> Theory:
    """A tree, with `extra` roundings more than its height: lanes and blocks of accumulators."""
    return Theory(min(n - 1, tree_height(n) + extra))


def range_free(n: int) -> Theory:
    """A tree, and nothing lost in the shift."""
    return Theory(min(n - 1, tree_height(n) + 1), ranged=False)


def tree_height(n: int) -> int:
    return ceil(log2(n)) if n > 1 else 0


PRODUCT_ROUNDINGS = 8
"""Roundings that one monomial s_j·v_j or s_j·s_k·v_k meets outside of the sum over k (docs/bounds.md#products)."""


@dataclass(frozen=True)
class SoftmaxError:
    """One block's softmax, as sizes: s itself, the log-domain error r of each element, and what all bounds share."""

    s: Floats
    gap: Floats
    """Distance from the maximum, up to `FARTHEST`."""
    shift: Floats
    """Log-domain error of each rounded shift."""
    log_total: Floats
    r: Floats
    total: Floats
    """Log-domain error of Z, one a row."""
    tiny: float
    step: float
    """u/(1 − u)."""
    height: int


FARTHEST = 1000.0
"""Beyond this distance from the maximum, s_j is under 10^-434 and its bound is `tiny`, however it is computed."""
LARGEST_SPREAD = 1 / 8
"""From here on the sum may have lost everything, and the bound is infinite; the loss terms are proved up to here."""


def softmax_error(logits: Floats, form: Format, flush: float | None, theory: Theory) -> SoftmaxError:
    """Bounds |ln(ŝ_j / s_j)| for a softmax shifted by its maximum, or not shifted at all (docs/bounds.md#softmax).

    â_i = (m − x_i)u' + e_exp·u is the log-domain error of exp(x_i − m). With the sum's h·u', Z is off by
    E = Σ s_i·expm1(â_i + h·u') relative, L = −ln(1 − E) in its log, and r_j = â_j + L + e_div·u. Infinite (vacuous)
    from E = 1/8 on. `flush`: below it, zero is as good as the number.
    """
    step = form.u / (1 - form.u)
    exp_error = ASSUMED.exp * form.u / (1 - ASSUMED.exp * form.u)
    division = ASSUMED.division * form.u / (1 - ASSUMED.division * form.u)
    n, height = logits.shape[-1], theory.height
    gap = logits.max(axis=-1, keepdims=True) - logits
    near = np.minimum(gap, FARTHEST)
    weights = np.exp(-near)
    total = weights.sum(axis=-1, keepdims=True)
    s = weights / total
    tiny = flush or form.quantum * (ASSUMED.exp + 1)
    exponential = theory.ranged * near * step + exp_error
    spread = (s * np.expm1(exponential + height * step)).sum(axis=-1, keepdims=True) + n * tiny
    sum_error = np.where(spread < LARGEST_SPREAD, -np.log1p(-np.minimum(spread, LARGEST_SPREAD)), np.inf)
    r = exponential + sum_error + division
    return SoftmaxError(s, near, theory.ranged * gap * step, np.log(total), r, sum_error, tiny, step, height)


def softmax(e: SoftmaxError) -> Floats:
    allowed: Floats = e.s * np.expm1(e.r) + e.tiny
    return allowed


def logsumexp(e: SoftmaxError, value: Floats, form: Format) -> Floats:
    """ln Ẑ is off by Z's own error and log's; then one addition (docs/bounds.md#logsumexp)."""
    inner = e.total + ASSUMED.log * form.u * (e.log_total + e.total)
    return inner + e.step * (np.abs(value) + inner) + e.tiny


def log_softmax(e: SoftmaxError, value: Floats, form: Format) -> Floats:
    """The shift is rounded, then ln Ẑ, then one subtraction (docs/bounds.md#log-softmax)."""
    inner = e.shift + e.total + ASSUMED.log * form.u * (e.log_total + e.total)
    return inner + e.step * (np.abs(value) + inner) + e.tiny


def jacobian_row(e: SoftmaxError, i: int) -> Floats:
    """The VJP bound at e_i; additions of exact zeros round nothing (docs/bounds.md#jacobian)."""
    constant = PRODUCT_ROUNDINGS * e.step
    s_i, r_i = e.s[:, [i]], e.r[:, [i]]
    allowed: Floats = s_i * e.s * np.expm1(r_i + e.r + constant) + 4 * e.tiny
    allowed[:, [i]] += s_i * np.expm1(r_i + constant)
    return allowed


def jacobian(e: SoftmaxError) -> Floats:
    """All its rows, as (rows, n, n)."""
    return np.stack([jacobian_row(e, i) for i in range(e.s.shape[-1])], axis=1)


def product(e: SoftmaxError, vector: Floats) -> Floats:
    """VJP and JVP: every monomial of s_j·v_j − s_j Σ s_k·v_k is off by its own factor (docs/bounds.md#products)."""
    n = vector.shape[-1]
    size = np.abs(vector)
    outer = e.r + (PRODUCT_ROUNDINGS + 1 + e.height) * e.step
    inner = (e.s * size * np.expm1(e.r)).sum(axis=-1, keepdims=True)
    weight = (e.s * size * np.exp(e.r)).sum(axis=-1, keepdims=True)
    lost = 2 * e.tiny * (size + size.sum(axis=-1, keepdims=True) + n + 4)
    allowed: Floats = e.s * (np.expm1(outer) * (size + weight) + inner) + lost
    return allowed


def cross_entropy(e: SoftmaxError, labels: NDArray[np.integer[Any]], value: Floats, form: Format) -> Floats:
    """That of log-softmax at the label (docs/bounds.md#cross-entropy)."""
    at_label = replace(e, shift=np.take_along_axis(e.shift, labels[:, None], axis=-1))
    return log_softmax(at_label, value, form)


def cross_entropy_gradient(e: SoftmaxError, labels: NDArray[np.integer[Any]], value: Floats, form: Format) -> Floats:
    """Of s − e_y, with s a softmax or the exp of a log-softmax; one subtraction (docs/bounds.md#cross-entropy)."""
    log_s = -e.gap - e.log_total
    through_log = log_softmax(e, log_s, form) + ASSUMED.exp * form.u / (1 - ASSUMED.exp * form.u)
    allowed: Floats = e.s * np.expm1(np.maximum(e.r, np.where(e.s > 0, through_log, 0))) + 2 * e.tiny
    at_label = np.arange(e.s.shape[-1]) == labels[:, None]
    return np.where(at_label, allowed + e.step * (np.abs(value) + allowed), allowed)


def bound(
    operation: str,
    logits: NDArray[np.generic],
    beside: list[Any],
    value: Floats,
    form: Format,
    theory: Theory,
    flush: float | None = None,
) -> Floats:
    """Largest absolute error allowed at each element, as (rows, answers).

    `value`: the exact answer to within an ulp, for its size alone. `flush`: below it, zero is as good as the number.
    Infinite where theory allows anything.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        e = softmax_error(np.asarray(logits, dtype=np.float64), form, flush, theory)
        match operation:
            case "softmax":
                allowed = softmax(e)
            case "log_softmax":
                allowed = log_softmax(e, value, form)
            case "logsumexp":
                allowed = logsumexp(e, value, form)
            case "jacobian":
                allowed = jacobian(e)
            case "jacobian_row":
                allowed = jacobian_row(e, beside[0])
            case "cross_entropy":
                allowed = cross_entropy(e, beside[0], value, form)
            case "cross_entropy_gradient":
                allowed = cross_entropy_gradient(e, beside[0], value, form)
            case _:
                allowed = product(e, np.asarray(beside[0], dtype=np.float64))
    result: Floats = allowed.reshape(len(e.s), -1) * SLACK
    return result


def scales(operation: str, logits: NDArray[np.generic], *beside: Any) -> Floats | None:
    """What an answer's terms add up to without their signs; None for operations in which nothing cancels.

    s_j(|v_j| + Σ s_i·|v_i|) for products, s_j + δ_jy for the gradient of cross-entropy. Where terms cancel the exact
    value says nothing of the work that it took, and this does.
    """
    if operation not in ("vjp", "jvp", "cross_entropy_gradient"):
        return None
    x = np.asarray(logits, dtype=np.float64)
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    s = weights / weights.sum(axis=-1, keepdims=True)
    if operation == "cross_entropy_gradient":
        scale: Floats = s + (np.arange(x.shape[-1]) == beside[0][:, None])
    else:
        size = np.abs(np.asarray(beside[0], dtype=np.float64))
        scale = s * (size + (s * size).sum(axis=-1, keepdims=True))
    return scale
