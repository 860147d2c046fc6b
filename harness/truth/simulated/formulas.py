"""Each operation's formulas, written out in a stated arithmetic: those of the documents, and those of frameworks.

A formula takes the arithmetic, the rows of logits or a layer's inputs, and the operation's other arguments in its
order. It returns shape (rows, answers), or (1, 1) for a number over the batch. Derivations: docs/operations.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.truth.simulated.arithmetic import Arithmetic, Numbers

Formula = Callable[..., Numbers]


def shifted(p: Arithmetic, x: Numbers) -> Numbers:
    return p.minus(x, x.max(axis=-1, keepdims=True))


def softmax(p: Arithmetic, x: Numbers) -> Numbers:
    weights = p.exp(shifted(p, x))
    return p.over(weights, p.sum(weights))


def log_softmax(p: Arithmetic, x: Numbers) -> Numbers:
    distances = shifted(p, x)
    return p.minus(distances, p.log(p.sum(p.exp(distances))))


def logsumexp(p: Arithmetic, x: Numbers) -> Numbers:
    return p.plus(x.max(axis=-1, keepdims=True), p.log(p.sum(p.exp(shifted(p, x)))))


def by_logs(p: Arithmetic, x: Numbers) -> Numbers:
    """Return a softmax as the exp of a log-softmax, as backward passes compute it that keep the latter."""
    return p.exp(log_softmax(p, x))


def identity(p: Arithmetic, n: int) -> Numbers:
    return p.rounded(np.eye(n))


def hot(p: Arithmetic, x: Numbers, labels: Any) -> Numbers:
    return identity(p, x.shape[-1])[labels]


def factored(p: Arithmetic, s: Numbers) -> Numbers:
    """Return J as s_i(δ_ij − s_j), shape (rows, n, n)."""
    return p.times(s[:, :, None], p.minus(identity(p, s.shape[-1])[None], s[:, None, :]))


def by_difference(p: Arithmetic, s: Numbers) -> Numbers:
    """Return J as s_i·δ_ij − s_i·s_j, shape (rows, n, n)."""
    return p.minus(p.times(s[:, :, None], identity(p, s.shape[-1])[None]), p.times(s[:, :, None], s[:, None, :]))


def jacobian(entries: Formula) -> Formula:
    return lambda p, x: flat(entries(p, softmax(p, x)))


def jacobian_row(entries: Formula) -> Formula:
    def row(p: Arithmetic, x: Numbers, index: int) -> Numbers:
        s = softmax(p, x)
        own = np.broadcast_to(identity(p, s.shape[-1])[index], s.shape)
        s_i = s[:, [index]]
        return p.times(s_i, p.minus(own, s)) if entries is factored else p.minus(p.times(s_i, own), p.times(s_i, s))

    return row


def flat(answers: Numbers) -> Numbers:
    return answers.reshape(len(answers), -1)


def mean(p: Arithmetic, s: Numbers, v: Numbers) -> Numbers:
    """Return Σ s_k·v_k, shape (rows, 1)."""
    return p.sum(p.times(s, v))


def product(p: Arithmetic, s: Numbers, v: Numbers) -> Numbers:
    return p.times(s, p.minus(v, mean(p, s, v)))


def product_by_delta(p: Arithmetic, s: Numbers, v: Numbers) -> Numbers:
    terms = p.times(s, v)
    return p.minus(terms, p.times(s, p.sum(terms)))


def hvp_centred(p: Arithmetic, s: Numbers, v: Numbers, t: Numbers) -> Numbers:
    return product(p, s, p.times(p.minus(t, mean(p, s, t)), p.minus(v, mean(p, s, v))))


def hvp_by_tangents(p: Arithmetic, s: Numbers, v: Numbers, t: Numbers) -> Numbers:
    moved = product(p, s, t)
    return p.minus(p.times(moved, p.minus(v, mean(p, s, v))), p.times(s, mean(p, moved, v)))


def hvp_backwards(p: Arithmetic, s: Numbers, v: Numbers, t: Numbers) -> Numbers:
    inner = p.minus(p.minus(p.times(v, t), p.times(mean(p, s, v), t)), p.times(mean(p, s, t), v))
    return product(p, s, inner)


def with_softmax(rule: Formula, of: Formula = softmax) -> Formula:
    """Return a formula of logits from a rule that takes their softmax. `of`: how the softmax is computed."""
    return lambda p, x, *given: rule(p, of(p, x), *given)


def log_vjp(p: Arithmetic, s: Numbers, v: Numbers) -> Numbers:
    return p.minus(v, p.times(s, p.sum(v)))


def log_jvp(p: Arithmetic, s: Numbers, t: Numbers) -> Numbers:
    return p.minus(t, mean(p, s, t))


def log_jacobian(p: Arithmetic, s: Numbers) -> Numbers:
    return flat(p.minus(identity(p, s.shape[-1])[None], s[:, None, :]))


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


def linear(p: Arithmetic, inputs: Numbers, weights: Numbers) -> Numbers:
    return p.sum(p.times(inputs[:, None, :], weights[None]))[..., 0]


def layer(p: Arithmetic, inputs: Numbers, weights: Numbers) -> Numbers:
    return softmax(p, linear(p, inputs, weights))


def layer_jacobian(p: Arithmetic, inputs: Numbers, weights: Numbers) -> Numbers:
    entries = factored(p, softmax(p, linear(p, inputs, weights)))
    return flat(p.times(entries[..., None], inputs[:, None, None, :]))


def layer_gradient(p: Arithmetic, inputs: Numbers, weights: Numbers, classes: Any) -> Numbers:
    entries = gradient(p, softmax(p, linear(p, inputs, weights)), classes)
    return flat(p.times(entries[..., None], inputs[:, None, :]))


def either(rule: Formula) -> tuple[Formula, Formula]:
    """Return the rule's formulas with a softmax, and with the exp of a log-softmax."""
    return with_softmax(rule), with_softmax(rule, by_logs)


