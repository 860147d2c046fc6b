"""What a long chain of additions may explain of a row: numbers that all of it has in common (docs/bounds.md#grades).

A sum that is off moves every element of its row along one known direction: softmax by a factor, log-softmax by a term,
s ⊙ (v − c) along s ⊙ v and along s. What no such move takes away is the elements' own, and a chain explains none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.truth.bounds.scales import softmax

Floats = NDArray[np.float64]
OWN = 2
"""Times B that an element's own error may be: its terms are as large as the sums that were computed, and not the exact
ones, by a tenth or two."""
ROUNDS = 40
"""Of Lawson's algorithm. Undecided after them is not shown to be unexplained."""


def directions(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Floats | None:
    """By what a row's sums move it, as (rows, answers, sums); None where a row is one number, or it is not known."""
    if operation not in MOVES:
        return None
    s = softmax(np.asarray(logits, np.float64))
    moves = MOVES[operation](s, *beside)
    return np.stack([np.broadcast_to(move, moves[0].shape).reshape(len(s), -1) for move in moves], axis=-1)


def product(s: Floats, vector: NDArray[np.generic]) -> list[Floats]:
    return [s * vector.astype(np.float64), s]


def second(s: Floats, cotangent: NDArray[np.generic], tangent: NDArray[np.generic]) -> list[Floats]:
    v, t = cotangent.astype(np.float64), tangent.astype(np.float64)
    return [s * v * t, s * v, s * t, s]


def jacobian(s: Floats) -> list[Floats]:
    return [s[:, :, None] * np.eye(s.shape[-1]), s[:, :, None] * s[:, None, :]]


def squared_error(s: Floats, labels: NDArray[np.integer]) -> list[Floats]:
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
    """Each element's error, signed, less what its row's sums explain of it, as a share of what is allowed to it.

    `bound`: B's. Above 1 only in a row of which it is proved that no move along its directions brings all elements
    within OWN of their bounds.
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
    """|y − Aθ| at a θ that leaves 1 at most; where none does, as least squares leave it, scaled to what is proved.

    Lawson's algorithm (1961): least squares, weighted again and again by what is left. The weighted mean square that is
    left is a lower bound of the smallest maximum, as a mean is of any maximum. Plain least squares leave a single wrong
    element the largest; the smallest maximum has others that are as large.
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
