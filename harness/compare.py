"""A whole run: the plan asked of the engine, each group judged when its last answer is in."""

from __future__ import annotations

import dataclasses
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from backends import find
from harness import __version__, archive, arrays, errors, judge, rows, store
from harness.archive import Archive
from harness.blocks import boundaries
from harness.engine import Engine, Settings
from harness.environment import environment
from harness.equations import joined
from harness.pairs import Pairing
from harness.plan import Selection
from harness.probes import Probed, probed_as
from harness.records import Audit, Comparison, Group, Judgement, Result, Run

Results = dict[tuple[str, int], Result]


class Comparing:
    """Collects results into judgements. After `run`, `partial` says whether it was interrupted."""

    def __init__(self, groups: list[Group], engine: Engine, pairing: Pairing, archive: Archive | None = None) -> None:
        self.groups, self.engine, self.pairing, self.archive = groups, engine, pairing, archive
        self.partial = False
        self.faults: list[str] = []
        self.probed = Probed()
        self._waiting: dict[int, Results] = defaultdict(dict)
        self._answered: dict[int, None] = {}
        self._judgements: dict[int, Judgement] = {}

    def run(self, tell: Callable[[Result], None]) -> list[Judgement]:
        """One judgement a group, in their order. Ctrl-C ends it early; all that is finished is judged."""
        try:
            self.engine.start()
            self._collect(tell)
        except KeyboardInterrupt:
            self.partial = True
            ignore_signals()
            self.engine.stop()
            self._collect(tell)
        ignore_signals()
        self.faults += self.engine.faults
        for number in range(len(self.groups)):
            self._judge(number)  # what an interruption, or a fault of ours, left open
        return with_equations([self._judgements[number] for number in range(len(self.groups))])

    def _collect(self, tell: Callable[[Result], None]) -> None:
        for result in self.engine.results():
            waiting = self._waiting[result.group]
            waiting[result.backend, result.block] = result
            group = self.groups[result.group]
            if len(waiting) == len(group.backends) * len(boundaries(group.case)):
                self._answered[result.group] = None
                self._judge_what_is_ready()
            tell(result)

    def _judge_what_is_ready(self) -> None:
        """Probes, and answered groups of whose backends all probes are judged: a grade may depend on them."""
        for number in sorted(self._answered, key=lambda number: not self.groups[number].probe):
            if self.groups[number].probe or not self._probes_before(number):
                del self._answered[number]
                self._judge(number)

    def _probes_before(self, number: int) -> bool:
        """Whether any of the group's backends has a probe that is not judged yet."""
        asked = self.groups[number]
        measured = {probed_as(backend, asked.dtype)[0] for backend in asked.backends}
        probes = (other for other, group in enumerate(self.groups) if group.probe and measured & set(group.backends))
        return any(probe not in self._judgements for probe in probes)

    def _judge(self, number: int) -> None:
        if number in self._judgements:
            self._put_away(number)  # what an interruption left
            return
        group, results = self.groups[number], self._waiting[number]
        try:
            self._judgements[number] = self._judged(group, results)
        except Exception as error:
            reason = f"the judge failed: {type(error).__name__}: {error}"
            self.faults.append(f"{group.operation} {group.case.name} {group.dtype}: {reason}")
            unjudged = [] if group.probe else [rows.bare(group, b, "not run", reason) for b in group.backends]
            self._judgements[number] = Judgement(unjudged)
        self._put_away(number)

    def _put_away(self, number: int) -> None:
        """A judged group's answers, kept if asked for and then gone; an interruption anywhere in it loses none."""
        waiting = self._waiting[number]
        for key, result in list(waiting.items()):
            if self.archive:
                self._keep(self.archive, number, result)
            del waiting[key]
            if result.array:
                Path(result.array).unlink(missing_ok=True)

    def _keep(self, archive: Archive, number: int, result: Result) -> None:
        try:
            archive.keep(number, self.groups[number], result)
        except OSError as error:
            self.faults.append(f"an answer could not be kept, so none is kept from here on: {error}")
            self.archive = None

    def _judged(self, group: Group, results: Results) -> Judgement:
        """A group's rows; of a probe none, but what it measures. Probes are asked first, so they are answered first."""
        return judged(group, results, self.pairing, self.probed)


