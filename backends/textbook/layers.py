"""A softmax layer P(W) = S(Wx) and its derivatives, by the chain rule and in closed form: rows 10 and 11."""

from __future__ import annotations

from typing import Any

from backends.base import Backend
from backends.textbook.arrays import flat, identity, last_axis_softmax, one_hot
from backends.textbook.derivatives import diagflat


def chain(b: Backend, inputs: Any, weights: Any, axis: int) -> Any:
    """Return DP = DS(Wx) · Dg, a T × T matrix times a T × NT one that is mostly zeros (row 10).

    W is flattened row by row.
    """
    x = b.xp.moveaxis(inputs, axis, -1)
    return b.xp.matmul(diagflat(b, logits_of(b, x, weights), -1), linear_jacobian(b, x, weights))


def closed(b: Backend, inputs: Any, weights: Any, axis: int) -> Any:
    """Return D_ij P_t = S_t(δ_ti − S_i)·x_j (row 10)."""
    x = b.xp.moveaxis(inputs, axis, -1)
    s = last_axis_softmax(b, logits_of(b, x, weights), -1)
    jacobian = s[..., :, None] * (identity(b, s) - s[..., None, :])
    return flat(b, jacobian[..., None] * x[..., None, None, :])


def loss_chain(b: Backend, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
    """Return Dxent · DP, a 1 × T matrix times a T × NT one (row 11).

    Dxent is −1/P_y at the label and 0 elsewhere.
    """
    s = last_axis_softmax(b, logits_of(b, b.xp.moveaxis(inputs, axis, -1), weights), -1)
    hot = one_hot(b, s, classes)
    row = -hot / b.xp.sum(hot * s, axis=-1, keepdims=True)
    return b.xp.matmul(row[..., None, :], chain(b, inputs, weights, axis))[..., 0, :]


def loss_closed(b: Backend, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
    """Return D_ij xent = (S_i − δ_iy)·x_j (row 11)."""
    x = b.xp.moveaxis(inputs, axis, -1)
    s = last_axis_softmax(b, logits_of(b, x, weights), -1)
    return flat(b, (s - one_hot(b, s, classes))[..., None] * x[..., None, :])


def logits_of(b: Backend, x: Any, weights: Any) -> Any:
    """Return g(W) = Wx for each row of x."""
    return b.xp.einsum("...j,ij->...i", x, weights)


def linear_jacobian(b: Backend, x: Any, weights: Any) -> Any:
    """Return Dg of g(W) = Wx: row i holds x at the columns of W's row i, and zeros elsewhere."""
    return flat(b, b.xp.eye(weights.shape[0], dtype=x.dtype)[:, :, None] * x[..., None, None, :])
