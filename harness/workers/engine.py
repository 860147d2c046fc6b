"""The engine: asks every block of every group of every backend, in isolated worker processes that run in parallel.

A worker process serves one framework. A crash, a hang or a memory blow-up costs one cell, whose outcome says so; the
worker is started again and the run goes on (`driver.py`). Each worker has one block in flight, so it is known which
block ended it. A block whose worker crashed is asked once more in a fresh worker before its outcome is `crashed`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

from backends import FRAMEWORKS, find
from harness.errors import UsageError
from harness.faults import INTERRUPTED, Fault, sentence
from harness.questions import blocks
from harness.questions.not_asked import unasked
from harness.questions.variations import FIRST, THREADS
from harness.records import Group, Result
from harness.workers import signals
from harness.workers.driver import Driver, NotStartedError
from harness.workers.input_files import Inputs
from harness.workers.load_balancing import expected_seconds, parts
from harness.workers.machine import cores
from harness.workers.process import Limits
from harness.workers.request import Reply, request_of
from harness.workers.scheduling import Scheduler
from harness.workers.spool import Spool

HEARD_WITHIN = 0.1
"""Longest time in seconds until Ctrl-C takes effect."""


@dataclass(frozen=True)
class Settings:
    """How a run is carried out. `interpreters` maps frameworks to paths; a framework without one runs under ours."""

    scratch: Path
    limits: Limits = field(default_factory=Limits)
    interpreters: Mapping[str, str] = field(default_factory=dict)
    jobs: int | None = None
    modules: tuple[str, ...] = ()
    """Modules whose `BACKENDS` the workers register besides the ordinary backends."""


@dataclass
class Task:
    """One worker's part of a run, carried out by one thread: all backends of one framework, or some of them."""

    name: str
    backends: tuple[str, ...]
    groups: list[Group]
    settings: Settings
    inputs: Inputs
    answers: Spool
    publish: Callable[[Result], None]
    stopping: Event
    turns: Scheduler
    rank: int
    threads: int = 1
    driver: Driver = field(init=False)
    unstarted: Fault | None = None
    """Why no question is asked: the first worker did not start."""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        interpreter = self.settings.interpreters.get(self.name, sys.executable)
        self.driver = Driver(
            self.name, interpreter, self.settings.scratch, self.settings.limits, self.settings.modules, self.threads,
            f"{self.backends[0]}-{self.threads}", self.stopping,
        )  # fmt: skip

    def run(self) -> None:
        """Publish one result for each block that this part asks, then stop the worker.

        Errors that are not a backend's (a full disk, a mistake of ours) are raised; `Engine` records them.
        """
        started = time.monotonic()
        try:
            if self.stopping.is_set():
                self.unstarted = INTERRUPTED
            else:
                with self.turns.turn(self.rank):
                    self._start()
            for number, group in enumerate(self.groups):
                if asked := self._asked(group):
                    self.turns.wait_near(number)
                    for backend in asked:
                        self._cell(number, group, backend)
        finally:
            self.seconds = round(time.monotonic() - started, 3)
            self.driver.stop()

    def _start(self) -> None:
        try:
            self.driver.start()
        except NotStartedError as failed:
            self.unstarted = self.driver.fault_of(failed)

    @property
    def about(self) -> dict[str, Any]:
        """What the worker said of itself, the outcome and reason if it did not start, and the seconds of this part."""
        fault = self.unstarted
        failure = {"outcome": fault.outcome, "reason": sentence(fault)} if fault else {}
        return {**self.driver.about, **failure, "seconds": self.seconds}

    def _asked(self, group: Group) -> list[str]:
        """Return the backends of the group that this part asks."""
        ours = (group.case.variation == THREADS) == (self.threads > 1)
        return [backend for backend in group.backends if backend in self.backends] if ours else []

    def _cell(self, number: int, group: Group, backend: str) -> None:
        self.driver.renew(anew=group.case.variation == FIRST)
        for block in range(len(blocks.boundaries(group.case))):
            with self.turns.turn(self.rank):
                result = self._result(number, group, backend, block)
            self.publish(result)

    def _result(self, number: int, group: Group, backend: str, block: int) -> Result:
        if fault := INTERRUPTED if self.stopping.is_set() else unasked(backend, group) or self.unstarted:
            return Reply(fault).result(number, block, backend)
        reply = self.driver.ask(request_of(group, self.inputs.arguments(group, block), backend), again=True)
        kept = None if reply.answer is None else self.answers.keep(reply.answer)
        return replace(reply.result(number, block, backend), array=kept)


