"""Bounds of softmax, log-softmax and logsumexp, and the errors of the parts that all other bounds are made of.

A value is lost below the normal numbers: `tiny` is what each such loss may cost, the declared threshold where a backend
flushes to zero, a few quanta elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.numbers.formats import Format
from harness.truth.bounds.theory import Declared, Theory, assumed

Floats = NDArray[np.float64]
FARTHEST = 1000.0
"""Beyond this distance from the maximum, s_j is under 10^-434 and its bound is `tiny`, however it is computed."""
SMALLEST = 2.0**-1074
"""In place of 0, so that an infinite error of it is infinite, and not NaN."""
LARGEST_SPREAD = 1 / 8
"""Up to here one `tiny` is proved to cover a loss; beyond, a loss may grow by what the sum is off."""
LARGEST_LOG = 30.0
"""A sum that may be off by e^30 says nothing: from here on the bound is infinite."""


@dataclass(frozen=True)
class SoftmaxError:
    """One block's softmax, as sizes: s itself, the log-domain error r of each element, and what all bounds share."""

    s: Floats
    gap: Floats
    """Distance from the maximum."""
    top: Floats
    """Size of the maximum, one a row, with what it may be off by."""
    shift: Floats
    """Log-domain error of each rounded shift, with that of its logit."""
    log_total: Floats
    r: Floats
    total: Floats
    """Log-domain error of Z, one a row."""
    tiny: float
    theory: Theory
    declared: Declared
    form: Format

    @property
    def step(self) -> float:
        """u/(1 − u)."""
        return relative(1, self.form)

    @property
    def n(self) -> int:
        return int(self.s.shape[-1])

    @property
    def height(self) -> int:
        return self.theory.height(self.n)

    @property
    def least(self) -> float:
        """What a product, a quotient or an addition may lose."""
        return self.declared.flush or self.form.quantum

    @cached_property
    def spare(self) -> Floats:
        """Z² where quotients by it are normal numbers with room for a sum, else 1, one a row: by it their losses grow
        (docs/bounds.md#products)."""
        square = np.exp(2 * self.log_total)
        return np.where(self.n * square <= self.form.smallest_normal**-0.5, square, 1.0)

    def roundings(self, count: float) -> float:
        """That many of them, as a log-domain error."""
        return count * self.step

    def at(self, index: NDArray[np.integer]) -> NDArray[np.bool_]:
        """A mask of one element a row."""
        return np.arange(self.n) == index[:, None]

    @cached_property
    def log_s(self) -> Floats:
        """|ln s_j|."""
        size: Floats = self.gap + self.log_total
        return size

    def through_log(self) -> SoftmaxError:
        """For a softmax that may also be the exp of a log-softmax, as backward passes have it that keep the latter."""
        other = log_softmax(self) + relative(assumed(self.form).exp, self.form)
        return replace(self, r=np.maximum(self.r, np.where(self.gap < FARTHEST, other, 0.0)))


def relative(units: float, form: Format) -> float:
    """A relative error of so many u, in the log domain."""
    return units * form.u / (1 - units * form.u)


