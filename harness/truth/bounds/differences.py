from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.truth.bounds.losses import DIFFERENCE, distance_from_1
from harness.truth.bounds.rows import Problem, unless_vacuous
from harness.truth.bounds.softmax_error import SoftmaxError, softmax_error
from harness.truth.bounds.values import log_of_softmax

QUOTIENT_ROUNDINGS = 5
"""Roundings of the quotient: the difference, the step, the division (2), and one to spare."""


def of_step(rule: Callable[..., Floats]) -> Callable[[Problem], Floats]:
    """Return a bound from a rule that takes a softmax's errors, the sizes of the logits, the step, and the others."""

    def bound(asked: Problem) -> Floats:
        e = softmax_error(asked.x, asked.form, asked.theory, asked.declared)
        return unless_vacuous(e, rule(e, np.abs(asked.x), asked.declared.difference_step, *asked.given))

    return bound


def jacobian(e: SoftmaxError, logits: Floats, step: float) -> Floats:
    off = e.s * np.expm1(np.exp(4 * step) * e.r + 4 * step * e.step) * np.exp(step) + e.tiny
    slope = e.s[:, :, None] * np.where(np.eye(e.n) > 0, 1 - e.s[:, :, None] + DIFFERENCE, e.s[:, None, :])
    return differences(e, slope, slope, off[:, :, None], logits[:, None, :], step)


def cross_entropy_mean_gradient(e: SoftmaxError, logits: Floats, step: float, labels: NDArray[np.integer]) -> Floats:
    own = e.at(labels)
    slope = np.abs(e.s - own) + DIFFERENCE
    third = e.s * (1 - e.s + DIFFERENCE)
    values = np.exp(4 * step) * log_of_softmax(e)[own][:, None] + step * e.step
    values = values + e.step * 2 * (e.log_s[own][:, None] + step + values)
    return averaged(e, slope, third, values, logits, step)


def mean_squared_error_gradient(e: SoftmaxError, logits: Floats, step: float, labels: NDArray[np.integer]) -> Floats:
    own = e.at(labels)
    size, error = (part[:, None] * np.exp(4 * step) for part in distance_from_1(e, labels))
    entry = e.s[own][:, None] * np.where(own, 1 - e.s + DIFFERENCE, e.s)
    slope, third = 2 * size * entry, 2 * np.exp(step) * (size * entry + 3 * entry * entry * np.exp(step))
    values = (2 * size + error) * error + 4 * e.step * (size + error) ** 2 + e.tiny
    return averaged(e, slope, third, values, logits, step)


def averaged(e: SoftmaxError, slope: Floats, third: Floats, values: Floats, logits: Floats, step: float) -> Floats:
    """Return the bound of the quotient for a mean over the rows."""
    return differences(e, slope, third, values, logits, step) / len(logits) + 2 * e.tiny / step


def differences(e: SoftmaxError, slope: Floats, third: Floats, values: Floats, logits: Floats, step: float) -> Floats:
    """Return the bound of a central difference of f with step h.

    `slope` and `third`: sizes of f' and f''' at x; on the interval they are at most e^h times as large. `values`: error
    of f. `logits`: sizes of x_j.
    """
    growth = np.exp(step)
    truncated = step**2 / 6 * third * growth
    moved = 2 * e.step * (logits + step) * slope * growth
    rounded = (2 * values + moved) / (2 * step)
    size = slope + truncated + rounded
    allowed: Floats = truncated + rounded + np.expm1(e.roundings(QUOTIENT_ROUNDINGS)) * size + 2 * e.tiny / step
    return allowed


BOUNDS: dict[str, Callable[[Problem], Floats]] = {
    "jacobian": of_step(jacobian),
    "cross_entropy_mean_gradient": of_step(cross_entropy_mean_gradient),
    "mean_squared_error_gradient": of_step(mean_squared_error_gradient),
}
"""The operations that a backend may compute by central differences."""
