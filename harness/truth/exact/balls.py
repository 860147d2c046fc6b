"""Arb balls as numbers: balls are made narrow enough to judge by, and split into two float64s and an exponent.

A ball is decided when it is known to 2^-10 ulp of any format and no power of two lies inside, so that the ulp is known
too. The result is right to 2^-105 of the value, and its exponent is the true value's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import sub
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from harness.numbers.arrays import Floats

FIRST_PRECISION, LAST_PRECISION = 128, 2**16
SIDE_PRECISION, SIDE_ACCURACY = 8192, 8000
"""The precision up to which it is sought on which side of a power of two a value lies, and the accuracy of a ball, in
bits, at which that search ends earlier. Then the smaller ulp is taken, which at most doubles an ULP error."""

ACCURACY_BITS, NEGLIGIBLE = 108, arb((1, -1074 - 12))
"""A ball is narrow enough when its radius is under 2^-108 of its value, or under 2^-12 of the smallest subnormal of
float64, which is the smallest of any format."""

LOWEST_EXPONENT = -(2**30)
"""The lowest exponent of a value. What is smaller, such as softmax's tail behind a mask of −10^30, is as good as 0 in
every format."""

SMALL = 2.0**-900
"""The size from which on the low half of a value is a normal float64 too."""

POWERS = 2**105, 2**106
"""The midpoints, rounded to 106 bits, from which a relative radius of 2^-108 may reach a power of two."""


class UndecidedError(Exception):
    """No precision tried separates a value from its neighbours."""


@dataclass(frozen=True)
class Expected:
    """Values (hi + lo)·2^exponent, shape (rows, answers), each to 2^-105 of itself, or to 2^-1086 where that is more.

    ½ ≤ |hi| < 1 and |lo| ≤ 2^-53, or both are 0. lo may have either sign, but never leads across a power of two:
    2^(exponent − 1) ≤ |value| < 2^exponent for the true value, as far as SIDE_PRECISION tells. Just below 2^exponent,
    hi is 1 − 2^-53 and lo is at most the float under 2^-53. A value that is a power of two has hi = ½ and lo = 0.
    Negative values mirror this. Exponents stop at LOWEST_EXPONENT.
    """

    hi: Floats
    lo: Floats
    exponent: NDArray[np.int32]

    def row(self, index: Any) -> Expected:
        """Return one row, or those of a slice or mask."""
        return Expected(self.hi[index], self.lo[index], self.exponent[index])

    def rounded(self) -> Floats:
        """Return the values as float64, right to within an ulp: for display and for sizes, never for judging."""
        return np.ldexp(self.hi + self.lo, self.exponent)


class Split(NamedTuple):
    """A value (hi + lo)·2^exponent. `settled`: no more precision is to be spent on its side of a power of two."""

    hi: float
    lo: float
    exponent: int
    settled: bool = True


class Decided(NamedTuple):
    """Balls as the float64 nearest to each midpoint and the one nearest to what is left, and the split of hard ones.

    `hard`: by position, the values that two float64s cannot hold this way.
    """

    high: Floats
    low: Floats
    hard: dict[int, Split]


def decided(compute: Callable[[], list[arb]], what: str = "a value") -> Decided:
    """Return the balls of `compute` as numbers, once each is narrow and holds no power of two.

    `compute` is run at 128 bits, at twice that, and so on. A narrow ball that holds 0 is 0. A ball may hold a power of
    two from SIDE_PRECISION on, or if it is known to SIDE_ACCURACY bits. Raise UndecidedError, about `what`, if 65,536
    bits do not make all balls narrow. The precision that was set before is restored.
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
    """Return rows of one length as one table of expected values."""
    hi, exponent = np.frexp(np.array([row.high for row in rows]))
    lo = np.ldexp(np.array([row.low for row in rows]), -exponent)
    for i, row in enumerate(rows):
        for j, value in row.hard.items():
            hi[i, j], lo[i, j], exponent[i, j], _ = value
    return Expected(hi, lo, exponent)


def _narrow(balls: list[arb]) -> bool:
    """Decide whether all balls are narrow, relative to the value or, near it, to the smallest subnormal number."""
    return all(ball.rad() < NEGLIGIBLE for ball in balls if ball.rel_accuracy_bits() < ACCURACY_BITS)


def _hard(balls: list[arb], midpoints: Floats) -> list[int]:
    """Return the positions of the balls that have to be split by integers.

    Such a ball is no float64 itself, and its midpoint as a float64 is out of range or does not tell on which side of a
    power of two the value is. A midpoint within a relative 2^-54 of a power of two is rounded to it; a ball about any
    other reaches none.
    """
    no_fraction = midpoints.view(np.int64) & (2**52 - 1) == 0  # powers of two, 0 and infinity
    suspects = (no_fraction | (np.abs(midpoints) < SMALL)).nonzero()[0].tolist()
    return [i for i in suspects if not (balls[i] - float(midpoints[i])).is_zero()]


def _split(ball: arb) -> Split:
    """Split any narrow ball by integers: 106 bits of the midpoint, rounded to nearest but never up to a power of two.

    If a ball has a power of two inside, the side with the smaller ulp is taken: just below.
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
    """Return number·2^-bits, rounded to nearest."""
    return number << -bits if bits <= 0 else ((number >> (bits - 1)) + 1) >> 1