class Engine:
    """All frameworks of a run. `results` yields results as they arrive; `stop` ends the run early and loses none."""

    def __init__(self, groups: list[Group], settings: Settings) -> None:
        self.inputs = Inputs(settings.scratch)
        self.faults: list[str] = []
        self._refused: UsageError | None = None
        self._results: SimpleQueue[Result | None] = SimpleQueue()
        self._stopping = Event()
        self.inputs.expect(groups)
        jobs = settings.jobs or cores()
        self.turns = Scheduler(jobs)
        plain = [group for group in groups if group.case.variation != THREADS]
        alone = [(names, 1) for names in parts(expected_seconds(plain), jobs)]
        self.tasks = [
            Task(
                find(names[0]).framework, names, groups, settings, self.inputs, Spool(settings.scratch),
                self._results.put, self._stopping, self.turns, rank, threads,
            )
            for rank, (names, threads) in enumerate(alone + threaded(groups))
        ]  # fmt: skip
        self._unfinished = len(self.tasks)
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self.tasks)))

    def start(self) -> None:
        """Start all parts, the longest first, so that the run ends about when the longest part does."""
        for task in self.tasks:
            self._pool.submit(self._run, task)

    @property
    def about(self) -> dict[str, dict[str, Any]]:
        """What each framework's workers said, and the seconds that they took together, in the order of `FRAMEWORKS`."""
        said: dict[str, dict[str, Any]] = {}
        for part in self.tasks:
            earlier = said.get(part.name, {})
            seconds = round(earlier.get("seconds", 0.0) + part.seconds, 3)
            said[part.name] = {**part.about, **earlier, "seconds": seconds}
        return {name: said[name] for name in (*FRAMEWORKS, *sorted(said)) if name in said}

    def _run(self, task: Task) -> None:
        try:
            task.run()
        except UsageError as error:  # such as a full disk, which is the fault neither of a backend nor of ours
            self._refused = error
            self._stopping.set()
            self.turns.release()
        except Exception as error:
            self.faults.append(f"{task.name}'s thread: {type(error).__name__}: {error}")
        finally:
            self._results.put(None)

    def results(self, take: Callable[[Result], None]) -> Iterator[Result]:
        """Yield the results in the order in which they arrive. After an interruption, a new call continues.

        Each result is passed to `take` before an interruption takes effect, so that none is lost. Raise UsageError if
        results can no longer be stored; those that arrived before are complete.
        """
        while self._unfinished:
            result = None
            with signals.held(), suppress(Empty):
                result = self._results.get(timeout=HEARD_WITHIN)
                if result is None:
                    self._unfinished -= 1
                else:
                    take(result)
            if self._refused:
                raise UsageError(f"{self._refused}; --resume continues")
            if result:
                yield result

    def judged(self, number: int, group: Group) -> None:
        """Note that a group is judged: release its inputs, unless other groups need them, and let workers go on."""
        self.inputs.through(group)
        self.turns.judged(number)

    def stop(self) -> None:
        """Kill the workers and wait for their threads. Blocks without an answer get the outcome `not run`."""
        self._stopping.set()
        self.turns.release()
        for task in self.tasks:
            task.driver.stop()
        self._pool.shutdown(wait=True)


def threaded(groups: list[Group]) -> list[tuple[tuple[str, ...], int]]:
    """Return, for each framework with questions on two threads, its backends and that number of threads.

    These questions have a worker of their own.
    """
    frameworks: dict[str, dict[str, None]] = {}
    for group in groups:
        if group.case.variation == THREADS:
            for backend in group.backends:
                frameworks.setdefault(find(backend).framework, {})[backend] = None
    return [(tuple(backends), 2) for backends in frameworks.values()]
