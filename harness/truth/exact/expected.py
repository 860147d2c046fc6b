"""Expected values by Arb balls: the mathematical value at the very numbers that the backend got.

Each value is a ball whose radius is proved by Arb. The precision is doubled, row by row, until every ball is known to
2^-10 ulp of any format. The formulas are those of the operations' families.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from harness.operations import ARGUMENTS, OPERATIONS, Operation
from harness.truth.exact import derivatives, layers, losses, values
from harness.truth.exact.balls import Expected, as_expected, decided
from harness.truth.exact.refused import check_arguments
from harness.truth.exact.rows import Formula

EXACT: dict[str, Formula] = values.EXACT | derivatives.EXACT | losses.EXACT | layers.EXACT
Answers = Callable[[], list[arb]]
"""A function that computes the answers of one row, or those of all rows, at the precision set when it is called."""


def expected(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Expected:
    """Return the exact answers for finite logits of shape (rows, n), as (rows, answers); (1, 1) for a scalar operation.

    `beside`: the operation's other arguments in its order. An array of shape (rows, …) is taken row by row, a number
    holds for every row, and a layer's weights have shape (t, n).

    Raise ValueError for NaN or infinity in an input, for a label that is no integer or no class, and for a negative
    entry of a distribution. Raise UndecidedError where no precision up to 65,536 bits decides.
    """
    about = OPERATIONS[operation]
    check_arguments(about, logits, beside)
    count = len(logits)
    rows = [answers(about, number, logits, beside) for number in range(count)]
    units: list[Answers]
    if about.scalar:
        units = [partial(reduced, rows, about.reduction)]
    elif about.reduction == "mean":
        units = [partial(shared, row, count) for row in rows]
    else:
        units = rows
    return as_expected([decided(unit, f"{operation}, row {number}") for number, unit in enumerate(units)])


def answers(operation: Operation, number: int, logits: NDArray[np.generic], beside: list[Any]) -> Answers:
    """Return a function that computes one row's answers, at the precision set when it is called."""
    given = [own(*argument, number) for argument in zip(operation.arguments, [logits, *beside], strict=True)]
    return lambda: EXACT[operation.name](*given)


def own(name: str, value: Any, number: int) -> Any:
    """Return the part of an argument that belongs to one row, or all of one that rows share, as Python numbers."""
    if isinstance(value, int):
        return value
    part = value[number] if ARGUMENTS[name].per_row else value
    return np.asarray(part, dtype=np.float64 if value.dtype.kind != "i" else np.int64).tolist()


def reduced(rows: list[Answers], reduction: str) -> list[arb]:
    """Return the sum or the mean of all rows' answers, as one answer."""
    total = sum((answer for row in rows for answer in row()), arb(0))
    return [total / len(rows) if reduction == "mean" else total]


def shared(row: Answers, count: int) -> list[arb]:
    """Return one row's answers divided by the number of rows, as in the gradient of a mean."""
    return [answer / count for answer in row()]
