"""Exact losses of one row, and their derivatives by its logits. `expected` reduces them over the rows of a batch."""

from __future__ import annotations

from flint import arb

from harness.truth.exact.derivatives import product
from harness.truth.exact.rows import Formula, Row, of_softmax
from harness.truth.exact.values import softmax


def cross_entropy(row: Row, label: int) -> list[arb]:
    return [row.minus_log(label)]


def cross_entropy_gradient(row: Row, label: int) -> list[arb]:
    """Return s_j for j ≠ y, and s_y − 1 = −(Z − e_y)/Z at the label y."""
    gradient = softmax(row)
    gradient[label] = -row.others(label)
    return gradient


def cross_entropy_hvp(row: Row, label: int, tangent: list[float]) -> list[arb]:
    """Return J·t: the Hessian is J, whatever the label."""
    return product(row, tangent)


def soft_cross_entropy(row: Row, distribution: list[float]) -> list[arb]:
    """Return Σ p_j·(−ln s_j), a sum of terms of one sign."""
    return [sum((arb(p) * row.minus_log(j) for j, p in enumerate(distribution) if p), arb(0))]


def soft_cross_entropy_gradient(row: Row, distribution: list[float]) -> list[arb]:
    """Return (e_j·Σp − p_j·Z) / Z. Where p_j is all of Σp, it is −p_j·(Z − e_j) / Z, so that nothing cancels."""
    whole = sum(map(arb, distribution), arb(0))
    return [
        (-arb(p) * row.rest(j) if whole == p else e * whole - arb(p) * row.total) / row.total
        for j, (e, p) in enumerate(zip(row.e, distribution, strict=True))
    ]


def mean_squared_error(row: Row, label: int) -> list[arb]:
    """Return (1 − s_y)² = ((Z − e_y)/Z)²."""
    rest = row.rest(label)
    return [rest * rest / row.square]


def mean_squared_error_gradient(row: Row, label: int) -> list[arb]:
    """Return 2(s_y − 1)·s_y(δ_yj − s_j) as a product. Both s_y − 1 and 1 − s_y come from Z − e_y: nothing cancels."""
    rest, cube = row.rest(label), row.total * row.square
    factor = -2 * rest * row.e[label]
    return [factor * (rest if j == label else -e) / cube for j, e in enumerate(row.e)]


EXACT: dict[str, Formula] = {
    "cross_entropy": of_softmax(cross_entropy),
    "cross_entropy_mean": of_softmax(cross_entropy),
    "cross_entropy_sum": of_softmax(cross_entropy),
    "cross_entropy_gradient": of_softmax(cross_entropy_gradient),
    "cross_entropy_mean_gradient": of_softmax(cross_entropy_gradient),
    "cross_entropy_hvp": of_softmax(cross_entropy_hvp),
    "soft_cross_entropy": of_softmax(soft_cross_entropy),
    "soft_cross_entropy_mean": of_softmax(soft_cross_entropy),
    "soft_cross_entropy_sum": of_softmax(soft_cross_entropy),
    "soft_cross_entropy_gradient": of_softmax(soft_cross_entropy_gradient),
    "mean_squared_error": of_softmax(mean_squared_error),
    "mean_squared_error_gradient": of_softmax(mean_squared_error_gradient),
}
