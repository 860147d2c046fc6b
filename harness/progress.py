"""Progress on stderr while a run goes on: one bar a framework."""

from __future__ import annotations

from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from backends import find
from harness.blocks import boundaries
from harness.records import Group, Result


class Progress:
    """Counts blocks as they come. Where stderr is no terminal: a line when a framework is through."""

    def __init__(self, groups: list[Group]) -> None:
        columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._console = Console(stderr=True)
        self._bars = Bars(*columns, console=self._console, transient=True)
        totals = Counter(find(b).framework for g in groups for b in g.backends for _ in boundaries(g.case))
        self._tasks = {name: self._bars.add_task(name, total=total) for name, total in totals.items()}

    def __call__(self, result: Result) -> None:
        name = find(result.backend).framework
        self._bars.advance(self._tasks[name])
        if result.outcome == "not run":
            return
        if not self._console.is_terminal and (task := self._bars.tasks[self._tasks[name]]).finished:
            self._console.print(f"{name}: all {task.completed:g} answers are in", highlight=False)

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
