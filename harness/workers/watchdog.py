"""How a hung worker is killed, or one that takes too much memory, and how a process that ended by itself is described.

`process.py` asks the watchdog again and again while it waits for a reply.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import psutil

from harness.faults import Fault, FaultError, Kind

LOOK_EVERY = 0.05
"""Seconds between two looks at a busy worker."""


class WorkerDiedError(FaultError):
    """The process is gone: the fault's outcome is one of `faults.DEATHS`."""


class Watchdog:
    """The watch over one process. Any thread may call `kill`."""

    def __init__(self, popen: Any, gigabytes: float) -> None:
        """Watch a process that may use so many GiB of memory."""
        self.gigabytes = gigabytes
        self._popen, self._pid, self._at_start = popen, popen.pid, 0.0

    def look(self, deadline: float, allowed: float) -> None:
        """Raise WorkerDiedError if the process exceeds its memory, or the deadline, which came after `allowed` seconds.

        The caller has to kill it.
        """
        used = self._used()
        if used > self.gigabytes:
            raise WorkerDiedError(Fault(Kind.MEMORY_LIMIT, used=round(used, 1), allowed=self.gigabytes))
        if time.monotonic() > deadline:
            raise late(allowed)

    @contextmanager
    def killing_after(self, seconds: float) -> Iterator[None]:
        """Kill the process if the body takes longer than that: sending to a process that does not read never ends."""
        alarm = Timer(seconds, self._end)
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def status(self) -> Fault:
        """Return the fault that says by what signal or with what exit code the process ended."""
        popen = self._popen
        if popen is None:
            return Fault(Kind.STOPPED)
        code = popen.wait(timeout=10)
        return Fault(Kind.KILLED, signal=signal.Signals(-code).name) if code < 0 else Fault(Kind.EXITED, code=code)

    def begin(self) -> None:
        """Note the memory in use before the first question, with which `grown` compares."""
        self._at_start = self._used()

    @property
    def grown(self) -> bool:
        """Whether its memory has grown since `begin` by more than half of what it may: compiled programs, caches."""
        return self._used() - self._at_start > (self.gigabytes - self._at_start) / 2

    def _used(self) -> float:
        """Return the process's memory in GiB, or 0 if the process is gone, which the next receive notices."""
        try:
            return float(psutil.Process(self._pid).memory_info().rss / 2**30)
        except psutil.NoSuchProcess:
            return 0.0

    def _end(self) -> None:
        if popen := self._popen:
            popen.kill()

    def kill(self) -> bool:
        """Kill the process if it is alive and wait for its end. Return whether this call did so, and no earlier one."""
        popen, self._popen = self._popen, None
        if popen is None:
            return False
        popen.kill()
        popen.wait()
        return True


def late(seconds: float) -> WorkerDiedError:
    """Return the error of a process that gave no answer in that time."""
    return WorkerDiedError(Fault(Kind.NO_ANSWER_IN_TIME, allowed=seconds))
