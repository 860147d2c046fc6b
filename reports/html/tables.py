"""A table as the page has it: cells of text, and beside a rounded number the exact one that was saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.tables.cells import figure

NUMBER = re.compile(r"[–\d.,e+\-]*(?: %| ulp)?|inf|nan")


@dataclass(frozen=True)
class Cell:
    """`exact`: the saved number that `text` rounds; `link`: a place on the page; `title`: what it says on hovering."""

    text: str
    exact: str = ""
    link: str = ""
    title: str = ""
    grade: str = ""


@dataclass(frozen=True)
class Column:
    """`source`: the saved table and its column, where cells have exact numbers."""

    name: str
    source: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """`key`: its name in the page's address. The first column is what a row is about."""

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    @property
    def long(self) -> bool:
        """Whether a filter helps."""
        return len(self.rows) > 12


def exact(value: Any) -> str:
    """A saved number so that it reads back as the same; empty for none."""
    if value is None or pd.isna(value):
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def number(value: Any, unit: str = "", link: str = "", title: str = "") -> Cell:
    """As it is read, and exactly."""
    shown = figure(value)
    return Cell(f"{shown}{unit}" if shown != "–" else shown, exact(value), link, title)


def whole(value: Any) -> Cell:
    """A count, with its thousands set apart."""
    return Cell("–") if value is None or pd.isna(value) else Cell(f"{int(value):,}", str(int(value)))


def of_frame(key: str, caption: str, frame: pd.DataFrame) -> Table:
    """A table of text as other formats have it; columns of numbers alone are aligned as such."""
    texts = {str(name): [str(value) for value in frame[name]] for name in frame.columns}
    columns = [Column(name, numeric=all(map(NUMBER.fullmatch, values))) for name, values in texts.items()]
    rows = [[Cell(text) for text in row] for row in zip(*texts.values(), strict=True)] if texts else []
    return Table(key, caption, columns, rows)
