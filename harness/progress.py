"""Progress on stderr while a run goes on: one bar a framework."""

from __future__ import annotations

from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from backends import find
from harness import blocks
from harness.records import Group, Result


class Progress:
    """Counts blocks as they come; nothing but the end where stderr is no terminal."""

    def __init__(self, groups: list[Group]) -> None:
        columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
        totals = Counter(
            {
                name: sum(
                    len(blocks.boundaries(g.case)) for g in groups for b in g.backends if find(b).framework == name
                )
                for name in dict.fromkeys(find(b).framework for g in groups for b in g.backends)
            }
        )
        self._tasks = {name: self._bars.add_task(name, total=total) for name, total in totals.items()}

    def tell(self, result: Result) -> None:
        self._bars.advance(self._tasks[find(result.backend).framework])

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
