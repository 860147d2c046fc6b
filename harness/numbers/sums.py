"""Accurate sums: in twice the working precision along an axis, and without any rounding for one row.

A `Total` is a whole number of quanta of 2^-1074, as every float64 is. The parts of a sum therefore give the same total
in any order, in any grouping and on any machine. It is rounded once, when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, inf, ldexp

import numpy as np

from harness.numbers.arrays import Floats

QUANTUM = -1074
"""The exponent of the smallest positive float64."""
LARGE = 2.0**900
"""Terms of at least this size are added one by one."""
SPLITTER = 2.0**27 + 1
"""The factor that splits 53 bits into two halves (Dekker)."""


def two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return a + b rounded, and the exact rounding error (Knuth)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def exact_sum(values: Floats) -> Floats:
    """Sum along the last axis in twice the working precision, in a tree of TwoSums (Ogita, Rump & Oishi 2005)."""
    lost = np.zeros(values.shape[:-1])
    while (half := values.shape[-1] // 2) > 0:
        left, right, odd = np.split(values, [half, 2 * half], axis=-1)
        total, errors = two_sum(left, right)
        lost += errors.sum(axis=-1)
        values = np.concatenate([total, odd], axis=-1)
    return values[..., 0] + lost


def two_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return a·b rounded, and the exact rounding error if nothing over- or underflows (Dekker, Veltkamp)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def halves(a: Floats) -> tuple[Floats, Floats]:
    """Split each number into two of at most 26 bits that add up to it (Dekker, Veltkamp)."""
    shifted = SPLITTER * a
    high = shifted - (shifted - a)
    return high, a - high


def exact_dot(a: Floats, b: Floats) -> Floats:
    """Compute Σ a_i·b_i along the last axis in twice the working precision (Ogita, Rump & Oishi 2005)."""
    product, lost = two_product(a, b)
    return exact_sum(np.concatenate([product, lost], axis=-1))


@dataclass(frozen=True)
class Total:
    """A sum of float64 numbers: the finite ones as a number of quanta, the infinite ones added in float64."""

    quanta: int = 0
    infinite: float = 0.0

    def __add__(self, other: Total) -> Total:
        return Total(self.quanta + other.quanta, self.infinite + other.infinite)

    def rounded(self) -> float:
        """Return the nearest float64: infinite on overflow or if a term is, NaN if terms are infinite of both signs."""
        if self.infinite:
            return self.infinite
        try:
            return self.quanta / 2**-QUANTUM  # two integers, whose quotient Python rounds to nearest
        except OverflowError:
            return inf if self.quanta > 0 else -inf


def total(terms: Floats, size: float) -> Total:
    """Sum a flat array exactly, leaving out NaN. The array is overwritten.

    `size` is a bound on every |term|; pass infinity or NaN if none is known or a term may be NaN. Raise ValueError if a
    term is NaN although `size` is below LARGE.

    The sum proceeds in rounds (error-free extraction: Rump, Ogita & Oishi 2008). Each round takes the multiple of a
    power of two out of every term and adds these multiples without rounding. The next round does the same with a power
    of two up to 2^50 times smaller, until nothing of any term is left.
    """
    if not size < LARGE:
        return whatever(terms)
    bits = min(50, 62 - len(terms).bit_length())
    step = max(frexp(size)[1] - bits, QUANTUM)
    near, quanta = multiples(terms, step)
    while True:
        terms -= near
        step = max(step - bits, QUANTUM)
        near, more = multiples(terms, step)
        quanta += more
        left = near != terms
        kept = np.count_nonzero(left)
        if not kept:
            return Total(quanta)
        if step == QUANTUM:
            raise ValueError("a term is NaN, and the size that was given is not")
        if kept < len(terms) / 4:
            terms, near = terms[left], near[left]


def multiples(terms: Floats, step: int) -> tuple[Floats, int]:
    """Return the terms rounded to multiples of 2^step, and the sum of these multiples in quanta.

    Each |term| must be at most 2^(step + 50), and all together at most 2^62 steps. Adding an anchor moves the terms to
    between 2^(step + 52) and twice that, where consecutive float64 bit patterns are one step apart. The patterns are
    summed as integers modulo 2^64; subtracting the anchors' patterns leaves the sum of the steps.
    """
    anchor = ldexp(1.5, step + 52)
    near = terms + anchor
    anchor_bits = (1023 + step + 52 << 52) + (1 << 51)
    steps = int(np.add.reduce(near.view(np.int64))) - len(terms) * anchor_bits
    near -= anchor
    return near, (steps + 2**63) % 2**64 - 2**63 << step - QUANTUM


def whatever(terms: Floats) -> Total:
    """Sum any flat array exactly, leaving out NaN. The array is overwritten."""
    large = ~(np.abs(terms) < LARGE)
    apart = terms[large]
    terms[large] = 0.0
    size = max(terms.max(initial=0.0), -terms.min(initial=0.0))
    finite = sum(int(term) for term in apart[np.isfinite(apart)])
    with np.errstate(invalid="ignore"):
        return total(terms, size) + Total(finite << -QUANTUM, float(apart[np.isinf(apart)].sum()))
