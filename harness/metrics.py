"""Absolute, relative and ULP error against exact values, and tallies of them that merge.

ulp(r) = 2^(clamp(⌊log2 |r|⌋, emin, emax) − (p − 1)), r the exact value (Goldberg). An infinite answer counts as
2^(emax + 1) in ULP. Relative error at r = 0 is 0 for a zero and else infinite: counted apart, in no mean. NaN and
infinity are counted apart likewise. Sums are exactly rounded (`math.fsum`), so the order of machines changes no byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import fsum, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.formats import Format
from harness.reference.exact import Expected

Floats = NDArray[np.float64]
FAR_BELOW = -1200
"""An expected value under 2^-1200 is nothing beside any nonzero float64: the answer is all error."""
EDGES = np.array([0.0, *(2.0**k for k in range(-1, 63)), inf])
"""Upper ends of the histogram's bins of ULP error: 0, then up to ½, 1, 2, 4, …"""
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Errors:
    """One block's errors, element by element; NaN where the answer is NaN. `signed` is relative."""

    absolute: Floats
    signed: Floats
    ulp: Floats

    @property
    def relative(self) -> Floats:
        return np.abs(self.signed)


def ulp_exponent(expected: Expected, form: Format) -> NDArray[np.int32]:
    """ulp(r) is 2 to this power."""
    clamped = np.clip(expected.exponent - 1, form.emin, form.emax)
    return np.where(expected.hi == 0, form.emin, clamped).astype(np.int32) - (form.p - 1)


def errors(actual: NDArray[np.generic], expected: Expected, form: Format) -> Errors:
    """|actual − expected|, (actual − expected) / |expected|, and |actual − expected| / ulp(expected)."""
    answer = actual.astype(np.float64)  # exact for every format up to float64
    exponent, unit = expected.exponent, ulp_exponent(expected, form)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        difference = (np.ldexp(answer, -exponent) - expected.hi) - expected.lo
        size = np.abs(expected.hi + expected.lo)
        signed = np.where(size == 0, np.where(answer == 0, 0.0, np.copysign(inf, answer)), difference / size)
        far, difference = exponent < FAR_BELOW, np.abs(difference)
        absolute = np.where(far, np.abs(answer), np.ldexp(difference, exponent))
        ulp = np.where(far, np.ldexp(np.abs(answer), -unit), np.ldexp(difference, exponent - unit))
        ulp = np.where(np.isinf(answer), np.ldexp(1.0, form.emax + 1 - unit), ulp)
    nan = np.isnan(answer)
    return Errors(*(np.where(nan, np.nan, e) for e in (absolute, signed, ulp)))


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
class Counts:
    """Numbers of elements: they add."""

    elements: int = 0
    nan: int = 0
    infinity: int = 0
    zero_references: int = 0
    zero_misses: int = 0
    subnormal_references: int = 0
    flushed: int = 0
    """Zeros for an expected value below the normal numbers."""
    misrounded: int = 0
    """Elements that are not the correctly rounded value."""
    unbounded: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def finite(self) -> int:
        return self.elements - self.nan - self.infinity


@dataclass(frozen=True)
class Tally:
    """Figures of any number of elements; two of them merge into that of both, in the order of the case."""

    counts: Counts = field(default_factory=Counts)
    peaks: Mapping[str, Peak] = field(default_factory=dict)
    """Of the errors by name, and of their shares of each bound by its."""
    sums: tuple[tuple[float, float, float, float], ...] = ()
    """A block's exactly rounded sums of absolute, relative, signed relative and ULP error."""
    histogram: tuple[int, ...] = (0,) * len(EDGES)

    def peak(self, name: str) -> Peak:
        return self.peaks.get(name, Peak())

    def merged(self, other: Tally) -> Tally:
        names = dict.fromkeys([*self.peaks, *other.peaks])
        return Tally(
            self.counts + other.counts,
            {name: self.peak(name).merged(other.peak(name)) for name in names},
            self.sums + other.sums,
            tuple(a + b for a, b in zip(self.histogram, other.histogram, strict=True)),
        )

    @property
    def worst(self) -> int:
        """Index of the worst element: by ULP; where an answer is NaN or infinite, the first such."""
        return self.peak("not finite" if self.counts.nan + self.counts.infinity else "ulp").index

    def means(self) -> tuple[float | None, ...]:
        """Mean absolute, relative, signed relative and ULP error over what the sums run over; None over nothing."""
        finite = self.counts.finite
        related = finite - self.counts.zero_misses
        totals = [total(column) for column in zip(*self.sums, strict=True)] or [0.0] * 4
        return tuple(t / c if c else None for t, c in zip(totals, (finite, related, related, finite), strict=True))

    def quantile(self, share: float) -> tuple[float, float] | None:
        """The histogram's bin, as (above, up to), that holds this share of the ULP errors; None over nothing."""
        total = sum(self.histogram)
        if not total:
            return None
        bin_ = int(np.searchsorted(np.cumsum(self.histogram), share * total))
        return (float(EDGES[bin_ - 1]) if bin_ else 0.0, float(EDGES[bin_]))