def ignore_signals() -> None:
    """From here on what is finished is judged and written, and that is not to be cut short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def judged(group: Group, results: Results, pairing: Pairing, probed: Probed) -> Judgement:
    """A group's rows; of a probe none, but what it measures goes into `probed`."""
    if not group.probe:
        return judge.judge(group, results, load, pairing, probed.of(group))
    probed.add(group, *judge.probed(group, results, load))
    return Judgement()


def with_equations(judgements: list[Judgement]) -> list[Judgement]:
    """The same, and the laws between operations, for which both sides are needed."""
    found = joined(side for judgement in judgements for side in judgement.sides)
    return [*judgements, Judgement(properties=[rows.equation_row(*row) for row in found])]


def load(result: Result) -> NDArray[np.generic]:
    """A result's array, mapped and not read at once."""
    return arrays.load(result.array, result.dtype, mapped=True)


def exit_code(
    comparisons: Sequence[Any],
    partial: bool,
    faults: list[str],
    asked_by_name: tuple[str, ...],
    unanswered: Iterable[Mapping[str, Any]],
) -> int:
    """The run's exit status, by `errors.PRECEDENCE`. `unanswered`: probes."""
    outcomes = {c.outcome for c in comparisons} | {probe["outcome"] for probe in unanswered}
    absent = {c.backend for c in comparisons if c.outcome == "absent"}
    short = any(c.verdict in (rows.SHORT, rows.FLAW_GONE) for c in comparisons)
    holds = {
        errors.OUR_FAULT: bool(faults),
        errors.INTERRUPTED: partial,
        errors.BACKEND_DIED: bool(outcomes & {"crashed", "timed out", "out of memory"}),
        errors.NOTHING_COMPARED: "ok" not in outcomes or bool(absent & set(asked_by_name)),
        errors.FALLS_SHORT: short or "failed" in outcomes,
    }
    return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)


def absent_by_name(comparisons: list[Comparison], asked_by_name: tuple[str, ...]) -> dict[str, str]:
    """Backends that were asked for by name and are not there, with the reason."""
    return {
        c.backend: c.reason
        for c in comparisons
        if c.outcome == "absent" and (c.backend in asked_by_name or find(c.backend).framework in asked_by_name)
    }


def as_run(work: Comparing, judgements: list[Judgement], selection: Selection, settings: Settings) -> Run:
    """The run as it is saved, without its files' hashes."""
    cases = {group.case.name: group.case for group in work.groups if not group.probe}
    about = {
        "harness": __version__,
        "partial": work.partial,
        "faults": work.faults,
        "environment": environment(),
        "frameworks": work.engine.about,
        "options": {
            "selection": dataclasses.asdict(selection),
            "limits": dataclasses.asdict(settings.limits),
            "interpreters": dict(settings.interpreters),
        },
        "cases": {
            name: {
                "source": case.source,
                "shape": case.shape,
                "recipe": repr(case.recipe),
                "blocks": len(boundaries(case)),
            }
            for name, case in cases.items()
        },
        "inputs": work.engine.inputs.hashes,
        "unanswered_probes": work.probed.unanswered,
    }
    if work.archive:
        about["arrays"] = work.archive.close()
    return Run({**about, "audit": audit(judgements)}, **tables(judgements))


def audit(judgements: list[Judgement]) -> dict[str, Any]:
    """Of the exact values that came from float64: how many, how many of them Arb saw too, and how far apart."""
    return dataclasses.asdict(sum((judgement.audit for judgement in judgements), start=Audit()))


def tables(judgements: list[Judgement]) -> dict[str, pd.DataFrame]:
    """All rows of a run, table by table."""
    return {
        name: store.frame([row for judgement in judgements for row in getattr(judgement, name)], record)
        for name, record in store.TABLES.items()
    }


def judged_again(folder: Path, old: Run, pairing: Pairing) -> tuple[Run, list[Comparison]]:
    """A saved run's arrays against today's exact values and bounds: nothing runs. The new run, and its comparisons."""
    probed = Probed()
    found = archive.read(folder, old.about)
    judgements = with_equations([judged(group, results, pairing, probed) for group, results in found])
    about = {key: value for key, value in old.about.items() if key != "arrays"} | {"faults": []}
    return Run(
        {**about, "judged_again_by": __version__, "audit": audit(judgements), "unanswered_probes": probed.unanswered},
        **tables(judgements),
    ), [row for judgement in judgements for row in judgement.comparisons]
