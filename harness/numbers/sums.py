"""Sums that lose nothing: in twice the working precision along an axis, and without any rounding along a row.

A `Total` counts quanta of 2^-1074, of which every float64 is a whole number. So parts of a sum add up to the same in
any order, in any grouping and on any machine, and are rounded once, when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, inf, ldexp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
QUANTUM = -1074
"""Exponent of the smallest float64."""
LARGE = 2.0**900
"""Terms from here on are added one by one."""
SPLITTER = 2.0**27 + 1
"""Cuts 53 bits into 26 and 27 (Dekker)."""


def two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a + b rounded, and exactly what the rounding lost (Knuth)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def exact_sum(values: Floats) -> Floats:
    """Sum along the last axis in twice the working precision: a tree of TwoSums (Ogita, Rump & Oishi 2005)."""
    lost = np.zeros(values.shape[:-1])
    while (half := values.shape[-1] // 2) > 0:
        left, right, odd = np.split(values, [half, 2 * half], axis=-1)
        total, errors = two_sum(left, right)
        lost += errors.sum(axis=-1)
        values = np.concatenate([total, odd], axis=-1)
    return values[..., 0] + lost


def two_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a·b rounded, and exactly what the rounding lost (Dekker, Veltkamp), short of overflow and underflow."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def halves(a: Floats) -> tuple[Floats, Floats]:
    shifted = SPLITTER * a
    high = shifted - (shifted - a)
    return high, a - high


def exact_dot(a: Floats, b: Floats) -> Floats:
    """Σ a_i·b_i along the last axis, in twice the working precision (Ogita, Rump & Oishi 2005)."""
    product, lost = two_product(a, b)
    return exact_sum(np.concatenate([product, lost], axis=-1))


@dataclass(frozen=True)
class Total:
    """A sum of float64 numbers: the finite ones in quanta, the infinite ones as float64 adds them."""

    quanta: int = 0
    infinite: float = 0.0

    def __add__(self, other: Total) -> Total:
        return Total(self.quanta + other.quanta, self.infinite + other.infinite)

    def rounded(self) -> float:
        """The nearest float64: infinite where that is above all, or a term is; NaN for infinities of both signs."""
        if self.infinite:
            return self.infinite
        try:
            return self.quanta / 2**-QUANTUM  # two integers, whose quotient Python rounds to nearest
        except OverflowError:
            return inf if self.quanta > 0 else -inf


def total(terms: Floats, size: float) -> Total:
    """Σ of a row, which is used up. `size`: no term is larger; infinite or NaN where that isn't known, or one is NaN.

    NaN is no term. The rest in rounds: multiples of a power of two are added without rounding and taken from the terms
    (error-free extraction: Rump, Ogita & Oishi 2008), then those of one 2^48 times smaller, until no term is left.
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
    """The terms rounded to multiples of 2^step, and the sum of those in quanta.

    Terms are at most 2^(step + 50), and 2^62 steps together. An anchor moves them to between 2^(step + 52) and twice
    that, where the bits of a float64 count steps. The bits' sum is right modulo 2^64, and so is it without the anchors.
    """
    anchor = ldexp(1.5, step + 52)
    near = terms + anchor
    anchor_bits = (1023 + step + 52 << 52) + (1 << 51)
    steps = int(np.add.reduce(near.view(np.int64))) - len(terms) * anchor_bits
    near -= anchor
    return near, (steps + 2**63) % 2**64 - 2**63 << step - QUANTUM


def whatever(terms: Floats) -> Total:
    """`total` of any row."""
    large = ~(np.abs(terms) < LARGE)
    apart = terms[large]
    terms[large] = 0.0
    size = max(terms.max(initial=0.0), -terms.min(initial=0.0))
    finite = sum(int(term) for term in apart[np.isfinite(apart)])
    with np.errstate(invalid="ignore"):
        return total(terms, size) + Total(finite << -QUANTUM, float(apart[np.isinf(apart)].sum()))
