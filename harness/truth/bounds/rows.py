"""What an operation's family declares of its errors, and what makes a bound from the errors of a softmax."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.truth.bounds.softmax_error import SoftmaxError, softmax_error
from harness.truth.bounds.theory import Declared, Theory


class Problem(NamedTuple):
    """A question and the arithmetic that it is answered in."""

    x: Floats
    """The case's own rows, shape (rows, n)."""
    given: list[Any]
    """The operation's other arguments, in its order."""
    form: Format
    theory: Theory
    declared: Declared


@dataclass(frozen=True)
class Rule:
    """What theory says of one operation."""

    bound: Callable[[Problem], Floats]
    """The largest absolute error, shape (rows, …), or () for a number over the batch; infinite where theory allows
    anything."""
    size: Callable[..., Floats]
    """The size of each element, of which a digit is a tenth, from the rows and the other arguments: the exact value or,
    where terms cancel, the sum of their absolute values, or 1 for logarithms, whose error is relative to their
    argument. The shape is that of the bound."""
    cancels: bool = False
    """True if errors are also told in u times that size, as for products, whose own values do not show the terms'."""


def of_softmax(rule: Callable[..., Floats]) -> Callable[[Problem], Floats]:
    """Return a bound from a rule that takes the errors of the softmax of the rows, and the other arguments."""

    def bound(asked: Problem) -> Floats:
        e = softmax_error(asked.x, asked.form, asked.theory, asked.declared)
        return unless_vacuous(e, rule(e, *asked.given))

    return bound


def unless_vacuous(e: SoftmaxError, allowed: Floats) -> Floats:
    """Return the bound, infinite in the rows whose sum has no known error."""
    vacuous = np.isinf(e.total)
    if allowed.ndim == 0:
        return np.where(vacuous.any(), np.inf, allowed)
    return np.where(vacuous, np.inf, allowed.reshape(len(vacuous), -1))
