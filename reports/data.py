"""The run as data, for programs: all of it as JSON, or its comparisons as CSV."""

from __future__ import annotations

import json as library
from typing import Any

import pandas as pd

from harness.records import Run
from harness.runs.store import TABLES
from harness.runs.store import csv as table_csv


def json(run: Run) -> str:
    """Return `run.json` with the rows of its tables.

    JSON has no NaN and no infinity. NaN is written as null, and infinities as the strings inf and -inf.
    """
    tables = {
        name: [{key: plain(value) for key, value in row.items()} for row in table.to_dict("records")]
        for name, table in ((name, getattr(run, name)) for name in TABLES)
    }
    return library.dumps({**run.about, **tables}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Return a cell of a table as JSON holds it. A missing value is None."""
    if pd.isna(value):
        return None
    return str(value) if value in (float("inf"), float("-inf")) else value


def csv(run: Run) -> str:
    """Return the comparisons, one row per cell."""
    return table_csv(run.comparisons)
