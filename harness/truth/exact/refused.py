"""What the reference refuses: NaN and infinity, labels that are no classes, and distributions with a negative entry."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.operations import ARGUMENTS, Operation


def check_arguments(operation: Operation, logits: NDArray[np.generic], beside: list[Any]) -> None:
    """Raise ValueError, in one sentence, for an argument that the reference refuses.

    The message names the row of a wrong label or of a negative entry.
    """
    given = dict(zip(operation.arguments, [logits, *beside], strict=True))
    n = len(given.get("weights", logits.T))
    for name, value in given.items():
        if ARGUMENTS[name].integers:
            check_labels(value, n)
        elif not isinstance(value, int) and not np.isfinite(np.asarray(value, dtype=np.float64)).all():
            raise ValueError(
                f"the exact {operation.name} of {name} with NaN or infinity is a matter of policy, not of arithmetic"
            )
        if ARGUMENTS[name].kind == "distribution":
            check_distribution(value)


def check_labels(labels: NDArray[Any], classes: int) -> None:
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are integers, and not {labels.dtype}: nothing is cast")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        raise ValueError(f"label {labels[wrong[0]]} of row {wrong[0]} is none of the classes 0 to {classes - 1}")


def check_distribution(distribution: NDArray[np.generic]) -> None:
    """Raise ValueError for a negative entry. Any sum is allowed: the loss and its gradient take it into account."""
    for number, row in enumerate(np.asarray(distribution, dtype=np.float64).tolist()):
        if min(row) < 0:
            raise ValueError(f"row {number} of the label distribution has a negative entry, {min(row)}")
