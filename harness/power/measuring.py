"""The whole measurement: mutants on trial, correct backends beside them, and peers asked about the same mutants.

Every mutant, including the held-out ones, goes through a sample of the standard suite that has all its ways of
asking. Those that survive go through all small cases, and then through the whole suite. So a survivor has survived
the whole suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.errors import unknown
from harness.faults import Outcome
from harness.power import held_out, mutants, peer_processes, right
from harness.power.mutant_kills import Kill, kills, their_own
from harness.power.planting import Mutant
from harness.power.same_questions import on_peer_questions
from harness.power.tables import Power
from harness.power.trial import ALL, Round, Share, compared, doubts, planted, sample_groups, special_entries
from harness.records import Run
from harness.runs.comparing import Watch

SUITE = "standard"
SAMPLE, SMALL_ONES = Share(small=20, large=1000, named=False, varied=8), Share(large=1000, named=False)
IN_USE = tuple(backend for backend in right.CLAIMS if backend not in right.THOROUGH)
ROUNDS = (
    Round(right.CLAIMS, "quick"),
    Round(right.THOROUGH, "standard", Share(large=24)),
    Round(IN_USE, "standard", Share(small=4, large=48)),
    Round(right.THOROUGH, "deep", Share(small=400, large=1000, named=False)),
)
"""The rounds that correct backends go through by default."""
WHOLE = tuple(Round(right.CLAIMS, suite) for suite in ("quick", "standard", "deep"))
SELF_TEST = (Round((right.SELF_TEST,), "quick"),)
Tell = Callable[[str], None]


@dataclass
class Objections:
    """The result for one kind of backend: objections, the number of answers judged, and what could not be judged."""

    kills: list[Kill] = field(default_factory=list)
    answers: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, run: Run, found: Iterable[Kill]) -> None:
        self.kills += found
        self.answers += int((run.comparisons.outcome == Outcome.OK).sum())
        self.faults += run.about["faults"]


def measured(
    pattern: str, watch: Watch, tell: Tell, with_peers: bool = True, whole: bool = False, with_held_out: bool = True
) -> Power:
    """Measure everything for the mutants whose names match. Raise UsageError if none does.

    Held-out mutants are asked only if all mutants are. `whole`: correct backends go through every suite completely, not
    through a share of it.
    """
    chosen = matching(pattern)
    held = held_out.MUTANTS if with_held_out and len(chosen) == len(mutants.MUTANTS) else ()
    planted(right.BACKENDS)
    sample = sample_groups(planted((Mutant, *chosen)), SUITE, SAMPLE)
    with ThreadPoolExecutor(1) as background:
        peers = background.submit(peer_processes.ask_peers, sample) if with_peers else None
        tell(f"{len(chosen)} mutants on a sample of the {SUITE} suite and on special inputs")
        trial = on_trial(chosen, mutants.__name__, watch, tell)
        kept = on_trial(held, held_out.__name__, watch, tell) if held else Objections()
        tell(f"{len(right.CLAIMS)} backends that are right")
        rounds = WHOLE if whole else ROUNDS
        control, self_test = acquitted(watch, rounds), acquitted(watch, SELF_TEST)
        alike = on_peer_questions(chosen, sample, trial.kills, watch)
        tell("waiting for the peers")
        said, absent = peers.result() if peers else ([], {})
    return Power(
        chosen, trial.kills, control.kills, tuple(backend.title() for backend in right.CLAIMS), said, absent,
        trial.answers + kept.answers, control.answers, rounds, trial.faults + kept.faults + control.faults, held,
        kept.kills, self_test.kills, self_test.answers, alike,
    )  # fmt: skip


def matching(pattern: str) -> tuple[type[Mutant], ...]:
    chosen = tuple(mutant for mutant in mutants.MUTANTS if fnmatchcase(mutant.variant, pattern))
    if not chosen:
        raise unknown("mutant", pattern, [mutant.variant for mutant in mutants.MUTANTS])
    return chosen


def on_trial(chosen: tuple[type[Mutant], ...], module: str, watch: Watch, tell: Tell) -> Objections:
    """Return all objections to mutants, in the order of the run. `module`: the mutants' module, for workers to load."""
    names, found = planted((Mutant, *chosen)), Objections()
    run = compared(sample_groups(names, SUITE, SAMPLE), module, watch, once=True)
    entries = special_entries((Mutant, *chosen), module)
    found.add(run, their_own(list(kills(run, entries, doubts(run)))))
    found.answers += len(entries)
    for share in (SMALL_ONES, ALL):
        dead = {kill.backend for kill in found.kills}
        if alive := [mutant.title() for mutant in chosen if mutant.title() not in dead]:
            tell(f"{len(alive)} mutants live: {'all' if share is ALL else 'more'} of the {SUITE} suite")
            rest = compared(sample_groups((names[0], *alive), SUITE, share), module, watch)
            found.add(rest, their_own(list(kills(rest, []))))
    return found


def acquitted(watch: Watch, rounds: Iterable[Round]) -> Objections:
    """Return the objections to backends that are right, in these rounds."""
    found = Objections()
    for one in rounds:
        names = tuple(backend.title() for backend in one.backends)
        run = compared(sample_groups(names, one.suite, one.share), right.__name__, watch)
        found.add(run, kills(run, []))
    return found
