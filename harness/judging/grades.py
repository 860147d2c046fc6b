"""How good an answer is, and why it is no better (docs/bounds.md#grades).

A+ correctly rounded · A within what a tree and a shift without loss allow · B within what a blocked tree and a rounded
shift allow · C above B, but within it at the height that was measured for that backend, dtype and n, and only by a
move that its whole row has in common, and never by more than leaves a digit right · F above that: no rounding of the
assumed kind comes to it in a sum as high as was measured; or, in 16 bits where the bound leaves no digit, above what
honest evaluations explain (docs/bounds.md#simulated).
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.judging.tally import CHAINED, Tally
from harness.numbers.formats import Format
from harness.truth.bounds import FARTHEST, Theory, assumed, blocked_tree

Floats = NDArray[np.float64]
GRADES = ("A+", "A", "B", "C", "F")
DEMANDS = GRADES[1:]
"""What may be asked to fail: A+ is as good as can be."""
ROUNDINGS = 2
"""Slack for exp's and the quotient's higher orders, and for the factor's own evaluation."""


def grade(tally: Tally) -> str:
    """Of a cell that was answered in full; none where the bound is vacuous."""
    if tally.counts.not_finite:
        return "F"
    if tally.counts.misrounded == 0:
        return "A+"
    if tally.peak("simulated").value > 1:
        return "F"  # where theory leaves no digit
    if tally.peak("A").value <= 1:
        return "A"
    if tally.peak("B").value <= 1:
        return "" if tally.counts.unbounded else "B"  # where the bound is vacuous, nothing is said
    explained = max(tally.peak(name).value for name in CHAINED)
    return "C" if tally.peak("C").index >= 0 and explained <= 1 else "F"


def fails(given: str, at: str) -> bool:
    """Whether an answer is graded so, or worse; one without a grade is, where more is asked than that none is an F."""
    return GRADES.index(given) >= GRADES.index(at) if given in GRADES else at != GRADES[-1]


def without_digit(tally: Tally) -> bool:
    """Whether an F would be a C, if only a digit of it were right."""
    others = max(tally.peak(name).value for name in CHAINED if name != "digit")
    return not tally.counts.not_finite and others <= 1 < tally.peak("digit").value


def needs_height(n: int) -> bool:
    """Whether a chain of n − 1 additions is higher than what B allows, so that C differs from B."""
    return n - 1 > blocked_tree.height(n)


def with_height(measured: int) -> Theory:
    """B's theory at a measured height: the chain, and a tree above it."""
    return replace(blocked_tree, chain=measured)


def common_factor_share(logits: Floats, signed: Floats, s: Floats, form: Format, flush: float | None) -> Floats:
    """Each element's own residual, once its row's median factor is taken out, as a share of what is allowed to it.

    An element's own error is within b_j = (m − x_j) + e_exp + e_div in u, the median's within the median of b, and
    the residual within their sum, whatever n. In a row that is near underflow throughout, as long ones are in float16,
    b has the bits that may be lost (docs/bounds.md#grades).
    """
    step = form.u / (1 - form.u)
    gap = logits.max(axis=-1, keepdims=True) - logits
    library = assumed(form)
    tiny = flush or form.quantum * library.lost
    normal = s > 4 * tiny / form.u
    lossy = (s > 4 * tiny) & ~normal.any(axis=-1, keepdims=True)
    usable = normal | lossy
    factor = median(np.where(usable, signed, np.nan))
    own = np.minimum(gap, FARTHEST) * step + (library.exp + library.division) * step
    own += np.where(lossy, 2 * tiny / np.maximum(s, tiny), 0.0)
    typical = median(np.where(usable, own, np.nan))
    allowed = np.expm1(own + typical + ROUNDINGS * step)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.abs((signed - factor) / (1 + factor)) / (allowed + tiny / s)
    return np.where(s > 0, share, 0.0)


def median(values: Floats) -> Floats:
    """Of each row's numbers; NaN of a row that has none, which then explains nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=-1, keepdims=True), dtype=np.float64)
