"""Exact Jacobians of softmax and of log-softmax, and products with them, first and second."""

from __future__ import annotations

from flint import arb

from harness.truth.exact.rows import Formula, Row, of_softmax, summed


def jacobian_row(row: Row, index: int) -> list[arb]:
    e_i, square = row.e[index], row.square
    return [e_i * (row.rest(index) if j == index else -e_j) / square for j, e_j in enumerate(row.e)]


def jacobian(row: Row) -> list[arb]:
    """Return J row by row, n² entries. J is symmetric, so the upper triangle is computed and mirrored."""
    n = range(len(row.e))
    rows = [[row.e[i] * (row.rest(i) if i == j else -row.e[j]) / row.square for j in n if j >= i] for i in n]
    return [rows[min(i, j)][abs(j - i)] for i in n for j in n]


def product(row: Row, vector: list[float]) -> list[arb]:
    """Return J·v = Jᵀ·v: g_j = e_j (Z·v'_j − Σ e_i·v'_i) / Z² with v' = v − v_m."""
    centred, total, square = row.centred(vector), row.total, row.square
    weighted = row.weighted(centred)
    return [e * (total * c - weighted) / square for e, c in zip(row.e, centred, strict=True)]


def hvp(row: Row, cotangent: list[float], tangent: list[float]) -> list[arb]:
    """Return e_j·((Z·t'_j − A)(Z·v'_j − B) − (Z·C − A·B)) / Z³, with A, B, C the sums of e·t', e·v' and e·t'·v'."""
    v, t, total = row.centred(cotangent), row.centred(tangent), row.total
    both = [a * b for a, b in zip(t, v, strict=True)]
    a, b, c = row.weighted(t), row.weighted(v), row.weighted(both)
    covariance, cube = total * c - a * b, total * row.square
    return [e * ((total * x - a) * (total * y - b) - covariance) / cube for e, x, y in zip(row.e, t, v, strict=True)]


def log_softmax_vjp(row: Row, cotangent: list[float]) -> list[arb]:
    """Return v_j − s_j·Σ v_i. At the maximum it is (T·v_m − Σ of the others) / Z, since Z = 1 + T with the tail T."""
    v = [arb(value) for value in cotangent]
    others = summed(v[: row.m] + v[row.m + 1 :])
    whole = others + v[row.m]
    at_maximum = row.tail * v[row.m] - others
    return [(at_maximum if j == row.m else row.total * v[j] - e * whole) / row.total for j, e in enumerate(row.e)]


def log_softmax_jvp(row: Row, tangent: list[float]) -> list[arb]:
    """Return (Z·t'_i − Σ e_j·t'_j) / Z with t' = t − t_m."""
    centred = row.centred(tangent)
    weighted = row.weighted(centred)
    return [(row.total * c - weighted) / row.total for c in centred]


def log_softmax_jacobian(row: Row) -> list[arb]:
    n = range(len(row.e))
    return [row.others(j) if i == j else -row.share(j) for i in n for j in n]


EXACT: dict[str, Formula] = {
    "jacobian": of_softmax(jacobian),
    "jacobian_row": of_softmax(jacobian_row),
    "vjp": of_softmax(product),
    "jvp": of_softmax(product),
    "hvp": of_softmax(hvp),
    "log_softmax_vjp": of_softmax(log_softmax_vjp),
    "log_softmax_jvp": of_softmax(log_softmax_jvp),
    "log_softmax_jacobian": of_softmax(log_softmax_jacobian),
}
