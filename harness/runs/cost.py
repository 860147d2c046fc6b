"""What a plan is expected to take, before it runs: cells, programs to compile, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from backends import find
from harness.errors import UsageError
from harness.operations import OPERATIONS, answer_shape
from harness.questions.blocks import boundaries
from harness.questions.not_asked import unasked
from harness.questions.suites import Narrowing, Suite, load, outline
from harness.questions.suites.wishes import Answering
from harness.questions.variations import FIRST, REPEATS
from harness.records import Group
from harness.workers.load_balancing import programs
from harness.workers.machine import cores

START = 6.0
"""Seconds that a framework's worker takes to start."""
SECONDS_A_QUESTION = 0.004
"""Seconds from a question to its answer, without those of its elements: files, hashes, messages and the call."""
ELEMENT = 3e-8
"""Seconds for each element of a question's input."""
JUDGED = 0.0035
"""Seconds for judging a cell, without those of its elements."""
EXACT, MEASURED = 1.2e-6, 2e-7
"""Seconds for each exact value, and for each element of an answer that is compared with one."""


@dataclass(frozen=True)
class Cost:
    """What one framework costs: cells that are asked, programs to compile, its worker's seconds, those for compiling.

    Probes take seconds but are no cells.
    """

    cells: int = 0
    programs: int = 0
    seconds: float = 0.0
    compiling: float = 0.0


def costs(groups: list[Group]) -> dict[str, Cost]:
    """Return the cost of each framework."""
    found: dict[str, Cost] = {}
    made: dict[str, list[str]] = {}
    for backend, *_ in programs(groups):
        made.setdefault(find(str(backend)).framework, []).append(str(backend))
    asked = [(find(b).framework, g) for g in groups for b in g.backends if not unasked(b, g)]
    for framework in dict.fromkeys(name for name, _ in asked):
        its = [group for name, group in asked if name == framework]
        backends = made.get(framework, [])
        compiled = [backend for backend in backends if find(backend).compiles]
        compiling = sum(find(backend).program_seconds for backend in compiled)
        warming = sum(find(backend).program_seconds for backend in backends) - compiling
        seconds = START + compiling + warming + sum(asking(group) for group in its)
        found[framework] = Cost(sum(not group.probe for group in its), len(compiled), seconds, compiling)
    return found


def asking(group: Group) -> float:
    """Return the seconds that one backend takes to answer a group, once its programs are compiled."""
    if group.case.variation == FIRST:
        return START
    times = {"again": REPEATS, "hostile": 2, "alone": group.case.shape[0], "dtypes": 4, "held": 2}.get(
        group.case.variation, 1
    )
    return SECONDS_A_QUESTION * len(boundaries(group.case)) + times * (
        SECONDS_A_QUESTION / 4 + ELEMENT * prod(group.case.shape)
    )


def judging(groups: list[Group]) -> float:
    """Return the seconds that the judge takes, in its own process."""
    total = 0.0
    for group in groups:
        answers = prod(answer_shape(OPERATIONS[group.operation], group.case.shape, group.axis, group.case.classes))
        asked = sum(1 for backend in group.backends if not unasked(backend, group))
        total += asked * (JUDGED + MEASURED * answers) + (EXACT * answers if asked else 0)
    return total


def wall(seconds: list[float]) -> float:
    """Return the seconds until processes of these lengths are done: the longest, or their sum divided by the cores."""
    return max(*seconds, sum(seconds) / cores())


def contents(suite: Suite, answering: Answering, narrowed: Narrowing) -> str:
    """Return a suite's title, and a text table of what its tables ask, without those of which nothing is left."""
    from tabulate import tabulate

    rows = [(name, f"{count:,}") for name, count in outline(suite, answering, narrowed) if count]
    table = tabulate(rows, headers=("part of the suite", "cells"), disable_numparse=True, colalign=("left", "right"))
    return f"{suite.title}\n\n{table}"


def cost_tables(groups: list[Group], suite: str, answering: Answering, narrowed: Narrowing) -> str:
    """Return a plan's cost as text tables.

    `suite`: the name of the suite that is asked, or empty. `answering` and `narrowed` say who answers its tables and
    what is left of them.
    """
    from tabulate import tabulate

    by_framework, judge = costs(groups), judging(groups)
    took = wall([*(cost.seconds for cost in by_framework.values()), judge])
    rows = [
        (name, f"{cost.cells:,}", f"{cost.programs:,}", f"{cost.compiling:,.0f}", f"{cost.seconds:,.0f}")
        for name, cost in by_framework.items()
    ]
    rows.append(("judge", "", "", "", f"{judge:,.0f}"))
    heads = ("framework", "cells", "programs to compile", "compile time, s", "total time, s")
    cells = [group for group in groups if not group.probe]
    refused = sum(1 for group in cells for backend in group.backends if unasked(backend, group))
    total = sum(cost.cells for cost in by_framework.values())
    sums = f"{total:,} cells, and {refused:,} that are skipped or not supported"
    table = tabulate(rows, headers=heads, disable_numparse=True, colalign=ALIGNED)
    asked = f"{contents(load(suite), answering, narrowed)}\n\n" if suite else ""
    return f"{asked}{table}\n\n{sums}; about {span(took)} on {cores()} cores."


ALIGNED = ("left", "right", "right", "right", "right")


def span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def within_budget(groups: list[Group], suite: str) -> None:
    """Raise UsageError if a framework would compile for longer than the named suite allows; without one, never."""
    if not suite:
        return
    allowed = load(suite).compile_seconds
    for framework, cost in costs(groups).items():
        if cost.compiling > allowed:
            raise UsageError(
                f"{framework} would compile {cost.programs:,} programs, which takes about {cost.compiling:,.0f} s, and "
                f"the suite allows {allowed:g}: raise compile_seconds, or set compiled = false in a sweep"
            )
