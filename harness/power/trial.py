"""Planted backends on trial: the same suites, workers, verdicts and atlas as for a framework."""

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
from harness.judging.probes import HEIGHT
from harness.judging.rows import SHORT, explained_in_some_order
from harness.questions.cases import CASES
from harness.questions.suites import Wish, cells, load, who_answers
from harness.records import Case, Group, Run
from harness.runs import comparing
from harness.runs.comparing import Watch
from harness.runs.journal import Journal
from harness.runs.plan import merged, probes
from harness.runs.run import as_run
from harness.specials.policies import Policy, ours
from harness.specials.sweep import Sweep
from harness.workers.engine import Settings
from harness.workers.scratch import temporary

STANDS_FOR = "numpy"
"""All are NumPy's formulas but for one place, so what NumPy is declared to do on special inputs is asked of them."""
FEW_WIDTHS = Sweep((1, 2, 3, 8, 17), (129,), (3,))
"""Of the atlas."""
LARGE = 2**15
"""Elements of a case from which on it is asked of few."""


@dataclass(frozen=True)
class Share:
    """Of a suite's synthetic cases that are put plainly alone, one in so many: of the small ones, and of the large.

    Cases that are put in other ways too are asked as they are, unless they are large.
    """

    small: int = 1
    large: int = 1
    named: bool = True
    """Whether large named cases are asked too."""
    varied: int = 1
    """Of each other way of putting a case, one in so many of the small cases that are put so."""


ALL = Share()


@dataclass(frozen=True)
class Round:
    """Backends that go through so much of a suite."""

    backends: tuple[type[Backend], ...]
    suite: str
    share: Share = ALL


def asked(names: tuple[str, ...], suite: str, share: Share = ALL) -> list[Group]:
    """What a suite asks of these backends as of a user's kernels that are named, probes first: those of heights, as
    exp's only tell and change no verdict."""

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
    """Cases that are put otherwise, by the way in which they are."""
    found: dict[str, dict[Case, None]] = defaultdict(dict)
    for wish in wishes:
        if wish.case.variation:
            found[wish.case.variation][wish.case] = None
    return {variation: list(cases) for variation, cases in found.items()}


def compared(groups: list[Group], module: str, watch: Watch, once: bool = False) -> Run:
    """The run of a plan. `module`: whose backends the workers are to know. `once`: without a second look, that is.

    A second look asks with its probe what a long chain of additions may explain; see `doubts`.
    """
    with temporary() as scratch:
        journal = Journal(Path(scratch), groups, module)
        journal.begin()
        settings = Settings(Path(scratch), modules=(module,))
        put = partial(comparing.one_pass, final=True) if once else comparing.carried_out
        run = as_run(put(groups, settings, no_pairs, journal, watch), groups, {})
    if run.about["partial"]:  # what was not asked again with its probe would look like an objection
        raise KeyboardInterrupt
    return run


def doubts(run: Run) -> set[tuple[str, str, str]]:
    """Backend, case and dtype of what falls short by no more than some order of summation may explain, unprobed."""
    cells = run.comparisons
    some_order = cells.any_order_fraction.map(explained_in_some_order)
    doubtful = cells[(cells.verdict == SHORT) & cells.measured_height.isna() & some_order]
    return set(zip(doubtful.backend, doubtful.case, doubtful.dtype, strict=True))


def no_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return []


def surveyed(backends: Sequence[type[Backend]], module: str) -> list[specials.Entry]:
    """What they do on special inputs, against what NumPy is declared to do."""
    names = [backend.title() for backend in backends]
    patterns = tuple(f"{framework}*" for framework in dict.fromkeys(backend.framework for backend in backends))
    policies = adopted(ours(), patterns)
    return specials.survey(names, policies=policies, sweep=lambda name: FEW_WIDTHS, modules=(module,)).entries


def adopted(policies: Iterable[Policy], patterns: tuple[str, ...]) -> list[Policy]:
    """NumPy's policies as the planted ones' too."""
    return [
        policy.model_copy(update={"backend": (*policy.backend, *patterns)})
        if any(fnmatchcase(STANDS_FOR, pattern) for pattern in policy.backend)
        else policy
        for policy in policies
    ]


def planted(backends: Sequence[type[Backend]]) -> tuple[str, ...]:
    """Made known in this process: their names."""
    add(backends)
    return tuple(backend.title() for backend in backends)
