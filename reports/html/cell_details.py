"""A cell in full, together with the cells that differ from it only in the backend.

It shows its figures, its bound, the witness, where its errors lie, and how to reproduce it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.faults import Outcome
from harness.judging.tally import EDGES
from reports.html.kept_cells import MEANING
from reports.html.tables import Column, Table, TableCell, number, whole
from reports.tables import links
from reports.tables.text import command, placed

FIGURES = {
    "worst_ulp_error": "error, ulp",
    "bound": "bound B, ulp",
    "worst_error_over_bound": "error / bound",
    "error_over_bound": "largest error / bound",
    "max_ulp_error": "largest error, ulp",
    "max_ulp_error_ftz": "largest error without flushed zeros, ulp",
    "error_over_any_order_bound": "error / bound for any summation order",
    "error_over_simulated_limit": "error / simulated limit",
    "error_over_default_bound": "error / default bound",
    "measured_chain": "measured summation chain",
    "mean_ulp_error": "mean error, ulp",
    "max_relative_error": "largest relative error",
    "mean_relative_error_percent": "mean relative error, %",
    "bias_percent": "bias, %",
    "max_absolute_error": "largest absolute error",
    "smallest_rtol": "smallest rtol that passes",
    "smallest_atol": "smallest atol that passes",
}
SAME = {
    "error_over_bound": "worst_error_over_bound",
    "max_ulp_error": "worst_ulp_error",
    "max_ulp_error_ftz": "max_ulp_error",
    "error_over_any_order_bound": "error_over_bound",
    "smallest_rtol": "max_relative_error",
    "smallest_atol": "max_absolute_error",
}
"""Figures that are left out if they equal the other figure."""
COUNTS = {
    "elements": "elements",
    "misrounded": "not correctly rounded",
    "nan_count": "NaN",
    "infinity_count": "infinite",
    "zero_references": "exact value 0",
    "missed_zeros": "exact value 0, result not 0",
    "relative_overflows": "relative error overflows float64",
    "flushed_to_zero": "flushed to zero",
    "lost_components": "lost components",
    "unbounded": "without a finite bound",
}
"""Counts, left out if they are 0, except the first."""


@dataclass(frozen=True)
class Witness:
    """The worst element of a cell.

    `vectors`: the row's arguments by name, number by number; `others`: the arguments that are not one list of numbers.
    """

    element: int
    vectors: Mapping[str, Sequence[str]]
    others: Mapping[str, str]
    actual: tuple[str, str]
    """The number in hexadecimal and in decimal."""
    expected: tuple[str, str]

    @property
    def marked(self) -> int:
        """Return the place in the row that the element belongs to."""
        return self.element % max(1, *map(len, self.vectors.values()))


@dataclass(frozen=True)
class Detail:
    """A cell in full. `bars`: a histogram's bins, each with its upper end, count and share of the highest count."""

    cell: Any
    backends: Sequence[str]
    """The backends that gave these answers, bit for bit."""
    place: str
    figures: Sequence[tuple[str, TableCell]]
    witness: Witness | None
    bars: Sequence[tuple[str, int, float]]
    command: str
    derivation: str
    theorem: str

    @property
    def answered(self) -> bool:
        return bool(self.cell.outcome == Outcome.OK)

    @property
    def meaning(self) -> str:
        return MEANING[self.cell.letter]


def details(kept: pd.DataFrame) -> Iterator[Detail]:
    """Yield one place each for cells with the same address, in the order of the cells."""
    places: dict[str, list[Any]] = {}
    for cell in kept.itertuples():
        places.setdefault(cell.address, []).append(cell)
    for cell, *others in places.values():
        yield Detail(
            cell,
            [same.backend for same in (cell, *others)],
            placed(cell.case, cell.axis),
            list(figures(cell)),
            witness(cell.witness),
            bars(cell.ulp_histogram),
            command(cell),
            links.derivation(cell.operation),
            links.theorem(cell.operation),
        )


