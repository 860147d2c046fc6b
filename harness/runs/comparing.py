"""A whole run: the engine asks the plan's questions, and each group is judged once its last answer is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from backends import find
from harness.errors import UsageError
from harness.faults import Fault, Kind, Outcome, Verdict, sentence
from harness.judging import judge, rows
from harness.judging.grades import needs_height
from harness.judging.pairs import Pairing
from harness.judging.probes import Probed, probed_as
from harness.operations import OPERATIONS, softmax_length
from harness.questions.blocks import boundaries
from harness.records import Group, Judgement, Result
from harness.runs.archive import Archive
from harness.runs.journal import Journal, unit_of
from harness.runs.journal_units import merged_judgement, probes_of, units_of
from harness.runs.plan import probes
from harness.workers import signals
from harness.workers.engine import Engine, Settings

Results = dict[tuple[str, int], Result]
Watch = Callable[[list[Group]], AbstractContextManager[Callable[[Result], None]]]
"""Shows the progress of a plan: a context manager that gives a function to call with each result."""


class Comparing:
    """Collects results, judges each group, and writes each unit to the journal as soon as it is judged.

    After `run`, `partial` says whether it was interrupted. All `groups` are asked: `carried_out` leaves out those that
    the journal has already.
    """

    def __init__(
        self,
        groups: list[Group],
        engine: Engine,
        pairing: Pairing,
        journal: Journal,
        archive: Archive | None = None,
        final: bool = False,
    ) -> None:
        """Prepare to ask and judge `groups`. `final`: no pass follows in which suspects are asked with their probes."""
        self.groups, self.engine, self.pairing = groups, engine, pairing
        self.journal, self.archive, self.final = journal, archive, final
        self.partial = False
        self.suspects: list[Group] = []
        self.faults: list[str] = []
        self.probed = Probed()
        self._units = units_of(groups)
        self._probes = probes_of(groups)
        self._waiting: dict[int, Results] = {}
        self._answered: dict[int, None] = {}
        self._judgements: dict[int, Judgement] = {}
        self._unanswered: set[int] = set()
        self._through: set[int] = set()

    def run(self, tell: Callable[[Result], None]) -> None:
        """Ask and judge all groups, and write them to the journal. Ctrl-C ends it early; what is finished is judged."""
        try:
            self.engine.start()
            self._collect(tell)
        except KeyboardInterrupt:
            self.partial = True
        except BaseException:
            self.engine.stop()
            raise
        with signals.ignored():  # judging and writing what is finished must not be interrupted
            if self.partial:
                self.engine.stop()
                self._collect(tell)
            self.faults += self.engine.faults
            for number in range(len(self.groups)):
                self._judge(number)  # groups that an interruption, or a fault of ours, left open

    def joined_by(self, later: Comparing) -> Comparing:
        """Add the faults and the probes' results of a second pass, and whether it was interrupted. Return this one."""
        self.partial |= later.partial
        self.faults += later.faults
        self.probed.join(later.probed)
        return self

    def _collect(self, tell: Callable[[Result], None]) -> None:
        for result in self.engine.results(self._take):
            if result.group in self._answered:
                self._judge_what_is_ready()
            tell(result)

    def _take(self, result: Result) -> None:
        waiting, group = self._waiting.setdefault(result.group, {}), self.groups[result.group]
        waiting[result.backend, result.block] = result
        if len(waiting) == len(group.backends) * len(boundaries(group.case)):
            self._answered[result.group] = None

    def _judge_what_is_ready(self) -> None:
        """Judge answered probes, and answered groups once the probes on which their grades may depend are judged."""
        for number in sorted(self._answered, key=lambda number: not self.groups[number].probe):
            if self.groups[number].probe or not self._probes_before(number):
                del self._answered[number]
                self._judge(number)

    def _probes_before(self, number: int) -> bool:
        """Decide whether any of the group's backends has a probe that is not judged yet."""
        return any(probe not in self._through for probe in self._probes_for(number))

    def _probes_for(self, number: int) -> Iterator[int]:
        """Return the numbers of the probes on which the group's grades may depend."""
        asked = self.groups[number]
        measured = {probed_as(backend, asked.dtype)[0] for backend in asked.backends if not asked.probe}
        return (probe for name in measured for probe in self._probes.get(name, ()))

    def _is_there(self, number: int) -> bool:
        """Decide whether all answers of a group and of its probes are there. Without one, its unit is not done."""
        group, results = self.groups[number], self._waiting.get(number, {})
        asked = ((backend, block) for backend in group.backends for block in range(len(boundaries(group.case))))
        return all(key in results and results[key].outcome != Outcome.NOT_RUN for key in asked) and not any(
            probe in self._unanswered for probe in self._probes_for(number)
        )

    def _judge(self, number: int) -> None:
        if number in self._through:
            return
        if number not in self._judgements:
            self._judgements[number] = self._judged(number)
        with signals.held():  # a unit is written down whole, or not yet
            self._put_away(number)
            self._through.add(number)
            self.engine.judged(number, self.groups[number])
            self._close_unit(number)

    def _judged(self, number: int) -> Judgement:
        """Return a group's judgement. A probe's is empty: what it measures is kept in `probed`.

        Note the group as unanswered if an answer is missing, if judging fails, or if it is to be asked again.
        """
        group, results = self.groups[number], self._waiting.get(number, {})
        if not self._is_there(number):
            self._unanswered.add(number)
        try:
            judgement = judge_group(group, results, self.pairing, self.probed)
        except Exception as error:
            fault = Fault(Kind.JUDGE_FAILED, str(error), type(error).__name__)
            self.faults.append(f"{group.operation} {group.case.name} {group.dtype}: {sentence(fault)}")
            self._unanswered.add(number)
            cells = [rows.bare(group, backend, fault) for backend in group.backends]
            return Judgement([] if group.probe else cells)
        if not (group.probe or self.final or self.archive) and suspicious(group, judgement):
            self.suspects.append(group)
            self._unanswered.add(number)
        return judgement

    def _put_away(self, number: int) -> None:
        """Archive a judged group's answers, if there is an archive, and release them. An interruption loses none."""
        waiting = self._waiting.get(number, {})
        for key, result in list(waiting.items()):
            if self.archive:
                self._keep(self.archive, number, result)
            del waiting[key]
            if result.array:
                result.array.release()
        self._waiting.pop(number, None)

    def _keep(self, archive: Archive, number: int, result: Result) -> None:
        try:
            archive.keep(number, self.groups[number], result)
        except OSError as error:
            self.faults.append(f"a result could not be saved, so no further one is saved: {error}")
            self.archive = None

    def _close_unit(self, number: int) -> None:
        """Write the rows of the group's unit to the journal, once all of its groups are judged."""
        unit = self._units[number]
        if not unit or not all(other in self._judgements for other in unit):
            return
        judgement = merged_judgement([self._judgements[other] for other in unit])
        for other in unit:
            self._judgements[other] = EMPTY
        group, open_ = self.groups[number], any(other in self._unanswered for other in unit)
        self.journal.add(unit_of(group), judgement, self.engine.inputs.of(group), self._versions(unit), partial=open_)

    def _versions(self, unit: list[int]) -> dict[str, str]:
        """Return the versions of the frameworks that were asked about a unit.

        Raise UsageError if another version answered before the run was interrupted.
        """
        about = self.engine.about
        names = {find(backend).framework for number in unit for backend in self.groups[number].backends}
        found = {name: about[name]["version"] for name in sorted(names) if "version" in about.get(name, {})}
        for name, version in found.items():
            if self.journal.versions.get(name, version) != version:
                before = self.journal.versions[name]
                raise UsageError(
                    f"{self.journal.file} was started with {name} {before}, but {name} {version} is installed"
                )
        return found


