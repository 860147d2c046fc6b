"""The worst letter of each backend's operations, by dtype: every letter leads to the cell that it is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.operations import OPERATIONS
from reports.cells import figure, native, placed
from reports.html.chosen import worst_of_each
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


def heat_map(cells: pd.DataFrame, addresses: Mapping[int, str], own: bool) -> HeatMap:
    """Of frameworks themselves, or of their variants. `cells`: lettered; `addresses`: of those that the page has."""
    mine = cells[native(cells.backend) == own]
    worst = worst_of_each(mine).itertuples()
    shown = {(cell.operation, cell.dtype, cell.backend): square(cell, addresses) for cell in worst}
    dtypes = list(dict.fromkeys(mine.dtype))
    groups = [(dtype, list(dict.fromkeys(mine.backend[mine.dtype == dtype]))) for dtype in dtypes]
    known = [name for name in OPERATIONS if name in set(mine.operation)]
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
