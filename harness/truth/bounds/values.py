"""Bounds of softmax, log-softmax and logsumexp (docs/bounds.md#softmax)."""

from __future__ import annotations

import numpy as np

from harness.numbers.arrays import Floats
from harness.truth.bounds import sizes
from harness.truth.bounds.rows import Problem, Rule, of_softmax, unless_vacuous
from harness.truth.bounds.softmax_error import SMALLEST, SoftmaxError, log_of_total, log_softmax, softmax_error
from harness.truth.bounds.theory import assumed


def softmax(e: SoftmaxError) -> Floats:
    allowed: Floats = e.s * np.expm1(e.r) + e.tiny
    return allowed


def logsumexp(e: SoftmaxError, logits: Floats) -> Floats:
    """Return the bound of logsumexp: the error of ln Ẑ, and one addition (docs/bounds.md#logsumexp)."""
    inner, value = log_of_total(e), logits.max(axis=-1, keepdims=True) + e.log_total
    allowed: Floats = inner + e.step * (np.abs(value) + inner) + e.tiny
    return allowed


def log_of_any(e: SoftmaxError) -> Floats:
    """Return the bound of ln s_j, computed as the backend declares."""
    return log_of_softmax(e) if e.declared.through_probabilities else log_softmax(e)


def log_of_softmax(e: SoftmaxError) -> Floats:
    """Return the bound of ln ŝ_j, infinite where ŝ_j may have underflowed (docs/bounds.md#through-probabilities)."""
    lost = e.tiny * np.exp(e.r) / np.maximum(e.s, SMALLEST)
    error = e.r + np.where(lost < 1 / 2, -np.log1p(-np.minimum(lost, 1 / 2)), np.inf)
    allowed: Floats = error + assumed(e.form).log * e.form.u * (e.log_s + error) + e.tiny
    return allowed


def bound_of_logsumexp(asked: Problem) -> Floats:
    e = softmax_error(asked.x, asked.form, asked.theory, asked.declared)
    return unless_vacuous(e, logsumexp(e, asked.x))


ROWS: dict[str, Rule] = {
    "softmax": Rule(of_softmax(softmax), sizes.softmax),
    "log_softmax": Rule(of_softmax(log_of_any), np.ones_like),
    "logsumexp": Rule(bound_of_logsumexp, lambda x: np.ones(len(x))),
}
