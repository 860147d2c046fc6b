"""Ours on the questions that peers are asked, so that all stand on the same denominators.

The customary questions are put as the peers have them. Of the suite's plain cases that peers are asked with every
operation, ours is asked what the sample of the suite asks itself: less, if anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backends import Backend
from harness.operations import OPERATIONS
from harness.power import beside, mutants, right
from harness.power.kills import Kill, kills, their_own
from harness.power.peers import CUSTOMARY
from harness.power.planting import Mutant
from harness.power.trial import compared
from harness.questions.suites import Wish
from harness.records import Case, Group
from harness.runs.comparing import Watch
from harness.runs.plan import merged


@dataclass(frozen=True)
class Alike:
    """Mutants killed, by their names; right answers objected to, and how many were judged."""

    killed: frozenset[str]
    flagged: int
    answers: int


def on_the_same(
    chosen: Sequence[type[Mutant]], sample: Iterable[Group], found: Iterable[Kill], watch: Watch
) -> dict[str, Alike]:
    """By the peers' sets of questions. `found`: what was objected to on the sample and beyond it."""
    plain = beside.plain_cases(sample, beside.VALUES_UP_TO)
    customary = compared(asked((Mutant, *chosen), [CUSTOMARY]), mutants.__name__, watch, once=True)
    own = their_own(list(kills(customary, [])))
    return {
        beside.CUSTOM: alike(own, [CUSTOMARY], watch),
        beside.SUITE: alike([kill for kill in found if any(kill.about(case.name) for case in plain)], plain, watch),
    }


def alike(found: Iterable[Kill], cases: Sequence[Case], watch: Watch) -> Alike:
    run = compared(asked(right.CLAIMS, cases), right.__name__, watch)
    flagged = len(list(kills(run, [])))
    return Alike(frozenset(kill.backend for kill in found), flagged, int((run.comparisons.outcome == "ok").sum()))


def asked(backends: Sequence[type[Backend]], cases: Iterable[Case]) -> list[Group]:
    """Every operation of each on these cases: in all dtypes, on the customary one in the first that is claimed."""
    return merged(
        Wish(case, dtype, axis, operation, (backend.title(),))
        for case in cases
        for axis in case.axes
        for backend in backends
        for dtype in (backend.dtypes[:1] if case is CUSTOMARY else backend.dtypes)
        if dtype in beside.DTYPES or case is CUSTOMARY
        for operation in OPERATIONS
    )
