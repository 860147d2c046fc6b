"""Held-out mutants: derivatives with a slip. The package's docstring has the rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


def mean(weights: Any, values: Any, axis: int) -> Any:
    return (weights * values).sum(axis=axis, keepdims=True)


@mutant("C28", "vjp")
def averaged_over_the_batch(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is divided by the number of rows, as if a mean loss stood above it."""
    return NumPy.vjp(b, logits, cotangent, axis) * logits.dtype.type(logits.shape[axis] / max(logits.size, 1))


@mutant("C23", "hvp")
def tangent_not_centred(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """The product uses t instead of t − ⟨s, t⟩."""
    s = NumPy.softmax(b, logits, axis)
    product = tangent * (cotangent - mean(s, cotangent, axis))
    return s * (product - mean(s, product, axis))


@mutant("C24", "jacobian")
def batch_taken_for_an_index(b: NumPy, logits: Any, axis: int) -> Any:
    """If there are as many rows as classes, the batch and the output are exchanged."""
    j = NumPy.jacobian(b, logits, axis)
    return np.swapaxes(j, 0, 1) if j.ndim == 3 and j.shape[0] == j.shape[1] else j


@mutant("C09", "jacobian")
def last_row_not_mirrored(b: NumPy, logits: Any, axis: int) -> Any:
    """The upper triangle is mirrored, but from eight classes on the loop ends before the last row."""
    j = NumPy.jacobian(b, logits, axis)
    if j.shape[-1] >= 8:
        j[..., -1, :-1] = 0
    return j


@mutant("C22", "log_softmax_jvp")
def plain_mean_of_the_tangent(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The JVP is t − mean t, where the mean should be weighted by s."""
    return tangent - tangent.mean(axis=axis, keepdims=True)


@mutant("C22", "log_softmax_vjp")
def cotangent_taken_to_sum_to_one(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The gradient is g − s, which is right only if the cotangent sums to 1."""
    return cotangent - NumPy.softmax(b, logits, axis)


@mutant("C26", "vjp")
def first_row_of_the_cotangent(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The upstream gradient is expanded from its first row."""
    g = np.moveaxis(cotangent, axis, -1)
    first = np.broadcast_to(g.reshape(-1, g.shape[-1])[0], g.shape)
    return NumPy.vjp(b, logits, np.moveaxis(first, -1, axis), axis)


@mutant("C24", "jvp")
def accumulated_from_call_to_call(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The tangent is added to what an earlier call of that shape left."""
    kept = vars(b).setdefault("tangents", {})
    key = (tangent.shape, tangent.dtype.name)
    kept[key] = kept.get(key, 0) + tangent
    return NumPy.jvp(b, logits, kept[key], axis)


@mutant("C21", "jacobian_row")
def row_of_the_first_example(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    """The first row's s_i is used for all rows."""
    s = NumPy.softmax(b, np.moveaxis(logits, axis, -1), -1)
    own = s.reshape(-1, s.shape[-1])[0, index]
    return own * (np.eye(s.shape[-1], dtype=s.dtype)[index] - s)


@mutant("C12", "jacobian")
def last_axis_s_jacobian(b: NumPy, logits: Any, axis: int) -> Any:
    """The axis is brought to the end twice, which is another axis in three dimensions."""
    return NumPy.jacobian(b, np.moveaxis(logits, axis, -1), axis if logits.ndim > 2 else -1)


MUTANTS = planted(globals())
