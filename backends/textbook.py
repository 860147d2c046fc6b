"""The documents' written-out formulas, each once, over an array namespace.

`variants(Native)` makes each formula a backend of that framework's arrays: `numpy:naive`, `torch:naive`, … They are
judged like all others; where a formula is known to fail, it declares the flaw. A function gets the backend, for its
`xp`, and the operation's arguments. Rows named in the docstrings are those of the documents' table in `docs/seeds.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from backends.base import Backend, Flaw


def naive(b: Backend, logits: Any, axis: int) -> Any:
    """Rows 1, 2 and 7: exponentials over their sum."""
    weights = b.xp.exp(logits)
    return weights / b.xp.sum(weights, axis=axis, keepdims=True)


def shifted(b: Backend, logits: Any, axis: int) -> Any:
    """Row 8: the same, after the row's maximum is taken off."""
    return naive(b, logits - b.xp.max(logits, axis=axis, keepdims=True), axis)


def batch_max(b: Backend, logits: Any, axis: int) -> Any:
    """Row 18: the maximum of the *whole batch* is taken off, as printed: rows far below it underflow to 0/0."""
    return naive(b, logits - b.xp.max(logits), axis)


def hadamard(b: Backend, logits: Any, index: int, axis: int) -> Any:
    """Row 4: s_j ⊙ (e_j − s), the derivative of output j."""
    s = last_axis_softmax(b, logits, axis)
    return s[..., index : index + 1] * (identity(b, s)[index] - s)


def factored(b: Backend, logits: Any, axis: int) -> Any:
    """Row 12: softmax(x) * (I − softmax(x)ᵀ), on a column vector, with the unshifted softmax of that document."""
    s = naive(b, b.xp.moveaxis(logits, axis, -1), -1)
    return s[..., :, None] * (identity(b, s) - s[..., None, :])


def double_loop(b: Backend, logits: Any, axis: int) -> Any:
    """Row 17: entry by entry; s_i(1 − s_i) on the diagonal, −s_i·s_j off it; stacked, not assigned."""
    outputs = list(outputs_first(b, last_axis_softmax(b, logits, axis)))
    rows = [
        [s_i * (1 - s_i) if i == j else -s_i * s_j for j, s_j in enumerate(outputs)] for i, s_i in enumerate(outputs)
    ]
    return b.xp.stack([b.xp.stack(row, axis=-1) for row in rows], axis=-2)


def diagflat(b: Backend, logits: Any, axis: int) -> Any:
    """Row 17: diag(s) − s·sᵀ."""
    s = last_axis_softmax(b, logits, axis)
    return identity(b, s) * s[..., None, :] - s[..., :, None] * s[..., None, :]


def einsum(b: Backend, logits: Any, axis: int) -> Any:
    """Row 17: the same, batched by einsum."""
    s = last_axis_softmax(b, logits, axis)
    return b.xp.einsum("...j,jk->...jk", s, identity(b, s)) - b.xp.einsum("...j,...k->...jk", s, s)


def by_columns(b: Backend, logits: Any, cotangent: Any, axis: int) -> Any:
    """Row 13: for each input j, the sum of cotangent · (−s·s_j, with s_j added at j)."""
    s, v = last_axis_softmax(b, logits, axis), b.xp.moveaxis(cotangent, axis, -1)
    inputs = zip(outputs_first(b, s), identity(b, s), strict=True)
    columns = [-(s * s_j[..., None]) + e_j * s_j[..., None] for s_j, e_j in inputs]
    gradient = b.xp.stack([b.xp.sum(v * column, axis=-1) for column in columns], axis=-1)
    return b.xp.moveaxis(gradient, -1, axis)


def delta(b: Backend, logits: Any, cotangent: Any, axis: int) -> Any:
    """Row 14: y·dy − y·Σ(y·dy)."""
    y = shifted(b, logits, axis)
    product = y * cotangent
    return product - y * b.xp.sum(product, axis=axis, keepdims=True)


def through_jacobian(b: Backend, logits: Any, cotangent: Any, axis: int) -> Any:
    """Row 20: dL/dx = dL/dY · dY/dx, with the full Jacobian of each of the k rows."""
    v = b.xp.moveaxis(cotangent, axis, -1)
    gradient = b.xp.sum(v[..., :, None] * diagflat(b, logits, axis), axis=-2)
    return b.xp.moveaxis(gradient, -1, axis)


def last_axis_softmax(b: Backend, logits: Any, axis: int) -> Any:
    return shifted(b, b.xp.moveaxis(logits, axis, -1), -1)


def outputs_first(b: Backend, s: Any) -> Any:
    """To go through output by output: an index of its own for each would be a compilation of its own in JAX."""
    return b.xp.moveaxis(s, -1, 0)


def identity(b: Backend, s: Any) -> Any:
    return b.xp.eye(s.shape[-1], dtype=s.dtype)


OVERFLOW = Flaw("seed001-overflow", "exp overflows: inf/inf, or 1/inf for the rest")
SPREAD = Flaw("spread", "exp overflows from 88.7 on in float32", dtype="float32")
UNDERFLOW = Flaw("far-rows", "a row whose exponentials all underflow is 0/0")
FAR_SHIFT = Flaw("spread", "the shift is rounded by as much as the distance to the batch's maximum, and underflows")


@dataclass(frozen=True)
class Formula:
    """A textbook variant: one function for one operation, and where it is known to fail."""

    operation: str
    function: Callable[..., Any]
    flaws: tuple[Flaw, ...] = ()
    largest_n: int | None = None


FORMULAS = (
    Formula("softmax", naive, (OVERFLOW, SPREAD, UNDERFLOW)),
    Formula("softmax", shifted),
    Formula("softmax", batch_max, (UNDERFLOW, FAR_SHIFT)),
    Formula("jacobian_row", hadamard),
    Formula("jacobian", factored, (OVERFLOW, UNDERFLOW)),
    Formula("jacobian", double_loop, largest_n=16),
    Formula("jacobian", diagflat),
    Formula("jacobian", einsum),
    Formula("vjp", by_columns, largest_n=64),
    Formula("vjp", delta),
    Formula("vjp", through_jacobian, largest_n=64),
)


def variants(native: type[Backend], dtypes: tuple[str, ...] = ()) -> Iterator[type[Backend]]:
    """Every formula as a backend on the arrays of `native`. `dtypes`: what its array namespace knows, if not all."""
    for formula in FORMULAS:
        yield type(
            formula.function.__name__,
            (native,),
            {
                "__doc__": formula.function.__doc__,
                "variant": formula.function.__name__,
                "operations": (formula.operation,),
                "flaws": formula.flaws,
                "dtypes": dtypes or native.dtypes,
                "largest_n": formula.largest_n,
                formula.operation: formula.function,
            },
        )
