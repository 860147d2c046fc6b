"""The causes of a softmax error: one element's error is split into the parts that can be told apart from outside.

The rounding error of the shift is known exactly from the logits. The error that all elements of a row have in common
comes from the sum. The rest comes from exp and the division; what exceeds their assumed accuracy is unexplained
(docs/bounds.md#causes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.numbers.sums import two_sum
from harness.truth.bounds import assumed

FLUSH, UNEXPLAINED = "flush", "unexplained"
PARTS = ("shift", "sum", "exp", "division")


def causes(logits: NDArray[Any], signed: Floats, s: Floats, element: int, form: Format) -> dict[str, float]:
    """Split one element's error ln(ŝ/s) by cause, in u. `signed` has the row's signed relative errors, all finite.

    The shift may or may not be rounded in the logits' dtype. Both are tried, and the split whose other parts are
    smaller is returned. It is empty for an element that may have lost bits to underflow.
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
    """Compute fl(x_j − m) − (x_j − m) for each logit, exactly."""
    largest = logits.max()
    high, low = two_sum(logits.astype(np.float64), np.asarray(-largest, dtype=np.float64))
    return ((logits - largest).astype(np.float64) - high) - low


def split(total: Floats, shift: Floats, usable: NDArray[np.bool_], element: int, form: Format) -> dict[str, float]:
    """Split one element's error, given that of the shift; only parts that are not 0 are returned.

    What the shift leaves is the sum's error, as the median over the row's usable elements, and the element's own.
    """
    left = total - shift
    common = float(np.median(left[usable]))
    own = (float(left[element]) - common) / form.u
    division = float(np.clip(own, -1, 1))
    most = 2 * (assumed(form).exp + assumed(form).division)
    exp = float(np.clip(own - division, -most, most))
    parts = dict(zip(PARTS, (float(shift[element]) / form.u, common / form.u, exp, division), strict=True))
    return {cause: value for cause, value in (parts | {UNEXPLAINED: own - division - exp}).items() if value}


def main_cause(parts: dict[str, float]) -> str:
    """Return the cause of the largest part, or UNEXPLAINED if there is such a part; empty if there are no parts."""
    if UNEXPLAINED in parts:
        return UNEXPLAINED
    return max(parts, key=lambda cause: abs(parts[cause]), default="")
