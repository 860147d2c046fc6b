"""Expected values from float64. Arb computes some of them again, and all of those that float64 leaves undecided."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.records import Audit
from harness.truth.exact.balls import Expected
from harness.truth.exact.expected import expected
from harness.truth.float64 import ACCURACY, in_double

EVERY = 64
"""One row in so many is audited."""
MANY_ROWS = 16
"""From this number of rows on, those with the smallest and the largest value are audited too."""
Rows = NDArray[np.bool_]


class AuditError(Exception):
    """A value from float64 is not what Arb says, so the bounds or this machine's arithmetic are not to be trusted."""


def audited(
    operation: str, logits: NDArray[np.generic], beside: list[Any], form: Format, start: int
) -> tuple[Expected, Audit]:
    """Return the exact answers, in the form that `expected` has, and what the audit found.

    `start`: how many rows of the block precede these. Raise AuditError where float64 and Arb differ by too much.
    """
    fast, undecided, radius = in_double(operation, logits, beside, form)
    sample = ~undecided & chosen(fast, start)
    if not (sample | undecided).any():
        return fast, Audit(int(fast.hi.size))
    slow = expected(operation, logits[sample | undecided], [b[sample | undecided] for b in beside])
    again = sample[sample | undecided]
    worst = checked(operation, fast.row(sample), slow.row(again), form)
    within(operation, fast.row(sample), slow.row(again), radius[sample])
    answers = int(fast.hi.shape[1])
    kept = int((~undecided).sum()) * answers
    return with_rows(fast, undecided, slow.row(~again)), Audit(kept, int(sample.sum()) * answers, worst)


def chosen(values: Expected, start: int) -> Rows:
    """Return a mask of the rows to audit: each `EVERY`th of the block and, of many rows, those with extreme values."""
    rows: Rows = np.arange(start, start + len(values.hi)) % EVERY == 0
    if len(rows) >= MANY_ROWS:
        size = np.where(values.hi == 0, np.inf, np.abs(values.hi) + values.exponent)  # ordered as the values' sizes are
        rows[[size.min(axis=-1).argmin(), np.where(np.isinf(size), -np.inf, size).max(axis=-1).argmax()]] = True
    return rows


def with_rows(values: Expected, rows: Rows, others: Expected) -> Expected:
    """Return the values with those rows replaced by the others."""
    if not rows.any():
        return values
    hi, lo, exponent = values.hi.copy(), values.lo.copy(), values.exponent.copy()
    hi[rows], lo[rows], exponent[rows] = others.hi, others.lo, others.exponent
    return Expected(hi, lo, exponent)


def deviation(fast: Expected, slow: Expected, form: Format) -> float:
    """Return the largest distance between two tables of values, in ulp of the format."""
    unit = np.where(slow.hi == 0, form.emin, np.maximum(slow.exponent - 1, form.emin)) - (form.p - 1)
    near = np.maximum(slow.exponent, unit - 64)  # what is smaller still is nothing beside the ulp
    difference = np.ldexp(fast.hi, fast.exponent - near) - np.ldexp(slow.hi, slow.exponent - near)
    off = np.abs(difference - np.ldexp(slow.lo, slow.exponent - near))
    return float(np.ldexp(off, near - unit).max(initial=0.0))


def checked(operation: str, fast: Expected, slow: Expected, form: Format) -> float:
    """Return the largest distance between the two, in ulp of the format.

    Raise AuditError if it is over 2^-10, or if an exponent differs, so that the ulp itself does.
    """
    worst = deviation(fast, slow, form)
    if not worst <= ACCURACY:
        raise AuditError(f"an expected {operation} from float64 is {worst:.3g} ulp from Arb's, over 2^-10")
    if (fast.exponent != slow.exponent).any():
        raise AuditError(f"an expected {operation} from float64 is on another side of a power of two than Arb's")
    return worst


def within(operation: str, fast: Expected, slow: Expected, radius: Floats) -> None:
    """Raise AuditError if a value is further from Arb's than its radius. Both must have the same exponents."""
    off = np.abs((fast.hi - slow.hi) + (fast.lo - slow.lo))
    if not (off <= radius * np.abs(slow.hi)).all():
        times = float((off / (radius * np.abs(slow.hi))).max())
        raise AuditError(f"an expected {operation} from float64 is {times:.3g} times its radius from Arb's")
