"""This harness on the questions that peers are asked, so that all have the same denominators.

The customary questions are asked in one dtype per backend, as the peers get them in one. On the suite's plain cases,
which peers are asked with every operation, this harness is asked only what its sample of the suite asks: at most as
much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backends import Backend
from harness.faults import Outcome
from harness.operations import OPERATIONS
from harness.power import mutants, peer_processes, right
from harness.power.mutant_kills import Kill, kills, their_own
from harness.power.peers import CUSTOMARY
from harness.power.planting import Mutant
from harness.power.trial import compared
from harness.questions.suites import Wish
from harness.records import Case, Group
from harness.runs.comparing import Watch
from harness.runs.plan import merged


@dataclass(frozen=True)
class SameQuestions:
    """The names of the killed mutants, the number of objections to right answers, and how many of those were judged."""

    killed: frozenset[str]
    flagged: int
    answers: int


def on_peer_questions(
    chosen: Sequence[type[Mutant]], sample: Iterable[Group], found: Iterable[Kill], watch: Watch
) -> dict[str, SameQuestions]:
    """Return what this harness finds on each of the peers' sets of questions.

    `found`: the objections on the sample and beyond it.
    """
    plain = peer_processes.plain_cases(sample, peer_processes.VALUES_UP_TO)
    customary = compared(groups_of((Mutant, *chosen), [CUSTOMARY]), mutants.__name__, watch, once=True)
    own = their_own(list(kills(customary, [])))
    return {
        peer_processes.CUSTOMARY_SET: tally(own, [CUSTOMARY], watch),
        peer_processes.SUITE_SET: tally(
            [kill for kill in found if any(kill.about(case.name) for case in plain)], plain, watch
        ),
    }


def tally(found: Iterable[Kill], cases: Sequence[Case], watch: Watch) -> SameQuestions:
    run = compared(groups_of(right.CLAIMS, cases), right.__name__, watch)
    flagged = len(list(kills(run, [])))
    return SameQuestions(
        frozenset(kill.backend for kill in found), flagged, int((run.comparisons.outcome == Outcome.OK).sum())
    )


def groups_of(backends: Sequence[type[Backend]], cases: Iterable[Case]) -> list[Group]:
    """Return groups for every operation of each backend on these cases.

    The dtypes are those of `PEER_DTYPES` that a backend claims; on the customary case, the first one that it claims.
    """
    return merged(
        Wish(case, dtype, axis, operation, (backend.title(),))
        for case in cases
        for axis in case.axes
        for backend in backends
        for dtype in (backend.dtypes[:1] if case is CUSTOMARY else backend.dtypes)
        if dtype in peer_processes.PEER_DTYPES or case is CUSTOMARY
        for operation in OPERATIONS
    )