EMPTY = Judgement()


def carried_out(
    plan: list[Group],
    settings: Settings,
    pairing: Pairing,
    journal: Journal,
    watch: Watch,
    archive: Archive | None = None,
) -> Comparing:
    """Ask and judge a plan, without the units that the journal has already.

    Then ask once more, with their probes, the units with an answer whose error a long summation chain may explain.
    """
    todo = [group for group in plan if group.probe or unit_of(group) not in journal.done]
    work = one_pass(todo, settings, pairing, journal, watch, archive)
    if not work.suspects or work.partial:
        return work
    again = {unit_of(group) for group in work.suspects}
    second = probes(work.suspects) + [group for group in plan if not group.probe and unit_of(group) in again]
    return work.joined_by(one_pass(second, settings, pairing, journal, watch, final=True))


def one_pass(
    groups: list[Group],
    settings: Settings,
    pairing: Pairing,
    journal: Journal,
    watch: Watch,
    archive: Archive | None = None,
    final: bool = False,
) -> Comparing:
    """Ask and judge all of these groups. `final`: no pass follows in which suspects are asked with their probes."""
    work = Comparing(groups, Engine(groups, settings), pairing, journal, archive, final)
    with watch(groups) as tell:
        work.run(tell)
    return work


def suspicious(group: Group, judgement: Judgement) -> bool:
    """Decide whether a long chain of additions may explain why an answer exceeds B, and none was measured."""
    n = softmax_length(OPERATIONS[group.operation], group.case.shape[group.axis], group.case.classes)
    return needs_height(n) and any(
        row.verdict == Verdict.SHORT
        and row.measured_chain is None
        and rows.explained_in_some_order(row.error_over_any_order_bound)
        for row in judgement.comparisons
    )


def judge_group(group: Group, results: Results, pairing: Pairing, probed: Probed) -> Judgement:
    """Return a group's judgement. A probe's is empty: what it measures is added to `probed`."""
    if not group.probe:
        return judge.judge(group, results, mapped_array, pairing, probed.of(group))
    probed.add(group, *judge.probed(group, results, mapped_array))
    return Judgement()


def mapped_array(result: Result) -> NDArray[np.generic]:
    """Return a result's array, mapped instead of read into memory."""
    answer: NDArray[np.generic] = result.array.read()
    return answer
