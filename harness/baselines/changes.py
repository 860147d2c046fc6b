"""What became of every accepted cell: a class for each, by rules that need only two tables (docs/regression.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness import errors
from harness.baselines.cell_columns import COUNTS, FIGURES, KEY, NO_WORD, PEAKS, asks
from harness.faults import DEATHS, Outcome, Verdict
from harness.judging.grades import fails

SAME, WITHIN, AS_BEFORE = "bit-identical", "within the accepted error", "no result, as accepted"
CHANGED, JUDGED, POOR = "behaviour changed", "judgement changed", "grade too low"
WORSE, LARGER, BETTER = "much larger error", "larger error", "smaller error"
GONE, STALE, UNANSWERED, NEW = "missing", "inputs changed", "no longer answered", "new"
NOT_ASKED, NEVER = "not requested", "never answered"
GATE = (CHANGED, WORSE, LARGER, GONE, STALE, UNANSWERED, POOR, JUDGED, BETTER, NEW)
"""The classes that fail, the most serious first."""
QUIET = (SAME, WITHIN, AS_BEFORE, NOT_ASKED, NEVER)
MET = (SAME, WITHIN, AS_BEFORE, CHANGED, WORSE, LARGER, STALE, POOR, JUDGED, BETTER)
"""The classes of cells about which both sides say something."""
KNOWN_TO = 2.0**-10
"""The precision of an error, in ulp or in shares of a bound. A smaller difference does not count."""
FACTOR = 2.0


@dataclass(frozen=True)
class Changes:
    """The comparison of two sides, with a class for every cell."""

    before: str
    """Where the accepted side is kept, as a phrase: "accepted in …" or "in …"."""
    cells: pd.DataFrame
    """The cells as `classified` returns them, the worst first."""
    facts: tuple[str, ...] = ()
    """Other differences between the sides: versions and platforms."""
    factor: float = FACTOR
    partial: bool = False
    """True if a run was interrupted."""
    faulty: bool = False
    """True if the judge failed on a part of a run."""
    unjudged: tuple[str, ...] = ()
    """A sentence for each backend that a run named and of which it judged nothing."""
    accepting: str = ""
    """The command that would accept what fails; empty if there is none."""

    @property
    def failing(self) -> pd.DataFrame:
        return self.cells[self.cells["class"].isin(GATE)]


def classified(
    accepted: pd.DataFrame,
    found: pd.DataFrame,
    selection: Mapping[str, Any],
    factor: float = FACTOR,
    fail_at: str = "",
) -> pd.DataFrame:
    """Return a row for each cell of either table, the worst first.

    `found`: the run's cells, as `cells` returns them; `selection`: what the run asked; `fail_at`: the best grade that
    fails even if it was accepted.

    The columns are those of `found`, those of `accepted` with the suffix `_accepted`, `class`, and `times`: the factor
    by which the error exceeds the accepted one (below 1 where it is smaller).
    """
    accepted = accepted[~accepted.outcome.isin(NO_WORD)]
    both = accepted.assign(must=asks(selection, accepted).to_numpy()).merge(
        found, how="outer", on=KEY, suffixes=("_accepted", ""), indicator="side"
    )
    tried = rules(both, factor, fail_at)
    classes = np.select([where.to_numpy() for where, _ in tried], [name for _, name in tried], default=WITHIN)
    return worst_first(both.assign(**{"class": classes, "times": times(both)}).drop(columns=["side", "must"]))


def worst_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort by class, and within a class by the factor by which the error has changed."""
    order = {name: number for number, name in enumerate((*GATE, *QUIET))}
    ranked = rows.assign(rank=rows["class"].map(order), size=rows.times.where(rows.times >= 1, 1 / rows.times))
    ranked = ranked.sort_values(["rank", "size"], ascending=[True, False], kind="stable", ignore_index=True)
    return ranked.drop(columns=["rank", "size"])


