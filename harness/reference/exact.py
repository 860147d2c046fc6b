"""Expected values by Arb balls: the mathematical value at the very numbers that the backend got.

Each value is a ball whose radius is proved by Arb; the precision is doubled, row by row, until every ball is known to
2^-10 ulp of the format under test. Cancellation is avoided by formula (docs/operations.md#exact-values): with m the
position of the maximum, e_i = exp(x_i − x_m) and Z = Σ e_i, the tail Z − e_m is summed and never subtracted, and
cotangents are centred at v_m. All-equal logits and constant cotangents so come out exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from harness.formats import Format

FIRST_PRECISION, LAST_PRECISION = 128, 2**16
ACCURACY_BITS, GUARD_BITS = 108, 12
"""A ball is narrow enough when its radius is under 2^-108 of its value, or under 2^-12 of the smallest subnormal."""


SIDE_PRECISION = 8192
"""Up to here precision is spent on which side of a power of two a value lies; then the smaller ulp is taken, which at
most doubles an ULP error."""


Bits = tuple[int, int, int]
LOW_BITS = 2**53 - 1
LOWEST_EXPONENT = -(2**30)
"""What is smaller still, as softmax's tail behind a mask of −10^30, is nothing to any format in the same way."""


class UndecidedError(Exception):
    """No precision tried separates a value from its neighbours."""


@dataclass(frozen=True)
class Expected:
    """Values (hi + lo)·2^exponent as (rows, answers), ½ ≤ |hi| < 1 or hi = 0, each known to 2^-10 ulp.

    hi and lo hold the first 53 and the next 53 bits, cut off and not rounded, so 2^(exponent − 1) ≤ |value| always.
    """

    hi: NDArray[np.float64]
    lo: NDArray[np.float64]
    exponent: NDArray[np.int32]

    def row(self, index: int) -> Expected:
        return Expected(self.hi[index], self.lo[index], self.exponent[index])

    def rounded(self) -> NDArray[np.float64]:
        """Nearest float64 to within an ulp: for display and for sizes, never for judging."""
        return np.ldexp(self.hi + self.lo, self.exponent)


class Row:
    """One row of logits, with what all operations share."""

    def __init__(self, logits: list[float]) -> None:
        self.m = max(range(len(logits)), key=logits.__getitem__)
        self.x = [arb(value) for value in logits]
        self.e = [(value - self.x[self.m]).exp() for value in self.x]
        self.tail = sum((e for i, e in enumerate(self.e) if i != self.m), arb(0))
        self.total = self.e[self.m] + self.tail

    @cached_property
    def square(self) -> arb:
        return self.total * self.total

    def rest(self, i: int) -> arb:
        """Z − e_i. For i ≠ m it is at least e_m = 1, so nothing cancels."""
        return self.tail if i == self.m else self.total - self.e[i]


def softmax(row: Row) -> list[arb]:
    return [e / row.total for e in row.e]


def log_softmax(row: Row) -> list[arb]:
    log_total = row.tail.log1p()
    return [x - row.x[row.m] - log_total for x in row.x]


def logsumexp(row: Row) -> list[arb]:
    return [row.x[row.m] + row.tail.log1p()]


def jacobian_row(row: Row, index: int) -> list[arb]:
    e_i, square = row.e[index], row.square
    return [e_i * (row.rest(index) if j == index else -e_j) / square for j, e_j in enumerate(row.e)]


def jacobian(row: Row) -> list[arb]:
    """The upper triangle is computed and mirrored: J is symmetric."""
    n = range(len(row.e))
    rows = [[row.e[i] * (row.rest(i) if i == j else -row.e[j]) / row.square for j in n if j >= i] for i in n]
    return [rows[min(i, j)][abs(j - i)] for i in n for j in n]


def product(row: Row, vector: list[float]) -> list[arb]:
    """J·v = Jᵀ·v: g_j = e_j (Z·v'_j − Σ e_i·v'_i) / Z² with v' = v − v_m."""
    pivot = arb(vector[row.m])
    centred = [arb(v) - pivot for v in vector]
    weighted = sum((e * c for i, (e, c) in enumerate(zip(row.e, centred, strict=True)) if i != row.m), arb(0))
    return [e * (row.total * c - weighted) / row.square for e, c in zip(row.e, centred, strict=True)]


