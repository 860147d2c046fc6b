"""What moved since it was accepted, or between two runs: counts, then the worst, each with its first witness.

One sentence where nothing did. Pure functions of the classified cells.
"""

from __future__ import annotations

import json as library
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from harness.ledger.cells import KEY
from harness.ledger.moves import AS_BEFORE, BETTER, CHANGED, GATE, JUDGED, MOVED, NOT_ASKED, QUIET, SAME, WORSE, Moves
from harness.store import csv as table_csv
from reports import markdown, terminal
from reports.cells import figure, placed
from reports.data import plain

MOST_ROWS, MOST_WITNESSES = 12, 3
BY_ERROR = (WORSE, MOVED, BETTER, JUDGED)
Grid = Callable[[pd.DataFrame], str]


def render(moves: Moves, form: str) -> str:
    """In one of `FORMATS`."""
    return FORMATS[form](moves)


def as_terminal(moves: Moves) -> str:
    return "\n\n".join(part for part in parts(moves, terminal.grid, str, "  {}") if part) + "\n"


def as_markdown(moves: Moves) -> str:
    return "\n\n".join(part for part in parts(moves, markdown.grid, markdown.escaped, "    {}") if part) + "\n"


def parts(moves: Moves, grid: Grid, written: Callable[[str], str], indented: str) -> Iterator[str]:
    """Sentence, table, witnesses, and the command that accepts. `written`: prose, `indented`: what stands as it is."""
    yield written(headline(moves))
    if len(moves.failing):
        yield written("; ".join(moves.facts))
        yield grid(table(moves))
        rest = len(moves.failing) - MOST_ROWS
        yield written(f"… and {rest:,} more: --format csv has them all.") if rest > 0 else ""
        if found := list(witnesses(moves)):
            yield "\n".join(indented.format(line) for line in found)
    if moves.accepting:
        yield written("If that is as it should be, this accepts it:") + "\n\n" + indented.format(moves.accepting)


def headline(moves: Moves) -> str:
    """How many cells of each class, what fails first; one plain sentence where all is as it was."""
    counts = moves.cells["class"].value_counts()
    total = len(moves.cells) - int(counts.get(NOT_ASKED, 0))
    partial = "Interrupted, so partial: " if moves.partial else ""
    aside = f"; {int(counts[NOT_ASKED]):,} others were not asked" if NOT_ASKED in counts else ""
    if not len(moves.failing):
        quiet = {name: int(counts[name]) for name in QUIET if name in counts and name != NOT_ASKED}
        said = ", ".join(f"{count:,} {name}" for name, count in quiet.items() if name != SAME)
        told = f"nothing moved: {quiet.get(SAME, 0):,} bit for bit" + f", {said}" * bool(said)
        return f"{partial}{total:,} cells against those {moves.before}: {told}{aside}."
    bad = ", ".join(f"{int(counts[name]):,} {name.upper()}" for name in GATE if name in counts)
    good = ", ".join(f"{int(counts[name]):,} {name}" for name in QUIET if name in counts and name != NOT_ASKED)
    return f"{partial}{total:,} cells against those {moves.before}: {bad}" + f"; {good}" * bool(good) + f"{aside}."


def table(moves: Moves) -> pd.DataFrame:
    """The worst that fail."""
    rows = [row(cell) for cell in moves.failing.head(MOST_ROWS).to_dict("records")]
    return pd.DataFrame(rows)


def row(cell: dict[str, Any]) -> dict[str, str]:
    return {
        "what": cell["class"],
        "backend": cell["backend"],
        "operation": cell["operation"],
        "case": placed(cell["case"], cell["axis"]),
        "dtype": cell["dtype"],
        "ulp": change(cell, "max_ulp_error"),
        "of the bound": change(cell, "bound_fraction"),
        "how": how(cell),
    }


def change(cell: dict[str, Any], name: str) -> str:
    """A figure before and now; once, where both read alike."""
    before, now = figure(cell[f"{name}_accepted"]), figure(cell[name])
    if before == now and cell["class"] in BY_ERROR and cell[f"{name}_accepted"] != cell[name]:
        before, now = (f"{cell[key]:.6g}" for key in (f"{name}_accepted", name))
    return now if before == now else f"{before} → {now}"


