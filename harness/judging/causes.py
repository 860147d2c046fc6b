"""Why a softmax is as far off as it is: the error of one element, split into what can be told apart from outside.

The shift's rounding is known exactly from the logits. What a row's elements have in common is its sum's. What is left
is exp's and the quotient's own, and beyond what those are allowed, nothing that rounding explains
(docs/bounds.md#causes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.formats import Format
from harness.numbers.sums import two_sum
from harness.truth.bounds import assumed

Floats = NDArray[np.float64]
FLUSH, UNEXPLAINED = "flush", "unexplained"
PARTS = ("shift", "sum", "exp", "division")


def causes(logits: NDArray[Any], signed: Floats, s: Floats, element: int, form: Format) -> dict[str, float]:
    """Shares of one element's error ln(ŝ/s) in u, by cause. `signed`: the row's relative errors, all finite.

    Two hypotheses are tried, a shift that is rounded in the logits' dtype and one that is not; that which leaves the
    other parts smaller is taken.
    """
    if signed[element] == -1:
        return {FLUSH: -1 / form.u}
    with np.errstate(divide="ignore"):
        total = np.log1p(np.maximum(signed, -1.0))
    usable = np.isfinite(total) & (s > 4 * form.smallest_normal)
    if not usable[element]:
        return {}
    rounding = shift_rounding(logits)
    shifts = (rounding - (s * rounding).sum(), np.zeros_like(s))
    tried = [split(total, shift, usable, element, form) for shift in shifts]
    return min(tried, key=lambda parts: sum(abs(value) for cause, value in parts.items() if cause != "shift"))


def shift_rounding(logits: NDArray[Any]) -> Floats:
    """fl(x_j − m) − (x_j − m), exactly."""
    largest = logits.max()
    high, low = two_sum(logits.astype(np.float64), np.asarray(-largest, dtype=np.float64))
    return ((logits - largest).astype(np.float64) - high) - low


def split(total: Floats, shift: Floats, usable: NDArray[np.bool_], element: int, form: Format) -> dict[str, float]:
    """What the shift leaves: its median over the row is the sum's, and the rest the element's own."""
    left = total - shift
    common = float(np.median(left[usable]))
    own = (float(left[element]) - common) / form.u
    division = float(np.clip(own, -1, 1))
    most = 2 * (assumed(form).exp + assumed(form).division)
    exp = float(np.clip(own - division, -most, most))
    parts = dict(zip(PARTS, (float(shift[element]) / form.u, common / form.u, exp, division), strict=True))
    return {cause: value for cause, value in (parts | {UNEXPLAINED: own - division - exp}).items() if value}


def main_cause(parts: dict[str, float]) -> str:
    """The largest part, unless something is left unexplained."""
    if UNEXPLAINED in parts:
        return UNEXPLAINED
    return max(parts, key=lambda cause: abs(parts[cause]), default="")