def softmax_error(
    logits: Floats, form: Format, theory: Theory, declared: Declared, inexact: Floats | float = 0.0
) -> SoftmaxError:
    """Bounds |ln(ŝ_j / s_j)| for a softmax shifted by its maximum, or not shifted at all (docs/bounds.md#softmax).

    â_i = (m − x_i)u' + e_exp·u is the log-domain error of exp(x_i − m). With the sum's h·u', Z is off by
    E = Σ s_i·expm1(â_i + h·u') relative, L = −ln(1 − E) in its log, and r_j = â_j + L + e_div·u. From E = 1/8 on see
    `far_sum`. `inexact`: error of each logit itself (docs/bounds.md#layer).
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
    """What a logit is off by when it is multiplied by log2 e, itself rounded (docs/bounds.md#scaled-logits)."""
    off: Floats = np.expm1(2 * relative(1, form)) * sizes + 2 * (declared.flush or form.quantum)
    return off


def taken_through_logs(e: SoftmaxError) -> SoftmaxError:
    """Its softmax is the exp of a logarithm, of which a large maximum leaves nothing (docs/bounds.md#through-logs)."""
    nothing = e.step * e.top >= LARGEST_LOG
    return replace(e.through_log(), total=np.where(nothing, np.inf, e.total))


def far_sum(
    s: Floats, exponential: Floats, height: float, lost: Floats | float, log_total: Floats, form: Format
) -> Floats:
    """|ln(Ẑ / Z)| where E is 1/8 or more: each direction by itself, and no sum of such terms is below its largest
    (docs/bounds.md#far-sums)."""
    off = exponential + height
    above = np.log((s * np.exp(off)).sum(axis=-1, keepdims=True) + lost)
    less = lost - (s * np.expm1(-off)).sum(axis=-1, keepdims=True)
    below = np.where(less < 1, -np.log1p(-np.minimum(less, 1)), np.inf)
    error = np.maximum(above, np.minimum(below, log_total + relative(assumed(form).exp, form)))
    return np.where(error < LARGEST_LOG, error, np.inf)


def growth(sum_error: Floats, moved: float, n: int, height: float, tiny: float, form: Format) -> float:
    """Of a loss, in these rows: by what the sum is off, twice, by three sums' roundings, by how far Z is below 1."""
    largest = np.max(sum_error, where=sum_error < np.inf, initial=0.0)
    roundings = 3 * (height + 9 * relative(1, form)) + relative(assumed(form).division, form)
    return float(np.exp(2 * largest + roundings + min(moved, LARGEST_LOG)) * max(1.0, 8 * n * tiny))


def softmax(e: SoftmaxError) -> Floats:
    allowed: Floats = e.s * np.expm1(e.r) + e.tiny
    return allowed


def log_of_total(e: SoftmaxError) -> Floats:
    """ln Ẑ is off by Z's own error and log's."""
    error: Floats = e.total + assumed(e.form).log * e.form.u * (e.log_total + e.total)
    if e.declared.scaled_logits:  # the maximum that is added back is not the one that was scaled
        error = error + scaled(e.top, e.form, e.declared) + np.expm1(2 * e.step) * (e.top + e.log_total + error)
    return error


def logsumexp(e: SoftmaxError, logits: Floats) -> Floats:
    """Then one addition (docs/bounds.md#logsumexp)."""
    inner, value = log_of_total(e), logits.max(axis=-1, keepdims=True) + e.log_total
    allowed: Floats = inner + e.step * (np.abs(value) + inner) + e.tiny
    return allowed


def log_softmax(e: SoftmaxError) -> Floats:
    """The shift is rounded, then ln Ẑ, then one subtraction (docs/bounds.md#log-softmax)."""
    inner = e.shift + log_of_total(e)
    if e.declared.scaled_logits:  # the distance is multiplied by ln 2, which is rounded itself
        inner = inner + np.expm1(2 * e.step) * (e.gap + e.shift)
    if e.declared.through_logs:  # ln Ẑ is rounded once more with the maximum in it
        inner = inner + e.step * (e.top + e.log_total + inner) + e.tiny
    allowed: Floats = inner + e.step * (e.log_s + inner) + e.tiny
    return allowed


def log_of_any(e: SoftmaxError) -> Floats:
    """Of ln s_j, computed as it is declared."""
    return log_of_softmax(e) if e.declared.through_probabilities else log_softmax(e)


def log_of_softmax(e: SoftmaxError) -> Floats:
    """ln ŝ_j, which is infinite where softmax may have underflowed (docs/bounds.md#through-probabilities)."""
    lost = e.tiny * np.exp(e.r) / np.maximum(e.s, SMALLEST)
    error = e.r + np.where(lost < 1 / 2, -np.log1p(-np.minimum(lost, 1 / 2)), np.inf)
    allowed: Floats = error + assumed(e.form).log * e.form.u * (e.log_s + error) + e.tiny
    return allowed
