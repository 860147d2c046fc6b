"""Whose turn it is: as many frameworks at once as there are cores, the longest first, none far ahead of the judge."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

AHEAD = 2000
"""Groups that a framework may have answered beyond the first that is not judged: what bounds a sweep's disk."""


class Turns:
    """`jobs` turns for threads that want one again and again; the lowest rank that waits is served first."""

    def __init__(self, jobs: int) -> None:
        self._free = jobs
        self._waiting: list[int] = []
        self._changed = Condition()
        self._judged: set[int] = set()
        self._floor = 0
        self._open = True

    @contextmanager
    def turn(self, rank: int) -> Iterator[None]:
        """Ranks of threads that wait at the same time differ."""
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
        """Until that group is near enough to the first that is not judged."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open or number < self._floor + AHEAD)

    def judged(self, number: int) -> None:
        """A group is through, in whatever order."""
        with self._changed:
            self._judged.add(number)
            while self._floor in self._judged:
                self._judged.remove(self._floor)
                self._floor += 1
            self._changed.notify_all()

    def release(self) -> None:
        """Nobody waits for the judge any more."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
