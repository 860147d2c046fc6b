"""The worst letter of each backend's operations, by dtype: every letter leads to the cell that it is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.operations import OPERATIONS
from reports.cells import figure, native, placed
from reports.html.tables import Cell

NOWHERE = Cell("")


@dataclass(frozen=True)
class HeatMap:
    """`groups`: dtypes with their backends, side by side; `rows`: an operation and its cells in that order."""

    caption: str
    groups: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[tuple[str, Sequence[Cell]]]

    @property
    def wide(self) -> bool:
        """Whether the columns' heads are written upwards."""
        return sum(len(names) for _, names in self.groups) > 8


def heat_map(cells: pd.DataFrame, worst: pd.DataFrame, addresses: Mapping[int, str], own: bool) -> HeatMap:
    """Of frameworks themselves, or of their variants. `worst`: of each square; `addresses`: of those on the page."""
    columns = cells[["dtype", "backend"]].drop_duplicates()
    columns = columns[native(columns.backend) == own]
    shown = {(cell.operation, cell.dtype, cell.backend): square(cell, addresses) for cell in worst.itertuples()}
    groups = [(str(dtype), list(names)) for dtype, names in columns.groupby("dtype", sort=False).backend]
    asked = {operation for operation, dtype, name in shown if name in set(columns.backend)}
    known = [name for name in OPERATIONS if name in asked]
    return HeatMap(
        "Worst grade over all cases, by operation, dtype and " + ("framework" if own else "variant"),
        groups,
        [(name, [shown.get((name, d, b), NOWHERE) for d, names in groups for b in names]) for name in known],
    )


def square(cell: Any, addresses: Mapping[int, str]) -> Cell:
    """One letter."""
    where = placed(cell.case, cell.axis)
    answered = f"{figure(cell.bound_fraction)} of its bound" if cell.outcome == "ok" else cell.outcome
    return Cell(cell.letter, link=addresses.get(cell.Index, ""), title=f"{answered}, on {where}", grade=cell.letter)
