"""Absolute, relative and ULP error against exact values, and tallies of them that merge.

With r the exact value, ulp(r) = 2^(clamp(⌊log2 |r|⌋, emin, emax) − (p − 1)) (Goldberg). In ULP error an infinite answer
counts as 2^(emax + 1). At r = 0 the relative error is 0 if the answer is 0, and infinite otherwise. Infinite relative
errors, also those that overflow float64, are counted separately and enter no mean. So are answers that are NaN or
infinite. Sums are exact until they are read (`harness.numbers.sums`), and of equal maxima the first is kept. The
results therefore depend neither on the size of a chunk nor on the order in which tallies are computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from harness.judging.tally import EDGES, Counts, Peak, Tally, peak
from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.numbers.sums import Total, total, two_sum
from harness.truth import Expected

Places = NDArray[np.bool_] | slice
NOWHERE = slice(0, 0)
FAR_BELOW = -1200
"""Exponent below which an exact value is neglected beside the answer: the absolute error is then |answer|. The same is
done if the answer is more than about 2^1024 times the exact value."""
NEAR_HALF = 2.0**-40
"""An ULP error is computed with a rounding error below this. Closer to ½ than this, the exact value decides."""
INSIDE = 4
"""A component counts as lost only where the exact value is at least 2^INSIDE times the smallest normal number."""
CHUNK = 2**14
"""Elements measured at a time: enough to make the cost of a NumPy call small, few enough to work in 1 MB."""
LOWEST, HIGHEST = -1023, 1022
"""The smallest and largest exponent for which 2^-exponent is a normal float64."""


@dataclass(frozen=True)
class Errors:
    """The errors of one block's answer, element by element; NaN where the answer is NaN."""

    rows: Floats
    """Absolute, relative, signed relative and ULP error, shape (4, *answer's shape)."""
    odd: bool = True
    """True if an answer may be NaN or infinite, an exact value 0, or a relative error infinite."""

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
    """Return the exponent e of ulp(r) = 2^e for each exact value r."""
    return np.where(expected.hi == 0, form.emin - form.p + 1, clamped(expected.exponent, form)).astype(np.int32)


def clamped(exponent: NDArray[np.int32], form: Format) -> NDArray[np.int32]:
    """Return the exponent of the ulp of nonzero values 2^(exponent − 1) ≤ |r| < 2^exponent."""
    return np.clip(exponent - 1, form.emin, form.emax) - (form.p - 1)


def errors(actual: NDArray[np.generic], expected: Expected, form: Format) -> Errors:
    """Return |actual − expected|, its ratio to |expected| (also with its sign), and its ratio to ulp(expected)."""
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
    """Write the four errors for exponents in [LOWEST, HIGHEST], the last row in units of 2^exponent instead of ulp.

    They are valid only if all numbers are finite and no exact value is 0.
    """
    # The rows serve as buffers for intermediate results: new arrays would cost as much as the arithmetic.
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
    """Return 2^exponent, built from its bits; the result must be a normal float64."""
    biased = (exponent + 1023).astype(np.int64)
    return np.left_shift(biased, 52, out=biased).view(np.float64)


def write_odd_errors(rows: Floats, answer: Floats, expected: Expected, form: Format) -> None:
    """Write the four errors for any answers and exact values."""
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
    """Mark infinite answers that are correctly rounded: |expected| is at least half an ulp above the largest number."""
    top = form.emax + 1
    right = np.isinf(answer) & (expected.exponent >= top)
    hi, lo, exponent = expected.hi[right], expected.lo[right], expected.exponent[right]
    above_half = (np.abs(hi) - 1 + 2.0 ** -(form.p + 1)) + np.sign(hi) * lo  # the first sum is exact, and so a zero is
    beyond = (exponent > top) | (above_half >= 0)
    right[right] = beyond & (np.sign(answer[right]) == np.sign(hi))
    return right


def measure(
    actual: NDArray[np.generic],
    expected: Expected,
    limits: Mapping[str, Floats],
    form: Format,
    offset: int = 0,
    out: Floats | None = None,
) -> Tally:
    """Compute one block's tally, chunk by chunk, with less than 1 MB of working memory.

    `limits` has the absolute error allowed at each element, by the limit's name (B among them), infinite where any
    error is allowed. `offset` is the number of elements of the case before the block. `out`, of shape (4, *answer's
    shape) and contiguous, takes the elements' errors, as in `Errors.rows`. Raise ValueError if a limit is NaN.
    """
    running = Running(limits, form, offset)
    kept = np.empty((4, 0)) if out is None else out.reshape(4, -1)
    with np.errstate(all="ignore"):
        for answer, part, allowed in chunks(actual, expected, limits):
            start = running.offset - offset
            running.add(answer, part, allowed, kept[:, start : start + len(answer)])
    return running.tally()


