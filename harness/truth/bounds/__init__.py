"""The largest error that theory allows a correct implementation, element by element. Proofs: `docs/bounds.md`.

All bounds are rigorous in u: no higher order is dropped. A chain of k roundings is a factor within exp(±k·u'), with
u' = u/(1 − u). The bounds hold for every formula of the documents, written out or differentiated, in whose sums a term
meets no more roundings than a `Theory` says. `Accuracy` states what they assume of a library, and `Declared` what a
backend declares of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.truth.bounds import derivatives, differences, layers, losses, values
from harness.truth.bounds.rows import Problem, Rule
from harness.truth.bounds.softmax_error import FARTHEST
from harness.truth.bounds.theory import (
    ASSUMED,
    Declared,
    Theory,
    any_order,
    assumed,
    blocked_tree,
    range_free,
    tree_height,
)

__all__ = [
    "ASSUMED", "FARTHEST", "NOTHING", "Declared", "Theory", "any_order", "assumed", "blocked_tree", "bound",
    "range_free", "scales", "size", "tree_height",
]  # fmt: skip

SLACK = 1 + 2.0**-20
"""The factor that covers the float64 rounding of the bounds' own evaluation, which is under 2^-40 relative."""
NOTHING = Declared()
ROWS: dict[str, Rule] = values.ROWS | derivatives.ROWS | losses.ROWS | layers.ROWS
BOUNDS = {operation: row.bound for operation, row in ROWS.items()}


def bound(
    operation: str,
    logits: NDArray[np.generic],
    beside: list[Any],
    form: Format,
    theory: Theory,
    declared: Declared = NOTHING,
) -> Floats:
    """Return the largest absolute error allowed at each element, infinite where theory allows anything.

    Its shape is (rows, answers), or (1, 1) for a scalar operation. `beside`: the operation's other arguments in its
    order, as `harness.truth.expected` takes them. Raise ValueError for an operation that has no known bound.
    """
    x = np.asarray(logits, dtype=np.float64)
    given = [np.asarray(b, np.float64) if isinstance(b, np.ndarray) and b.dtype.kind != "i" else b for b in beside]
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        allowed = rule(operation, declared)(Problem(x, given, form, theory, declared)) * SLACK
    return allowed.reshape(1, 1) if allowed.ndim == 0 else allowed


def rule(operation: str, declared: Declared) -> Callable[[Problem], Floats]:
    """Return what computes the bound of an operation."""
    known = differences.BOUNDS if declared.difference_step else BOUNDS
    if operation not in known:
        how = "central differences of " if declared.difference_step else ""
        raise ValueError(f"no bound is known for {how}{operation}")
    return known[operation]


def size(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Floats:
    """Return the size of each element, whose tenth is a digit, in any shape of as many elements."""
    return ROWS[operation].size(np.asarray(logits, np.float64), *beside)


def scales(operation: str, logits: NDArray[np.generic], *beside: Any) -> Floats | None:
    """Return the size of each element, such as s_j(|v_j| + Σ s_i·|v_i|) for products; None where nothing cancels."""
    return size(operation, logits, list(beside)) if ROWS[operation].cancels else None
