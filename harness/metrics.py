"""Absolute, relative and ULP error against exact values, and tallies of them that merge.

ulp(r) = 2^(clamp(⌊log2 |r|⌋, emin, emax) − (p − 1)), r the exact value (Goldberg). An infinite answer counts as
2^(emax + 1) in ULP. Relative error at r = 0 is 0 for a zero and else infinite: counted apart, in no mean. NaN and
infinity are counted apart likewise. Sums are exactly rounded (`math.fsum`), so the order of machines changes no byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.formats import Format
from harness.reference.exact import Expected

Floats = NDArray[np.float64]
FAR_BELOW = -1200
"""An expected value under 2^-1200 is nothing beside any nonzero float64: the answer is all error."""


@dataclass(frozen=True)
class Errors:
    """One block's errors, element by element; NaN where the answer is NaN."""

    absolute: Floats
    relative: Floats
    ulp: Floats


def errors(actual: NDArray[np.generic], expected: Expected, form: Format) -> Errors:
    """|actual − expected|, the same over |expected|, and over ulp(expected)."""
    answer = actual.astype(np.float64)  # exact for every format up to float64
    exponent = expected.exponent
    ulp_exponent = np.where(expected.hi == 0, form.emin, np.clip(exponent - 1, form.emin, form.emax)) - (form.p - 1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        difference = np.abs((np.ldexp(answer, -exponent) - expected.hi) - expected.lo)
        size = np.abs(expected.hi + expected.lo)
        relative = np.where(size == 0, np.where(answer == 0, 0.0, np.inf), difference / size)
        far = exponent < FAR_BELOW
        absolute = np.where(far, np.abs(answer), np.ldexp(difference, exponent))
        ulp = np.where(far, np.ldexp(np.abs(answer), -ulp_exponent), np.ldexp(difference, exponent - ulp_exponent))
        ulp = np.where(np.isinf(answer), np.ldexp(1.0, form.emax + 1 - ulp_exponent), ulp)
    nan = np.isnan(answer)
    return Errors(*(np.where(nan, np.nan, e) for e in (absolute, relative, ulp)))


@dataclass(frozen=True)
class Peak:
    """A maximum and where it is, counted over all the elements of a case; the first of equals."""

    value: float = -1.0
    index: int = -1

    @property
    def figure(self) -> float | None:
        """The maximum, or None over nothing."""
        return self.value if self.index >= 0 else None

    def merged(self, other: Peak) -> Peak:
        return other if other.value > self.value else self


def peak(values: Floats, offset: int) -> Peak:
    """The largest of the values that are not NaN."""
    if not values.size or np.isnan(values).all():
        return Peak()
    index = int(np.nanargmax(values))
    return Peak(float(values.flat[index]), offset + index)


@dataclass(frozen=True)
class Tally:
    """Figures of any number of elements; two of them merge into that of both, in the order of the case."""

    elements: int = 0
    nan: int = 0
    infinity: int = 0
    zero_references: int = 0
    zero_misses: int = 0
    unbounded: int = 0
    absolute: Peak = field(default_factory=Peak)
    relative: Peak = field(default_factory=Peak)
    ulp: Peak = field(default_factory=Peak)
    bound_fraction: Peak = field(default_factory=Peak)
    sums: tuple[tuple[float, float, float], ...] = ()
    """A block's exactly rounded sums of absolute, relative and ULP error."""

    def merged(self, other: Tally) -> Tally:
        return Tally(
            self.elements + other.elements,
            self.nan + other.nan,
            self.infinity + other.infinity,
            self.zero_references + other.zero_references,
            self.zero_misses + other.zero_misses,
            self.unbounded + other.unbounded,
            self.absolute.merged(other.absolute),
            self.relative.merged(other.relative),
            self.ulp.merged(other.ulp),
            self.bound_fraction.merged(other.bound_fraction),
            self.sums + other.sums,
        )

    @property
    def worst(self) -> int:
        """Index of the worst element: by ULP; where an answer is NaN or infinite, the first such."""
        return self.bound_fraction.index if self.nan + self.infinity else self.ulp.index

    def means(self) -> tuple[float | None, float | None, float | None]:
        """Mean absolute, relative and ULP error over what the sums run over; None over nothing."""
        finite = self.elements - self.nan - self.infinity
        counts = (finite, finite - self.zero_misses, finite)
        totals = [fsum(column) for column in zip(*self.sums, strict=True)] or [0.0, 0.0, 0.0]
        absolute, relative, ulp = (t / c if c else None for t, c in zip(totals, counts, strict=True))
        return absolute, relative, ulp


def tally(actual: NDArray[np.generic], expected: Expected, found: Errors, bound: Floats, offset: int) -> Tally:
    """One block's figures. `offset`: elements of the case before it. ValueError for a bound that is NaN."""
    if np.isnan(bound).any():
        raise ValueError("a bound is NaN: it would forgive anything")
    nan, infinity = np.isnan(actual), np.isinf(actual)
    finite = ~(nan | infinity)
    misses = finite & np.isinf(found.relative) & (expected.hi == 0)
    kept = finite & ~misses
    with np.errstate(invalid="ignore"):
        fraction = np.where(finite, found.absolute / bound, np.inf)
    return Tally(
        elements=actual.size,
        nan=int(nan.sum()),
        infinity=int(infinity.sum()),
        zero_references=int((expected.hi == 0).sum()),
        zero_misses=int(misses.sum()),
        unbounded=int(np.isinf(bound).sum()),
        absolute=peak(np.where(finite, found.absolute, np.nan), offset),
        relative=peak(np.where(kept, found.relative, np.nan), offset),
        ulp=peak(found.ulp, offset),
        bound_fraction=peak(fraction, offset),
        sums=((fsum(found.absolute[finite]), fsum(found.relative[kept]), fsum(found.ulp[finite])),),
    )


def mean_relative_error_percent(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The documents' figure, exactly as they compute it: NaN and infinities included."""
    with np.errstate(all="ignore"):
        return float(np.mean(np.abs((a - b) / a)) * 100)
