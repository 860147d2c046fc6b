"""A softmax layer and its derivatives, written out in a stated arithmetic.

Its inner products may be added in any order, which costs more than a digit of some answers in any format.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from harness.truth.simulated.arithmetic import Arithmetic, Numbers
from harness.truth.simulated.derivatives import factored, flat
from harness.truth.simulated.losses import gradient
from harness.truth.simulated.rows import Simulated
from harness.truth.simulated.values import softmax


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


def logits(p: Arithmetic, inputs: Numbers, weights: Numbers, *classes: Any) -> Numbers:
    return linear(p, inputs, weights)


of_layer = partial(Simulated, summed=logits, every_format=True)
SIMULATED: dict[str, Simulated] = {
    "layer": of_layer((layer,)),
    "layer_jacobian": of_layer((layer_jacobian,)),
    "layer_cross_entropy_gradient": of_layer((layer_gradient,)),
}
