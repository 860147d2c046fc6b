"""The one way to ask a framework: a worker that is started when it is first asked, and again whenever it has ended.

What becomes of a question whose worker dies is decided here, for every command. How a hung worker is killed stands in
`watchdog.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGTERM
from threading import Event
from typing import Any
from urllib.parse import quote

from harness.faults import INTERRUPTED, Fault, Kind, Outcome
from harness.workers.process import Limits, Worker
from harness.workers.request import Reply, Request
from harness.workers.watchdog import WorkerDiedError

HEARD_BY_ALL = 5.0
"""Seconds to wait for our own process to handle a signal that has already ended a worker.

The main thread may be in a section that holds signals back.
"""


class NotStartedError(WorkerDiedError):
    """No worker can be started: the fault's outcome is absent, or how its process ended while it was importing."""


@dataclass
class Driver:
    """One framework's worker process. One thread asks it; others may call `stop` alone."""

    framework: str
    interpreter: str
    scratch: Path
    limits: Limits
    modules: tuple[str, ...] = ()
    """Names of modules whose `BACKENDS` the worker registers too."""
    threads: int = 1
    name: str = ""
    """The name of the worker's folder in `scratch`, if that is not the framework's."""
    stopping: Event | None = None
    """Set when the whole run is being stopped: a worker's death is then no outcome of its question."""
    about: dict[str, Any] = field(default_factory=dict)
    """What the worker said of itself when it was last started."""
    _worker: Worker | None = None

    def start(self) -> None:
        """Start the worker, if there is none. Raise NotStartedError if that fails."""
        self._started()

    def ask(self, request: Request, again: bool = False) -> Reply:
        """Return the reply. If the worker dies or does not start, that is the outcome.

        `again`: if the worker crashes, ask once more in a fresh one, since an earlier question may be the cause. A
        question that reached a limit of time or memory is not asked again.
        """
        try:
            return self._asked(request)
        except WorkerDiedError as died:
            fault = self.fault_of(died)
        if fault.outcome != Outcome.CRASHED or not again:
            return Reply(fault)
        second = self.ask(request)
        if second.fault and second.outcome == Outcome.CRASHED:
            return Reply(replace(second.fault, twice=True))
        return second

    def fault_of(self, died: WorkerDiedError) -> Fault:
        """Return the fault of a question whose worker died, or did not start.

        A SIGTERM to the whole process group may end a worker before our own process has handled it, so wait for that.
        """
        if self.stopping and self.stopping.wait(HEARD_BY_ALL if died.fault.signal == SIGTERM.name else 0):
            return INTERRUPTED
        return died.fault

    def renew(self, anew: bool = False) -> None:
        """Stop a worker whose memory has grown much, so that earlier questions do not use up the memory of later ones.

        The next question starts a fresh worker. `anew`: stop any worker, since that question must be the first of its
        process.
        """
        if self._worker and (anew or self._worker.grown):
            self._worker.stop()
            self._worker = None

    def stop(self) -> None:
        """Kill the worker, and thereby end the question in flight. Any thread may call this."""
        if worker := self._worker:
            worker.stop()

    def _asked(self, request: Request) -> Reply:
        worker = self._started()
        if self.stopping and self.stopping.is_set():  # `stop` may have been called before this worker existed
            return Reply(INTERRUPTED)
        try:
            return worker.ask(request)
        except WorkerDiedError:
            self._worker = None
            raise

    def _started(self) -> Worker:
        if worker := self._worker:
            return worker
        folder = self.scratch / quote(self.name or self.framework, safe="")
        self._worker = worker = Worker(
            self.framework, self.interpreter, self.limits, folder, self.modules, self.threads
        )
        try:
            self.about = worker.open()
        except WorkerDiedError as died:
            self._worker = None
            raise NotStartedError(replace(died.fault, importing=True)) from died
        except OSError as error:
            self._worker = None
            raise NotStartedError(Fault(Kind.NO_INTERPRETER, str(error))) from error
        if "absent" in self.about:
            worker.stop()
            self._worker = None
            raise NotStartedError(Fault(Kind.NOT_HERE, self.about["absent"]))
        return worker