def rules(both: pd.DataFrame, factor: float, fail_at: str) -> list[tuple[pd.Series, str]]:
    """Return the classes in the order in which they are tried, each with a mask of the rows that it takes.

    A row that no class takes is within the accepted error.
    """
    silent, same_bits = both.outcome.isin(NO_WORD), both.answer == both.answer_accepted
    left, right = both.side == "left_only", both.side == "right_only"
    return [
        (left & (both.must == True), GONE),  # noqa: E712  # `must` may be missing
        (left, NOT_ASKED),
        (right & silent, NEVER),
        (right, NEW),
        (silent, UNANSWERED),
        (other_inputs(both), STALE),
        (differ(both, ["outcome", "answered", "raised", *COUNTS]), CHANGED),
        (both.outcome != Outcome.OK, AS_BEFORE),
        (too_low(both, fail_at), POOR),
        (same_bits & ~judged_otherwise(both), SAME),
        (same_bits, JUDGED),
        (more(both, factor), WORSE),
        (more(both, 1.0, PEAKS), LARGER),  # without the mean, which changes with any other order of additions
        (less(both, factor), BETTER),
        (differ(both, ["verdict", "grade"]), JUDGED),
    ]


def too_low(both: pd.DataFrame, fail_at: str) -> pd.Series:
    """Return a mask of the cells whose grade fails, accepted or not. Where a flaw is declared, F is expected."""
    if not fail_at:
        return pd.Series(False, index=both.index)
    return both.grade.map(lambda given: fails(given, fail_at)).astype(bool) & (both.verdict != Verdict.AS_DECLARED)


def other_inputs(both: pd.DataFrame) -> pd.Series:
    """Return a mask of the cells whose two answers, or two refusals with known inputs, had different inputs."""
    answers = (both.outcome == Outcome.OK) & (both.outcome_accepted == Outcome.OK)
    known = (both.inputs != "") & (both.inputs_accepted != "")
    return (both.inputs != both.inputs_accepted) & (answers | known)


def differ(both: pd.DataFrame, names: list[str]) -> pd.Series:
    """Return a mask of the rows in which any of these columns differs. Two missing values are equal."""
    found = pd.Series(False, index=both.index)
    for name in names:
        now, before = both[name], both[f"{name}_accepted"]
        found |= ~((now == before).fillna(False).astype(bool) | (now.isna() & before.isna()))
    return found


def judged_otherwise(both: pd.DataFrame) -> pd.Series:
    """Return a mask of the rows whose verdict, grade or figures differ. It is meant for answers with the same bits."""
    return differ(both, ["verdict", "grade"]) | more(both, 1.0) | less(both, 1.0)


def more(both: pd.DataFrame, factor: float, names: list[str] = FIGURES) -> pd.Series:
    """Return a mask of the rows in which one of these errors exceeds `factor` times the accepted one."""
    found = pd.Series(False, index=both.index)
    for now, before in figures(both, names):
        found |= now > factor * before + KNOWN_TO
    return found


def less(both: pd.DataFrame, factor: float) -> pd.Series:
    """Return a mask of the rows in which an error is below the accepted one divided by `factor`."""
    found = pd.Series(False, index=both.index)
    for now, before in figures(both):
        found |= now < before / factor - KNOWN_TO
    return found


def figures(both: pd.DataFrame, names: list[str] = FIGURES) -> list[tuple[pd.Series, pd.Series]]:
    """Return pairs of today's and the accepted errors. A missing error is 0: `COUNTS` tell of NaN and infinities."""
    return [(both[name].fillna(0.0), both[f"{name}_accepted"].fillna(0.0)) for name in names]


def times(both: pd.DataFrame) -> pd.Series:
    """Return the largest quotient of an error and the accepted one; the quotient is 1 if both are infinite."""
    found = pd.Series(0.0, index=both.index)
    for now, before in figures(both):
        quotient = now.clip(KNOWN_TO) / before.clip(KNOWN_TO)
        found = found.where(found >= quotient.fillna(1.0), quotient.fillna(1.0))
    return found


def exit_code(moves: Changes) -> int:
    """Return the exit status by `errors.PRECEDENCE`, so that nothing that was not compared looks like a pass."""
    cells, classes = moves.cells, set(moves.cells["class"])
    died = cells.outcome.isin(DEATHS) & (cells.outcome != cells.outcome_accepted)
    holds = {
        errors.OUR_FAULT: moves.faulty,
        errors.INTERRUPTED: moves.partial,
        errors.BACKEND_DIED: bool(died.any()),
        errors.NOTHING_COMPARED: bool(moves.unjudged) or UNANSWERED in classes or not classes & set(MET),
        errors.FALLS_SHORT: bool(len(moves.failing)),
    }
    return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)
