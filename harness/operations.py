"""What can be asked of a backend: names, arguments and shapes. The formulas are derived in `docs/operations.md`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

FULL_JACOBIAN_N = 256
"""The longest axis for which a whole n × n Jacobian is asked. Beyond it, `vjp` and `jvp` test it by products."""
DISTRIBUTION_PARTS = 128
"""The entries of a `random` label distribution are multiples of 1/128, so that their sums are exact in every format."""
CLASSES = 3
"""The number of outputs of a softmax layer, unless its case says otherwise. Its inputs are the case's rows."""
LABELS, DISTRIBUTION, COTANGENT, TANGENT = ("logits", "labels"), ("logits", "distribution"), "cotangent", "tangent"


@dataclass(frozen=True)
class Operation:
    """One question about a row x of length n, or about all rows of a block at once."""

    name: str
    formula: str
    arguments: tuple[str, ...] = ("logits",)
    """The names of the arguments. The first one is the case's own rows."""
    answer: tuple[str, ...] = ("n",)
    """The shape of a row's answer, in the lengths `n`, `t` (a layer's classes) and `tn` (their product)."""
    moved: bool = False
    """True if an answer of shape ("n",) stands along the last axis, and not along that of the logits."""
    reduction: str = ""
    """The reduction over the rows of a block: none, mean or sum; empty if a backend's method has no such choice."""
    scalar: bool = False
    """True if the answer is one number for the whole block, and not one answer for each row."""

    @property
    def in_place(self) -> bool:
        """True if the answer has the shape of the logits."""
        return self.answer == ("n",) and not self.moved

    @property
    def rows_together(self) -> bool:
        """True if a row's answer depends on the other rows of the block, or on their number."""
        return self.scalar or self.reduction == "mean"


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("softmax", "s_j = exp(x_j) / Σ exp(x_i)"),
        Operation("log_softmax", "x_j − ln Σ exp(x_i)"),
        Operation("logsumexp", "ln Σ exp(x_i)", answer=()),
        Operation("jacobian", "J_ij = s_i(δ_ij − s_j)", answer=("n", "n"), moved=True),
        Operation("jacobian_row", "s_i(e_i − s), one output i", ("logits", "index"), moved=True),
        Operation("vjp", "s ⊙ (v − s·v)", ("logits", COTANGENT)),
        Operation("jvp", "s ⊙ (t − s·t)", ("logits", TANGENT)),
        Operation("hvp", "∇²(v·s)·t = s ⊙ ((t − s·t) ⊙ (v − s·v) − cov(t, v))", ("logits", COTANGENT, TANGENT)),
        Operation("log_softmax_vjp", "v − s·Σ v_i", ("logits", COTANGENT)),
        Operation("log_softmax_jvp", "t − s·t", ("logits", TANGENT)),
        Operation("log_softmax_jacobian", "δ_ij − s_j", answer=("n", "n"), moved=True),
        Operation("cross_entropy", "−ln s_y", LABELS, answer=(), reduction="none"),
        Operation("cross_entropy_mean", "Σ −ln s_y / k over k rows", LABELS, (), reduction="mean", scalar=True),
        Operation("cross_entropy_sum", "Σ −ln s_y", LABELS, (), reduction="sum", scalar=True),
        Operation("cross_entropy_gradient", "s − e_y", LABELS, reduction="sum"),
        Operation("cross_entropy_mean_gradient", "(s − e_y) / k", LABELS, reduction="mean"),
        Operation("cross_entropy_hvp", "∇²(−ln s_y)·t = J·t", (*LABELS, TANGENT)),
        Operation("soft_cross_entropy", "−Σ p_j·ln s_j", DISTRIBUTION, answer=(), reduction="none"),
        Operation("soft_cross_entropy_mean", "Σ −p·ln s / k", DISTRIBUTION, (), reduction="mean", scalar=True),
        Operation("soft_cross_entropy_sum", "Σ −p·ln s", DISTRIBUTION, (), reduction="sum", scalar=True),
        Operation("soft_cross_entropy_gradient", "s·Σ p_i − p", DISTRIBUTION, reduction="sum"),
        Operation("mean_squared_error", "Σ (s_y − 1)² / k", LABELS, (), reduction="mean", scalar=True),
        Operation("mean_squared_error_gradient", "2(s_y − 1)·s_y(e_y − s) / k", LABELS, reduction="mean"),
        Operation("layer", "s(Wx)", ("inputs", "weights"), ("t",), moved=True),
        Operation("layer_jacobian", "∂s_t/∂W_ij = s_t(δ_ti − s_i)·x_j", ("inputs", "weights"), ("t", "tn"), moved=True),
        Operation(
            "layer_cross_entropy_gradient",
            "∂(−ln s_y)/∂W_ij = (s_i − δ_iy)·x_j",
            ("inputs", "weights", "classes"),
            ("tn",),
            moved=True,
        ),
    )
}


def lengths(operation: Operation, n: int, classes: int = CLASSES) -> tuple[int, ...]:
    """Return the shape of one row's answer."""
    known = {"n": n, "t": classes, "tn": classes * n}
    return tuple(known[name] for name in operation.answer)


def softmax_length(operation: Operation, n: int, classes: int = CLASSES) -> int:
    """Return the length of the softmax inside the operation: n, or the number of classes for a layer."""
    return classes if "weights" in operation.arguments else n


def split(shape: tuple[int, ...], axis: int) -> tuple[tuple[int, ...], int]:
    """Return the shape without the axis (the batch), and the position of the axis."""
    position = axis % len(shape)
    return shape[:position] + shape[position + 1 :], position


def answer_shape(operation: Operation, shape: tuple[int, ...], axis: int, classes: int = CLASSES) -> tuple[int, ...]:
    """Return the shape of the answer for a block of logits of that shape."""
    if operation.scalar:
        return ()
    batch, position = split(shape, axis)
    return shape if operation.in_place else batch + lengths(operation, shape[position], classes)


def as_rows(
    operation: Operation, answer: NDArray[np.generic], axis: int, n: int, classes: int = CLASSES
) -> NDArray[np.generic]:
    """Return the answer in shape (rows, elements of a row's answer), the rows in the order of the batch."""
    if operation.in_place:
        answer = np.moveaxis(answer, axis, -1)
    return answer.reshape(-1, prod(lengths(operation, n, classes)))


def answer_index(
    operation: Operation, shape: tuple[int, ...], axis: int, flat: int, classes: int = CLASSES
) -> tuple[int, ...]:
    """Return the index in the answer itself of element number `flat` of `as_rows(…)`; for a scalar, its block."""
    if operation.scalar:
        return (flat,)
    batch, position = split(shape, axis)
    if not operation.in_place:
        moved = batch + lengths(operation, shape[position], classes)
        return tuple(int(i) for i in np.unravel_index(flat, moved)) if moved else ()
    *outer, j = (int(i) for i in np.unravel_index(flat, (*batch, shape[position])))
    return (*outer[:position], j, *outer[position:])


def too_large(operation: Operation, n: int) -> str | None:
    """Return the reason why the operation is not asked at length n, or None."""
    if operation.answer == ("n", "n") and n > FULL_JACOBIAN_N:
        return f"n = {n}: whole Jacobians are held up to n = {FULL_JACOBIAN_N}; vjp and jvp probe it by products"
    return None
