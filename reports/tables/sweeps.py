"""A run's synthetic cases, too many for a row each: the worst of each backend, and which ways of asking change bits."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from harness.operations import OPERATIONS
from harness.records import Run
from harness.runs.store import TABLES
from reports.tables.text import answered_cells, figure


def synthetic(cases: pd.Series) -> pd.Series:
    """Return a mask of the cases that belong to a sweep: a family in a shape, or a case asked in another way."""
    return cases.str.contains("[:@]")


def named(run: Run) -> Run:
    """Return the run without its sweeps."""
    parts = {name: getattr(run, name) for name in TABLES}
    return replace(run, **{name: part[~synthetic(part["case"])] for name, part in parts.items()})


def worst(run: Run) -> pd.DataFrame:
    """Return a row per operation and dtype: the number of cells, and each backend's largest share of a bound."""
    cells = answered_cells(run)
    cells = cells.loc[synthetic(cells["case"]), ["operation", "case", "dtype", "backend", "grade", "error_over_bound"]]
    rows = []
    for operation in (name for name in OPERATIONS if (cells.operation == name).any()):
        for dtype, found in cells[cells.operation == operation].groupby("dtype", sort=False):
            row = {"operation": operation, "dtype": dtype, "cells": f"{len(found):,}"}
            rows.append(row | {backend: largest(its) for backend, its in found.groupby("backend", sort=False)})
    return pd.DataFrame(rows).fillna("–")


def largest(cells: pd.DataFrame) -> str:
    """Return one backend's largest share of a bound, with grade and case."""
    shares = cells.error_over_bound.fillna(float("inf"))
    top = shares.idxmax()
    return f"{figure(shares.max())} {cells.at[top, 'grade']} {cells.at[top, 'case']}"


def bits(run: Run) -> pd.DataFrame:
    """Return a row per way of asking, and a column per backend.

    An entry says in how many questions the answer has the same bits as the plain question's.
    """
    cells = run.comparisons[run.comparisons.same_bits.notna()]
    way = cells["case"].map(lambda name: name.partition("@")[2])
    rows = [
        {"variation": name}
        | {
            backend: f"{int(same.sum())} of {len(same)}"
            for backend, same in its.groupby("backend", sort=False).same_bits
        }
        for name, its in cells.groupby(way, sort=True)
    ]
    return pd.DataFrame(rows).fillna("–")
