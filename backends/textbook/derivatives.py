"""Jacobians, their rows and products with them: rows 4, 12, 13, 14, 17 and 20 of `docs/seeds.md`."""

from __future__ import annotations

from typing import Any

from backends.base import Backend
from backends.textbook.arrays import identity, last_axis_softmax, outputs_first
from backends.textbook.softmaxes import naive, shifted


def hadamard(b: Backend, logits: Any, index: int, axis: int) -> Any:
    """Return s_j ⊙ (e_j − s), the derivative of output j (row 4)."""
    s = last_axis_softmax(b, logits, axis)
    return s[..., index : index + 1] * (identity(b, s)[index] - s)


def factored(b: Backend, logits: Any, axis: int) -> Any:
    """Return softmax(x) * (I − softmax(x)ᵀ) on a column vector, with the document's unshifted softmax (row 12)."""
    s = naive(b, b.xp.moveaxis(logits, axis, -1), -1)
    return s[..., :, None] * (identity(b, s) - s[..., None, :])


def double_loop(b: Backend, logits: Any, axis: int) -> Any:
    """Compute J entry by entry: s_i(1 − s_i) on the diagonal, −s_i·s_j off it (row 17).

    The entries are stacked, not assigned.
    """
    outputs = list(outputs_first(b, last_axis_softmax(b, logits, axis)))
    rows = [
        [s_i * (1 - s_i) if i == j else -s_i * s_j for j, s_j in enumerate(outputs)] for i, s_i in enumerate(outputs)
    ]
    return b.xp.stack([b.xp.stack(row, axis=-1) for row in rows], axis=-2)


def diagflat(b: Backend, logits: Any, axis: int) -> Any:
    """Return diag(s) − s·sᵀ (row 17)."""
    s = last_axis_softmax(b, logits, axis)
    return identity(b, s) * s[..., None, :] - s[..., :, None] * s[..., None, :]


def einsum(b: Backend, logits: Any, axis: int) -> Any:
    """Return diag(s) − s·sᵀ, batched by einsum (row 17)."""
    s = last_axis_softmax(b, logits, axis)
    return b.xp.einsum("...j,jk->...jk", s, identity(b, s)) - b.xp.einsum("...j,...k->...jk", s, s)


def by_columns(b: Backend, logits: Any, cotangent: Any, axis: int) -> Any:
    """Sum, for each input j, cotangent · (−s·s_j, with s_j added at j) (row 13)."""
    s, v = last_axis_softmax(b, logits, axis), b.xp.moveaxis(cotangent, axis, -1)
    inputs = zip(outputs_first(b, s), identity(b, s), strict=True)
    columns = [-(s * s_j[..., None]) + e_j * s_j[..., None] for s_j, e_j in inputs]
    gradient = b.xp.stack([b.xp.sum(v * column, axis=-1) for column in columns], axis=-1)
    return b.xp.moveaxis(gradient, -1, axis)


def delta(b: Backend, logits: Any, cotangent: Any, axis: int) -> Any:
    """Return y·dy − y·Σ(y·dy) (row 14)."""
    y = shifted(b, logits, axis)
    product = y * cotangent
    return product - y * b.xp.sum(product, axis=axis, keepdims=True)


def through_jacobian(b: Backend, logits: Any, cotangent: Any, axis: int) -> Any:
    """Return dL/dx = dL/dY · dY/dx, with the full Jacobian of each of the k rows (row 20)."""
    v = b.xp.moveaxis(cotangent, axis, -1)
    gradient = b.xp.sum(v[..., :, None] * diagflat(b, logits, axis), axis=-2)
    return b.xp.moveaxis(gradient, -1, axis)
