"""Errors against the worst of several honest evaluations, where theory leaves no digit: in 16 bits and for layers.

An honest evaluation computes one of the operation's formulas in a stated arithmetic. The result is a measurement and no
theorem, and is called *simulated* wherever it is shown (docs/bounds.md#simulated).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers import arrays
from harness.numbers.arrays import Floats
from harness.numbers.formats import FORMATS, Format
from harness.truth.bounds import Declared
from harness.truth.simulated import derivatives, layers, losses, values
from harness.truth.simulated.arithmetic import ORDERS, Arithmetic
from harness.truth.simulated.rows import Simulated
from harness.truth.simulated.values import shifted

__all__ = [
    "LEAST_DIGIT", "MULTIPLE", "SIMULATED", "Honest", "Rows", "honest", "leaves_no_digit", "simulates", "sizes",
]  # fmt: skip

Rows = NDArray[np.bool_]
"""A mask of rows."""
SIMULATED: dict[str, Simulated] = values.SIMULATED | derivatives.SIMULATED | losses.SIMULATED | layers.SIMULATED
MULTIPLE = 8.0
"""How many times the worst honest evaluation's error an answer may have."""
LEAST_DIGIT = 0.1
"""A share of a row's size. A bound above it leaves no digit, and an evaluation that errs by more has no digit right."""
ONE_ROUNDING = 1.0
"""The least error of an evaluation, in units of u: one that is right by luck counts as one that is off by as much."""


@dataclass(frozen=True)
class Honest:
    """The errors of honest evaluations of one question, the worst for each row. They are made once for all backends."""

    sizes: Floats
    """The scale that each element's error is measured against: at least the smallest normal number."""
    by_element: Floats
    """Largest error over its element's size, shape (rows, 1); infinite if the elements have no scale of their own."""
    by_row: Floats
    """Largest norm of a row's errors over that of its sizes, shape (rows, 1)."""

    def shares(self, absolute: Floats, lost: float) -> Floats:
        """Return an answer's errors as shares of what they may be, shape (rows, answers).

        Each element is measured by its own size, and the one that is most off in a row also by the norm of the row's
        errors. `lost`: what a loss below the normal numbers may cost.
        """
        off = np.maximum(absolute - lost, 0.0)
        whole = norm(off) / (MULTIPLE * self.by_row * norm(self.sizes))
        most = np.arange(off.shape[-1]) == off.argmax(axis=-1)[:, None]
        shares = off / (MULTIPLE * self.by_element * self.sizes)
        return np.where(most, np.maximum(shares, whole), shares)


@dataclass
class Worst:
    """The largest errors of the evaluations so far, one a row."""

    exact: Floats
    sizes: Floats
    by_element: Floats = field(init=False)
    by_row: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.by_element = np.zeros((len(self.exact), 1))
        self.by_row = np.zeros((len(self.exact), 1))

    def add(self, answer: Floats, added_well: Rows) -> None:
        """Add an evaluation. A row in which it, or its sum (`added_well`), has no digit right does not count."""
        off = np.abs(answer - self.exact)
        whole = norm(off) / norm(self.sizes)
        usable = added_well[:, None] & (whole <= LEAST_DIGIT)
        element = (off / self.sizes).max(axis=-1, keepdims=True)
        self.by_row = np.where(usable, np.fmax(self.by_row, whole), self.by_row)
        self.by_element = np.where(usable, np.fmax(self.by_element, element), self.by_element)


def norm(rows: Floats) -> Floats:
    """Return the Euclidean norm of each row, shape (rows, 1). Elements are scaled first, so that no square is lost."""
    largest = np.maximum(rows.max(axis=-1, keepdims=True), np.finfo(np.float64).tiny)
    total: Floats = largest * np.sqrt(((rows / largest) ** 2).sum(axis=-1, keepdims=True))
    return total


def evaluations(operation: str, form: Format, logits: NDArray[Any], given: list[Any]) -> Iterator[tuple[Floats, Rows]]:
    """Yield the answer of each honest evaluation, and a mask of the rows that its order of summation adds well.

    The formulas are computed in the format itself, with sums in every order, and in a wider format, rounded once at the
    end. A row is added well if the order has a digit right of Σ e^(x − max): a sum that stalls has none.
    """
    about = SIMULATED[operation]
    kind = arrays.dtype(next(name for name, own in FORMATS.items() if own == form))
    wider = np.dtype(np.float32 if form.p < FORMATS["float32"].p else np.float64)
    ways = [*(Arithmetic(kind, order) for order in ORDERS), Arithmetic(wider, "one by one")]
    for p in ways:
        x, beside = logits.astype(p.kind), [as_kind(p, part) for part in given]
        well = adds_well(p, about.summed(p, x, *beside))
        for formula in about.formulas:
            answer = formula(p, x, *beside).astype(kind).astype(np.float64)
            yield answer, well if len(answer) == len(well) else np.array([well.all()])


def adds_well(p: Arithmetic, x: NDArray[Any]) -> Rows:
    """Return a mask of the rows whose Σ e^(x − max) has a digit right in this arithmetic."""
    total = np.exp(shifted(p, x).astype(np.float64)).sum(axis=-1)
    added = p.sum(p.exp(shifted(p, x)))[..., 0].astype(np.float64)
    well: Rows = np.abs(added - total) <= LEAST_DIGIT * total
    return well


def as_kind(p: Arithmetic, given: Any) -> Any:
    floating = isinstance(given, np.ndarray) and given.dtype.kind not in "iu"
    return given.astype(p.kind) if floating else given


def simulates(operation: str, form: Format, declared: Declared) -> bool:
    """Decide whether honest evaluations can be asked: for a backend that declares no arithmetic beside a flush.

    Such evaluations exist in 16 bits, and in any format for operations that declare it.
    """
    asked = form.p < FORMATS["float32"].p or SIMULATED[operation].every_format
    return asked and declared == Declared(flush=declared.flush)


def sizes(scale: Floats, form: Format) -> Floats:
    """Return what errors are measured against: at least the smallest normal number, below which they are absolute."""
    return np.maximum(scale, form.smallest_normal)


def honest(operation: str, form: Format, logits: NDArray[Any], given: list[Any], exact: Floats, size: Floats) -> Honest:
    """Return the errors of honest evaluations of rows with these exact values and `sizes`."""
    worst = Worst(exact, size)
    with np.errstate(all="ignore"):
        for answer, added_well in evaluations(operation, form, logits, given):
            worst.add(answer.reshape(exact.shape), added_well)
    least = ONE_ROUNDING * form.u
    by_element = (
        np.maximum(worst.by_element, least) if SIMULATED[operation].by_element else np.full_like(worst.by_row, np.inf)
    )
    return Honest(size, by_element, np.maximum(worst.by_row, least))


def leaves_no_digit(bound: Floats, size: Floats) -> Rows:
    """Return a mask of the rows where the norm of the bound is above a tenth of that of the sizes, or infinite."""
    known = np.isfinite(bound).all(axis=-1, keepdims=True)
    allowed = norm(np.where(known, bound, 0.0))
    return (~known | (allowed > LEAST_DIGIT * norm(size)))[:, 0]
