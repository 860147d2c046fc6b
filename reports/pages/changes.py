"""What changed since it was accepted, or between two runs: counts, then the worst cells with their worst elements.

It is one sentence if nothing changed. All functions are pure functions of the classified cells.
"""

from __future__ import annotations

import json as library
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from harness.baselines.cell_columns import KEY, PEAKS
from harness.baselines.changes import (
    AS_BEFORE,
    BETTER,
    CHANGED,
    GATE,
    GONE,
    JUDGED,
    KNOWN_TO,
    LARGER,
    NEW,
    NOT_ASKED,
    POOR,
    QUIET,
    SAME,
    STALE,
    UNANSWERED,
    WITHIN,
    WORSE,
    Changes,
)
from harness.faults import Outcome
from harness.runs.store import csv as table_csv
from reports import markdown, terminal
from reports.data import plain
from reports.tables.summary import shortened
from reports.tables.text import figure, placed

MOST_ROWS, MOST_WITNESSES = 12, 3
BY_ERROR = (WORSE, LARGER, BETTER, JUDGED, POOR)
BY_CELL = (CHANGED, *BY_ERROR)
MISSING = {
    GONE: "accepted and requested, but not in this run",
    STALE: "accepted for other inputs",
    UNANSWERED: "accepted, but now absent or not run",
    NEW: "not accepted yet",
}
Grid = Callable[[pd.DataFrame], str]


def render(moves: Changes, form: str) -> str:
    """Return the page in one of `FORMATS`."""
    return FORMATS[form](moves)


def as_terminal(moves: Changes) -> str:
    return joined(parts(moves, lambda rows: terminal.grid(rows) if len(rows) else "", str, "  {}"))


def as_markdown(moves: Changes) -> str:
    return joined(parts(moves, markdown.grid, markdown.escaped, "    {}"))


def joined(some: Iterator[str]) -> str:
    return "\n\n".join(part for part in some if part) + "\n"


def parts(moves: Changes, grid: Grid, written: Callable[[str], str], indented: str) -> Iterator[str]:
    """Yield the sentence, tables, witnesses, and the command that accepts.

    `written` formats prose; `indented` is a template for lines that are shown as they are.
    """
    yield written(headline(moves))
    if len(moves.failing):
        yield written("; ".join(moves.facts))
        yield grid(table(moves))
        yield written(left_out(int(moves.failing["class"].isin(BY_CELL).sum())))
        yield "\n".join(indented.format(line) for line in witnesses(moves))
        missing = together(moves)
        yield grid(missing.head(MOST_ROWS))
        yield written(left_out(len(missing)))
    if UNANSWERED in set(moves.failing["class"]):
        yield written("A backend that gave no answer cannot be accepted. Install it, or exclude it with --backend.")
    if moves.accepting:
        yield written("If these changes are intended, accept them with:") + "\n\n" + indented.format(moves.accepting)


def left_out(number: int) -> str:
    """Return how many rows a table with `MOST_ROWS` of them leaves out; empty if none."""
    return f"… and {number - MOST_ROWS:,} more; --format csv lists all." if number > MOST_ROWS else ""


def headline(moves: Changes) -> str:
    """Return the number of cells of each class, what fails first; one plain sentence if all is as it was."""
    counts = moves.cells["class"].value_counts()
    bad, good = (
        [f"{int(counts[name]):,} {told}" for name, told in named.items() if name in counts and name != NOT_ASKED]
        for named in ({name: name.upper() for name in GATE}, {name: name for name in QUIET})
    )
    total = len(moves.cells) - int(counts.get(NOT_ASKED, 0))
    aside = f"; {int(counts[NOT_ASKED]):,} others were not requested" if NOT_ASKED in counts else ""
    told = "; ".join(", ".join(some) for some in (bad, good) if some)
    partial = "Interrupted, so incomplete. " * moves.partial + "The judge failed on some cells. " * moves.faulty
    unjudged = "".join(f"{sentence}. " for sentence in moves.unjudged)
    quiet = "No error is above the accepted one. " if WITHIN in counts else "Nothing changed. "
    before = partial + unjudged + ("" if bad or unjudged else quiet)
    return f"{before}{total:,} cells compared with those {moves.before}: {told or 'none'}{aside}."


def table(moves: Changes) -> pd.DataFrame:
    """Return the worst of the cells whose answer or judgement differs from the accepted one."""
    failing = moves.failing
    worst = failing[failing["class"].isin(BY_CELL)].head(MOST_ROWS)
    return pd.DataFrame([row(cell) for cell in worst.to_dict("records")])


def together(moves: Changes) -> pd.DataFrame:
    """Return the cells that one side does not have, or that cannot be compared, by class and backend."""
    failing = moves.failing
    rest = failing[~failing["class"].isin(BY_CELL)]
    return pd.DataFrame(
        [
            {
                "change": str(name),
                "backend": backend,
                "cells": f"{len(its):,}",
                "operations": shortened(its.operation.unique()),
                "cases": shortened(its["case"].unique()),
                "reason": MISSING[str(name)],
            }
            for (name, backend), its in rest.groupby(["class", "backend"], sort=False)
        ]
    )


def row(cell: dict[str, Any]) -> dict[str, str]:
    return {
        "change": cell["class"],
        "backend": cell["backend"],
        "operation": cell["operation"],
        "case": placed(cell["case"], cell["axis"]),
        "dtype": cell["dtype"],
        "max error, ulp": change(cell, "max_ulp_error"),
        "mean error, ulp": change(cell, "mean_ulp_error"),
        "error / bound": change(cell, "error_over_bound"),
        "details": how(cell),
    }


