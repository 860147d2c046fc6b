"""What makes a run's exit status other than 0, as plain text: the run's own troubles, and its cells, worst first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.faults import DEATHS, Outcome
from harness.records import Run
from harness.runs import exit_status
from reports.tables import summary
from reports.tables.text import command, figure, legible, placed

READ = [
    "operation", "case", "dtype", "axis", "backend", "outcome", "reason", "verdict", "grade", "worst_error_over_bound",
    "worst_ulp_error", "nan_count", "infinity_count", "worst_index", "witness",
]  # fmt: skip
"""The columns that are read to describe a cell. Without the others, 100,000 cells take half the time."""
LONGEST = 500
"""The largest number of characters of a foreign sentence."""


def of_the_run(run: Run) -> list[str]:
    """Return a sentence for each cause of the exit status that belongs to no cell."""
    about = run.about
    told = ["interrupted: only the finished cells are included"] * bool(about.get("partial"))
    told += [f"internal error: {fault}" for fault in about.get("faults", [])]
    told += unanswered(about.get("unanswered_probes", []))
    told += exit_status.unjudged_by_name(run)
    told += ["no result was compared"] * (not (run.comparisons.outcome == Outcome.OK).any())
    return [clipped(sentence) for sentence in told]


def unanswered(probes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each backend and each outcome of its probes, with their number."""
    number = Counter((str(probe["backend"]), f"{probe['outcome']!s}: {probe['reason']}") for probe in probes)
    return [f"{count} probe{'s' * (count > 1)} of {backend}: {why}" for (backend, why), count in number.items()]


def of_the_cells(run: Run) -> pd.DataFrame:
    """Return cells that fail, raised, or whose backend died; those without figures first, then by their bound."""
    cells = run.comparisons
    return summary.ranked_by_bound(cells[cells.index.isin(summary.failing(run).index) | cells.outcome.isin(DEATHS)])


def what(cell: Any) -> str:
    """Return the words for a cell's trouble: its verdict or its outcome."""
    return str(cell.verdict or cell.outcome)


def brief(cell: Any) -> str:
    """Return one line of figures, or the reason why there are none."""
    if cell.outcome != Outcome.OK:
        return f"{cell.outcome!s}: {clipped(cell.reason)}"
    share, ulp = figure(cell.worst_error_over_bound), figure(cell.worst_ulp_error)
    figures = f"error / bound {share}, error {ulp} ulp, grade {cell.grade or '–'}"
    broken = f", {cell.nan_count} NaN, {cell.infinity_count} infinite" if cell.nan_count or cell.infinity_count else ""
    return figures + broken


def details(cell: Any, whole: bool) -> Iterator[str]:
    """Yield the reason, the worst element, and the command that shows it. `whole`: whether its row is included."""
    if cell.outcome == Outcome.OK and cell.reason:
        yield clipped(cell.reason)
    if cell.witness:
        yield f"worst element {cell.worst_index}:"
        yield from (f"{key}: {value}" for key, value in witness(cell, whole).items())
    yield command(cell)


def witness(cell: Any, whole: bool) -> dict[str, str]:
    """Return the lines of a witness by name. `whole`: whether the row's arguments are included."""
    found = json.loads(cell.witness)
    kept = found if whole else {key: found[key] for key in ("actual", "expected") if key in found}
    return {key: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in kept.items()}


def name(cell: Any) -> str:
    return f"{cell.operation}, {placed(cell.case, cell.axis)}, {cell.dtype}"


def clipped(text: str) -> str:
    """Return one line of at most `LONGEST` characters."""
    line = " ".join(legible(text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