def tally(
    actual: NDArray[np.generic],
    expected: Expected,
    found: Errors,
    bounds: Mapping[str, Floats],
    form: Format,
    offset: int = 0,
) -> Tally:
    """One block's figures. `bounds`: by name, B among them. `offset`: elements of the case before it.

    ValueError for a bound that is NaN.
    """
    if any(np.isnan(bound).any() for bound in bounds.values()):
        raise ValueError("a bound is NaN: it would forgive anything")
    nan, infinity = np.isnan(actual), np.isinf(actual)
    finite = ~(nan | infinity)
    zero, below = expected.hi == 0, expected.exponent <= form.emin
    misses = finite & zero & (actual != 0)
    flushed = (actual == 0) & below & ~zero
    relative, related = found.relative, finite & ~misses
    counts = Counts(
        elements=actual.size,
        nan=int(nan.sum()),
        infinity=int(infinity.sum()),
        zero_references=int(zero.sum()),
        zero_misses=int(misses.sum()),
        subnormal_references=int((below & ~zero).sum()),
        flushed=int(flushed.sum()),
        # At an error of exactly ½ ulp the value is a power of two, which is itself the correct answer.
        misrounded=int((~(found.ulp < 0.5)).sum()),
        unbounded=int(np.isinf(bounds["B"]).sum()),
    )
    errors_ = {
        "absolute": np.where(finite, found.absolute, np.nan),
        "relative": np.where(related, relative, np.nan),
        "ulp": found.ulp,
        "ulp, flushed forgiven": np.where(flushed, 0.0, found.ulp),
        "not finite": np.where(finite, np.nan, inf),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {name: np.where(finite, found.absolute / bound, inf) for name, bound in bounds.items()}
    kept = found.absolute[finite], relative[related], found.signed[related], found.ulp[finite]
    absolute, unsigned, signed, ulp = map(total, kept)
    return Tally(
        counts,
        {name: peak(values, offset) for name, values in (errors_ | shares).items()},
        ((absolute, unsigned, signed, ulp),),
        histogram(found.ulp),
    )


def histogram(ulp: Floats) -> tuple[int, ...]:
    """How many elements lie in each bin; NaN in none."""
    bins = np.searchsorted(EDGES, ulp[~np.isnan(ulp)])
    return tuple(np.bincount(bins.ravel(), minlength=len(EDGES)).tolist())


@dataclass(frozen=True)
class Percents:
    """The documents' figure for two answers, and what it takes to read it."""

    size: int
    percent: float
    swapped: float
    finite: float
    finite_size: int
    zeros: int
    subnormals: int


def percents(a: NDArray[Any], b: NDArray[Any], form: Format) -> Percents:
    """One block's. `finite`: over the elements where it is finite, NaN over none."""
    with np.errstate(all="ignore"):
        share = np.abs((a - b) / a)
    kept = share[np.isfinite(share)]
    zeros, below = a == 0, np.abs(a) < form.smallest_normal
    return Percents(
        a.size,
        mean_relative_error_percent(a, b),
        mean_relative_error_percent(b, a),
        mean(kept) * 100 if kept.size else float("nan"),
        kept.size,
        int(zeros.sum()),
        int((below & ~zeros).sum()),
    )


def weighted(parts: Sequence[Percents]) -> Percents:
    """The figure of several blocks: their means weighted by size, in their order. Of one block, its own."""
    if len(parts) == 1:
        return parts[0]
    size, finite_size = sum(p.size for p in parts), sum(p.finite_size for p in parts)
    return Percents(
        size,
        fsum(p.percent * (p.size / size) for p in parts),
        fsum(p.swapped * (p.size / size) for p in parts),
        fsum(p.finite * (p.finite_size / finite_size) for p in parts if p.finite_size) if finite_size else float("nan"),
        finite_size,
        sum(p.zeros for p in parts),
        sum(p.subnormals for p in parts),
    )


def total(values: Iterable[float]) -> float:
    """The exactly rounded sum; where terms or sums overflow, what float64 makes of it: infinite or NaN."""
    kept = list(values)
    try:
        return fsum(kept)
    except (ValueError, OverflowError):
        with np.errstate(all="ignore"):
            return float(np.sum(kept))


def mean(values: NDArray[Any]) -> float:
    """NumPy's own mean; of 16-bit numbers in float64, since NumPy would add bfloat16 in bfloat16."""
    return float(np.mean(values, dtype=np.float64 if values.dtype.itemsize == 2 else None))


def mean_relative_error_percent(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The documents' figure, exactly as they compute it: NaN and infinities included."""
    with np.errstate(all="ignore"):
        return mean(np.abs((a - b) / a)) * 100
