"""Ask a backend, either in this process or in its framework's worker process, which a question may end.

Each question has an outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from backends import OPERATIONS, Backend
from harness.numbers import arrays
from harness.numbers.arrays import Hashed
from harness.specials.facts import Outcome
from harness.specials.sheets import AXES, Sheet, arguments
from harness.workers.process import Limits, Worker
from harness.workers.request import Request
from harness.workers.watchdog import WorkerDiedError

Ask = Callable[[str, Sheet, str], Outcome]
"""A function of an operation, a sheet and a layout that asks a backend and returns the outcome."""


def in_process(backend: Backend) -> Ask:
    """Return a function that asks a backend that is loaded in this process: NumPy's, or one made of it."""

    def ask(operation: str, sheet: Sheet, layout: str) -> Outcome:
        given = arguments(sheet, operation, layout)
        native = {name: backend.from_numpy(a) if isinstance(a, np.ndarray) else a for name, a in given.items()}
        try:
            with np.errstate(all="ignore"):
                answer = getattr(backend, OPERATIONS[operation])(axis=AXES[layout], **native)
                return Outcome("ok", "", np.asarray(backend.to_numpy(answer)))
        except Exception as error:
            return Outcome("failed", f"{type(error).__name__}: {error}")

    return ask


class NoWorkerError(Exception):
    """A framework's worker process does not start. `absent`: because the framework is not there."""

    def __init__(self, reason: str, absent: bool) -> None:
        super().__init__(reason)
        self.absent = absent


@dataclass
class AtWorker:
    """One framework's worker process, started again whenever it has ended. It is not shared between threads."""

    framework: str
    interpreter: str
    folder: Path
    modules: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    version: str = ""
    _worker: Worker | None = None
    _hashed: dict[tuple[int, str, str], Hashed] = field(default_factory=dict)
    _sheet: Sheet | None = None

    def backend(self, name: str) -> Ask:
        """Return a function that asks one of the framework's backends."""
        return partial(self._asked, name)

    def open(self) -> Worker:
        """Return the worker, and start it if necessary. Raise NoWorkerError if that fails."""
        if self._worker is None:
            folder = self.folder / quote(self.framework, safe="")
            self._worker = worker = Worker(self.framework, self.interpreter, self.limits, folder, self.modules)
            try:
                about = worker.open()
            except (WorkerDiedError, OSError) as error:
                raise NoWorkerError(f"its worker does not start: {error}", absent=False) from error
            if "absent" in about:
                raise NoWorkerError(about["absent"], absent=True)
            self.version = str(about["version"])
        return self._worker

    def _asked(self, backend: str, operation: str, sheet: Sheet, layout: str) -> Outcome:
        given = arguments(sheet, operation, layout)
        sent = {name: self._sent(sheet, layout, name, value) for name, value in given.items()}
        request = Request(backend, operation, AXES[layout], sent)
        worker = self.open()
        try:
            reply = worker.ask(request)
        except WorkerDiedError as died:
            self._worker = None
            return Outcome(died.outcome, died.reason)
        return Outcome(reply.outcome, reply.reason, reply.answer)

    def _sent(self, sheet: Sheet, layout: str, name: str, value: Any) -> Any:
        """Return an array with its hash.

        The hash is computed once for all operations and backends that are sent the array one after the other.
        """
        if not isinstance(value, np.ndarray):
            return value
        if sheet is not self._sheet:
            self._sheet, self._hashed = sheet, {}
        key = (id(sheet), layout, name)
        if key not in self._hashed:
            self._hashed[key] = Hashed(value, arrays.sha256(value))
        return self._hashed[key]

    def stop(self) -> None:
        if self._worker:
            self._worker.stop()
            self._worker = None
