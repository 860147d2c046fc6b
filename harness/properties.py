"""Laws that need no expected value, each as a measured deviation in units of u with the bound it must meet.

The exact answers obey them, so a deviation is at most the sum of the elements' own bounds (docs/bounds.md#laws).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def exact_sum(values: Floats) -> Floats:
    """Sum along the last axis in twice the working precision: a tree of TwoSums (Ogita, Rump & Oishi 2005)."""
    lost = np.zeros(values.shape[:-1])
    while (half := values.shape[-1] // 2) > 0:
        left, right, odd = np.split(values, [half, 2 * half], axis=-1)
        total = left + right
        shadow = total - left
        lost += ((left - (total - shadow)) + (right - shadow)).sum(axis=-1)
        values = np.concatenate([total, odd], axis=-1)
    return values[..., 0] + lost


def row_sum(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Σ s_j = 1."""
    ones = np.full((len(answer), 1), -1.0)
    return exact_sum(np.hstack([answer, ones])), allowed.sum(axis=-1)


def jacobian_of_ones(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """J·1 = 0: a shift of all logits changes no output."""
    return exact_sum(answer.reshape(-1, n, n)), allowed.reshape(-1, n, n).sum(axis=-1)


def ones_of_jacobian(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """1ᵀ·J = 0: the outputs' sum is constant, which is why summing them before backward gives about 0."""
    return jacobian_of_ones(answer.reshape(-1, n, n).swapaxes(1, 2), allowed.reshape(-1, n, n).swapaxes(1, 2), n)


Law = Callable[[Floats, Floats, int], tuple[Floats, Floats]]
LAWS: dict[str, dict[str, Law]] = {
    "softmax": {"Σ s = 1": row_sum},
    "jacobian": {"J·1 = 0": jacobian_of_ones, "1ᵀ·J = 0": ones_of_jacobian},
}


def deviations(operation: str, answer: NDArray[np.generic], allowed: Floats, n: int) -> dict[str, tuple[float, float]]:
    """For each law of the operation: the largest deviation over the block's rows, and as a fraction of its bound.

    Infinite where a NaN or infinity stands in the answer.
    """
    values = answer.astype(np.float64)
    found = {}
    for law, measure in LAWS.get(operation, {}).items():
        with np.errstate(invalid="ignore", over="ignore"):
            deviation, bound = measure(values, allowed, n)
        size = np.where(np.isnan(deviation), np.inf, np.abs(deviation))
        found[law] = (float(size.max(initial=0.0)), float((size / bound).max(initial=0.0)))
    return found
