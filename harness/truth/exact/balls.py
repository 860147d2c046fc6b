"""Balls into numbers: Arb balls are made narrow enough to judge by, and split into two float64s and an exponent.

A ball is decided when it is known to 2^-10 ulp of any format, and when no power of two lies inside, so that the ulp is
known too. What comes out is right to 2^-105 of the value, and its exponent is the true value's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import sub
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

FIRST_PRECISION, LAST_PRECISION = 128, 2**16
SIDE_PRECISION, SIDE_ACCURACY = 8192, 8000
"""Up to here precision is spent on which side of a power of two a value lies, or on a ball that is known to so many
bits whatever the precision; then the smaller ulp is taken, which at most doubles an ULP error."""

ACCURACY_BITS, NEGLIGIBLE = 108, arb((1, -1074 - 12))
"""A ball is narrow enough when its radius is under 2^-108 of its value, or under 2^-12 of the smallest subnormal of
float64, which is the smallest of any format."""

LOWEST_EXPONENT = -(2**30)
"""What is smaller still, as softmax's tail behind a mask of −10^30, is nothing to any format in the same way."""

SMALL = 2.0**-900
"""From here up a value's low half is a normal float64 too."""

POWERS = 2**105, 2**106
"""106 bits of a midpoint from which a radius of 2^-108 may reach a power of two."""

Floats = NDArray[np.float64]


class UndecidedError(Exception):
    """No precision tried separates a value from its neighbours."""


@dataclass(frozen=True)
class Expected:
    """Values (hi + lo)·2^exponent as (rows, answers), each to 2^-105 of itself, or to 2^-1086 where that is more.

    ½ ≤ |hi| < 1 and |lo| ≤ 2^-53, or both are 0. lo is of either sign, yet never leads across a power of two:
    2^(exponent − 1) ≤ |value| < 2^exponent for the true value, as far as SIDE_PRECISION tells. Just below 2^exponent
    hi is 1 − 2^-53 and lo at most the float under 2^-53; a value that is a power of two has hi = ½ and lo = 0.
    Negative values mirror this. Exponents stop at LOWEST_EXPONENT.
    """

    hi: Floats
    lo: Floats
    exponent: NDArray[np.int32]

    def row(self, index: Any) -> Expected:
        """One row, or those of a slice or mask."""
        return Expected(self.hi[index], self.lo[index], self.exponent[index])

    def rounded(self) -> Floats:
        """Nearest float64 to within an ulp: for display and for sizes, never for judging."""
        return np.ldexp(self.hi + self.lo, self.exponent)


class Split(NamedTuple):
    """A value (hi + lo)·2^exponent, and whether on its side of a power of two as far as precision is spent on that."""

    hi: float
    lo: float
    exponent: int
    settled: bool = True


class Decided(NamedTuple):
    """Balls as the float64 nearest to each midpoint, the one nearest to what is left, and those that won't do so."""

    high: Floats
    low: Floats
    hard: dict[int, Split]


def decided(compute: Callable[[], list[arb]], what: str = "a value") -> Decided:
    """The balls of `compute`, run at 128 bits, twice that and so on until each is narrow and holds no power of two.

    A narrow ball that holds 0 is 0. A power of two is let pass from SIDE_PRECISION on, and in a ball known to
    SIDE_ACCURACY bits. UndecidedError, about `what`, where 65,536 bits do not make all narrow. The precision that was
    set before is set afterwards.
    """
    precision = FIRST_PRECISION
    while precision <= LAST_PRECISION:
        with ctx.workprec(precision):
            balls = compute()
            if _narrow(balls):
                high = np.fromiter(map(float, balls), np.float64, len(balls))
                hard = {i: _split(balls[i]) for i in _hard(balls, high)}
                if precision >= SIDE_PRECISION or all(value.settled for value in hard.values()):
                    low = np.fromiter(map(float, map(sub, balls, high.tolist())), np.float64, len(balls))
                    return Decided(high, low, hard)
        precision *= 2
    raise UndecidedError(f"{what}: not decided to 2^-10 ulp at {LAST_PRECISION} bits")


def as_expected(rows: Sequence[Decided]) -> Expected:
    """Rows of one length, one over another."""
    hi, exponent = np.frexp(np.array([row.high for row in rows]))
    lo = np.ldexp(np.array([row.low for row in rows]), -exponent)
    for i, row in enumerate(rows):
        for j, value in row.hard.items():
            hi[i, j], lo[i, j], exponent[i, j], _ = value
    return Expected(hi, lo, exponent)


def _narrow(balls: list[arb]) -> bool:
    """Whether all are: relative to the value, or to the smallest subnormal where the value is near it."""
    return all(ball.rad() < NEGLIGIBLE for ball in balls if ball.rel_accuracy_bits() < ACCURACY_BITS)


def _hard(balls: list[arb], midpoints: Floats) -> list[int]:
    """Where float64s don't tell on which side of a power of two a value is, or are out of range, and the ball is no
    float64 itself.

    A midpoint within 2^-54 of a power of two, relatively, is rounded to it; from the others none is in a ball's reach.
    """
    no_fraction = midpoints.view(np.int64) & (2**52 - 1) == 0  # powers of two, 0 and infinity
    suspects = (no_fraction | (np.abs(midpoints) < SMALL)).nonzero()[0].tolist()
    return [i for i in suspects if not (balls[i] - float(midpoints[i])).is_zero()]


def _split(ball: arb) -> Split:
    """By integers, for any narrow ball: 106 bits of the midpoint, rounded to nearest but never up to a power of two.

    Of a ball with a power of two inside the side with the smaller ulp is taken: just below.
    """
    accuracy = ball.rel_accuracy_bits()
    if accuracy < ACCURACY_BITS and ball.contains(0):
        return Split(0.0, 0.0, 0)
    mantissa, exponent = map(int, ball.mid().man_exp())
    sign, size = -1 if mantissa < 0 else 1, mantissa.bit_length()
    whole, top = _rounded(abs(mantissa), size - 106), exponent + size
    below = above = False
    if not ball.is_exact() and (whole in POWERS or accuracy < ACCURACY_BITS):
        below, above = (ball.contains(arb((sign, power))) for power in (top - 1, top))
    high, low = divmod(2**106 - 1 if below else min(whole, 2**106 - 1), 2**53)
    settled = not (below or above) or accuracy >= SIDE_ACCURACY
    return Split(sign * high * 2.0**-53, sign * low * 2.0**-106, max(top - below, LOWEST_EXPONENT), settled)


def _rounded(number: int, bits: int) -> int:
    """number·2^-bits, to nearest."""
    return number << -bits if bits <= 0 else ((number >> (bits - 1)) + 1) >> 1
