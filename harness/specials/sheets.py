"""Rows side by side in one array, each in a situation of its own, and the arguments that go with them.

A backend is called with many rows at once. So it is also asked whether a row's answer depends on its neighbours. All
finite floats are small multiples of powers of two, exact in their format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers import arrays
from harness.numbers.arrays import Floats
from harness.numbers.formats import FORMATS
from harness.operations import ARGUMENTS, OPERATIONS

LAYOUT_AXES = {"last": -1, "first": 0, "alone": -1, "0-d": -1}
"""The axis that is named in each layout. Rows lie as (rows, n) in `last` and as (n, rows) in `first`; one row lies as
(n,) in `alone`, and one number as () in `0-d`."""


@dataclass(frozen=True, eq=False)
class SheetRow:
    """One row of logits, in shape (n,). `situation` is empty for a row that only stands beside others."""

    logits: NDArray[Any]
    position: str = ""
    """What distinguishes the row from others in the same situation, in words."""
    special: tuple[int, ...] = ()
    """The places that facts distinguish, besides those of -inf."""
    label: int | None = None
    labels_sum: float = 1.0
    situation: str = ""

    @property
    def masked(self) -> NDArray[np.bool_]:
        """A mask of the places of -inf."""
        return np.isneginf(self.logits) if self.logits.dtype.kind == "f" else np.zeros(len(self.logits), bool)

    @property
    def odd(self) -> NDArray[np.bool_]:
        """A mask of the places of -inf and of the special ones."""
        places = self.masked
        places[list(self.special)] = True
        return places


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows of one width in one dtype. Two sheets are equal only if they are the same object."""

    situations: tuple[str, ...]
    rows: Sequence[SheetRow]
    n: int
    dtype: str

    def of(self, situations: Iterable[str]) -> Sheet:
        """Return a sheet of the rows in these situations and of those that only stand beside others."""
        chosen = tuple(situations)
        return Sheet(chosen, [row for row in self.rows if row.situation in ("", *chosen)], self.n, self.dtype)

    def alone(self, number: int) -> Sheet:
        row = self.rows[number]
        return Sheet((row.situation,), [row], self.n, self.dtype)


def label(row: SheetRow) -> int:
    """Return the row's own label, or the first class at which nothing is odd, or 0 if there is none."""
    return row.label if row.label is not None else first_and_last(row)[0]


def first_and_last(row: SheetRow) -> tuple[int, int]:
    """Return the first and the last place at which nothing is odd, or of all places if there is none."""
    places = np.flatnonzero(~row.odd) if not row.odd.all() else np.arange(len(row.logits))
    return int(places[0]), int(places[-1])


def distribution(number: int, row: SheetRow) -> Floats:
    """Return labels in shape (n,): half at the first and half at the last class at which nothing is odd.

    The labels and their sum are exact.
    """
    p = np.zeros(len(row.logits))
    if len(p):
        np.add.at(p, list(first_and_last(row)), row.labels_sum / 2)
    return p


def direction(number: int, row: SheetRow) -> Floats:
    """Return a cotangent or tangent in shape (n,), of multiples of 1/8 from −1 to 1."""
    return ((7 * np.arange(len(row.logits)) + 3 * number) % 17 - 8) / 8


def lines(sheet: Sheet, make: Callable[[int, SheetRow], NDArray[Any]], dtype: str) -> NDArray[Any]:
    """Return one line for each row, in shape (rows, n)."""
    made = np.array([make(i, row) for i, row in enumerate(sheet.rows)])
    return made.reshape(len(sheet.rows), sheet.n).astype(arrays.dtype(dtype))


@lru_cache(maxsize=64)
def argument(sheet: Sheet, name: str) -> NDArray[Any]:
    """Return an argument of all rows, in shape (rows, n); labels in shape (rows,).

    Beside logits that are no floats, cotangents, tangents and label distributions are in float32.
    """
    match ARGUMENTS[name].kind:
        case "rows":
            return lines(sheet, lambda i, row: row.logits, sheet.dtype)
        case "label":
            return np.array([label(row) for row in sheet.rows], dtype=np.int64)
        case "distribution":
            return lines(sheet, distribution, sheet.dtype if sheet.dtype in FORMATS else "float32")
        case _:
            return lines(sheet, direction, sheet.dtype if sheet.dtype in FORMATS else "float32")


def laid_out(values: NDArray[Any], layout: str) -> NDArray[Any]:
    """Return values of shape (rows, n), or labels of shape (rows,), as the layout has them."""
    match layout:
        case "first":
            return np.ascontiguousarray(values.T)
        case "alone":
            return np.asarray(values[0])
        case "0-d":
            return values.reshape(())
        case _:
            return values


def arguments(sheet: Sheet, operation: str, layout: str) -> dict[str, Any]:
    """Return what the operation's method is called with, besides the axis."""
    about = OPERATIONS[operation]
    made: dict[str, Any] = {name: laid_out(argument(sheet, name), layout) for name in about.arguments}
    return made | ({"reduction": about.reduction} if about.reduction else {})
