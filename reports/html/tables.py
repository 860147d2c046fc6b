"""A table as the page shows it: cells of text, and beside a rounded number the exact one that was saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.tables.text import figure

NUMBER = re.compile(r"[–\d.,e+\-]*(?: %| ulp)?|inf|nan")


@dataclass(frozen=True)
class TableCell:
    """A cell of a table.

    `exact`: the saved number that `text` rounds; `link`: a place on the page; `title`: what it shows on hovering.
    """

    text: str
    exact: str = ""
    link: str = ""
    title: str = ""
    grade: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table. `source`: the saved table and its column, if the cells have exact numbers."""

    name: str
    source: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table. `key`: its name in the page's address. The first column says what a row is about."""

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[TableCell]]

    @property
    def long(self) -> bool:
        """Return whether a filter helps."""
        return len(self.rows) > 12


def exact(value: Any) -> str:
    """Return a saved number as text that reads back as the same number; empty for none."""
    if value is None or pd.isna(value):
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def number(value: Any, unit: str = "", link: str = "", title: str = "") -> TableCell:
    """Return a cell with a number, rounded and exact."""
    shown = figure(value)
    return TableCell(f"{shown}{unit}" if shown != "–" else shown, exact(value), link, title)


def whole(value: Any) -> TableCell:
    """Return a cell with a count, with thousands separators."""
    return TableCell("–") if value is None or pd.isna(value) else TableCell(f"{int(value):,}", str(int(value)))


def of_frame(key: str, caption: str, frame: pd.DataFrame) -> Table:
    """Return a table of text as other formats have it. Columns that hold only numbers are aligned as such."""
    texts = {str(name): [str(value) for value in frame[name]] for name in frame.columns}
    columns = [Column(name, numeric=all(map(NUMBER.fullmatch, values))) for name, values in texts.items()]
    rows = [[TableCell(text) for text in row] for row in zip(*texts.values(), strict=True)] if texts else []
    return Table(key, caption, columns, rows)
