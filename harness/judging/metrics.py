"""Absolute, relative and ULP error against exact values, and tallies of them that merge.

ulp(r) = 2^(clamp(⌊log2 |r|⌋, emin, emax) − (p − 1)), r the exact value (Goldberg). An infinite answer counts as
2^(emax + 1) in ULP. Relative error at r = 0 is 0 for a zero and else infinite: counted apart, in no mean. So are one
that no float64 holds, of an answer to next to nothing, and answers that are NaN or infinite. Sums are exact until they
are read (`harness.numbers.sums`), and the first of equals is the maximum: neither the size of a chunk nor the order of
machines changes a byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from harness.judging.tally import EDGES, Counts, Peak, Tally, peak
from harness.numbers.formats import Format
from harness.numbers.sums import Total, total, two_sum
from harness.truth import Expected

Floats = NDArray[np.float64]
Places = NDArray[np.bool_] | slice
NOWHERE = slice(0, 0)
FAR_BELOW = -1200
"""An expected value under 2^-1200, or 2^-1024 of the answer, is nothing beside it: the answer is all error."""
NEAR_HALF = 2.0**-40
"""An error in ulp is rounded by less: so near to ½ it is decided on the exact value."""
INSIDE = 4
"""So many octaves above the smallest normal number nothing need be lost."""
CHUNK = 2**14
"""Elements measured at a time: enough that a call of NumPy costs little, few enough that 1 MB holds all about them."""
LOWEST, HIGHEST = -1023, 1022
"""Exponents for which 2^-exponent is a normal float64."""


@dataclass(frozen=True)
class Errors:
    """One block's errors, element by element; NaN where the answer is NaN. `signed` is relative."""

    rows: Floats
    """Absolute, relative, signed relative and ULP error, each of the block's shape."""
    odd: bool
    """Whether there may be an answer that is NaN or infinite, or an expected zero."""

    @property
    def absolute(self) -> Floats:
        return self.rows[0]

    @property
    def relative(self) -> Floats:
        return self.rows[1]

    @property
    def signed(self) -> Floats:
        return self.rows[2]

    @property
    def ulp(self) -> Floats:
        return self.rows[3]


def ulp_exponent(expected: Expected, form: Format) -> NDArray[np.int32]:
    """ulp(r) is 2 to this power."""
    return np.where(expected.hi == 0, form.emin - form.p + 1, clamped(expected.exponent, form)).astype(np.int32)


def clamped(exponent: NDArray[np.int32], form: Format) -> NDArray[np.int32]:
    """`ulp_exponent` of values that are not zero."""
    return np.clip(exponent - 1, form.emin, form.emax) - (form.p - 1)


def errors(actual: NDArray[np.generic], expected: Expected, form: Format) -> Errors:
    """|actual − expected|, (actual − expected) / |expected|, and |actual − expected| / ulp(expected)."""
    exponent, rows = expected.exponent, np.empty((4, *actual.shape))
    lowest, highest = exponent.min(initial=0), exponent.max(initial=0)
    plain = lowest >= LOWEST and highest <= HIGHEST
    with np.errstate(all="ignore"):
        answer = actual.astype(np.float64, copy=False)  # exact for every format up to float64
        if plain:
            write_errors(rows, answer, expected)
            normal = form.emin < lowest and highest <= form.emax + 1
            rows[3] *= 2.0**form.p if normal else power_of_two(exponent - clamped(exponent, form))
            plain = rows[1].max(initial=0.0) < inf
        if not plain:
            write_odd_errors(rows, answer, expected, form)
    return Errors(rows, odd=not plain)


def write_errors(rows: Floats, answer: Floats, expected: Expected) -> None:
    """The rows where all is finite, nothing zero and 2^-exponent a normal number; in 2^exponent instead of ulp."""
    # Each row is a buffer for what comes before it: new arrays would cost as much as the arithmetic.
    absolute, relative, signed, scaled = rows
    inverse = power_of_two(-expected.exponent)
    difference = np.multiply(answer, inverse, out=scaled)
    difference -= expected.hi
    difference -= expected.lo
    size = np.add(expected.hi, expected.lo, out=relative)
    np.divide(difference, np.abs(size, out=size), out=signed)
    np.abs(signed, out=relative)
    np.divide(np.abs(difference, out=difference), inverse, out=absolute)


def power_of_two(exponent: NDArray[np.int32]) -> Floats:
    """2^exponent by its bits, where that is a normal number."""
    biased = (exponent + 1023).astype(np.int64)
    return np.left_shift(biased, 52, out=biased).view(np.float64)