def change(cell: dict[str, Any], name: str) -> str:
    """Return a figure before and now, in the fewest digits that tell them apart; once if it is the same."""
    before, now = cell[f"{name}_accepted"], cell[name]
    told = [(figure(before), figure(now))]
    if cell["class"] in BY_ERROR:
        told += [(f"{before:.{digits}g}", f"{now:.{digits}g}") for digits in range(3, 18)]
    return next((f"{a} → {b}" for a, b in told if a != b), figure(now))


def how(cell: dict[str, Any]) -> str:
    """Return in a few words what has changed."""
    if cell["class"] == CHANGED:
        return ", ".join(semantics(cell))
    if cell["class"] == JUDGED:
        return ", ".join(judgement(cell))
    if cell["class"] == POOR:
        return f"grade {cell['grade']}" if cell["grade"] else cell["verdict"]
    if cell["class"] == BETTER:
        return "the accepted error is out of date"
    by, nearer = (cell[name] - cell[f"{name}_accepted"] for name in PEAKS)
    if not (by > KNOWN_TO or nearer > KNOWN_TO):
        return "larger mean error"
    return (
        f"{figure(by)} ulp more, at element {cell['max_ulp_index']}"
        if by > KNOWN_TO
        else "larger error / bound, at another element"
    )


def semantics(cell: dict[str, Any]) -> Iterator[str]:
    if cell["outcome"] != cell["outcome_accepted"]:
        before, now = cell["outcome_accepted"], cell["outcome"]
        yield f"{before} → {now}" + f": {cell['raised']}" * bool(cell["raised"])
        return
    if cell["raised"] != cell["raised_accepted"]:
        yield f"{cell['raised_accepted']} → {cell['raised']}"
    if cell["answered"] != cell["answered_accepted"]:
        yield f"dtype {cell['answered_accepted'] or 'as claimed'} → {cell['answered'] or 'as claimed'}"
    for name, word in (("nan_count", "NaN"), ("infinity_count", "infinities")):
        if cell["outcome"] == Outcome.OK and cell[name] != cell[f"{name}_accepted"]:
            yield f"{word} {cell[f'{name}_accepted']} → {cell[name]}"


def judgement(cell: dict[str, Any]) -> Iterator[str]:
    for name in ("verdict", "grade"):
        if cell[name] != cell[f"{name}_accepted"]:
            before, now = (cell[column] or "none" for column in (f"{name}_accepted", name))
            yield f"{name} {before} → {now}"
    yield "same bits" if cell["answer"] == cell["answer_accepted"] else "other bits, no larger error"


def witnesses(moves: Changes) -> Iterator[str]:
    """Yield the worst element, in hexadecimal, of the worst cells that have a witness.

    If both runs kept their answers, yield also how far these are apart, and where they first differ.
    """
    failing = moves.failing
    shown = failing[failing.witness.fillna("").ne("") & failing["class"].isin(BY_CELL)]
    for cell in shown.head(MOST_WITNESSES).to_dict("records"):
        seen = library.loads(cell["witness"])
        where = f"{cell['backend']} {cell['operation']} {placed(cell['case'], cell['axis'])} {cell['dtype']}"
        yield f"{where} at {cell['worst_index']}: {earlier(cell)}{seen['actual']}, expected {seen['expected']}"
        if cell.get("difference_at"):
            most = figure(cell["difference_ulp"])
            yield f"  largest difference {most} ulp, first at {cell['difference_at']}: {cell['difference_hex']}"


def earlier(cell: dict[str, Any]) -> str:
    """Return what the earlier run answered at the same element, if that was its worst one too."""
    if not cell.get("witness_accepted") or cell["worst_index_accepted"] != cell["worst_index"]:
        return ""
    return f"{library.loads(cell['witness_accepted'])['actual']} → "


def as_csv(moves: Changes) -> str:
    """Return every cell with its class, and the figures of both sides beside each other."""
    ours = [name for name in moves.cells.columns if name not in (*KEY, "class", "times")]
    paired = sorted(ours, key=lambda name: (name.removesuffix("_accepted"), not name.endswith("_accepted")))
    return table_csv(moves.cells[["class", *KEY, "times", *paired]])


def as_json(moves: Changes) -> str:
    """Return counts, what else changed, the accepting command, and all cells that are not bit for bit as they were."""
    counts = moves.cells["class"].value_counts()
    told = moves.cells[~moves.cells["class"].isin((SAME, AS_BEFORE, NOT_ASKED))]
    return (
        library.dumps(
            {
                "against": moves.before, "factor": moves.factor, "partial": moves.partial,
                "faulty": moves.faulty, "unjudged": list(moves.unjudged),
                "fails": bool(len(moves.failing)), "facts": list(moves.facts), "accept": moves.accepting,
                "counts": {name: int(counts.get(name, 0)) for name in (*GATE, *QUIET)},
                "cells": [{key: plain(value) for key, value in cell.items()} for cell in told.to_dict("records")],
            },
            indent=1, ensure_ascii=False, allow_nan=False,
        )
        + "\n"
    )  # fmt: skip


FORMATS: dict[str, Callable[[Changes], str]] = {
    "terminal": as_terminal,
    "json": as_json,
    "csv": as_csv,
    "markdown": as_markdown,
}
