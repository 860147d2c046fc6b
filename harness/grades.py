"""How good an answer is, and why it is no better (docs/bounds.md#grades).

A+ correctly rounded · A within what a tree and a shift without loss allow · B within what a blocked tree and a rounded
shift allow · C above B, but within it at the height that was measured for that backend, dtype and n, and only by a
factor that its whole row has in common · F above that: no rounding explains it.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.bounds import ASSUMED, FARTHEST, Theory, blocked_tree, tree_height
from harness.formats import Format
from harness.metrics import Tally

Floats = NDArray[np.float64]
GRADES = ("A+", "A", "B", "C", "F")
ROUNDINGS = 2
"""Slack for exp's and the quotient's higher orders, and for the factor's own evaluation."""
PROBE_RESOLUTION = 4
"""What a probe may be off by: one rounding of the quotient, at most 2 u / 0.47 u."""


def grade(tally: Tally) -> str:
    """Of a cell that was answered in full; none where the bound is vacuous."""
    if tally.counts.nan + tally.counts.infinity:
        return "F"
    if tally.counts.misrounded == 0:
        return "A+"
    if tally.counts.unbounded and tally.peak("B").value <= 1:
        return ""  # the bound is vacuous: nothing is said
    for level in ("A", "B"):
        if tally.peak(level).value <= 1:
            return level
    explained = max(tally.peak(name).value for name in ("C", "common factor"))
    return "C" if tally.peak("C").index >= 0 and explained <= 1 else "F"


def needs_height(n: int) -> bool:
    """Whether a chain of n − 1 additions is higher than what B allows, so that C differs from B."""
    return n - 1 > blocked_tree(n).height


def with_height(n: int, measured: int) -> Theory:
    """B's theory at a measured height: the chain, and a tree above it."""
    return Theory(min(n - 1, max(blocked_tree(n).height, measured + tree_height(n))))


def measured_height(logits: NDArray[Any], answer: NDArray[Any], form: Format) -> int | None:
    """The longest summation chain that softmax shows on rows of one 0 among many equal logits of about ln(0.47 u).

    In a chain, a small term that is added to a sum of 1 or more is lost; in a tree it meets its own kind first. With
    t = exp(c) and ŝ the answer at the 0, Ẑ = 1/ŝ and the terms lost are (Z − Ẑ)/t. None where an answer is unusable.
    """
    rows = np.arange(len(logits))
    at = logits.argmax(axis=-1)
    small = np.exp(logits.min(axis=-1).astype(np.float64))
    missing = 1 - answer[rows, at].astype(np.float64)  # exact: ŝ is within a factor of 2 of 1
    if not ((missing >= 0) & (missing < 0.5)).all():
        return None
    lost = (logits.shape[-1] - 1) - missing / (1 - missing) / small
    return min(int(logits.shape[-1]) - 1, max(0, ceil(float(lost.max()))) + PROBE_RESOLUTION)


def common_factor_share(logits: Floats, signed: Floats, s: Floats, form: Format, flush: float | None) -> Floats:
    """Each element's own residual, once its row's median factor is taken out, as a share of what is allowed to it.

    An element's own error is within b_j = (m − x_j) + e_exp + e_div in u, the median's within the median of b, and
    the residual within their sum, whatever n (docs/bounds.md#grades).
    """
    step = form.u / (1 - form.u)
    gap = logits.max(axis=-1, keepdims=True) - logits
    tiny = flush or form.quantum * (ASSUMED.exp + 1)
    normal = s > 4 * tiny / form.u
    factor = np.nanmedian(np.where(normal, signed, np.nan), axis=-1, keepdims=True)
    own = np.minimum(gap, FARTHEST) * step + (ASSUMED.exp + ASSUMED.division) * step
    typical = np.nanmedian(np.where(normal, own, np.nan), axis=-1, keepdims=True)
    allowed = np.expm1(own + typical + ROUNDINGS * step)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.abs((signed - factor) / (1 + factor)) / (allowed + tiny / s)
    return np.where(s > 0, share, 0.0)
