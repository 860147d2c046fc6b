"""The error model of whatever has a softmax inside: the errors of the parts that its bounds are made of.

Results below the normal numbers lose bits. `tiny` is what one such loss of a softmax may cost: the declared threshold
where a backend flushes to zero, a few quanta (smallest subnormal numbers) elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.truth.bounds.theory import Declared, Theory, assumed

FARTHEST = 1000.0
"""The distance from the maximum beyond which s_j is under 10^-434. Its bound is `tiny`, however it is computed."""
SMALLEST = 2.0**-1074
"""The least size of a weight, in place of 0: its product with an infinite error is then infinite, and not NaN."""
LARGEST_SPREAD = 1 / 8
"""The largest E for which one `tiny` is proved to cover a loss. Beyond it a loss grows with the error of the sum."""
LARGEST_LOG = 30.0
"""The log-domain error from which on the bound is infinite: a sum that may be off by e^30 says nothing."""


@dataclass(frozen=True)
class SoftmaxError:
    """The softmax of one block, its errors, and what all bounds share: sizes of shape (rows, n), or (rows, 1)."""

    s: Floats
    gap: Floats
    """Distance of each logit from its row's maximum."""
    top: Floats
    """Size of each row's maximum, with what it may be off by, shape (rows, 1)."""
    shift: Floats
    """Log-domain error of each rounded shift, with that of its logit."""
    log_total: Floats
    """Size of ln Z, with what the maximum may be off by, shape (rows, 1)."""
    r: Floats
    """Log-domain error of each computed s_j."""
    total: Floats
    """Log-domain error of Z, shape (rows, 1)."""
    tiny: float
    """What one loss below the normal numbers may cost."""
    theory: Theory
    declared: Declared
    form: Format

    @property
    def step(self) -> float:
        """Return u' = u/(1 − u), the log-domain error of one rounding."""
        return relative(1, self.form)

    @property
    def n(self) -> int:
        return int(self.s.shape[-1])

    @property
    def height(self) -> int:
        return self.theory.height(self.n)

    @property
    def least(self) -> float:
        """Return what a product, a quotient or an addition may lose below the normal numbers."""
        return self.declared.flush or self.form.quantum

    @cached_property
    def spare(self) -> Floats:
        """Return the factor by which losses of quotients grow, shape (rows, 1) (docs/bounds.md#products).

        It is Z² where quotients by Z² are normal numbers with room for a sum, and 1 elsewhere.
        """
        square = np.exp(2 * self.log_total)
        return np.where(self.n * square <= self.form.smallest_normal**-0.5, square, 1.0)

    def roundings(self, count: float) -> float:
        """Return the log-domain error of that many roundings."""
        return count * self.step

    def at(self, index: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return a mask, shape (rows, n), of one element a row."""
        return np.arange(self.n) == index[:, None]

    @cached_property
    def log_s(self) -> Floats:
        """Return |ln s_j|, shape (rows, n)."""
        size: Floats = self.gap + self.log_total
        return size

    def through_log(self) -> SoftmaxError:
        """Return the errors of a softmax that may also be the exp of a log-softmax, as in some backward passes."""
        other = log_softmax(self) + relative(assumed(self.form).exp, self.form)
        return replace(self, r=np.maximum(self.r, np.where(self.gap < FARTHEST, other, 0.0)))


def relative(units: float, form: Format) -> float:
    """Return a relative error of that many u as a log-domain error."""
    return units * form.u / (1 - units * form.u)


def softmax_error(
    logits: Floats, form: Format, theory: Theory, declared: Declared, inexact: Floats | float = 0.0
) -> SoftmaxError:
    """Bound |ln(ŝ_j / s_j)| for a softmax shifted by its maximum, or not shifted at all (docs/bounds.md#softmax).

    The log-domain error of exp(x_i − m) is a_i = (m − x_i)u' + e_exp·u. With the sum's h·u', the relative error of Z is
    E = Σ s_i·expm1(a_i + h·u') and its log-domain error is L = −ln(1 − E), so that r_j = a_j + L + e_div·u. From
    E = 1/8 on, `far_sum` gives L. `logits`: shape (rows, n). `inexact`: error of each logit itself
    (docs/bounds.md#layer).
    """
    step = relative(1, form)
    n = logits.shape[-1]
    largest = logits.max(axis=-1, keepdims=True)
    gap = largest - logits
    moved = np.max(inexact, axis=-1, keepdims=True) if isinstance(inexact, np.ndarray) else 0.0
    near = np.minimum(gap, FARTHEST)
    if declared.scaled_logits:
        taken = np.maximum(near, np.minimum(np.abs(logits), near + np.abs(largest)))  # before the shift or after it
        inexact = inexact + scaled(taken, form, declared)
        moved = moved + scaled(np.abs(largest), form, declared)
    weights = np.maximum(np.exp(-near), SMALLEST)
    total = weights.sum(axis=-1, keepdims=True)
    s = weights / total
    tiny = declared.flush or form.quantum * assumed(form).lost
    exponential = theory.ranged * (near + inexact + moved) * step + relative(assumed(form).exp, form) + inexact
    height = theory.height(n) * step
    spread = (s * np.expm1(exponential + height)).sum(axis=-1, keepdims=True) + n * tiny
    sum_error = -np.log1p(-np.minimum(spread, LARGEST_SPREAD))
    log_total = np.log(total) + moved
    far = ~(spread < LARGEST_SPREAD)
    if far.any():
        beyond = far_sum(s, exponential, height, 2 * n * tiny * np.exp(height + moved), log_total, form)
        sum_error = np.where(far, np.where(moved < LARGEST_LOG, beyond, np.inf), sum_error)
        tiny *= growth(sum_error[far], np.max(moved), n, height, tiny, form)
        if declared.difference_step:
            sum_error = np.where(far, np.inf, sum_error)
    r = exponential + sum_error + relative(assumed(form).division, form)
    shift = theory.ranged * (gap + inexact + moved) * step + inexact
    top = np.abs(largest) + moved
    e = SoftmaxError(s, gap, top, shift, log_total, r, sum_error, tiny, theory, declared, form)
    return taken_through_logs(e) if declared.through_logs else e


def scaled(sizes: Floats, form: Format, declared: Declared) -> Floats:
    """Return the error of logits of these sizes, multiplied by a rounded log2 e (docs/bounds.md#scaled-logits)."""
    off: Floats = np.expm1(2 * relative(1, form)) * sizes + 2 * (declared.flush or form.quantum)
    return off


def taken_through_logs(e: SoftmaxError) -> SoftmaxError:
    """Return the errors of a softmax that is the exp of its logarithm (docs/bounds.md#through-logs).

    The error of Z is infinite where the maximum is so large that its rounding leaves nothing of that logarithm.
    """
    nothing = e.step * e.top >= LARGEST_LOG
    return replace(e.through_log(), total=np.where(nothing, np.inf, e.total))


def far_sum(
    s: Floats, exponential: Floats, height: float, lost: Floats | float, log_total: Floats, form: Format
) -> Floats:
    """Bound |ln(Ẑ / Z)| where E is 1/8 or more, shape (rows, 1) (docs/bounds.md#far-sums).

    Each direction is bounded by itself. Downwards, no sum of such terms is below its largest term.
    """
    off = exponential + height
    above = np.log((s * np.exp(off)).sum(axis=-1, keepdims=True) + lost)
    less = lost - (s * np.expm1(-off)).sum(axis=-1, keepdims=True)
    below = np.where(less < 1, -np.log1p(-np.minimum(less, 1)), np.inf)
    error = np.maximum(above, np.minimum(below, log_total + relative(assumed(form).exp, form)))
    return np.where(error < LARGEST_LOG, error, np.inf)


def growth(sum_error: Floats, moved: float, n: int, height: float, tiny: float, form: Format) -> float:
    """Return the factor by which a loss grows in these rows.

    It covers twice the error of the sum, the roundings of three sums, how far Z may be below 1 (`moved`), and the
    losses in the sum where these count more than once.
    """
    largest = np.max(sum_error, where=sum_error < np.inf, initial=0.0)
    roundings = 3 * (height + 9 * relative(1, form)) + relative(assumed(form).division, form)
    return float(np.exp(2 * largest + roundings + min(moved, LARGEST_LOG)) * max(1.0, 8 * n * tiny))


def log_of_total(e: SoftmaxError) -> Floats:
    """Return the error of ln Ẑ, which comes from Z's own error and from log."""
    error: Floats = e.total + assumed(e.form).log * e.form.u * (e.log_total + e.total)
    if e.declared.scaled_logits:  # the maximum that is added back is not the one that was scaled
        error = error + scaled(e.top, e.form, e.declared) + np.expm1(2 * e.step) * (e.top + e.log_total + error)
    return error


def log_softmax(e: SoftmaxError) -> Floats:
    """Return the bound of log-softmax: a rounded shift, ln Ẑ, and one subtraction (docs/bounds.md#log-softmax)."""
    inner = e.shift + log_of_total(e)
    if e.declared.scaled_logits:  # the distance is multiplied by ln 2, which is rounded itself
        inner = inner + np.expm1(2 * e.step) * (e.gap + e.shift)
    if e.declared.through_logs:  # ln Ẑ is rounded once more with the maximum in it
        inner = inner + e.step * (e.top + e.log_total + inner) + e.tiny
    allowed: Floats = inner + e.step * (e.log_s + inner) + e.tiny
    return allowed
