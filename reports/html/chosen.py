"""Which cells the page keeps, of any number: those that fall short, those behind its letters, and the worst others."""

from __future__ import annotations

import pandas as pd

from harness.errors import DEATHS
from harness.records import Run
from reports.cells import native
from reports.table import BAD_VERDICTS, failing, ranked_by_bound

MOST, MOST_SHORT = 340, 100
NONE, DECLARED, UNGRADED, SHORT, DIED = "–", "D", "?", "!", "✕"
LETTERS = (NONE, DECLARED, "A+", "A", "B", "C", UNGRADED, SHORT, "F", DIED)
"""From what says nothing to the worst."""
MEANING = {
    "A+": "correctly rounded",
    "A": "as good as a tree of additions and a shift without loss",
    "B": "as good as a blocked tree and a rounded shift",
    "C": "above B, by a long chain of additions that was measured",
    "F": "no rounding explains it",
    UNGRADED: "theory allows anything there, or the probe that would tell is missing",
    SHORT: "falls short, but not by its size: another dtype, or a declared flaw that is gone",
    DECLARED: "wrong, as its formula is declared to be",
    DIED: "raised, crashed, timed out or ran out of memory",
    NONE: "not asked, not supported or absent",
}
PLACE = ["backend", "operation", "dtype"]


def lettered(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with the letter that stands for each: its grade, or why it has none."""
    letters = cells.grade.where(cells.grade != "", UNGRADED)
    letters = letters.mask(cells.verdict.isin(BAD_VERDICTS) & (cells.grade != "F"), SHORT)
    letters = letters.mask(cells.verdict == "flaw as declared", DECLARED)
    letters = letters.mask(cells.outcome != "ok", NONE).mask(cells.outcome.isin(("failed", *DEATHS)), DIED)
    return cells.assign(letter=letters)


def worst_of_each(cells: pd.DataFrame) -> pd.DataFrame:
    """For each backend, operation and dtype the cell with the worst letter; of those the nearest to its bound."""
    ranks = cells.letter.map(LETTERS.index)
    order = ranked_by_bound(cells.assign(rank=ranks)).sort_values("rank", ascending=False, kind="stable")
    return order.drop_duplicates(PLACE)


def chosen(run: Run) -> pd.DataFrame:
    """At most `MOST` cells, the worst first. Their index is the row of `comparisons` that each stands in."""
    cells = lettered(run.comparisons.reset_index(drop=True))
    short = ranked_by_bound(cells.loc[failing(run).index] if len(failing(run)) else cells.iloc[:0])
    behind = worst_of_each(cells)
    behind = behind[behind.letter != NONE]
    own = native(behind.backend)
    others = ranked_by_bound(cells[cells.outcome == "ok"])
    order = [*short.index[:MOST_SHORT], *behind.index[own], *behind.index[~own], *short.index, *others.index]
    kept = cells.loc[list(dict.fromkeys(order))[:MOST]]
    ranks = kept.letter.map(LETTERS.index)
    return ranked_by_bound(kept.assign(rank=ranks)).sort_values("rank", ascending=False, kind="stable")


def address(row: object) -> str:
    """A cell's place on the page."""
    return f"cell-{row}"
