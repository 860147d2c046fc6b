"""What each framework answers, in which dtypes, and why not where it does not."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from harness.faults import Outcome
from harness.operations import OPERATIONS
from harness.records import Run
from reports.html.tables import Column, Table, TableCell, of_frame
from reports.tables import summary
from reports.tables.summary import shortened
from reports.tables.text import native

KEY = ["operation", "backend", "dtype", "outcome", "reason"]
Reasons = Mapping[tuple[str, str], int]


def reasons(run: Run) -> Table:
    """Return the outcomes without an answer, numbered."""
    rows = summary.unanswered(run)
    if len(rows):
        rows.insert(0, "number", [str(number) for number in range(1, len(rows) + 1)])
    return of_frame("reasons", "Cells without a result, by reason", rows)


def numbered(run: Run) -> Reasons:
    """Return the numbers of `reasons`, by outcome and reason."""
    cells = run.comparisons[run.comparisons.outcome != Outcome.OK]
    keys = cells.groupby(["outcome", "reason"], sort=False).size().index
    return {key: number for number, key in enumerate(keys, 1)}


def matrix(run: Run) -> Table:
    """Return a table with an operation per row and a framework per column."""
    cells = run.comparisons.loc[native(run.comparisons.backend), KEY]
    names, known = list(dict.fromkeys(cells.backend)), numbered(run)
    seen = cells.drop_duplicates()
    by_square = dict(list(seen.groupby(["operation", "backend"], sort=False)))
    rows = [
        [TableCell(operation), *(TableCell(said(by_square.get((operation, name)), known)) for name in names)]
        for operation in OPERATIONS
        if operation in set(seen.operation)
    ]
    columns = [Column("operation"), *(Column(name) for name in names)]
    return Table(
        "support", "Supported dtypes, by operation and framework; [1] refers to the reasons below", columns, rows
    )


def said(cells: pd.DataFrame | None, known: Reasons) -> str:
    """Return a text such as `float64, float32; bfloat16: unsupported [2]`."""
    if cells is None:
        return "not requested"
    there = list(dict.fromkeys(cells.dtype[cells.outcome == Outcome.OK]))
    missing = cells[cells.outcome != Outcome.OK]
    why = {f"{cell.dtype}: {cell.outcome} [{known[cell.outcome, cell.reason]}]": None for cell in missing.itertuples()}
    return "; ".join(filter(None, (", ".join(there), *why)))


def variants(run: Run) -> Table:
    """Return a row per variant: what it computes in another way than its framework does."""
    cells = run.comparisons.loc[~native(run.comparisons.backend), KEY]
    rows = [
        {
            "variant": name,
            "operations": shortened(dict.fromkeys(its.operation[its.outcome == Outcome.OK]), 6) or "–",
            "dtypes": ", ".join(dict.fromkeys(its.dtype[its.outcome == Outcome.OK])) or "–",
            "cells without a result": f"{int((its.outcome != Outcome.OK).sum()):,}",
        }
        for name, its in cells.groupby("backend", sort=False)
    ]
    return of_frame(
        "variants",
        "Variants, and the operations that they compute in another way than their framework",
        pd.DataFrame(rows),
    )
