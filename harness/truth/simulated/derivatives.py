"""Jacobians and products with them, written out in a stated arithmetic."""

from __future__ import annotations

import numpy as np

from harness.truth.simulated.arithmetic import Arithmetic, Numbers
from harness.truth.simulated.rows import Formula, Simulated
from harness.truth.simulated.values import either, softmax, with_softmax


def identity(p: Arithmetic, n: int) -> Numbers:
    return p.rounded(np.eye(n))


def flat(answers: Numbers) -> Numbers:
    return answers.reshape(len(answers), -1)


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


def log_vjp(p: Arithmetic, s: Numbers, v: Numbers) -> Numbers:
    return p.minus(v, p.times(s, p.sum(v)))


def log_jvp(p: Arithmetic, s: Numbers, t: Numbers) -> Numbers:
    return p.minus(t, mean(p, s, t))


def log_jacobian(p: Arithmetic, s: Numbers) -> Numbers:
    return flat(p.minus(identity(p, s.shape[-1])[None], s[:, None, :]))


PRODUCTS = Simulated((with_softmax(product), with_softmax(product_by_delta)), by_element=True)
SIMULATED: dict[str, Simulated] = {
    "jacobian": Simulated((jacobian(factored), jacobian(by_difference))),
    "jacobian_row": Simulated((jacobian_row(factored), jacobian_row(by_difference))),
    "vjp": PRODUCTS,
    "jvp": PRODUCTS,
    "hvp": Simulated(tuple(map(with_softmax, (hvp_centred, hvp_by_tangents, hvp_backwards))), by_element=True),
    "log_softmax_vjp": Simulated(either(log_vjp), by_element=True),
    "log_softmax_jvp": Simulated(either(log_jvp), by_element=True),
    "log_softmax_jacobian": Simulated(either(log_jacobian)),
}
