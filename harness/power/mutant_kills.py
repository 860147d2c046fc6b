"""Which check objects to which backend, where, and by how much, from a run's tables and an atlas's entries.

Answers to questions that are put in another way have a check of their own, named after the way: what the plain
answers show is judged apart.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import pandas as pd

from harness.faults import OF_ARGUMENTS, OF_DTYPE, Kind, Outcome, Verdict
from harness.judging.same_bits import STRICT
from harness.power.planting import Mutant
from harness.records import Run
from harness.specials import Entry
from harness.specials.policies import DIFFERS, INCONSISTENT

BOUND, FINITE, DTYPE, SHAPE, CHANGED, RAISED, BITS = (
    "bound", "finite", "dtype", "shape", "input changed", "raised", "same bits",
)  # fmt: skip
OF_FAILURES: dict[str, str] = {
    Kind.OTHER_SHAPE: SHAPE,
    Kind.UNREPEATABLE: f"{BITS} @again",
    **dict.fromkeys(OF_DTYPE, DTYPE),
    **dict.fromkeys(OF_ARGUMENTS, CHANGED),
}
"""The check that finds each kind of failure; of any other kind it is RAISED."""
NO_FAULT = (Outcome.OK, Outcome.UNSUPPORTED, Outcome.SKIPPED, Outcome.NOT_RUN)
"""Outcomes that say nothing about a backend. What could not be judged is reported as a fault of ours."""


@dataclass(frozen=True)
class Kill:
    """One objection. `margin`: by how many times the limit was exceeded; infinite where nothing is allowed."""

    backend: str
    check: str
    case: str
    """The question, in words."""
    margin: float

    def about(self, case: str) -> bool:
        return f" of {case} in " in self.case


def kills(run: Run, atlas: Iterable[Entry], doubtful: Container[tuple[str, str, str]] = ()) -> Iterator[Kill]:
    """Yield objections: first of the comparisons, in their order, then of the laws, then of the atlas.

    `doubtful`: (backend, case, dtype) to leave out of comparisons and laws.
    """
    for cell in run.comparisons.itertuples():
        if (check := check_of(cell)) and (cell.backend, cell.case, cell.dtype) not in doubtful:
            yield Kill(cell.backend, check, question(cell), margin(cell, check))
    for law in run.properties[run.properties.verdict == Verdict.SHORT].itertuples():
        if (law.backend, law.case, law.dtype) not in doubtful:
            yield Kill(law.backend, law.law, question(law), float(law.error_over_bound))
    for entry in atlas:
        if entry.verdict in (DIFFERS, INCONSISTENT):
            yield Kill(entry.backend, atlas_check(entry), f"{entry.operation}: {entry.fact}", inf)


def their_own(found: list[Kill]) -> list[Kill]:
    """Return the objections without those that NumPy's own formulas have too, which other pages report."""
    known = {(kill.check, kill.case) for kill in found if kill.backend == Mutant.title()}
    return [kill for kill in found if (kill.check, kill.case) not in known]


def check_of(cell: Any) -> str:
    """Return the check that a comparison fails; empty if there is none."""
    if cell.outcome not in NO_FAULT:
        return of_no_answer(cell)
    if cell.verdict not in (Verdict.SHORT, Verdict.FLAW_GONE):
        return ""
    if way := next((way for way, kind in STRICT.items() if cell.fault == kind), ""):
        return f"{BITS} @{way}"
    if cell.fault == Kind.OTHER_DTYPE:
        return DTYPE
    if way := cell.case.partition("@")[2]:
        return f"@{way}"
    return FINITE if cell.nan_count or cell.infinity_count else BOUND


def of_no_answer(cell: Any) -> str:
    return OF_FAILURES.get(cell.fault, RAISED) if cell.outcome == Outcome.FAILED else str(cell.outcome)


def margin(cell: Any, check: str) -> float:
    """Return the share of the bound, if the bound is what is exceeded; otherwise infinity."""
    share = cell.error_over_bound
    return float(share) if (check == BOUND or check.startswith("@")) and not pd.isna(share) else inf


def question(row: Any) -> str:
    return f"{row.operation} of {row.case} in {row.dtype}"


def atlas_check(entry: Entry) -> str:
    return f"atlas: {entry.situation}"
