"""Ask a backend, either in this process or in its framework's worker process, which a question may end.

Each question has an answer or a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from backends import OPERATIONS, Backend
from harness.faults import Fault, Kind, Outcome, event
from harness.numbers import arrays
from harness.numbers.arrays import Hashed
from harness.specials.facts import Answer
from harness.specials.sheets import LAYOUT_AXES, Sheet, arguments
from harness.workers.driver import Driver, NotStartedError
from harness.workers.request import Request

Ask = Callable[[str, Sheet, str], Answer | Fault]
"""A function of an operation, a sheet and a layout that asks a backend and returns the answer, or why there is none."""


def in_process(backend: Backend) -> Ask:
    """Return a function that asks a backend that is loaded in this process: NumPy's, or one made of it."""

    def ask(operation: str, sheet: Sheet, layout: str) -> Answer | Fault:
        given = arguments(sheet, operation, layout)
        native = {name: backend.from_numpy(a) if isinstance(a, np.ndarray) else a for name, a in given.items()}
        try:
            with np.errstate(all="ignore"):
                answer = getattr(backend, OPERATIONS[operation])(axis=LAYOUT_AXES[layout], **native)
                return np.asarray(backend.to_numpy(answer))
        except Exception as error:
            return Fault(Kind.RAISED, str(error), type(error).__name__)

    return ask


class NoWorkerError(Exception):
    """A framework's worker process does not start. `absent`: because the framework is not there."""

    def __init__(self, reason: str, absent: bool) -> None:
        super().__init__(reason)
        self.absent = absent


@dataclass
class AtWorker:
    """One framework's worker process, asked about sheets. It is not shared between threads."""

    driver: Driver
    _hashed: dict[tuple[int, str, str], Hashed] = field(default_factory=dict)
    _sheet: Sheet | None = None

    @property
    def version(self) -> str:
        """The framework's version, or empty if its worker did not start."""
        return str(self.driver.about.get("version", ""))

    def backend(self, name: str) -> Ask:
        """Return a function that asks one of the framework's backends."""
        return partial(self._asked, name)

    def open(self) -> None:
        """Start the worker, if there is none. Raise NoWorkerError if that fails."""
        try:
            self.driver.start()
        except NotStartedError as failed:
            absent = failed.fault.kind == Kind.NOT_HERE
            reason = "its worker does not start: " * (not absent) + event(failed.fault)
            raise NoWorkerError(reason, absent) from failed

    def _asked(self, backend: str, operation: str, sheet: Sheet, layout: str) -> Answer | Fault:
        given = arguments(sheet, operation, layout)
        sent = {name: self._sent(sheet, layout, name, value) for name, value in given.items()}
        self.open()
        request = Request(backend, operation, LAYOUT_AXES[layout], sent)
        found = self.driver.ask(request, again=one_situation(sheet)).found
        if isinstance(found, Fault) and found.outcome in (Outcome.ABSENT, Outcome.NOT_RUN):  # no behaviour of it
            raise NoWorkerError(event(found), found.kind == Kind.NOT_HERE)
        return found

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
        self.driver.stop()


def one_situation(sheet: Sheet) -> bool:
    """Decide whether a sheet is asked again after a crash: if it has several situations, they are asked one by one."""
    return len(sheet.situations) == 1