def how(cell: dict[str, Any]) -> str:
    """In a few words, what is not as it was."""
    match cell["class"]:
        case "moved" | "worse":
            by = cell["max_ulp_error"] - cell["max_ulp_error_accepted"]
            more = f"{figure(by)} ulp more" if by > 0 else f"{figure(cell['times'])} times the share of its bound"
            return f"{more}, at {cell['worst_index']}"
        case "better":
            return "the accepted error is out of date"
        case "semantics changed":
            return ", ".join(semantics(cell))
        case "judged otherwise":
            return ", ".join(judgement(cell))
        case "stale":
            return "its inputs are not those accepted"
        case "gone":
            return "the same was asked, and it is not there"
        case "not answered":
            return (
                f"{cell['outcome']}, where there was an answer" if cell["outcome_accepted"] == "ok" else cell["outcome"]
            )
        case _:
            return "never accepted" + f": {cell['outcome']}" * (cell["outcome"] != "ok")


def semantics(cell: dict[str, Any]) -> Iterator[str]:
    if cell["outcome"] != cell["outcome_accepted"]:
        yield f"{cell['outcome_accepted']} → {cell['outcome']}"
    if cell["raised"] != cell["raised_accepted"]:
        yield f"{cell['raised_accepted'] or 'nothing'} → {cell['raised'] or 'nothing'} raised"
    if cell["outcome"] != "ok" or cell["outcome_accepted"] != "ok":
        return
    if cell["answered"] != cell["answered_accepted"]:
        yield f"answered in {cell['answered'] or 'its own dtype'}, not {cell['answered_accepted'] or 'its own'}"
    for name, word in (("nan_count", "NaN"), ("infinity_count", "infinities")):
        if cell[name] != cell[f"{name}_accepted"]:
            yield f"{word} {cell[f'{name}_accepted']} → {cell[name]}"


def judgement(cell: dict[str, Any]) -> Iterator[str]:
    for name in ("verdict", "grade"):
        if cell[name] != cell[f"{name}_accepted"]:
            yield f"{cell[f'{name}_accepted'] or 'no'} → {cell[name] or 'no'}{' grade' * (name == 'grade')}"
    yield "the same bits" if cell["answer"] == cell["answer_accepted"] else "other bits, no further off"


def witnesses(moves: Moves) -> Iterator[str]:
    """Of the worst that have one: the element in hex; of kept answers, how far they are apart and where first."""
    failing = moves.failing
    shown = failing[failing.witness.fillna("").ne("") & failing["class"].isin((CHANGED, *BY_ERROR))]
    for cell in shown.head(MOST_WITNESSES).to_dict("records"):
        seen = library.loads(cell["witness"])
        where = f"{cell['backend']} {cell['operation']} {placed(cell['case'], cell['axis'])} {cell['dtype']}"
        yield f"{where} at {cell['worst_index']}: {seen['actual']}, expected {seen['expected']}"
        if cell.get("apart_at"):
            yield f"  from the first difference on, at {cell['apart_at']} ({cell['apart_hex']}), {apart(cell)} apart"


def apart(cell: dict[str, Any]) -> str:
    return f"up to {figure(cell['apart_ulp'])} ulp"


def as_csv(moves: Moves) -> str:
    """Every cell with its class, both sides' figures beside each other."""
    ours = [name for name in moves.cells.columns if name not in (*KEY, "class", "times")]
    paired = sorted(ours, key=lambda name: (name.removesuffix("_accepted"), not name.endswith("_accepted")))
    return table_csv(moves.cells[["class", *KEY, "times", *paired]])


def as_json(moves: Moves) -> str:
    """Counts, what else changed, the accepting command, and all cells that are not bit for bit as they were."""
    counts = moves.cells["class"].value_counts()
    told = moves.cells[~moves.cells["class"].isin((SAME, AS_BEFORE, NOT_ASKED))]
    return (
        library.dumps(
            {
                "against": moves.before, "factor": moves.factor, "partial": moves.partial,
                "fails": bool(len(moves.failing)), "facts": list(moves.facts), "accept": moves.accepting,
                "counts": {name: int(counts.get(name, 0)) for name in (*GATE, *QUIET)},
                "cells": [{key: plain(value) for key, value in cell.items()} for cell in told.to_dict("records")],
            },
            indent=1, ensure_ascii=False, allow_nan=False,
        )
        + "\n"
    )  # fmt: skip


FORMATS: dict[str, Callable[[Moves], str]] = {
    "terminal": as_terminal,
    "json": as_json,
    "csv": as_csv,
    "markdown": as_markdown,
}