def write_odd_errors(rows: Floats, answer: Floats, expected: Expected, form: Format) -> None:
    """The rows, whatever the numbers are."""
    absolute, relative, signed, ulp = rows
    exponent, unit = expected.exponent, ulp_exponent(expected, form)
    difference = np.ldexp(answer, -exponent, out=ulp)
    far = (exponent < FAR_BELOW) | np.isinf(difference)
    difference -= expected.hi
    difference -= expected.lo
    size = np.add(expected.hi, expected.lo, out=relative)
    np.divide(difference, np.abs(size, out=size), out=signed)
    np.abs(difference, out=difference)
    np.ldexp(difference, exponent, out=absolute)
    np.ldexp(difference, exponent - unit, out=ulp)
    if far.any():
        np.copyto(absolute, np.abs(answer), where=far)
        np.copyto(ulp, np.ldexp(absolute, -unit), where=far)
    np.copyto(signed, 0.0, where=(expected.hi == 0) & (answer == 0))
    np.abs(signed, out=relative)
    if (infinite := np.isinf(answer)).any():
        np.copyto(ulp, np.ldexp(1.0, form.emax + 1 - unit), where=infinite)
        rows[:, rightly_infinite(answer, expected, form)] = 0.0


def rightly_infinite(answer: Floats, expected: Expected, form: Format) -> NDArray[np.bool_]:
    """Infinities that are the correctly rounded value: from half an ulp above the largest number on."""
    top = form.emax + 1
    right = np.isinf(answer) & (expected.exponent >= top)
    hi, lo, exponent = expected.hi[right], expected.lo[right], expected.exponent[right]
    above_half = (np.abs(hi) - 1 + 2.0 ** -(form.p + 1)) + np.sign(hi) * lo  # the first sum is exact, and so a zero is
    beyond = (exponent > top) | (above_half >= 0)
    right[right] = beyond & (np.sign(answer[right]) == np.sign(hi))
    return right


def measure(
    actual: NDArray[np.generic], expected: Expected, limits: Mapping[str, Floats], form: Format, offset: int = 0
) -> Tally:
    """One block's figures, chunk by chunk, with less than 1 MB beside the arrays.

    `limits`: by name, B among them, the absolute error allowed to each element; infinite where anything is. `offset`:
    elements of the case before the block. ValueError for a limit that is NaN.
    """
    running = Running(limits, form, offset)
    with np.errstate(all="ignore"):
        for answer, part, allowed in chunks(actual, expected, limits):
            running.add(answer, part, allowed)
    return running.tally()


def chunks(
    actual: NDArray[np.generic], expected: Expected, limits: Mapping[str, Floats]
) -> Iterator[tuple[Floats, Expected, dict[str, Floats]]]:
    """Flat pieces of all arrays in the order of the case, good until the next is asked for."""
    arrays = [actual, expected.hi, expected.lo, expected.exponent, *limits.values()]
    pieces = np.nditer(
        arrays,
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_dtypes=[np.float64, *(array.dtype for array in arrays[1:])],
        order="C",
        buffersize=CHUNK,
    )
    for answer, hi, lo, exponent, *allowed in pieces:
        yield answer, Expected(hi, lo, exponent), dict(zip(limits, allowed, strict=True))


