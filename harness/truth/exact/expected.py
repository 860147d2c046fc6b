"""Expected values by Arb balls: the mathematical value at the very numbers that the backend got.

Each value is a ball whose radius is proved by Arb. The precision is doubled, row by row, until every ball is known to
2^-10 ulp of any format. The formulas avoid cancellation (docs/operations.md#exact-values). With m the position of the
maximum, e_i = exp(x_i − x_m) and Z = Σ e_i, the tail Z − e_m is summed and never subtracted, and cotangents are
centred at v_m. So all-equal logits give an exact Z, and J·v of a constant v is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from math import isqrt
from operator import mul
from typing import Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from harness.operations import OPERATIONS, Operation
from harness.truth.exact.balls import SIDE_PRECISION, Expected, as_expected, decided
from harness.truth.exact.refused import check_arguments

FARTHEST = 2.0**60
NOTHING = arb(-FARTHEST)
"""The least shifted logit whose exponential is taken. Behind a mask of float32's lowest number Arb's exponential is a
ball about 0; taken from here, it keeps the softmax above 0. Exponents stop at `balls.LOWEST_EXPONENT` long before."""
Answers = Callable[[], list[arb]]
"""A function that computes the answers of one row, or those of all rows, at the precision set when it is called."""


class Row:
    """One row of logits, with the exponentials and sums that all operations share."""

    def __init__(self, logits: Sequence[float | arb]) -> None:
        self.m = m = logits.index(max(logits))
        self.largest = arb(logits[m])
        opposite = -self.largest  # a ball plus a float takes half the time of a float minus a ball
        self.shifted = [opposite + x for x in logits]
        near = self.shifted if min(logits) - max(logits) > -FARTHEST else [max(x, NOTHING) for x in self.shifted]
        self.e = [x.exp() for x in near]
        self.tail = summed(self.e[:m] + self.e[m + 1 :])
        self.total = self.e[m] + self.tail

    @cached_property
    def square(self) -> arb:
        return self.total * self.total

    @cached_property
    def log_total(self) -> arb:
        return self.tail.log1p()

    def rest(self, i: int) -> arb:
        """Return Z − e_i. For i ≠ m it is at least e_m = 1, so nothing cancels."""
        return self.tail if i == self.m else self.total - self.e[i]

    def without(self, part: arb, rest: arb) -> arb:
        """Return rest/Z, where part + rest = Z.

        If it is near 1, it is computed as 1 − part/Z with SIDE_PRECISION bits, enough to tell it from 1. Only this
        subtraction needs them, so the precision of the whole row is not raised.
        """
        if not part < 2.0**-64:
            return rest / self.total
        lacking = part / self.total
        with ctx.workprec(max(ctx.prec, SIDE_PRECISION)):
            return 1 - lacking

    def share(self, i: int) -> arb:
        """Return s_i."""
        return self.without(self.tail, self.e[i]) if i == self.m else self.e[i] / self.total

    def others(self, i: int) -> arb:
        """Return 1 − s_i."""
        return self.tail / self.total if i == self.m else self.without(self.e[i], self.rest(i))

    def minus_log(self, i: int) -> arb:
        """Return −ln s_i = ln Z + (x_m − x_i). The two terms have one sign, so nothing cancels."""
        return self.log_total - self.shifted[i]

    def centred(self, vector: list[float]) -> list[arb]:
        """Return v − v_m, shape (n,). J·v stays the same, since J·1 = 0, and the largest weight leaves the sums."""
        opposite = -arb(vector[self.m])
        return [opposite + v for v in vector]

    def weighted(self, vector: list[arb]) -> arb:
        """Return Σ e_i·v_i."""
        return summed(list(map(mul, self.e, vector)))


def summed(terms: list[arb]) -> arb:
    """Return the sum of n terms, added in pieces of about √n, so that its radius grows with √n and not with n."""
    size = isqrt(len(terms)) + 1
    return sum((sum(terms[i : i + size], arb(0)) for i in range(0, len(terms), size)), arb(0))


def softmax(row: Row) -> list[arb]:
    total = row.total
    shares = [e / total for e in row.e]
    shares[row.m] = row.share(row.m)
    return shares


def log_softmax(row: Row) -> list[arb]:
    log_total = row.log_total
    return [x - log_total for x in row.shifted]


def logsumexp(row: Row) -> list[arb]:
    return [row.largest + row.log_total]


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


def layer_jacobian(row: Row, inputs: list[float]) -> list[arb]:
    """Return s_t(δ_ti − s_i)·x_j in the order (t, i, j): W is taken row by row."""
    entries, x = jacobian(row), [arb(value) for value in inputs]
    return [entry * value for entry in entries for value in x]


def layer_cross_entropy_gradient(row: Row, inputs: list[float], label: int) -> list[arb]:
    """Return (s_i − δ_iy)·x_j in the order (i, j)."""
    entries, x = cross_entropy_gradient(row, label), [arb(value) for value in inputs]
    return [entry * value for entry in entries for value in x]


def weighted_inputs(inputs: list[float], weights: list[list[float]]) -> list[arb]:
    """Return W·x, a layer's logits. `weights`: the rows of W."""
    return [sum((arb(w) * arb(x) for w, x in zip(line, inputs, strict=True)), arb(0)) for line in weights]


