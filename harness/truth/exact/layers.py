"""Exact softmax layers s(W·x) and their derivatives by W, which is taken row by row."""

from __future__ import annotations

from flint import arb

from harness.truth.exact.derivatives import jacobian
from harness.truth.exact.losses import cross_entropy_gradient
from harness.truth.exact.rows import Formula, Row
from harness.truth.exact.values import softmax


def weighted_inputs(inputs: list[float], weights: list[list[float]]) -> list[arb]:
    """Return W·x, a layer's logits. `weights`: the rows of W."""
    return [sum((arb(w) * arb(x) for w, x in zip(line, inputs, strict=True)), arb(0)) for line in weights]


def of_layer(formula: Formula) -> Formula:
    """Return a formula of inputs and weights from one that takes the `Row` of a layer's logits W·x, and the inputs."""
    return lambda inputs, weights, *given: formula(Row(weighted_inputs(inputs, weights)), inputs, *given)


def layer_jacobian(row: Row, inputs: list[float]) -> list[arb]:
    """Return s_t(δ_ti − s_i)·x_j in the order (t, i, j): W is taken row by row."""
    entries, x = jacobian(row), [arb(value) for value in inputs]
    return [entry * value for entry in entries for value in x]


def layer_cross_entropy_gradient(row: Row, inputs: list[float], label: int) -> list[arb]:
    """Return (s_i − δ_iy)·x_j in the order (i, j)."""
    entries, x = cross_entropy_gradient(row, label), [arb(value) for value in inputs]
    return [entry * value for entry in entries for value in x]


EXACT: dict[str, Formula] = {
    "layer": of_layer(lambda row, inputs: softmax(row)),
    "layer_jacobian": of_layer(layer_jacobian),
    "layer_cross_entropy_gradient": of_layer(layer_cross_entropy_gradient),
}
