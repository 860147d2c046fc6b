"""Bounds of a softmax layer s(Wx) and its derivatives: logits that are themselves rounded (docs/bounds.md#layer)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.truth.bounds import derivatives, sizes
from harness.truth.bounds.losses import DIFFERENCE, cross_entropy_gradient
from harness.truth.bounds.rows import Problem, Rule, unless_vacuous
from harness.truth.bounds.softmax_error import SoftmaxError, relative, softmax_error
from harness.truth.bounds.theory import Declared, Theory
from harness.truth.bounds.values import softmax

TIMES_INPUT = 3
"""Roundings of a product with an input."""


def softmax_of(inputs: Floats, weights: Floats, form: Format, theory: Theory, declared: Declared) -> SoftmaxError:
    """Return the errors of softmax(W·x), for inputs of shape (rows, N) and weights of shape (t, N).

    An inner product of N terms, in any order, is off by at most γ_N·|W||x|, which is the error of each logit.
    """
    step, n = relative(1, form), inputs.shape[-1]
    sizes = np.abs(inputs) @ np.abs(weights).T
    inexact = np.expm1(n * step) * sizes + 2 * n * (declared.flush or form.quantum)
    return softmax_error(inputs @ weights.T, form, theory, declared, inexact)


def layer_jacobian(e: SoftmaxError, inputs: Floats) -> Floats:
    entries = np.abs(e.s[:, :, None] * (np.eye(e.n) - e.s[:, None, :])) + DIFFERENCE * np.eye(e.n)
    return times_inputs(e, entries, derivatives.jacobian(e), inputs[:, None, None, :])


def layer_cross_entropy_gradient(e: SoftmaxError, inputs: Floats, classes: NDArray[np.integer]) -> Floats:
    p = e.at(classes).astype(np.float64)
    allowed = times_inputs(e, np.abs(e.s - p) + DIFFERENCE, cross_entropy_gradient(e, p), inputs[:, None, :])
    if e.declared.through_probabilities:  # −1/ŝ_y may come last
        allowed += 2 * e.tiny * derivatives.quotients(e, p).sum(axis=-1)[:, None, None]
    return allowed


def times_inputs(e: SoftmaxError, entries: Floats, allowed: Floats, inputs: Floats) -> Floats:
    """Return the bound of each entry times each input, from the entry's error and the product's roundings."""
    size, off = entries[..., None], allowed[..., None]
    rounded = inputs * (off + np.expm1(e.roundings(TIMES_INPUT)) * (size + off)) + 2 * e.tiny
    return np.where(np.isinf(off), np.inf, rounded)


def of_layer(rule: Callable[..., Floats]) -> Callable[[Problem], Floats]:
    """Return a bound from a rule that takes the errors of a layer's softmax, the sizes of its inputs, and classes."""

    def bound(asked: Problem) -> Floats:
        weights, *classes = asked.given
        e = softmax_of(asked.x, weights, asked.form, asked.theory, asked.declared)
        return unless_vacuous(e, rule(e, np.abs(asked.x), *classes))

    return bound


def with_layer(rule: Callable[..., Floats]) -> Callable[..., Floats]:
    """Return a function of a layer's arguments from a rule that takes its softmax, the sizes of its inputs, …"""

    def size(x: Floats, weights: NDArray[np.generic], *classes: NDArray[np.integer]) -> Floats:
        return rule(sizes.softmax(x @ np.asarray(weights, np.float64).T), np.abs(x), *classes)

    return size


def size_of_jacobian(s: Floats, inputs: Floats) -> Floats:
    return derivatives.size_of_jacobian(s)[..., None] * inputs[:, None, None, :]


def size_of_gradient(s: Floats, inputs: Floats, classes: NDArray[np.integer]) -> Floats:
    size: Floats = (s + np.eye(s.shape[-1])[classes])[..., None] * inputs[:, None, :]
    return size


ROWS: dict[str, Rule] = {
    "layer": Rule(of_layer(lambda e, inputs: softmax(e)), with_layer(lambda s, inputs: s)),
    "layer_jacobian": Rule(of_layer(layer_jacobian), with_layer(size_of_jacobian)),
    "layer_cross_entropy_gradient": Rule(of_layer(layer_cross_entropy_gradient), with_layer(size_of_gradient)),
}
