"""Ask workers about one cell at a time, for shrinking and reproducing. The workers stay alive between questions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backends import find
from harness.faults import AT_A_LIMIT, Outcome, sentence
from harness.judging import judge, pairs, probes
from harness.judging.grades import needs_height
from harness.judging.probes import HEIGHT, Measured, Probed, place_of, probed_as
from harness.operations import OPERATIONS, softmax_length
from harness.questions.blocks import boundaries
from harness.questions.cases import named
from harness.questions.not_asked import refusal
from harness.records import Case, Comparison, Group, Judgement, Result
from harness.transcript.script import Transcript
from harness.workers.driver import Driver, NotStartedError
from harness.workers.input_files import Inputs
from harness.workers.process import Limits
from harness.workers.request import Recording, Reply, Request, request_of
from harness.workers.scratch import temporary


@dataclass
class Asker:
    """Workers that are started when they are first needed, and stopped at the end of the asker's `with`."""

    interpreters: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._folder = temporary()
        self.scratch = Path(self._folder.name)
        self._drivers: dict[str, Driver] = {}
        self.unless = ""

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *error: object) -> None:
        for driver in self._drivers.values():
            driver.stop()
        self._folder.cleanup()

    def cell(self, backend: str, operation: str, case: str, dtype: str) -> Comparison | None:
        """Return the cell as a run would have it, its summation chain measured; None if a run makes no such cell."""
        group = self.group(backend, operation, named(case), dtype)
        if group is None:
            return None
        return self.judged(group).comparisons[0]

    def judged(self, group: Group) -> Judgement:
        """Return the cell and its laws.

        The summation chain is measured only if the grade F and the length of the sum make that necessary.
        """
        [backend] = group.backends
        found = self._judged(group, {backend: Measured()})
        n = softmax_length(OPERATIONS[group.operation], group.case.shape[group.axis], group.case.classes)
        if found.comparisons[0].grade == "F" and needs_height(n):
            found = self._judged(group, self._measured(group, n))
        return found

    def group(self, backend: str, operation: str, case: Case, dtype: str) -> Group | None:
        """Return the group of a question, or None if a run does not ask it."""
        group = group_of(backend, operation, case, dtype)
        return None if refusal(backend, group) else group

    def answer(self, group: Group) -> Any:
        """Return the answer on the case's first block."""
        return array_of(self._results(group)[group.backends[0], 0])

    def _measured(self, group: Group, n: int) -> dict[str, Measured]:
        """Return the measured height of the summation chain, as a run measures it, or the reason why there is none."""
        name, dtype = probed_as(group.backends[0], group.dtype)
        case = probes.case(HEIGHT, n, place_of(group))
        probe = Group("softmax", case, dtype, case.axes[0], (name,), HEIGHT)
        found = Probed()
        found.add(probe, *judge.probed(probe, self._results(probe), array_of))
        return found.of(group)

    def _judged(self, group: Group, known: Mapping[str, Measured]) -> Judgement:
        results = self._results(group)
        return judge.judge(group, results, array_of, pairs.all_pairs, known)

    def _results(self, group: Group) -> dict[tuple[str, int], Result]:
        [backend] = group.backends
        inputs, found = Inputs(self.scratch), {}
        for block in range(len(boundaries(group.case))):
            reply = self.answered(self.request(group, inputs, block))
            found[backend, block] = reply.result(0, block, backend)
            if reply.outcome in AT_A_LIMIT:  # this decides the cell, and each further block takes as long
                break
        return found

    def request(self, group: Group, inputs: Inputs, block: int = 0) -> Request:
        return request_of(group, inputs.arguments(group, block))

    def answered(self, request: Request, again: bool = False) -> Reply:
        """Return the reply. `again`: whether a question that crashes is asked once more (see `Driver.ask`)."""
        try:
            self.start(request.backend)
        except NotStartedError as failed:
            return Reply(replace(failed.fault, importing=False))
        return self._driver(request.backend).ask(request, again)

    def transcript(self, group: Group, stand_ins: bool = False, watched: str = "") -> Transcript | str:
        """Return the transcript of a question on its first block, or a sentence that says why there is none."""
        return self.written(self.request(group, Inputs(self.scratch)), stand_ins, watched)

    def written(self, request: Request, stand_ins: bool = False, watched: str = "") -> Transcript | str:
        """Return the transcript of a request, or a sentence that says why there is none.

        The script imports the backend itself if recording ends the process, or if `unless` gives a reason.
        """
        recording = Recording(stand_ins, watched, self.unless)
        reply = self.answered(replace(request, recording=recording))
        if reply.fault:
            reason = f"writing it down {reply.outcome}, {reply.reason}"
            reply = self.answered(replace(request, recording=replace(recording, imports=reason)))
        if reply.fault:
            return f"writing it down {reply.outcome}, {reply.reason}"
        return Transcript(**reply.script) if reply.script else reply.reason

    @contextmanager
    def importing(self, reason: str) -> Iterator[None]:
        """Let scripts within this context import the backend itself, and say why."""
        before, self.unless = self.unless, reason
        try:
            yield
        finally:
            self.unless = before

    def start(self, backend: str) -> None:
        """Start the backend's worker, if there is none. Raise NotStartedError if that fails."""
        self._driver(backend).start()

    def _driver(self, backend: str) -> Driver:
        framework = find(backend).framework
        if framework not in self._drivers:
            interpreter = self.interpreter(backend)
            self._drivers[framework] = Driver(framework, interpreter, self.scratch, self.limits, self.modules)
        return self._drivers[framework]

    def absence(self, backend: str) -> str:
        """Return the reason why the backend's framework is absent.

        Return an empty string if it is there, and also if importing it is what ends the process.
        """
        try:
            self.start(backend)
        except NotStartedError as failed:
            return sentence(failed.fault) if failed.fault.outcome == Outcome.ABSENT else ""
        return ""

    def interpreter(self, backend: str) -> str:
        return self.interpreters.get(find(backend).framework, sys.executable)

    def version(self, backend: str) -> str:
        return str(self._driver(backend).about.get("version", ""))


def group_of(backend: str, operation: str, case: Case, dtype: str) -> Group:
    """Return the group of a question along the case's first axis, whether or not a run asks it."""
    return Group(operation, case, dtype, case.axes[0], (backend,))


def array_of(result: Result) -> Any:
    return result.array
