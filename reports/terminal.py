"""A short table for a person: who agrees, who is furthest from the truth, on what."""

from __future__ import annotations

from tabulate import tabulate

from harness.records import Run
from reports import table

MOST_ROWS = 12


def render(run: Run) -> str:
    """Ten seconds of reading; `report.md` beside the run has the rest."""
    parts = [table.headline(run)]
    if len(summary := table.summary(run)):
        parts.append(tabulate(summary, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True))
    short = table.shortfalls(run)
    if len(short):
        shown = short.drop(columns=["NaN/inf"]).head(MOST_ROWS)
        rest = f"\n… and {len(short) - MOST_ROWS} more" if len(short) > MOST_ROWS else ""
        grid = tabulate(shown, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True)
        parts.append(f"Falls short:\n{grid}{rest}")
    quiet = run.comparisons.outcome.isin(table.QUIET_OUTCOMES)
    if not quiet.all():
        missing = table.unanswered(run)
        missing = missing[~missing.outcome.isin([*table.QUIET_OUTCOMES, "failed"])]
        if len(missing):
            parts.append(tabulate(missing, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True))
    return "\n\n".join(parts) + "\n"
