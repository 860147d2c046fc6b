"""Losses and their derivatives, written out in a stated arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.truth.simulated.arithmetic import Arithmetic, Numbers
from harness.truth.simulated.derivatives import identity, product, product_by_delta
from harness.truth.simulated.rows import Formula, Simulated
from harness.truth.simulated.values import either, log_softmax, softmax, with_softmax


def hot(p: Arithmetic, x: Numbers, labels: Any) -> Numbers:
    return identity(p, x.shape[-1])[labels]


def cross_entropy(p: Arithmetic, x: Numbers, labels: Any) -> Numbers:
    return -np.take_along_axis(log_softmax(p, x), labels[:, None], axis=-1)


def soft_cross_entropy(p: Arithmetic, x: Numbers, distribution: Numbers) -> Numbers:
    return -p.sum(p.times(distribution, log_softmax(p, x)))


def squared_error(p: Arithmetic, x: Numbers, labels: Any) -> Numbers:
    missing = p.minus(np.take_along_axis(softmax(p, x), labels[:, None], axis=-1), p.number(1.0))
    return p.times(missing, missing)


def over_batch(rows: Formula, averaged: bool) -> Formula:
    """Return the formula of the sum over the batch, or of the mean, of each row's own losses."""

    def total(p: Arithmetic, x: Numbers, *given: Any) -> Numbers:
        losses = rows(p, x, *given)
        whole = p.sum(losses.T)
        return p.over(whole, p.number(float(len(losses)))) if averaged else whole

    return total


def gradient(p: Arithmetic, s: Numbers, labels: Any) -> Numbers:
    return p.minus(s, hot(p, s, labels))


def mean_gradient(p: Arithmetic, s: Numbers, labels: Any) -> Numbers:
    return p.over(gradient(p, s, labels), p.number(float(len(s))))


def soft_gradient(p: Arithmetic, s: Numbers, distribution: Numbers) -> Numbers:
    return p.minus(p.times(s, p.sum(distribution)), distribution)


def hessian(p: Arithmetic, s: Numbers, labels: Any, t: Numbers) -> Numbers:
    return product(p, s, t)


def hessian_by_delta(p: Arithmetic, s: Numbers, labels: Any, t: Numbers) -> Numbers:
    return product_by_delta(p, s, t)


def squared_error_gradient(p: Arithmetic, s: Numbers, labels: Any) -> Numbers:
    s_y = np.take_along_axis(s, labels[:, None], axis=-1)
    cotangent = p.over(p.times(p.number(2.0), p.minus(s_y, p.number(1.0))), p.number(float(len(s))))
    return p.times(cotangent, p.times(s_y, p.minus(hot(p, s, labels), s)))


SIMULATED: dict[str, Simulated] = {
    "cross_entropy": Simulated((cross_entropy,)),
    "cross_entropy_mean": Simulated((over_batch(cross_entropy, averaged=True),)),
    "cross_entropy_sum": Simulated((over_batch(cross_entropy, averaged=False),)),
    "cross_entropy_gradient": Simulated(either(gradient), by_element=True),
    "cross_entropy_mean_gradient": Simulated(either(mean_gradient), by_element=True),
    "cross_entropy_hvp": Simulated((*either(hessian), *either(hessian_by_delta)), by_element=True),
    "soft_cross_entropy": Simulated((soft_cross_entropy,)),
    "soft_cross_entropy_mean": Simulated((over_batch(soft_cross_entropy, averaged=True),)),
    "soft_cross_entropy_sum": Simulated((over_batch(soft_cross_entropy, averaged=False),)),
    "soft_cross_entropy_gradient": Simulated(either(soft_gradient), by_element=True),
    "mean_squared_error": Simulated((over_batch(squared_error, averaged=True),)),
    "mean_squared_error_gradient": Simulated((with_softmax(squared_error_gradient),)),
}
