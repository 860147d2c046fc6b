"""The turns of the engine's threads: a limited number works at once, the longest first, none far ahead of the judge."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

AHEAD = 2000
"""How many groups a framework may be ahead of the first that is not judged. It bounds a sweep's disk space."""


class Scheduler:
    """Turns for threads that ask for one again and again: at most `jobs` at once, to the lowest waiting rank first."""

    def __init__(self, jobs: int) -> None:
        self._free = jobs
        self._waiting: list[int] = []
        self._changed = Condition()
        self._judged: set[int] = set()
        self._floor = 0
        self._open = True

    @contextmanager
    def turn(self, rank: int) -> Iterator[None]:
        """Wait for a turn and hold it during the body. Threads that wait at the same time must differ in rank."""
        with self._changed:
            heapq.heappush(self._waiting, rank)
            self._changed.wait_for(lambda: self._free > 0 and self._waiting[0] == rank)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def wait_near(self, number: int) -> None:
        """Wait until the group is less than `AHEAD` groups beyond the first that is not judged, or until `release`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open or number < self._floor + AHEAD)

    def judged(self, number: int) -> None:
        """Note that a group is judged. Groups may be judged in any order."""
        with self._changed:
            self._judged.add(number)
            while self._floor in self._judged:
                self._judged.remove(self._floor)
                self._floor += 1
            self._changed.notify_all()

    def release(self) -> None:
        """Let threads go on without waiting for the judge, from now on."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
