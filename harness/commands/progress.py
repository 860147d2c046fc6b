"""Progress on stderr during a run: one bar for each framework, and how long it may still take."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from backends import find
from harness.faults import Outcome
from harness.questions.blocks import boundaries
from harness.records import Group, Result

EVERY = 60.0
"""Seconds between two lines, if stderr is not a terminal."""


class Progress:
    """Counts blocks as they arrive.

    If stderr is not a terminal, it prints a line a minute, and one when a framework is done.
    """

    def __init__(self, groups: list[Group]) -> None:
        columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._console = Console(stderr=True)
        self._bars = Bars(*columns, TimeRemainingColumn(), console=self._console, transient=True)
        totals = Counter(find(b).framework for g in groups for b in g.backends for _ in boundaries(g.case))
        self._tasks = {name: self._bars.add_task(name, total=total) for name, total in totals.items()}
        self._total, self._done = totals.total(), 0
        self._absent: set[str] = set()
        self._began = self._told = time.monotonic()

    def __call__(self, result: Result) -> None:
        name = find(result.backend).framework
        self._bars.advance(self._tasks[name])
        self._done += 1
        if result.outcome == Outcome.ABSENT:
            self._absent.add(name)
        if result.outcome == Outcome.NOT_RUN or self._console.is_terminal:
            return
        if (task := self._bars.tasks[self._tasks[name]]).finished:
            told = str(Outcome.ABSENT) if name in self._absent else f"all {task.completed:g} results are in"
            self._console.print(f"{name}: {told}", highlight=False)
        elif time.monotonic() - self._told > EVERY:
            self._told = time.monotonic()
            self._console.print(self.left(), highlight=False)

    def left(self) -> str:
        """Return a sentence: how many answers are in, and how many minutes the rest takes at the same speed."""
        minutes = (time.monotonic() - self._began) / self._done * (self._total - self._done) / 60
        return f"{self._done:,} of {self._total:,} results are in; about {minutes:.0f} min left"

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
