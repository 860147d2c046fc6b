"""Planted backends on trial, with the suites, workers, verdicts and atlas that a framework gets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from math import prod
from pathlib import Path

from backends import Backend, add
from harness import specials
from harness.faults import Verdict
from harness.judging.probes import HEIGHT
from harness.judging.rows import explained_in_some_order
from harness.questions.cases import CASES
from harness.questions.suites import Wish, cells, load, who_answers
from harness.records import Case, Group, Run
from harness.runs import comparing
from harness.runs.comparing import Watch
from harness.runs.journal import Journal
from harness.runs.plan import merged, probes
from harness.runs.run import as_run
from harness.specials.policies import Policy, ours
from harness.specials.sweep import Widths
from harness.workers.engine import Settings
from harness.workers.scratch import temporary

STANDS_FOR = "numpy"
"""The framework whose policies hold for planted backends: they are NumPy's formulas except in one place."""
FEW_WIDTHS = Widths((1, 2, 3, 8, 17), (129,), (3,))
"""The widths at which the atlas asks planted backends."""
LARGE = 2**15
"""The number of elements above which a case counts as large."""


@dataclass(frozen=True)
class Share:
    """The share of a suite's cases that is asked: one in `small` of the small cases, one in `large` of the large ones.

    These are synthetic cases that are put plainly. A large or named case that is kept is asked in all its ways.
    """

    small: int = 1
    large: int = 1
    named: bool = True
    """True if large named cases are asked too."""
    varied: int = 1
    """For each other way of asking, one in so many of the small cases that are put so."""


ALL = Share()


@dataclass(frozen=True)
class Round:
    """Backends that go through a share of a suite."""

    backends: tuple[type[Backend], ...]
    suite: str
    share: Share = ALL


def sample_groups(names: tuple[str, ...], suite: str, share: Share = ALL) -> list[Group]:
    """Return the groups that a suite asks of these backends as of a user's named kernels, probes first.

    Only probes of heights are asked: those of exp inform, and change no verdict.
    """

    def answering(listed: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in who_answers(listed, names) if name in names)

    planned = merged(thinned(cells(load(suite), answering), share))
    measuring = probes([group for group in planned if group.case.name in CASES])
    return [*(group for group in measuring if group.probe == HEIGHT), *planned]


def thinned(wishes: Iterable[Wish], share: Share) -> list[Wish]:
    given = list(wishes)
    plain = dict.fromkeys(wish.case for wish in given if not wish.case.variation and wish.case.name not in CASES)
    large = [case for case in plain if prod(case.shape) > LARGE]
    small = [case for case in plain if prod(case.shape) <= LARGE]
    kept = {case.name for case in (*small[:: share.small], *large[:: share.large])}
    kept |= {name for name, case in CASES.items() if share.named or prod(case.shape) <= LARGE}
    few = {case.name for case in small}
    whole = kept - few
    for ways in by_variation(given).values():
        kept |= {case.name for case in ways if case.stream in whole}
        some = [case for case in ways if case.stream in few][:: share.varied]
        kept |= {name for case in some for name in (case.name, case.stream)}
    return [wish for wish in given if wish.case.name in kept]


def by_variation(wishes: Iterable[Wish]) -> dict[str, list[Case]]:
    """Return the cases that are put in another way, by that way."""
    found: dict[str, dict[Case, None]] = defaultdict(dict)
    for wish in wishes:
        if wish.case.variation:
            found[wish.case.variation][wish.case] = None
    return {variation: list(cases) for variation, cases in found.items()}


def compared(groups: list[Group], module: str, watch: Watch, once: bool = False) -> Run:
    """Return the run of a plan. `module`: the module whose backends the workers are to load.

    `once`: whether to leave out the second pass. That pass asks suspects with their probes, which measure what a long
    chain of additions may explain (see `doubts`). Raise KeyboardInterrupt if the run was interrupted.
    """
    with temporary() as scratch:
        journal = Journal(Path(scratch), groups, module)
        journal.begin()
        settings = Settings(Path(scratch), modules=(module,))
        put = partial(comparing.one_pass, final=True) if once else comparing.carried_out
        run = as_run(put(groups, settings, no_pairs, journal, watch), groups, {})
    if run.about["partial"]:  # a suspect that was not asked again with its probe would look like an objection
        raise KeyboardInterrupt
    return run


def doubts(run: Run) -> set[tuple[str, str, str]]:
    """Return (backend, case, dtype) of cells that some order of summation may explain, and that no probe measured."""
    cells = run.comparisons
    some_order = cells.error_over_any_order_bound.map(explained_in_some_order)
    doubtful = cells[(cells.verdict == Verdict.SHORT) & cells.measured_chain.isna() & some_order]
    return set(zip(doubtful.backend, doubtful.case, doubtful.dtype, strict=True))


def no_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return []


def special_entries(backends: Sequence[type[Backend]], module: str) -> list[specials.Entry]:
    """Return what backends do on special inputs, compared with what NumPy is declared to do."""
    names = [backend.title() for backend in backends]
    patterns = tuple(f"{framework}*" for framework in dict.fromkeys(backend.framework for backend in backends))
    policies = adopted(ours(), patterns)
    return specials.survey(names, policies=policies, sweep=lambda name: FEW_WIDTHS, modules=(module,)).entries


def adopted(policies: Iterable[Policy], patterns: tuple[str, ...]) -> list[Policy]:
    """Return the policies, with NumPy's extended to these patterns."""
    return [
        policy.model_copy(update={"backend": (*policy.backend, *patterns)})
        if any(fnmatchcase(STANDS_FOR, pattern) for pattern in policy.backend)
        else policy
        for policy in policies
    ]


def planted(backends: Sequence[type[Backend]]) -> tuple[str, ...]:
    """Register backends in this process, and return their names."""
    add(backends)
    return tuple(backend.title() for backend in backends)
