"""Bounds of central differences (f(x + h·e_j) − f(x − h·e_j)) / 2h: truncation, and rounding divided by the step.

Proofs, with the third derivatives: docs/bounds.md#central-differences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.truth.bounds.losses import DIFFERENCE, distance_from_1
from harness.truth.bounds.values import Floats, SoftmaxError, log_of_softmax

QUOTIENT_ROUNDINGS = 5
"""Roundings of the quotient: the difference, the step, the division (2), and one to spare."""


def quotient(operation: str, e: SoftmaxError, logits: Floats, given: list[Any]) -> Floats:
    """Return the bound of a derivative that is computed by central differences of step `difference_step`.

    Raise ValueError for an operation that no backend computes in this way.
    """
    step = e.declared.difference_step
    off = e.s * np.expm1(np.exp(4 * step) * e.r + 4 * step * e.step) * np.exp(step) + e.tiny
    if operation == "jacobian":
        slope = e.s[:, :, None] * np.where(np.eye(e.n) > 0, 1 - e.s[:, :, None] + DIFFERENCE, e.s[:, None, :])
        return differences(e, slope, slope, off[:, :, None], np.abs(logits)[:, None, :], step)
    labels = given[0]
    own = e.at(labels)
    if operation == "cross_entropy_mean_gradient":
        slope = np.abs(e.s - own) + DIFFERENCE
        third = e.s * (1 - e.s + DIFFERENCE)
        values = np.exp(4 * step) * log_of_softmax(e)[own][:, None] + step * e.step
        values = values + e.step * 2 * (e.log_s[own][:, None] + step + values)
    elif operation == "mean_squared_error_gradient":
        size, error = (part[:, None] * np.exp(4 * step) for part in distance_from_1(e, labels))
        entry = e.s[own][:, None] * np.where(own, 1 - e.s + DIFFERENCE, e.s)
        slope, third = 2 * size * entry, 2 * np.exp(step) * (size * entry + 3 * entry * entry * np.exp(step))
        values = (2 * size + error) * error + 4 * e.step * (size + error) ** 2 + e.tiny
    else:
        raise ValueError(f"no bound is known for central differences of {operation}")
    return differences(e, slope, third, values, np.abs(logits), step) / len(logits) + 2 * e.tiny / step


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