def figures(cell: Any) -> Iterator[tuple[str, TableCell]]:
    for column, name in FIGURES.items():
        value = getattr(cell, column)
        if not pd.isna(value) and value != getattr(cell, SAME.get(column, ""), None):
            yield name, number(value)
    for column, name in COUNTS.items():
        value = getattr(cell, column)
        if not pd.isna(value) and (value or column == "elements"):
            yield name, whole(value)


def witness(text: str) -> Witness | None:
    """Return the witness that a text holds, or None if there is none."""
    said = json.loads(text) if text else None
    if not isinstance(said, dict) or "actual" not in said:
        return None
    given = {name: value for name, value in said.items() if name not in ("element", "actual", "expected")}
    vectors = {name: list(map(brief, value)) for name, value in given.items() if is_list_of_numbers(value)}
    others = {name: numbers_text(value) for name, value in given.items() if name not in vectors}
    return Witness(
        int(said.get("element", 0)), vectors, others, both(said["actual"]), both(str(said.get("expected", "")))
    )


def is_list_of_numbers(value: Any) -> bool:
    """Decide whether a value is a list of numbers."""
    return isinstance(value, list) and not any(isinstance(part, list) for part in value)


def numbers_text(value: Any) -> str:
    """Return a number, or nested lists of numbers, as text. A matrix has one list per row."""
    if not isinstance(value, list):
        return brief(value)
    return (", " if is_list_of_numbers(value) else " · ").join(map(numbers_text, value))


def both(text: str) -> tuple[str, str]:
    """Return a hexadecimal number, and the decimal that reads back as the same float64."""
    try:
        return brief(text), repr(float.fromhex(text))
    except (ValueError, OverflowError):
        return text, ""


def brief(number: Any) -> str:
    """Return a hexadecimal number without trailing zeros: 0x1.8000000000000p+1 as 0x1.8p+1."""
    start, point, rest = str(number).partition(".")
    digits, sign, exponent = rest.partition("p")
    digits = digits.rstrip("0")
    return f"{start}{point if digits else ''}{digits}{sign}{exponent}" if sign else str(number)


def bars(text: str) -> list[tuple[str, int, float]]:
    """Return the bars of a histogram, from the first bin that holds an element to the last bin."""
    counts: list[int] = json.loads(text) if text else []
    most = max(counts, default=0)
    first = next((number for number, count in enumerate(counts) if count), 0)
    return [(end(EDGES[k]), counts[k], counts[k] / most) for k in range(first, len(counts))] if most else []


def end(edge: float) -> str:
    """Return the upper end of a bin as text."""
    if edge == 0.5:
        return "½"
    return f"{edge:.0f}" if edge < 2**17 else f"2^{int(edge).bit_length() - 1}" if edge < float("inf") else "∞"


def listed(details: Sequence[Detail]) -> Table:
    """Return the table of kept cells, with a row for each place."""
    columns = [
        Column("backend"), Column("operation"), Column("case"), Column("dtype"), Column("grade"), Column("verdict"),
        Column("error, ulp", "comparisons.worst_ulp_error", numeric=True),
        Column("bound, ulp", "comparisons.bound", numeric=True),
        Column("error / bound", "comparisons.worst_error_over_bound", numeric=True),
        Column("mean relative error, %", "comparisons.mean_relative_error_percent", numeric=True),
    ]  # fmt: skip
    rows = [
        [
            TableCell(", ".join(its.backends), link=cell.address),
            TableCell(cell.operation),
            TableCell(its.place),
            TableCell(cell.dtype),
            TableCell(cell.letter, grade=cell.letter),
            TableCell(verdict(cell)),
            number(cell.worst_ulp_error),
            number(cell.bound),
            number(cell.worst_error_over_bound),
            number(cell.mean_relative_error_percent),
        ]
        for its in details
        for cell in (its.cell,)
    ]
    return Table("cells", "The cells on this page, the worst first", columns, rows)


def verdict(cell: Any) -> str:
    """Return the words for a cell's verdict, or for its outcome with the reason."""
    return cell.verdict if cell.verdict else f"{cell.outcome}: {cell.reason}"
