"""The grades of an answer (docs/bounds.md#grades).

- A+: every element is correctly rounded.
- A: within the bound for a tree of additions and a shift without rounding error.
- B: within the bound for a blocked tree and a rounded shift.
- C: above B, but within that bound at the height that was measured for the backend, dtype and n. The excess must be an
  error that its whole row has in common, and one digit must be right.
- F: NaN, infinite, or worse than C: no rounding of the assumed kind explains it. Where the bound leaves no digit, also
  above what honest evaluations explain (docs/bounds.md#simulated).
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from harness.judging.tally import CHAINED, Tally
from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.truth.bounds import FARTHEST, Theory, assumed, blocked_tree

GRADES = ("A+", "A", "B", "C", "F")
DEMANDS = GRADES[1:]
"""The grades that `--fail-at` takes: all but the best."""
ROUNDINGS = 2
"""Slack, in roundings, for the higher-order terms of exp and of the division, and for evaluating the common factor."""


def grade(tally: Tally) -> str:
    """Return the grade of a cell that was answered in full; empty if the bound is vacuous and nothing else decides."""
    if tally.counts.not_finite:
        return "F"
    if tally.counts.misrounded == 0:
        return "A+"
    if tally.peak("simulated").value > 1:
        return "F"  # where theory leaves no digit
    if tally.peak("A").value <= 1:
        return "A"
    if tally.peak("B").value <= 1:
        return "" if tally.counts.unbounded else "B"  # a vacuous bound says nothing
    explained = max(tally.peak(name).value for name in CHAINED)
    return "C" if tally.peak("C").index >= 0 and explained <= 1 else "F"


def fails(given: str, at: str) -> bool:
    """Decide whether a grade is `at` or worse. An answer without a grade fails unless `at` is F."""
    return GRADES.index(given) >= GRADES.index(at) if given in GRADES else at != GRADES[-1]


def without_digit(tally: Tally) -> bool:
    """Decide whether an answer is an F only because no digit is right."""
    others = max(tally.peak(name).value for name in CHAINED if name != "digit")
    return not tally.counts.not_finite and others <= 1 < tally.peak("digit").value


def needs_height(n: int) -> bool:
    """Decide whether a chain of n − 1 additions is higher than B allows, so that C may differ from B."""
    return n - 1 > blocked_tree.height(n)


def with_height(measured: int) -> Theory:
    """Return B's theory for a measured height: chains of that length, and a tree that adds them up."""
    return replace(blocked_tree, chain=measured)


def common_factor_share(logits: Floats, signed: Floats, s: Floats, form: Format, flush: float | None) -> Floats:
    """Divide each row of a softmax by its median factor, and return the rest of each error as a share of its limit.

    `logits`, `signed` (the signed relative errors) and `s` (the exact values) have shape (rows, n). An element's own
    error is within b_j = (m − x_j) + e_exp + e_div in units of u, that of the median within the median of b, and the
    rest within their sum, whatever n is. In a row that is near underflow throughout, as long ones are in float16, b_j
    includes the bits that may be lost (docs/bounds.md#grades).
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
    """Return the median of each row without NaN, shape (rows, 1); NaN for a row of NaN, which then explains nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=-1, keepdims=True), dtype=np.float64)
