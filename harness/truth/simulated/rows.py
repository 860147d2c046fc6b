"""What an operation's family declares of its honest evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.truth.simulated.arithmetic import Arithmetic, Numbers

Formula = Callable[..., Numbers]
"""It takes the arithmetic, the case's own rows, and the operation's other arguments in its order. It returns shape
(rows, answers), or (1, 1) for a number over the batch. Derivations: docs/operations.md."""


def own_rows(p: Arithmetic, x: Numbers, *beside: Numbers) -> Numbers:
    return x


@dataclass(frozen=True)
class Simulated:
    """The formulas of one operation: those of the documents, and those of frameworks."""

    formulas: tuple[Formula, ...]
    by_element: bool = False
    """True if an element's size tells how large its terms are. In other operations they cancel unseen, as in 1 − s."""
    summed: Formula = own_rows
    """The logits whose exponentials are summed. Where that sum has no digit right, an evaluation does not count."""
    every_format: bool = False
    """True if a proved bound may leave no digit in any format, and not in 16 bits alone."""
