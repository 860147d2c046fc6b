"""Which cells the page keeps, of any number: those that fall short, those behind its letters, and the worst others.

Backends whose answers are the same bit for bit, with the same figures, share a place: variants are mostly like that.
"""

from __future__ import annotations

import pandas as pd

from harness.errors import DEATHS
from reports.tables.cells import native
from reports.tables.summary import BAD_VERDICTS, ranked_by_bound

MOST, MOST_SHORT = 400, 40
"""Places, and how many of them what falls short takes before what is behind letters: its worst are there too."""
LOOKED_AT = 4 * MOST
"""Cells among which the same ones are found."""
NONE, DECLARED, UNGRADED, SHORT, DIED = "–", "D", "?", "!", "✕"
LETTERS = (NONE, DECLARED, "A+", "A", "B", "C", UNGRADED, SHORT, "F", DIED)
"""From what says nothing to the worst."""
MEANING = {
    "A+": "correctly rounded",
    "A": "as good as a tree of additions and a shift without loss; a layer's inner products in any order",
    "B": "as good as a blocked tree and a rounded shift",
    "C": "above B, by a long chain of additions that was measured",
    "F": "no rounding of the assumed kind explains it in a sum as high as was measured",
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


def chosen(cells: pd.DataFrame, worst: pd.DataFrame, short: pd.DataFrame) -> pd.Series:
    """Letters of cells in the order in which the page wants them, by their rows. `worst`: those behind the letters."""
    behind = worst[worst.letter != NONE]
    own = native(behind.backend)
    others = ranked_by_bound(cells[cells.outcome == "ok"])
    order = [*short.index[:MOST_SHORT], *behind.index[own], *behind.index[~own], *short.index, *others.index]
    return cells.letter.loc[list(dict.fromkeys(order))[:LOOKED_AT]]


def placed_together(cells: pd.DataFrame, most: int) -> pd.DataFrame:
    """Of cells in the page's order those of the first places, the worst first; `address`: of each its place."""
    numbers = cells.groupby([name for name in cells if name != "backend"], dropna=False, sort=False).ngroup()
    kept = cells[numbers < most]
    firsts = kept.index.to_series().groupby(numbers[kept.index]).transform("first")
    ranks = kept.letter.map(LETTERS.index)
    kept = kept.assign(address=[f"cell-{row}" for row in firsts], rank=ranks)
    return ranked_by_bound(kept).sort_values("rank", ascending=False, kind="stable")