PRODUCTS = (with_softmax(product), with_softmax(product_by_delta))
FORMULAS: dict[str, tuple[Formula, ...]] = {
    "softmax": (softmax,),
    "log_softmax": (log_softmax,),
    "logsumexp": (logsumexp,),
    "jacobian": (jacobian(factored), jacobian(by_difference)),
    "jacobian_row": (jacobian_row(factored), jacobian_row(by_difference)),
    "vjp": PRODUCTS,
    "jvp": PRODUCTS,
    "hvp": tuple(with_softmax(rule) for rule in (hvp_centred, hvp_by_tangents, hvp_backwards)),
    "log_softmax_vjp": either(log_vjp),
    "log_softmax_jvp": either(log_jvp),
    "log_softmax_jacobian": either(log_jacobian),
    "cross_entropy": (cross_entropy,),
    "cross_entropy_mean": (over_batch(cross_entropy, averaged=True),),
    "cross_entropy_sum": (over_batch(cross_entropy, averaged=False),),
    "cross_entropy_gradient": either(gradient),
    "cross_entropy_mean_gradient": either(mean_gradient),
    "cross_entropy_hvp": (*either(hessian), *either(hessian_by_delta)),
    "soft_cross_entropy": (soft_cross_entropy,),
    "soft_cross_entropy_mean": (over_batch(soft_cross_entropy, averaged=True),),
    "soft_cross_entropy_sum": (over_batch(soft_cross_entropy, averaged=False),),
    "soft_cross_entropy_gradient": either(soft_gradient),
    "mean_squared_error": (over_batch(squared_error, averaged=True),),
    "mean_squared_error_gradient": (with_softmax(squared_error_gradient),),
    "layer": (layer,),
    "layer_jacobian": (layer_jacobian,),
    "layer_cross_entropy_gradient": (layer_gradient,),
}
"""The formulas of every operation."""
