"""Laws of one operation, which need no exact values. Each gives a measured deviation and the bound that it must meet.

The exact answers obey the laws, so a deviation is at most the sum of the elements' own bounds (docs/bounds.md#laws).
Each law takes an answer, the allowed errors of its elements, both of shape (rows, elements), and n.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import DIGIT
from harness.numbers.sums import exact_sum, two_sum


def row_sum(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure Σ s_j = 1. At most DIGIT is allowed: a row that sums to 2 is no distribution, whatever the bounds are."""
    ones = np.full((len(answer), 1), -1.0)
    return exact_sum(np.hstack([answer, ones])), np.minimum(allowed.sum(axis=-1), DIGIT)


def jacobian_of_ones(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure J·1 = 0: a shift of all logits changes no output."""
    return exact_sum(answer.reshape(-1, n, n)), allowed.reshape(-1, n, n).sum(axis=-1)


def ones_of_jacobian(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure 1ᵀ·J = 0: the sum of the outputs is constant, so its gradient is about 0."""
    return jacobian_of_ones(answer.reshape(-1, n, n).swapaxes(1, 2), allowed.reshape(-1, n, n).swapaxes(1, 2), n)


def symmetry(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure J = Jᵀ."""
    j, bound = answer.reshape(-1, n, n), allowed.reshape(-1, n, n)
    return j - j.swapaxes(1, 2), bound + bound.swapaxes(1, 2)


def not_negative(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure s ≥ 0. A value that is flushed to zero obeys it too."""
    return np.minimum(answer, 0), allowed


def not_positive(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure ln s ≤ 0."""
    return np.maximum(answer, 0), allowed


def variances(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure vᵀ·J·v ≥ 0 (a variance) at each v = e_i, where it is J_ii, and at each v = e_i − e_j.

    There it is J_ii + J_jj − J_ij − J_ji.
    """
    j, bound = answer.reshape(-1, n, n), allowed.reshape(-1, n, n)
    own, own_bound = (np.diagonal(part, axis1=1, axis2=2) for part in (j, bound))
    own_sum, own_lost = two_sum(own[:, :, None], own[:, None, :])
    other_sum, other_lost = two_sum(j, j.swapaxes(1, 2))
    cross, lost = two_sum(own_sum, -other_sum)
    cross += lost + (own_lost - other_lost)
    within = own_bound[:, :, None] + own_bound[:, None, :] + bound + bound.swapaxes(1, 2)
    # On the diagonal v = e_i − e_j is 0; the variance at e_i takes its place.
    diagonal = np.arange(n)
    cross[:, diagonal, diagonal], within[:, diagonal, diagonal] = own, own_bound
    return np.minimum(cross, 0), within


Law = Callable[[Floats, Floats, int], tuple[Floats, Floats]]
LAWS: dict[str, dict[str, Law]] = {
    "softmax": {"Σ s = 1": row_sum, "s ≥ 0": not_negative},
    "log_softmax": {"ln s ≤ 0": not_positive},
    "jacobian": {
        "J·1 = 0": jacobian_of_ones,
        "1ᵀ·J = 0": ones_of_jacobian,
        "J = Jᵀ": symmetry,
        "vᵀ·J·v ≥ 0": variances,
    },
}


def under_shift(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure f(x + c) = f(x) between rows of twins: the second of every four is the first one shifted."""
    shifted = slice(1, None, 4)
    return answer[shifted] - answer[0::4], allowed[shifted] + allowed[0::4]


def under_permutation(answer: Floats, allowed: Floats, n: int) -> tuple[Floats, Floats]:
    """Measure f(Px) = P·f(x) between rows of twins: the fourth of every four is the third one reversed.

    Its answer, also a flattened Jacobian, must be the third row's reversed.
    """
    there, back = (part[3::4, ::-1] for part in (answer, allowed))
    return there - answer[2::4], back + allowed[2::4]


EQUIVARIANT: dict[str, Law] = {"f(x + c) = f(x)": under_shift, "f(Px) = P·f(x)": under_permutation}
TWIN_LAWS: dict[str, dict[str, Law]] = dict.fromkeys(
    ("softmax", "log_softmax", "jacobian", "log_softmax_jacobian"), EQUIVARIANT
)
"""Laws between the rows of a case that is made of twins: one shifted, the other reversed (`records.Twins`)."""


def deviations(
    operation: str, answer: NDArray[np.generic], allowed: Floats, n: int, twins: bool
) -> dict[str, tuple[float, float]]:
    """Return, for each law of the operation, the largest deviation over the rows and the largest share of its bound.

    `twins` adds the laws between rows of twins. Both numbers are infinite if a deviation is NaN or infinite.
    """
    values = answer.astype(np.float64, copy=False)
    laws = LAWS.get(operation, {}) | (TWIN_LAWS.get(operation, {}) if twins else {})
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return {law: largest(*measure(values, allowed, n)) for law, measure in laws.items()}


def largest(deviation: Floats, bound: Floats) -> tuple[float, float]:
    """Return the largest |deviation| and the largest share of its bound; a NaN counts as infinite."""
    size = np.where(np.isnan(deviation), np.inf, np.abs(deviation))
    share = np.where(size == 0, 0.0, np.where(np.isinf(size), np.inf, size / bound))
    return float(size.max(initial=0.0)), float(share.max(initial=0.0))
