"""The part of a row's errors that a long chain of additions may explain (docs/bounds.md#grades).

An error of a sum moves its whole row along a known direction: softmax by a factor, log-softmax by a term, and
s ⊙ (v − c) along s ⊙ v and along s. Errors that no such move removes belong to the elements; a chain does not explain
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.truth.bounds.sizes import softmax

OWN = 2
"""An element's own error may be this many times B: its terms are made of computed sums, which may differ from the exact
ones by a tenth."""
ROUNDS = 40
"""Rounds of Lawson's algorithm. A row that is undecided after them does not count as unexplained."""


def directions(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Floats | None:
    """Return the directions along which errors of a row's sums move its answer, shape (rows, elements, directions).

    Return None for an operation whose rows are single numbers or whose directions are not known.
    """
    if operation not in MOVES:
        return None
    s = softmax(np.asarray(logits, np.float64))
    moves = MOVES[operation](s, *beside)
    return np.stack([np.broadcast_to(move, moves[0].shape).reshape(len(s), -1) for move in moves], axis=-1)


def product(s: Floats, vector: NDArray[np.generic]) -> list[Floats]:
    """Return the directions s ⊙ v and s of the product s ⊙ (v − s·v)."""
    return [s * vector.astype(np.float64), s]


def second(s: Floats, cotangent: NDArray[np.generic], tangent: NDArray[np.generic]) -> list[Floats]:
    """Return the directions of `hvp`: s ⊙ v ⊙ t, s ⊙ v, s ⊙ t and s."""
    v, t = cotangent.astype(np.float64), tangent.astype(np.float64)
    return [s * v * t, s * v, s * t, s]


def jacobian(s: Floats) -> list[Floats]:
    """Return the directions s_i·δ_ij and s_i·s_j."""
    return [s[:, :, None] * np.eye(s.shape[-1]), s[:, :, None] * s[:, None, :]]


def squared_error(s: Floats, labels: NDArray[np.integer]) -> list[Floats]:
    """Return the directions e_y and s."""
    return [np.eye(s.shape[-1])[labels], s]


MOVES: dict[str, Callable[..., list[Floats]]] = {
    "log_softmax": lambda s: [np.ones_like(s)],
    "jacobian": jacobian,
    "jacobian_row": lambda s, index: [np.eye(s.shape[-1])[index] * np.ones_like(s), s],
    "vjp": product,
    "jvp": product,
    "cross_entropy_hvp": lambda s, _, tangent: product(s, tangent),
    "hvp": second,
    "log_softmax_vjp": lambda s, _: [s],
    "log_softmax_jvp": lambda s, _: [np.ones_like(s)],
    "log_softmax_jacobian": lambda s: [np.broadcast_to(s[:, None, :], (*s.shape, s.shape[-1]))],
    "cross_entropy_gradient": lambda s, _: [s],
    "cross_entropy_mean_gradient": lambda s, _: [s],
    "soft_cross_entropy_gradient": lambda s, _: [s],
    "mean_squared_error_gradient": squared_error,
}


def residual_shares(error: Floats, bound: Floats, moves: Floats) -> Floats:
    """Return what the row's sums leave of each signed error, as a share of OWN times its bound B.

    `error` and `bound` have shape (rows, elements), and `moves` is what `directions` returns. A share is above 1 only
    if it is proved that no move along the row's directions brings all its elements within OWN times their bounds, or if
    the row has a share that is not finite.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = np.where(error == 0, 0.0, error / (OWN * bound))
    shares = np.abs(scaled)
    for row in np.flatnonzero(np.isfinite(shares).all(axis=-1) & (shares > 1).any(axis=-1)):
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = np.where(bound[row][:, None] > 0, moves[row] / (OWN * bound[row][:, None]), 0.0)
        shares[row] = least_largest(scaled[row], columns)
    return shares


def least_largest(y: Floats, columns: Floats) -> Floats:
    """Return |y − Aθ| for a θ whose largest residual is at most 1, if one is found.

    Otherwise return the residuals of plain least squares, scaled so that their maximum is the lower bound that was
    proved. Lawson's algorithm (1961) repeats least squares, with weights multiplied by the residuals. The root of the
    weighted mean square residual is a lower bound of the smallest possible maximum, as a mean is of any maximum. Plain
    least squares leave a single wrong element with the largest residual; at the smallest maximum others are as large.
    """
    largest = np.abs(columns).max(axis=0)
    columns = columns / np.where(largest > 0, largest, 1.0)
    weights, plain = np.full(len(y), 1 / len(y)), y
    for step in range(ROUNDS):
        root = np.sqrt(weights)
        theta = np.linalg.lstsq(columns * root[:, None], y * root, rcond=None)[0]
        left = np.abs(y - columns @ theta)
        plain = plain if step else left
        proved = float(np.sqrt((weights * left**2).sum()))
        if left.max() <= 1:
            return left
        if proved > 1:
            break
        weights = weights * left / (weights * left).sum()
    return plain * (proved / plain.max())
