"""The whole measurement: mutants on trial, what is right beside them, and the peers asked about the same.

Every mutant goes through a sample of the standard suite that has all its ways of asking, and those that live through
all small cases and at last through all of it: what survives has survived the whole suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.compare import Watch
from harness.errors import unknown
from harness.power import beside, mutants, right
from harness.power.kills import Kill, kills
from harness.power.planting import Mutant
from harness.power.tables import Power
from harness.power.trial import ALL, Share, asked, compared, doubts, planted, surveyed
from harness.records import Group, Run

SUITE = "standard"
SAMPLE, SMALL_ONES = Share(small=20, large=1000, named=False), Share(large=1000, named=False)
RIGHT_ON = {"quick": ALL, "standard": Share(large=24), "deep": Share(small=400, large=1000, named=False)}
"""The suites that right ones go through, and how much of each by default."""
Tell = Callable[[str], None]


@dataclass
class Found:
    """What one kind of backend was tried for: objections, answers judged, and what could not be."""

    kills: list[Kill] = field(default_factory=list)
    answers: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, run: Run, found: Iterable[Kill]) -> None:
        self.kills += found
        self.answers += int((run.comparisons.outcome == "ok").sum())
        self.faults += run.about["faults"]


def measured(pattern: str, watch: Watch, tell: Tell, with_peers: bool = True, whole: bool = False) -> Power:
    """All of it for the mutants whose names match; UsageError where none does.

    `whole`: the right ones go through all of every suite, and not a share.
    """
    chosen = matching(pattern)
    planted(right.BACKENDS)
    names = planted((Mutant, *chosen))
    sample = asked(names, SUITE, SAMPLE)
    with ThreadPoolExecutor(1) as background:
        peers = background.submit(beside.asked, sample) if with_peers else None
        tell(f"{len(chosen)} mutants on a sample of the {SUITE} suite and on special inputs")
        trial = on_trial(chosen, names, sample, watch, tell)
        tell(f"{len(right.CLAIMS)} backends that are right by construction")
        shares = dict.fromkeys(RIGHT_ON, ALL) if whole else RIGHT_ON
        control = acquitted(watch, shares)
        tell("waiting for the peers")
        said, absent = peers.result() if peers else ([], {})
    return Power(
        chosen, trial.kills, control.kills, tuple(backend.title() for backend in right.CLAIMS), said, absent,
        trial.answers, control.answers, shares, trial.faults + control.faults,
    )  # fmt: skip


def matching(pattern: str) -> tuple[type[Mutant], ...]:
    chosen = tuple(mutant for mutant in mutants.MUTANTS if fnmatchcase(mutant.variant, pattern))
    if not chosen:
        raise unknown("mutant", pattern, [mutant.variant for mutant in mutants.MUTANTS])
    return chosen


def on_trial(
    chosen: tuple[type[Mutant], ...], names: tuple[str, ...], sample: list[Group], watch: Watch, tell: Tell
) -> Found:
    """All objections to mutants, in the order of the run."""
    module, found = mutants.__name__, Found()
    run = compared(sample, module, watch, once=True)
    entries = surveyed((Mutant, *chosen), module)
    found.add(run, their_own(list(kills(run, entries, doubts(run)))))
    found.answers += len(entries)
    for share in (SMALL_ONES, ALL):
        dead = {kill.backend for kill in found.kills}
        if alive := [mutant.title() for mutant in chosen if mutant.title() not in dead]:
            tell(f"{len(alive)} mutants live: {'all' if share is ALL else 'more'} of the {SUITE} suite")
            rest = compared(asked((names[0], *alive), SUITE, share), module, watch)
            found.add(rest, their_own(list(kills(rest, []))))
    return found


def their_own(found: list[Kill]) -> list[Kill]:
    """Without what is objected to in NumPy's own formulas too, which other pages tell."""
    known = {(kill.check, kill.case) for kill in found if kill.backend == Mutant.title()}
    return [kill for kill in found if (kill.check, kill.case) not in known]


def acquitted(watch: Watch, shares: Mapping[str, Share]) -> Found:
    """What is objected to in backends that are right, on so much of each suite."""
    found = Found()
    names = tuple(backend.title() for backend in right.CLAIMS)
    for suite, share in shares.items():
        run = compared(asked(names, suite, share), right.__name__, watch)
        found.add(run, kills(run, []))
    return found
