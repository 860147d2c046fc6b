"""What must hold of this process before it may judge. Another library can change the floating-point environment."""

from __future__ import annotations

import numpy as np


class PreconditionError(Exception):
    """This process cannot judge: its arithmetic is not IEEE 754's."""


def check_preconditions() -> None:
    """Raise PreconditionError unless NumPy rounds to nearest, keeps subnormal numbers and computes TwoSum exactly."""
    # Arrays, so that nothing is folded at compile time and NumPy's kernels themselves are asked.
    smallest = np.array([2.0**-1074])
    if not (smallest * 1.0 != 0.0).all():
        raise PreconditionError("subnormal numbers are flushed to zero in this process, so it cannot judge")
    one, half_ulp = np.array([1.0]), np.array([2.0**-53])
    if (one + half_ulp != 1.0).any() or (one + half_ulp * (1 + 2.0**-52) != 1.0 + 2.0**-52).any():
        raise PreconditionError("this process does not round to nearest, ties to even, so it cannot judge")
    a, b = np.array([1.0, 2.0**60]), np.array([2.0**-70, 1.0])
    total = a + b
    error = (a - (total - (total - a))) + (b - (total - a))
    if (error != [2.0**-70, 1.0]).any():
        raise PreconditionError("TwoSum is not exact in this process (extended registers?), so it cannot judge")
