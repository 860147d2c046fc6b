"""What can be asked of a backend: names, arguments and shapes. The formulas are derived in `docs/operations.md`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

FULL_JACOBIAN_N = 256
"""Longest axis for which a whole n × n Jacobian is held; beyond it, `vjp` and `jvp` probe it by products."""
DISTRIBUTION_PARTS = 128
"""A label distribution's entries are multiples of one over this: sums of them are exact in every format."""
CLASSES = 3
"""Outputs T of a softmax layer, unless its case has others. Its inputs are a case's rows: N is the axis's length."""
LABELS, DISTRIBUTION, COTANGENT, TANGENT = ("logits", "labels"), ("logits", "distribution"), "cotangent", "tangent"


@dataclass(frozen=True)
class Operation:
    """One question about a row x of length n, or about all rows of a block at once.

    `answer` is the shape of a row's answer, in the lengths `n`, `t` (a layer's classes) and `tn`; where it is ("n",)
    and not `moved`, it stands along the axis of the logits, and else at the end.
    """

    name: str
    formula: str
    arguments: tuple[str, ...] = ("logits",)
    """The first are the case's own rows."""
    answer: tuple[str, ...] = ("n",)
    moved: bool = False
    reduction: str = ""
    """Over the rows of a block: none, mean or sum; empty where a backend's method has no such choice."""
    scalar: bool = False
    """One number a block, and not an answer a row."""

    @property
    def in_place(self) -> bool:
        """Whether the answer has the logits' own shape."""
        return self.answer == ("n",) and not self.moved

    @property
    def rows_together(self) -> bool:
        """Whether a row's answer depends on the block's other rows, if only on their number."""
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
    """Shape of one row's answer."""
    known = {"n": n, "t": classes, "tn": classes * n}
    return tuple(known[name] for name in operation.answer)


def softmax_length(operation: Operation, n: int, classes: int = CLASSES) -> int:
    """How many logits its softmax has: a layer's are its classes."""
    return classes if "weights" in operation.arguments else n


def split(shape: tuple[int, ...], axis: int) -> tuple[tuple[int, ...], int]:
    """The batch, which is the shape with the axis taken out, and the axis's position."""
    position = axis % len(shape)
    return shape[:position] + shape[position + 1 :], position


def answer_shape(operation: Operation, shape: tuple[int, ...], axis: int, classes: int = CLASSES) -> tuple[int, ...]:
    """Shape of the answer for a block of that shape."""
    if operation.scalar:
        return ()
    batch, position = split(shape, axis)
    return shape if operation.in_place else batch + lengths(operation, shape[position], classes)


def as_rows(
    operation: Operation, answer: NDArray[np.generic], axis: int, n: int, classes: int = CLASSES
) -> NDArray[np.generic]:
    """The answer as (rows, answers of a row), rows in the order of the batch with the axis taken out."""
    if operation.in_place:
        answer = np.moveaxis(answer, axis, -1)
    return answer.reshape(-1, prod(lengths(operation, n, classes)))


def answer_index(
    operation: Operation, shape: tuple[int, ...], axis: int, flat: int, classes: int = CLASSES
) -> tuple[int, ...]:
    """Where element number `flat` of `as_rows(…)` stands in the answer itself; of a scalar, its block."""
    if operation.scalar:
        return (flat,)
    batch, position = split(shape, axis)
    if not operation.in_place:
        moved = batch + lengths(operation, shape[position], classes)
        return tuple(int(i) for i in np.unravel_index(flat, moved)) if moved else ()
    *outer, j = (int(i) for i in np.unravel_index(flat, (*batch, shape[position])))
    return (*outer[:position], j, *outer[position:])


def too_large(operation: Operation, n: int) -> str | None:
    """Why a question is not asked at this length, or None."""
    if operation.answer == ("n", "n") and n > FULL_JACOBIAN_N:
        return f"n = {n}: whole Jacobians are held up to n = {FULL_JACOBIAN_N}; vjp and jvp probe it by products"
    return None
