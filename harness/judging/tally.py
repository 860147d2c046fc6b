"""Tallies of errors, which merge: counts, maxima with their places, exact sums, and a histogram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import inf

import numpy as np

from harness.numbers.arrays import Floats
from harness.numbers.sums import Total

EDGES = np.array([0.0, *(2.0**k for k in range(-1, 63)), inf])
"""The upper ends of the histogram's bins of ULP error: 0, then ½, 1, 2, 4, …"""
CHAINED = ("C", "digit", "common factor")
"""The limits of an answer above B: the bound at the measured height, one right digit, and the row's common error."""
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Peak:
    """A maximum and its index among all elements of a case; of equal values the first. Empty at index −1."""

    value: float = -1.0
    index: int = -1

    @property
    def figure(self) -> float | None:
        """The maximum, or None if there is none."""
        return self.value if self.index >= 0 else None

    def merged(self, other: Peak) -> Peak:
        return other if other.value > self.value else self


def peak(values: Floats, offset: int) -> Peak:
    """Return the peak of nonnegative values, without NaN. `offset` is the number of elements before them."""
    if not values.size:
        return Peak()
    index = int(values.argmax())
    value = values.item(index)
    if value >= 0:
        return Peak(value, offset + index)
    return peak(np.where(np.isnan(values), -1.0, values), offset) if np.isnan(value) else Peak()


@dataclass(frozen=True)
class Counts:
    """Numbers of elements of each kind, which add up."""

    elements: int = 0
    nan: int = 0
    infinity: int = 0
    zero_references: int = 0
    missed_zeros: int = 0
    relative_overflows: int = 0
    """Finite answers to tiny nonzero exact values whose relative error overflows float64."""
    subnormal_references: int = 0
    """Exact values below the normal numbers and not 0."""
    flushed: int = 0
    """Answers of 0 to exact values below the normal numbers and not 0."""
    misrounded: int = 0
    """Elements that are not the correctly rounded value."""
    unbounded: int = 0
    """Elements whose bound B is infinite."""
    lost: int = 0
    """Exact values well above the smallest normal number that are answered by 0 or with the other sign."""

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
    """The errors of any number of elements. Two tallies of consecutive elements merge into one."""

    counts: Counts = field(default_factory=Counts)
    peaks: Mapping[str, Peak] = field(default_factory=dict)
    """The largest errors by the error's name, and the largest shares of each limit by the limit's name."""
    sums: tuple[Total, ...] = (Total(),) * 4
    """The sums of absolute, relative, signed relative and ULP error."""
    histogram: tuple[int, ...] = (0,) * len(EDGES)
    """The number of elements in each bin of ULP error."""

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
        """The index of the element that the verdict depends on.

        It is the first NaN or infinite element, if there is one. Otherwise it is the element with the largest share of
        a limit: of a limit in CHAINED if one is exceeded; else of the simulated limit if that is exceeded, and B is not
        or some limit in CHAINED was measured; else of B. If no share of B is above 0, it is the element with the
        largest ULP error.
        """
        if self.counts.not_finite:
            return self.peak("not finite").index
        unexplained = max(map(self.peak, CHAINED), key=lambda peak: peak.value)
        simulated = self.peak("simulated") if self.peak("B").value <= 1 or unexplained.index >= 0 else Peak()
        decides = next((found for found in (unexplained, simulated) if found.value > 1), self.peak("B"))
        return (decides if decides.value > 0 else self.peak("ulp")).index

    def means(self) -> tuple[float | None, ...]:
        """Return the mean absolute, relative, signed relative and ULP error; None for a mean over no elements.

        Non-finite elements are left out, and missed zeros and relative overflows from the relative means. The sums are
        exact, so each mean is right to an ulp; it is infinite or NaN if its sum overflows or is infinite.
        """
        finite = self.counts.finite
        related = finite - self.counts.missed_zeros - self.counts.relative_overflows
        over = (finite, related, related, finite)
        return tuple(sum_.rounded() / count if count else None for sum_, count in zip(self.sums, over, strict=True))

    def quantile(self, share: float) -> tuple[float, float] | None:
        """Return the ends (above, up to) of the histogram's bin with this quantile of ULP errors; None over nothing."""
        total = sum(self.histogram)
        if not total:
            return None
        bin_ = int(np.searchsorted(np.cumsum(self.histogram), share * total))
        return (float(EDGES[bin_ - 1]) if bin_ else 0.0, float(EDGES[bin_]))