def cross_entropy(row: Row, label: int) -> list[arb]:
    return [-log_softmax(row)[label]]


def cross_entropy_gradient(row: Row, label: int) -> list[arb]:
    """s_j, and s_y − 1 = −(Z − e_y)/Z by what is left of the sum."""
    return [(-row.rest(j) if j == label else e) / row.total for j, e in enumerate(row.e)]


EXACT: dict[str, Callable[..., list[arb]]] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "jacobian": jacobian,
    "jacobian_row": jacobian_row,
    "vjp": product,
    "jvp": product,
    "cross_entropy": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
}


def expected(operation: str, logits: NDArray[np.generic], beside: list[Any], form: Format) -> Expected:
    """Exact answers for logits of shape (rows, n), all finite.

    `beside`: the other arguments, an array of (rows, n) row by row, a number for every row. ValueError for NaN or
    infinity in an input, UndecidedError where no precision up to 65,536 bits decides.
    """
    values = [np.asarray(logits, dtype=np.float64)]
    values += [np.asarray(extra, dtype=np.float64) for extra in beside if not isinstance(extra, int)]
    if not all(np.isfinite(v).all() for v in values):
        raise ValueError(
            f"the exact {operation} of a row with NaN or infinity is a matter of policy, not of arithmetic"
        )
    parts = [
        _decided(operation, row, [e if isinstance(e, int) else e[i].tolist() for e in beside], form)
        for i, row in enumerate(values[0].tolist())
    ]
    scaled = np.array(parts, dtype=np.int64).reshape(len(parts), -1, 3)
    high, low, exponent = np.moveaxis(scaled, -1, 0)
    return Expected(np.ldexp(high, -53), np.ldexp(low, -106), exponent.astype(np.int32))


def _decided(operation: str, logits: list[float], beside: list[Any], form: Format) -> list[Bits]:
    precision = FIRST_PRECISION
    while precision <= LAST_PRECISION:
        with ctx.workprec(precision):
            balls = EXACT[operation](Row(logits), *beside)
            if all(_narrow(ball, form) for ball in balls):
                bits = [_bits(ball) for ball in balls]
                if precision >= SIDE_PRECISION or not any(map(_straddles, balls, bits)):
                    return bits
        precision *= 2
    raise UndecidedError(f"{operation} at {logits}: not decided to 2^-10 ulp at {LAST_PRECISION} bits")


def _narrow(ball: arb, form: Format) -> bool:
    """Relative to the value, or to the smallest subnormal where the value is near it: under 2^-10 ulp either way."""
    return bool(ball.rel_accuracy_bits() >= ACCURACY_BITS or ball.rad() < form.quantum * 2.0**-GUARD_BITS)


def _bits(ball: arb) -> Bits:
    """The midpoint's first 53 bits, the next 53, and its exponent. A ball about 0 is 0."""
    if ball.contains(0):
        return 0, 0, 0
    mantissa, exponent = map(int, ball.mid().man_exp())
    size = mantissa.bit_length()
    shift = size - 106
    whole = abs(mantissa) >> shift if shift >= 0 else abs(mantissa) << -shift
    if whole == 2**105 and not ball.is_exact():  # on both sides of a power of two: the side with the smaller ulp
        whole, size = 2**106 - 1, size - 1
    sign = -1 if mantissa < 0 else 1
    return sign * (whole >> 53), sign * (whole & LOW_BITS), max(exponent + size, LOWEST_EXPONENT)


def _straddles(ball: arb, bits: Bits) -> bool:
    """Whether a power of two lies inside: then its ulp is not known, as for the softmax 1 − 10^-40."""
    if abs(bits[0]) != LOW_BITS:  # cheap: the value is not just below one, nor was put there by `_bits`
        return False
    return bool((abs(ball) - arb(2) ** bits[2]).contains(0))
