"""The worst letter of each backend's operations, by dtype. Every letter links to the cell that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.faults import Outcome
from harness.operations import OPERATIONS
from reports.html.tables import TableCell
from reports.tables.text import figure, native, placed

NOWHERE = TableCell("")


@dataclass(frozen=True)
class HeatMap:
    """A table of letters. `groups`: columns under a common head; `rows`: a row's name, and its cells in that order."""

    key: str
    caption: str
    about: str
    groups: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[tuple[str, Sequence[TableCell]]]

    @property
    def wide(self) -> bool:
        """Return whether the columns' heads are written vertically."""
        return sum(len(names) for _, names in self.groups) > 8


class HeatMaps:
    """The heat maps of a page.

    `worst`: the cell of each square; `addresses`: those of the cells that the page has, by their rows.
    """

    def __init__(self, worst: pd.DataFrame, addresses: Mapping[int, str]) -> None:
        self.shown = {
            (cell.operation, cell.dtype, cell.backend): square(cell, addresses) for cell in worst.itertuples()
        }

    def of_frameworks(self, cells: pd.DataFrame) -> HeatMap:
        """Return the heat map with an operation per row, and the frameworks of each dtype side by side."""
        columns = column_keys(cells, own=True)
        groups = [(str(dtype), list(names)) for dtype, names in columns.groupby("dtype", sort=False).backend]
        rows = [
            (name, [self.shown.get((name, dtype, backend), NOWHERE) for dtype, names in groups for backend in names])
            for name in self.operations(columns)
        ]
        caption = "Worst grade over all cases, by operation, dtype and framework"
        return HeatMap("heat", caption, "operation", groups, rows)

    def of_variants(self, cells: pd.DataFrame) -> Iterator[HeatMap]:
        """Yield a heat map for each dtype, with a variant per row and an operation per column."""
        for dtype, its in column_keys(cells, own=False).groupby("dtype", sort=False):
            operations = self.operations(its)
            rows = [
                (backend, [self.shown.get((name, dtype, backend), NOWHERE) for name in operations])
                for backend in by_framework(its.backend)
            ]
            caption = f"Worst grade over all cases, by variant and operation, in {dtype}"
            yield HeatMap(f"heat-variants-{dtype}", caption, "variant", [(str(dtype), operations)], rows)

    def operations(self, columns: pd.DataFrame) -> list[str]:
        """Return the operations that any of these backends was asked for in that dtype, in their order."""
        places = set(zip(columns.dtype, columns.backend, strict=True))
        known = {operation for operation, dtype, backend in self.shown if (dtype, backend) in places}
        return [name for name in OPERATIONS if name in known]


def by_framework(backends: Iterable[str]) -> list[str]:
    """Return backends with a framework's variants side by side, frameworks in the order of first appearance."""
    names = list(backends)
    frameworks = list(dict.fromkeys(name.partition(":")[0] for name in names))
    return sorted(names, key=lambda name: frameworks.index(name.partition(":")[0]))


def column_keys(cells: pd.DataFrame, own: bool) -> pd.DataFrame:
    """Return each pair of dtype and backend. `own`: whether of frameworks themselves, or of their variants."""
    columns = cells[["dtype", "backend"]].drop_duplicates()
    return columns[native(columns.backend) == own]


def square(cell: Any, addresses: Mapping[int, str]) -> TableCell:
    """Return a heat map's cell with one letter."""
    where = placed(cell.case, cell.axis)
    found = f"error / bound {figure(cell.error_over_bound)}" if cell.outcome == Outcome.OK else cell.outcome
    return TableCell(cell.letter, link=addresses.get(cell.Index, ""), title=f"{found}, case {where}", grade=cell.letter)
