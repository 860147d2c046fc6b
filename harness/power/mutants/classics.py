"""What anybody would plant first: softmax and its derivatives, each wrong in one plain way."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import CLASSIC, mutant, planted


@mutant(CLASSIC, "softmax")
def zeros(b: NumPy, logits: Any, axis: int) -> Any:
    """The answer is a buffer of zeros that nobody wrote to."""
    return np.zeros_like(logits)


@mutant(CLASSIC, "softmax")
def uniform(b: NumPy, logits: Any, axis: int) -> Any:
    """Every probability is 1/n, whatever the logits."""
    return np.full_like(logits, 1 / logits.shape[axis])


@mutant(CLASSIC, "softmax")
def unnormalised(b: NumPy, logits: Any, axis: int) -> Any:
    """The division is forgotten."""
    return np.exp(logits - logits.max(axis=axis, keepdims=True))


@mutant(CLASSIC, "softmax")
def wrong_axis(b: NumPy, logits: Any, axis: int) -> Any:
    """The next axis is used instead of the one that was asked for."""
    return NumPy.softmax(b, logits, (axis + 1) % logits.ndim)


@mutant(CLASSIC, "softmax")
def halved_probabilities(b: NumPy, logits: Any, axis: int) -> Any:
    """The exponentials are divided by twice their sum."""
    return NumPy.softmax(b, logits, axis) / 2


@mutant(CLASSIC, "softmax")
def last_probability_by_subtraction(b: NumPy, logits: Any, axis: int) -> Any:
    """The last probability is 1 minus the others, so it may come out below 0 where it is small."""
    s = np.moveaxis(NumPy.softmax(b, logits, axis), axis, -1).copy()
    s[..., -1] = 1 - s[..., :-1].sum(axis=-1)
    return np.moveaxis(s, -1, axis)


@mutant(CLASSIC, "softmax")
def temperature_of_two(b: NumPy, logits: Any, axis: int) -> Any:
    """The logits are divided by 2, a scale that belongs to attention."""
    return NumPy.softmax(b, logits / 2, axis)


@mutant(CLASSIC, "softmax")
def one_element_off(b: NumPy, logits: Any, axis: int) -> Any:
    """One element is 60 ulp or more off, below every tolerance in use and above what rounding explains."""
    s = NumPy.softmax(b, logits, axis)
    s.flat[s.size // 2 : s.size // 2 + 1] *= 1 + 60 * np.finfo(s.dtype).eps
    return s


@mutant(CLASSIC, "softmax")
def wrong_shape(b: NumPy, logits: Any, axis: int) -> Any:
    """The last entry along the first dimension is dropped, and dimensions of length 1 are squeezed."""
    return NumPy.softmax(b, logits, axis)[:-1].squeeze()


@mutant(CLASSIC, "logsumexp")
def maximum_alone(b: NumPy, logits: Any, axis: int) -> Any:
    """The logarithm of the sum is left out."""
    return logits.max(axis=axis)


@mutant(CLASSIC, "jacobian", "vjp", "jvp")
def diagonal_alone(b: NumPy, logits: Any, axis: int) -> Any:
    """The Jacobian has s(1 − s) on the diagonal and 0 elsewhere."""
    return NumPy.jacobian(b, logits, axis) * np.eye(logits.shape[axis], dtype=logits.dtype)


@mutant(CLASSIC, "jacobian")
def without_identity(b: NumPy, logits: Any, axis: int) -> Any:
    """The Jacobian is −s·sᵀ: the diagonal's δ is left out."""
    s = NumPy.softmax(b, np.moveaxis(logits, axis, -1), -1)
    return -s[..., :, None] * s[..., None, :]


@mutant(CLASSIC, "jacobian")
def rows_by_their_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """The Jacobian is s_i(δ_ij − s_i), with a wrong index, so it is not symmetric."""
    s = NumPy.softmax(b, np.moveaxis(logits, axis, -1), -1)
    return s[..., :, None] * (np.eye(s.shape[-1], dtype=s.dtype) - s[..., :, None])


@mutant(CLASSIC, "jacobian_row")
def next_row(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """The next output's row is returned."""
    return NumPy.jacobian_row(b, logits, (index + 1) % logits.shape[axis], axis)


@mutant(CLASSIC, "log_softmax_jacobian")
def transposed(b: NumPy, logits: Any, axis: int) -> Any:
    """The Jacobian of log_softmax, which is not symmetric, is transposed."""
    return np.swapaxes(NumPy.log_softmax_jacobian(b, logits, axis), -1, -2)


@mutant(CLASSIC, "vjp", "jvp", "jacobian")
def halved(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The product is halved."""
    return NumPy.vjp(b, logits, cotangent, axis) / 2


@mutant(CLASSIC, "vjp")
def negated(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The product has the wrong sign: uphill instead of downhill."""
    return -NumPy.vjp(b, logits, cotangent, axis)


@mutant(CLASSIC, "jacobian")
def negated_jacobian(b: NumPy, logits: Any, axis: int) -> Any:
    """The Jacobian has the wrong sign, so variances are below zero."""
    return -NumPy.jacobian(b, logits, axis)


@mutant(CLASSIC, "vjp", "jacobian", "jvp")
def without_the_mean(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The product is s·g, without −s·⟨s, g⟩."""
    return NumPy.softmax(b, logits, axis) * cotangent


@mutant(CLASSIC, "vjp")
def zero_gradient(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The graph is cut, so the gradient is 0."""
    return np.zeros_like(logits)


@mutant(CLASSIC, "layer")
def one_input_left_out(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """The inner product starts at index 1, so the first input is left out."""
    x = np.moveaxis(inputs, axis, -1)
    return NumPy.softmax(b, x[..., 1:] @ weights[:, 1:].T, -1)


@mutant(CLASSIC, "layer_jacobian")
def column_by_column(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """The derivative with respect to W is flattened column by column, not row by row."""
    x = np.moveaxis(inputs, axis, -1)
    j = NumPy.jacobian(b, x @ weights.T, -1)[..., None] * x[..., None, None, :]
    return np.swapaxes(j, -1, -2).reshape(*j.shape[:-2], -1)


@mutant(CLASSIC, "layer_cross_entropy_gradient")
def without_the_inputs(b: NumPy, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
    """The chain rule's last factor, the inputs, is left out."""
    x = np.moveaxis(inputs, axis, -1)
    gradient = NumPy.cross_entropy_gradient(b, x @ weights.T, classes, -1, "sum")
    return np.repeat(gradient, x.shape[-1], axis=-1)


MUTANTS = planted(globals())
