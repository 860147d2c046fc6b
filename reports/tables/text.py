"""What all formats share: which cells they report, and how a number, a place and foreign text are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from math import isinf
from typing import Any

import pandas as pd

from harness.faults import Outcome, Verdict
from harness.operations import OPERATIONS
from harness.records import Run

UNFIT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, and what XML 1.0 cannot hold: lone surrogates, U+FFFE and U+FFFF."""


def figure(value: Any) -> str:
    """Format a number for a table: two significant digits, whole from 100 on, 0 for exact zero, a dash for none.

    1 is written only for exactly 1. It is the limit of a share of a bound, and half of 2 ulp, so no rounding may reach
    or cross it.
    """
    if value is None or pd.isna(value):
        return "–"
    number = float(value)
    if number == 0 or isinf(number):
        return f"{number:g}"
    if 99.5 <= abs(number) < 1e6:
        return f"{number:,.0f}"
    if not 1e-3 <= abs(number) < 99.5:
        return f"{number:.1e}"
    texts = (f"{number:.{digits}g}" for digits in range(2, 18))
    return next(text for text in texts if abs(float(text)) != 1 or abs(number) == 1)


def native(names: pd.Series) -> pd.Series:
    """Return a mask of the backends that are a framework's own, not variants."""
    return ~names.isin([name for name in names.unique() if ":" in name])


def answered_cells(run: Run) -> pd.DataFrame:
    """Return cells with an answer, without those that are declared to be wrong."""
    cells = run.comparisons
    return cells[(cells.outcome == Outcome.OK) & (cells.verdict != Verdict.AS_DECLARED)]


def placed(case: str, axis: int) -> str:
    return case if axis == -1 else f"{case}, axis {axis}"


def command(cell: Any) -> str:
    """Return the command that shows a cell by a script without the harness.

    The axis is included if it is not the last one.
    """
    axis = [] if cell.axis == -1 else [f"--axis={cell.axis}"]
    words = [cell.backend, cell.operation, cell.case, cell.dtype, *axis]
    return shlex.join(["python", "-m", "harness", "reproduce", *words])


def questions(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield the (operation, dtype) pairs that occur, in the order of `OPERATIONS`."""
    there = list(dict.fromkeys(zip(rows["operation"], rows["dtype"], strict=True)))
    yield from sorted(there, key=lambda key: list(OPERATIONS).index(key[0]))


def legible(text: str) -> str:
    """Return foreign text without control characters. Its line ends become newlines, and its tabs spaces."""
    return UNFIT.sub("", re.sub("\r\n?", "\n", text).replace("\t", " "))
