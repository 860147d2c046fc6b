"""Which cells the page keeps: those that fail, those behind its letters, and the worst others.

Backends whose answers are the same bit for bit, with the same figures, share a place. Most variants do.
"""

from __future__ import annotations

import pandas as pd

from harness.faults import DEATHS, Outcome, Verdict
from reports.tables.summary import BAD_VERDICTS, ranked_by_bound
from reports.tables.text import native

MOST, MOST_SHORT = 400, 40
"""The number of places, and the number that cells that fail take before those behind letters.

The cells behind letters include the worst of those that fail.
"""
LOOKED_AT = 4 * MOST
"""The number of cells among which equal ones are looked for."""
NONE, DECLARED, UNGRADED, SHORT, DIED = "–", "D", "?", "!", "✕"
LETTERS = (NONE, DECLARED, "A+", "A", "B", "C", UNGRADED, SHORT, "F", DIED)
"""The letters, from the one that says nothing to the worst."""
MEANING = {
    "A+": "correctly rounded",
    "A": "error at most that of pairwise summation and an exact shift; a layer's inner products in any order",
    "B": "error at most that of blocked summation and a rounded shift",
    "C": "above B, explained by a measured summation chain",
    "F": "fails: rounding does not explain the error",
    UNGRADED: "no grade: the bound is infinite, or the summation chain was not measured",
    SHORT: "fails for another reason than its error: another dtype, or an unexpected pass",
    DECLARED: "known limitation of the formula",
    DIED: "error, crashed, timed out or out of memory",
    NONE: "not requested, not supported or absent",
}
PLACE = ["backend", "operation", "dtype"]


def lettered(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells with the letter that stands for each: its grade, or why it has none."""
    letters = cells.grade.where(cells.grade != "", UNGRADED)
    letters = letters.mask(cells.verdict.isin(BAD_VERDICTS) & (cells.grade != "F"), SHORT)
    letters = letters.mask(cells.verdict == Verdict.AS_DECLARED, DECLARED)
    letters = letters.mask(cells.outcome != Outcome.OK, NONE).mask(cells.outcome.isin((Outcome.FAILED, *DEATHS)), DIED)
    return cells.assign(letter=letters)


def worst_of_each(cells: pd.DataFrame) -> pd.DataFrame:
    """Return, for each backend, operation and dtype, the cell with the worst letter and the largest error / bound."""
    ranks = cells.letter.map(LETTERS.index)
    order = ranked_by_bound(cells.assign(rank=ranks)).sort_values("rank", ascending=False, kind="stable")
    return order.drop_duplicates(PLACE)


def chosen(cells: pd.DataFrame, worst: pd.DataFrame, short: pd.DataFrame) -> pd.Series:
    """Return the letters of the cells that the page wants, in its order, indexed by their rows.

    `worst`: the cells behind the letters; `short`: those that fail, the worst first.
    """
    behind = worst[worst.letter != NONE]
    own = native(behind.backend)
    others = ranked_by_bound(cells[cells.outcome == Outcome.OK])
    order = [*short.index[:MOST_SHORT], *behind.index[own], *behind.index[~own], *short.index, *others.index]
    return cells.letter.loc[list(dict.fromkeys(order))[:LOOKED_AT]]


def placed_together(cells: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the cells of the first `most` places, the worst first.

    `cells`: in the page's order. The column `address` of the result is each cell's place.
    """
    numbers = cells.groupby([name for name in cells if name != "backend"], dropna=False, sort=False).ngroup()
    kept = cells[numbers < most]
    firsts = kept.index.to_series().groupby(numbers[kept.index]).transform("first")
    ranks = kept.letter.map(LETTERS.index)
    kept = kept.assign(address=[f"cell-{row}" for row in firsts], rank=ranks)
    return ranked_by_bound(kept).sort_values("rank", ascending=False, kind="stable")