def chunks(
    actual: NDArray[np.generic], expected: Expected, limits: Mapping[str, Floats]
) -> Iterator[tuple[Floats, Expected, dict[str, Floats]]]:
    """Yield flat pieces of all arrays in C order. A piece is a buffer that the next one overwrites."""
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
    """The tally of a case so far, made of flat chunks added in their order. `names` are the names of the limits."""

    def __init__(self, names: Iterable[str], form: Format, offset: int) -> None:
        figures = ("absolute", "relative", "ulp", "ulp, flushed forgiven", "not finite", "lost", *names)
        self.form, self.offset = form, offset
        self.counts: Counter[str] = Counter()
        self.peaks = dict.fromkeys(figures, Peak())
        self.sums = [Total()] * 4
        self.octaves = np.zeros(2049, np.int64)

    def tally(self) -> Tally:
        return Tally(Counts(**self.counts), self.peaks, tuple(self.sums), histogram(self.octaves))

    def add(self, answer: Floats, expected: Expected, limits: Mapping[str, Floats], out: Floats) -> None:
        """Add the next chunk. `out` takes its errors, unless it is empty."""
        found = errors(answer, expected, self.form)
        rows = found.rows
        if out.size:
            out[:] = rows  # before those that do not count are overwritten
        ulp = self.record_ulps(found.ulp, answer, expected)
        strange, beyond = self.exceptions(answer, expected, found.relative) if found.odd else (NOWHERE, NOWHERE)
        rows[:2, strange], rows[1, beyond] = nan, nan  # excluded from the maxima
        absolute, relative = self.record(found.absolute, "absolute"), self.record(found.relative, "relative")
        if relative >= 1 or beyond is not NOWHERE:  # true of every answer that is 0 or has the other sign
            self.record_lost(found.ulp, answer, expected)
        self.record_shares(found.absolute, limits, strange)
        rows[:, strange], rows[1:3, beyond] = 0.0, 0.0  # excluded from the means
        sums = map(total, rows, (absolute, relative, relative, ulp))
        self.sums = [a + b for a, b in zip(self.sums, sums, strict=True)]
        self.counts["elements"] += len(answer)
        self.offset += len(answer)

    def record(self, values: Floats, *names: str) -> float:
        """Update the named peaks with the maximum of the values, and return that maximum."""
        largest = peak(values, self.offset)
        for name in names:
            self.peaks[name] = self.peaks[name].merged(largest)
        return largest.value

    def record_ulps(self, ulp: Floats, answer: Floats, expected: Expected) -> float:
        """Update everything that is measured in ulp, and return the largest ULP error."""
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
        """Return how many elements are misrounded, less how many have `ulp` ≥ ½; the difference may be negative.

        `ulp` is itself rounded, so elements within NEAR_HALF of ½ are decided on the exact value. Of two equally near
        numbers the even one is right. Just below a power of two an answer may be half an ulp off and no whole number
        of ulps; it counts as odd, since the power of two is right.
        """
        at = np.flatnonzero(np.abs(ulp - 0.5) < NEAR_HALF)
        if not len(at):
            return 0
        there, given, near = expected.row(at), answer[at], ulp[at]
        above = beyond_half(given, there, self.form)
        odd = np.ldexp(given, -ulp_exponent(there, self.form)) % 2 != 0
        return number((above > 0) | ((above == 0) & odd)) - number(near >= 0.5)

    def record_lost(self, ulp: Floats, answer: Floats, expected: Expected) -> None:
        """Count lost components and record the largest ULP error among them.

        A component is lost if it is answered by 0 or with the other sign although the exact value is at least 2^INSIDE
        times the smallest normal number.
        """
        lost = (np.signbit(answer) != np.signbit(expected.hi)) | (answer == 0)
        lost &= (expected.exponent > self.form.emin + INSIDE) & (expected.hi != 0) & np.isfinite(answer)
        at = np.flatnonzero(lost)
        self.counts["lost"] += len(at)
        if len(at):
            furthest = peak(ulp[at], 0)
            there = Peak(furthest.value, self.offset + int(at[furthest.index]))
            self.peaks["lost"] = self.peaks["lost"].merged(there)

    def exceptions(self, answer: Floats, expected: Expected, relative: Floats) -> tuple[Places, Places]:
        """Count and return the exceptions, as two masks.

        The first marks answers that are NaN or wrongly infinite. The second marks other answers whose relative error is
        infinite: a nonzero answer to an exact 0, or an overflow of float64.
        """
        strange, zero = ~np.isfinite(answer), expected.hi == 0
        if np.isinf(answer).any():
            strange &= ~rightly_infinite(answer, expected, self.form)
        beyond = np.isinf(relative) & ~strange
        misses = number(beyond & zero)
        self.counts.update(zero_references=number(zero), missed_zeros=misses)
        self.counts["relative_overflows"] += number(beyond) - misses
        if strange.any():
            self.counts.update(nan=number(np.isnan(answer)), infinity=number(strange & np.isinf(answer)))
            first = Peak(inf, self.offset + int(strange.argmax()))
            self.peaks["not finite"] = self.peaks["not finite"].merged(first)
        return strange, beyond

    def record_shares(self, absolute: Floats, limits: Mapping[str, Floats], strange: Places) -> None:
        """Record the errors as shares of each limit, infinite where `strange`. Raise ValueError if a limit is NaN."""
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
    """Return |answer − expected| − ½ ulp in units of 2^exponent; its sign is exact where it is near 0.

    TwoSum gives answer − hi exactly, and subtracting ½ ulp from it is exact too (Sterbenz). The rest is smaller than
    the last place of that difference.
    """
    difference, lost = two_sum(np.ldexp(answer, -expected.exponent), -expected.hi)
    half = np.ldexp(1.0, ulp_exponent(expected, form) - 1 - expected.exponent)
    beyond: Floats = (np.abs(difference) - half) + np.sign(difference) * (lost - expected.lo)
    return beyond


def number(mask: NDArray[np.bool_]) -> int:
    """Return the number of true elements."""
    return int(np.count_nonzero(mask))


def octaves(ulp: Floats) -> NDArray[np.int64]:
    """Count the errors in (2^(k−1), 2^k] at index 1023 + k, errors of 0 at index 0, and NaN at index 2048."""
    ceiling = ulp.view(np.uint64) + (2**52 - 1)
    ceiling >>= 52
    return np.bincount(ceiling.view(np.int64), minlength=2049)


def histogram(octaves: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the number of elements in each bin of `EDGES`, without NaN."""
    starts = [0, 1, *range(1023, 1023 + len(EDGES) - 2)]
    return tuple(np.add.reduceat(octaves[:2048], starts).tolist())