class Running:
    """The tally of a case so far, out of flat chunks that are added in their order. `names`: of the limits."""

    def __init__(self, names: Iterable[str], form: Format, offset: int) -> None:
        figures = ("absolute", "relative", "ulp", "ulp, flushed forgiven", "not finite", "lost", *names)
        self.form, self.offset = form, offset
        self.counts: Counter[str] = Counter()
        self.peaks = dict.fromkeys(figures, Peak())
        self.sums = [Total()] * 4
        self.octaves = np.zeros(2049, np.int64)

    def tally(self) -> Tally:
        return Tally(Counts(**self.counts), self.peaks, tuple(self.sums), histogram(self.octaves))

    def add(self, answer: Floats, expected: Expected, limits: Mapping[str, Floats]) -> None:
        """The next chunk."""
        found = errors(answer, expected, self.form)
        rows = found.rows
        ulp = self.record_ulps(found.ulp, answer, expected)
        strange, beyond = self.exceptions(answer, expected, found.relative) if found.odd else (NOWHERE, NOWHERE)
        rows[:2, strange], rows[1, beyond] = nan, nan  # they are in no maximum
        absolute, relative = self.record(found.absolute, "absolute"), self.record(found.relative, "relative")
        if relative >= 1 or beyond is not NOWHERE:  # as of whatever is answered by 0 or with the other sign
            self.record_lost(found.ulp, answer, expected)
        self.record_shares(found.absolute, limits, strange)
        rows[:, strange], rows[1:3, beyond] = 0.0, 0.0  # and in no mean
        sums = map(total, rows, (absolute, relative, relative, ulp))
        self.sums = [a + b for a, b in zip(self.sums, sums, strict=True)]
        self.counts["elements"] += len(answer)
        self.offset += len(answer)

    def record(self, values: Floats, *names: str) -> float:
        """Gives their maximum, which is that of the case so far if none before was as large."""
        largest = peak(values, self.offset)
        for name in names:
            self.peaks[name] = self.peaks[name].merged(largest)
        return largest.value

    def record_ulps(self, ulp: Floats, answer: Floats, expected: Expected) -> float:
        """All that is told in ulp; gives the maximum."""
        self.counts["misrounded"] += len(ulp) - number(ulp < 0.5) + self.near_ties(ulp, answer, expected)
        self.octaves += octaves(ulp)
        below = expected.exponent <= self.form.emin
        if not below.any():
            return self.record(ulp, "ulp", "ulp, flushed forgiven")
        below &= expected.hi != 0
        flushed = below & (answer == 0)
        self.counts.update(subnormal_references=number(below), flushed=number(flushed))
        self.record(np.where(flushed, 0.0, ulp), "ulp, flushed forgiven")
        return self.record(ulp, "ulp")

    def near_ties(self, ulp: Floats, answer: Floats, expected: Expected) -> int:
        """How many more are misrounded than `ulp` has at ½ or above, which is itself a rounded number.

        Decided on the exact value where it is about ½. Of two that are as near, the even one is right; one that is off
        by ½ ulp from a power of two is no whole number of its ulp, and it is that power that is right.
        """
        at = np.flatnonzero(np.abs(ulp - 0.5) < NEAR_HALF)
        if not len(at):
            return 0
        there, given, near = expected.row(at), answer[at], ulp[at]
        above = beyond_half(given, there, self.form)
        odd = np.ldexp(given, -ulp_exponent(there, self.form)) % 2 != 0
        return number((above > 0) | ((above == 0) & odd)) - number(near >= 0.5)

    def record_lost(self, ulp: Floats, answer: Floats, expected: Expected) -> None:
        """Values well inside of the normal numbers that are answered by 0 or with the other sign."""
        lost = (np.signbit(answer) != np.signbit(expected.hi)) | (answer == 0)
        lost &= (expected.exponent > self.form.emin + INSIDE) & (expected.hi != 0) & np.isfinite(answer)
        at = np.flatnonzero(lost)
        self.counts["lost"] += len(at)
        if len(at):
            furthest = peak(ulp[at], 0)
            there = Peak(furthest.value, self.offset + int(at[furthest.index]))
            self.peaks["lost"] = self.peaks["lost"].merged(there)

    def exceptions(self, answer: Floats, expected: Expected, relative: Floats) -> tuple[Places, Places]:
        """Where the answer is not finite, and where its relative error is not, as of zero missed; counts them."""
        strange, zero = ~np.isfinite(answer), expected.hi == 0
        if np.isinf(answer).any():
            strange &= ~rightly_infinite(answer, expected, self.form)
        beyond = np.isinf(relative) & ~strange
        misses = number(beyond & zero)
        self.counts.update(zero_references=number(zero), zero_misses=misses)
        self.counts["relative_overflows"] += number(beyond) - misses
        if strange.any():
            self.counts.update(nan=number(np.isnan(answer)), infinity=number(strange & np.isinf(answer)))
            first = Peak(inf, self.offset + int(strange.argmax()))
            self.peaks["not finite"] = self.peaks["not finite"].merged(first)
        return strange, beyond

    def record_shares(self, absolute: Floats, limits: Mapping[str, Floats], strange: Places) -> None:
        """The errors as shares of each limit: infinite where the answer is `strange`."""
        for name, limit in limits.items():
            largest = limit.max(initial=0.0)
            if np.isnan(largest):
                raise ValueError("a bound is NaN: it would forgive anything")
            if name == "B" and largest == inf:
                self.counts["unbounded"] += number(limit == inf)
            share = absolute / limit
            share[strange] = inf
            self.record(share, name)


def beyond_half(answer: Floats, expected: Expected, form: Format) -> Floats:
    """|answer − expected| − ½ ulp, exact in its sign, where it is next to 0.

    The answer less hi is two_sum's; ½ ulp off that is exact (Sterbenz); what is left is below the last place of it.
    """
    difference, lost = two_sum(np.ldexp(answer, -expected.exponent), -expected.hi)
    half = np.ldexp(1.0, ulp_exponent(expected, form) - 1 - expected.exponent)
    beyond: Floats = (np.abs(difference) - half) + np.sign(difference) * (lost - expected.lo)
    return beyond


def number(mask: NDArray[np.bool_]) -> int:
    """Of elements that are true."""
    return int(np.count_nonzero(mask))


def octaves(ulp: Floats) -> NDArray[np.int64]:
    """How many errors lie in (2^(k−1), 2^k], at 1023 + k; of 0 at 0, of NaN at 2048."""
    ceiling = ulp.view(np.uint64) + (2**52 - 1)
    ceiling >>= 52
    return np.bincount(ceiling.view(np.int64), minlength=2049)


def histogram(octaves: NDArray[np.int64]) -> tuple[int, ...]:
    """How many elements lie in each bin; NaN in none."""
    starts = [0, 1, *range(1023, 1023 + len(EDGES) - 2)]
    return tuple(np.add.reduceat(octaves[:2048], starts).tolist())