EXACT: dict[str, Callable[..., list[arb]]] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "jacobian": jacobian,
    "jacobian_row": jacobian_row,
    "vjp": product,
    "jvp": product,
    "hvp": hvp,
    "log_softmax_vjp": log_softmax_vjp,
    "log_softmax_jvp": log_softmax_jvp,
    "log_softmax_jacobian": log_softmax_jacobian,
    "cross_entropy": cross_entropy,
    "cross_entropy_mean": cross_entropy,
    "cross_entropy_sum": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
    "cross_entropy_mean_gradient": cross_entropy_gradient,
    "cross_entropy_hvp": cross_entropy_hvp,
    "soft_cross_entropy": soft_cross_entropy,
    "soft_cross_entropy_mean": soft_cross_entropy,
    "soft_cross_entropy_sum": soft_cross_entropy,
    "soft_cross_entropy_gradient": soft_cross_entropy_gradient,
    "mean_squared_error": mean_squared_error,
    "mean_squared_error_gradient": mean_squared_error_gradient,
}
"""The exact answers of each operation on one row of logits, before any reduction over the rows."""
LAYERS: dict[str, Callable[..., list[arb]]] = {
    "layer": lambda row, inputs: softmax(row),
    "layer_jacobian": layer_jacobian,
    "layer_cross_entropy_gradient": layer_cross_entropy_gradient,
}
"""The exact answers of each layer operation on one row: a layer's logits W·x, its inputs x and, if asked, its class."""


def expected(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Expected:
    """Return the exact answers for finite logits of shape (rows, n), as (rows, answers); (1, 1) for a scalar operation.

    `beside`: the operation's other arguments in its order. An array of shape (rows, …) is taken row by row, a number
    holds for every row, and a layer's weights have shape (t, n).

    Raise ValueError for NaN or infinity in an input, for a label that is no integer or no class, and for a negative
    entry of a distribution. Raise UndecidedError where no precision up to 65,536 bits decides.
    """
    about = OPERATIONS[operation]
    check_arguments(about, logits, beside)
    count = len(logits)
    rows = [answers(about, number, logits, beside) for number in range(count)]
    units: list[Answers]
    if about.scalar:
        units = [partial(reduced, rows, about.reduction)]
    elif about.reduction == "mean":
        units = [partial(shared, row, count) for row in rows]
    else:
        units = rows
    return as_expected([decided(unit, f"{operation}, row {number}") for number, unit in enumerate(units)])


def answers(operation: Operation, number: int, logits: NDArray[np.generic], beside: list[Any]) -> Answers:
    """Return a function that computes one row's answers, at the precision set when it is called."""
    row = np.asarray(logits[number], dtype=np.float64).tolist()
    if operation.name in LAYERS:
        weights, *others = beside
        lines, given = np.asarray(weights, dtype=np.float64).tolist(), [own(value, number) for value in others]
        return lambda: LAYERS[operation.name](Row(weighted_inputs(row, lines)), row, *given)
    given = [own(value, number) for value in beside]
    return lambda: EXACT[operation.name](Row(row), *given)


def own(value: Any, number: int) -> Any:
    """Return the part of an argument that belongs to one row, as Python numbers. An integer holds for every row."""
    if isinstance(value, int):
        return value
    return np.asarray(value[number], dtype=np.float64 if value.dtype.kind != "i" else np.int64).tolist()


def reduced(rows: list[Answers], reduction: str) -> list[arb]:
    """Return the sum or the mean of all rows' answers, as one answer."""
    total = sum((answer for row in rows for answer in row()), arb(0))
    return [total / len(rows) if reduction == "mean" else total]


def shared(row: Answers, count: int) -> list[arb]:
    """Return one row's answers divided by the number of rows, as in the gradient of a mean."""
    return [answer / count for answer in row()]
