"""What can be asked of a backend: names, arguments and shapes. The formulas are derived in `docs/operations.md`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FULL_JACOBIAN_N = 256
"""Longest axis for which a whole n × n Jacobian is held; beyond it, `vjp` and `jvp` probe it by products."""


@dataclass(frozen=True)
class Operation:
    """`arguments`: what it takes beside the logits. `kept`: how often the axis stands in the answer's shape."""

    name: str
    formula: str
    arguments: tuple[str, ...] = ()
    kept: int = 1
    axis_moved_last: bool = False


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("softmax", "s_j = exp(x_j) / Σ exp(x_i)"),
        Operation("log_softmax", "x_j − ln Σ exp(x_i)"),
        Operation("logsumexp", "ln Σ exp(x_i)", kept=0),
        Operation("jacobian", "J_ij = s_i(δ_ij − s_j)", kept=2, axis_moved_last=True),
        Operation("jacobian_row", "s_i(e_i − s), one output i", ("index",), axis_moved_last=True),
        Operation("vjp", "s ⊙ (v − s·v)", ("cotangent",)),
        Operation("jvp", "s ⊙ (t − s·t)", ("tangent",)),
        Operation("cross_entropy", "−ln s_y", ("labels",), kept=0),
        Operation("cross_entropy_gradient", "s − e_y", ("labels",)),
    )
}


def answer_shape(operation: Operation, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Shape of the answer for logits of that shape."""
    position = axis % len(shape)
    n, batch = shape[position], shape[:position] + shape[position + 1 :]
    if operation.axis_moved_last or operation.kept == 0:
        return batch + (n,) * operation.kept
    return shape


def as_rows(operation: Operation, answer: NDArray[np.generic], axis: int, n: int) -> NDArray[np.generic]:
    """The answer as (rows, n^kept), rows in the order of the batch with the axis taken out."""
    if not operation.axis_moved_last and operation.kept:
        answer = np.moveaxis(answer, axis, -1)
    return answer.reshape(-1, n**operation.kept)


def answer_index(operation: Operation, shape: tuple[int, ...], axis: int, flat: int) -> tuple[int, ...]:
    """Where element number `flat` of `as_rows(…)` stands in the answer itself."""
    moved = answer_shape(operation, shape, axis)
    if operation.axis_moved_last or operation.kept == 0:
        return tuple(int(i) for i in np.unravel_index(flat, moved)) if moved else ()
    position = axis % len(shape)
    n, batch = shape[position], shape[:position] + shape[position + 1 :]
    *outer, j = (int(i) for i in np.unravel_index(flat, (*batch, n)))
    return (*outer[:position], j, *outer[position:])


def too_large(operation: Operation, n: int) -> str | None:
    """Why a question is not asked at this length, or None."""
    if operation.kept == 2 and n > FULL_JACOBIAN_N:
        return f"n = {n}: whole Jacobians are held up to n = {FULL_JACOBIAN_N}; vjp and jvp probe it by products"
    return None
