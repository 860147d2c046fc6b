"""Rows side by side in one array, each in a situation of its own, and the arguments that go with them.

A backend is called with many rows at once: what a row gets must not depend on its neighbours, so that is asked as well.
All numbers are small multiples of powers of two, exact in every format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS

Floats = NDArray[np.float64]
AXES = {"last": -1, "first": 0, "alone": -1, "0-d": -1}
"""How rows lie: as (rows, n), as (n, rows), one row as (n,), one number as (); and the axis that is named."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of logits. `situation` is empty for a row that only stands beside."""

    logits: NDArray[Any]
    position: str = ""
    """What tells it from other rows in the same situation, in words."""
    special: tuple[int, ...] = ()
    """Places that facts tell apart, beside those of -inf."""
    label: int | None = None
    labels_sum: float = 1.0
    situation: str = ""

    @property
    def masked(self) -> NDArray[np.bool_]:
        """The places of -inf."""
        return np.isneginf(self.logits) if self.logits.dtype.kind == "f" else np.zeros(len(self.logits), bool)

    @property
    def odd(self) -> NDArray[np.bool_]:
        """Those and the special ones."""
        places = self.masked
        places[list(self.special)] = True
        return places


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows of one width in one dtype. Two sheets are the same only if they are one."""

    situations: tuple[str, ...]
    rows: Sequence[Row]
    n: int
    dtype: str

    def of(self, situations: Iterable[str]) -> Sheet:
        """Only rows in these situations, and those that only stand beside."""
        chosen = tuple(situations)
        return Sheet(chosen, [row for row in self.rows if row.situation in ("", *chosen)], self.n, self.dtype)

    def alone(self, number: int) -> Sheet:
        row = self.rows[number]
        return Sheet((row.situation,), [row], self.n, self.dtype)


def label(row: Row) -> int:
    """Its own, or the first class at which nothing is odd; 0 where there is none."""
    return row.label if row.label is not None else first_and_last(row)[0]


def first_and_last(row: Row) -> tuple[int, int]:
    """Of the places at which nothing is odd, or of all where there is none such."""
    places = np.flatnonzero(~row.odd) if not row.odd.all() else np.arange(len(row.logits))
    return int(places[0]), int(places[-1])


def distribution(number: int, row: Row) -> Floats:
    """Half at the first and half at the last class at which nothing is odd: exact, and so is the sum."""
    p = np.zeros(len(row.logits))
    if len(p):
        np.add.at(p, list(first_and_last(row)), row.labels_sum / 2)
    return p


def direction(number: int, row: Row) -> Floats:
    """A cotangent or tangent: multiples of 1/8 up to 1."""
    return ((7 * np.arange(len(row.logits)) + 3 * number) % 17 - 8) / 8


def lines(sheet: Sheet, make: Callable[[int, Row], NDArray[Any]], dtype: str) -> NDArray[Any]:
    """One a row: (rows, n)."""
    made = np.array([make(i, row) for i, row in enumerate(sheet.rows)])
    return made.reshape(len(sheet.rows), sheet.n).astype(arrays.dtype(dtype))


@lru_cache(maxsize=64)
def argument(sheet: Sheet, name: str) -> NDArray[Any]:
    """Of all rows, as (rows, n); labels as (rows,). What stands beside logits that are no floats is in float32."""
    match name:
        case "logits":
            return lines(sheet, lambda i, row: row.logits, sheet.dtype)
        case "labels":
            return np.array([label(row) for row in sheet.rows], dtype=np.int64)
        case "distribution":
            return lines(sheet, distribution, sheet.dtype if sheet.dtype in FORMATS else "float32")
        case _:
            return lines(sheet, direction, sheet.dtype if sheet.dtype in FORMATS else "float32")


def laid_out(values: NDArray[Any], layout: str) -> NDArray[Any]:
    """(rows, n), or labels as (rows,), as the layout has them."""
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
    """What the operation's method is called with, beside the axis."""
    about = OPERATIONS[operation]
    made: dict[str, Any] = {name: laid_out(argument(sheet, name), layout) for name in about.arguments}
    return made | ({"reduction": about.reduction} if about.reduction else {})
