"""A short table for a person: how far the backends differ, which is the least accurate, and where."""

from __future__ import annotations

import pandas as pd
from tabulate import tabulate

from harness.faults import Outcome
from harness.records import Run
from reports.tables import failures, nearness, summary
from reports.tables.text import legible

MOST_ROWS = 12
HEAD_WIDTH = 17
"""The widest heading of a column. A longer one is wrapped."""


def render(run: Run) -> str:
    """Return a text that takes ten seconds to read. `report.md` beside the run has the rest."""
    parts = [summary.headline(run), *failures.of_the_run(run)]
    if len(overview := nearness.overview(run)):
        parts.append(grid(overview))
    if len(short := summary.shortfalls(run)):
        shown = grid(short.drop(columns=["NaN/inf"]).head(MOST_ROWS))
        rest = f"\n… and {len(short) - MOST_ROWS} more" if len(short) > MOST_ROWS else ""
        parts.append(f"Failures:\n{shown}{rest}")
    if len(chained := summary.excused(run)):
        rest = f"\n… and {len(chained) - MOST_ROWS} more" if len(chained) > MOST_ROWS else ""
        table = grid(chained.head(MOST_ROWS))
        parts.append(f"Above the bound, explained by a measured summation chain:\n{table}{rest}")
    if len(missing := summary.unanswered(run, without=(*summary.QUIET_OUTCOMES, Outcome.FAILED))):
        parts.append(grid(missing))
    return "\n\n".join(parts) + "\n"


def grid(rows: pd.DataFrame) -> str:
    """Return an aligned table, a line per row. No control character of foreign text reaches a terminal."""
    lines = rows.map(lambda cell: " ".join(legible(str(cell)).split()))
    wrapped = [HEAD_WIDTH] * len(lines.columns)
    return tabulate(
        lines, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True, maxheadercolwidths=wrapped
    )
