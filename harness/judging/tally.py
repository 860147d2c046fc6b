"""Figures of any number of elements, which merge: counts, maxima with their places, exact sums, a histogram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import inf

import numpy as np
from numpy.typing import NDArray

from harness.numbers.sums import Total

Floats = NDArray[np.float64]
EDGES = np.array([0.0, *(2.0**k for k in range(-1, 63)), inf])
"""Upper ends of the histogram's bins of ULP error: 0, then up to ½, 1, 2, 4, …"""
CHAINED = ("C", "digit", "common factor")
"""Limits of an answer above B: the bound at the measured height, a digit, and what its row's sums do not explain."""
QUANTILES = (0.5, 0.9, 0.99)


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
    """The largest of the values that are not NaN; none is negative."""
    if not values.size:
        return Peak()
    index = int(values.argmax())
    value = values.item(index)
    if value >= 0:
        return Peak(value, offset + index)
    return peak(np.where(np.isnan(values), -1.0, values), offset) if np.isnan(value) else Peak()


@dataclass(frozen=True)
class Counts:
    """Numbers of elements: they add."""

    elements: int = 0
    nan: int = 0
    infinity: int = 0
    zero_references: int = 0
    zero_misses: int = 0
    relative_overflows: int = 0
    """Finite answers to what is not 0 and so small that their relative error is above every float64."""
    subnormal_references: int = 0
    flushed: int = 0
    """Zeros for an expected value below the normal numbers."""
    misrounded: int = 0
    """Elements that are not the correctly rounded value."""
    unbounded: int = 0
    lost: int = 0
    """Values well inside of the normal numbers that are answered by 0 or with the other sign."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def not_finite(self) -> int:
        return self.nan + self.infinity

    @property
    def finite(self) -> int:
        return self.elements - self.not_finite


@dataclass(frozen=True)
class Tally:
    """Figures of any number of elements; two of them merge into that of both, in the order of the case."""

    counts: Counts = field(default_factory=Counts)
    peaks: Mapping[str, Peak] = field(default_factory=dict)
    """Of the errors by name, and of their shares of each bound by its."""
    sums: tuple[Total, ...] = (Total(),) * 4
    """Of absolute, relative, signed relative and ULP error."""
    histogram: tuple[int, ...] = (0,) * len(EDGES)

    def peak(self, name: str) -> Peak:
        return self.peaks.get(name, Peak())

    def merged(self, other: Tally) -> Tally:
        names = dict.fromkeys([*self.peaks, *other.peaks])
        return Tally(
            self.counts + other.counts,
            {name: self.peak(name).merged(other.peak(name)) for name in names},
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            tuple(a + b for a, b in zip(self.histogram, other.histogram, strict=True)),
        )

    @property
    def worst(self) -> int:
        """Index of the element that the verdict hangs on.

        The first that is NaN or infinite; else the one with the largest share of its bound. That is C's, or a digit's,
        or what its row's sums leave, where one of them explains too little; what honest evaluations explain too little
        of, where theory says nothing; and B's otherwise. By ULP where nothing is bounded.
        """
        if self.counts.not_finite:
            return self.peak("not finite").index
        unexplained = max(map(self.peak, CHAINED), key=lambda peak: peak.value)
        simulated = self.peak("simulated") if self.peak("B").value <= 1 or unexplained.index >= 0 else Peak()
        decides = next((found for found in (unexplained, simulated) if found.value > 1), self.peak("B"))
        return (decides if decides.value > 0 else self.peak("ulp")).index

    def means(self) -> tuple[float | None, ...]:
        """Mean absolute, relative, signed relative and ULP error over what the sums run over; None over nothing.

        Of sums that are exactly rounded, so within an ulp; infinite or NaN where a sum overflows or is infinite.
        """
        finite = self.counts.finite
        related = finite - self.counts.zero_misses - self.counts.relative_overflows
        over = (finite, related, related, finite)
        return tuple(sum_.rounded() / count if count else None for sum_, count in zip(self.sums, over, strict=True))

    def quantile(self, share: float) -> tuple[float, float] | None:
        """The histogram's bin, as (above, up to), that holds this share of the ULP errors; None over nothing."""
        total = sum(self.histogram)
        if not total:
            return None
        bin_ = int(np.searchsorted(np.cumsum(self.histogram), share * total))
        return (float(EDGES[bin_ - 1]) if bin_ else 0.0, float(EDGES[bin_]))
