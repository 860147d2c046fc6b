"""What a plan will take, said before it runs: cells, programs to compile, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from backends import find
from harness.errors import UsageError
from harness.operations import OPERATIONS, answer_shape
from harness.questions.blocks import boundaries
from harness.questions.suites import Narrowing, Suite, load, outline
from harness.questions.suites.wishes import Answering
from harness.questions.variations import FIRST, REPEATS
from harness.records import Group
from harness.workers.machine import cores
from harness.workers.shares import programs, refusal

START = 6.0
"""Seconds that a framework's worker takes to start."""
QUESTION = 0.004
"""Seconds from a question to its answer, beside its elements: files, hashes, messages and the call."""
ELEMENT = 3e-8
JUDGED = 0.0035
"""Seconds that judging a cell takes, beside its elements."""
EXACT, MEASURED = 1.2e-6, 2e-7
"""Seconds for each exact value, and for each answer that is measured against one."""


@dataclass(frozen=True)
class Cost:
    """Of one framework: cells that are asked, distinct programs, seconds of its worker, of them for compiling.

    Probes take seconds and are no cells.
    """

    cells: int = 0
    programs: int = 0
    seconds: float = 0.0
    compiling: float = 0.0


def costs(groups: list[Group]) -> dict[str, Cost]:
    """By framework."""
    found: dict[str, Cost] = {}
    made: dict[str, list[str]] = {}
    for backend, *_ in programs(groups):
        made.setdefault(find(str(backend)).framework, []).append(str(backend))
    asked = [(find(b).framework, g) for g in groups for b in g.backends if not refusal(b, g)]
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
    if group.case.variation == FIRST:
        return START
    times = {"again": REPEATS, "hostile": 2, "alone": group.case.shape[0], "dtypes": 4, "held": 2}.get(
        group.case.variation, 1
    )
    return QUESTION * len(boundaries(group.case)) + times * (QUESTION / 4 + ELEMENT * prod(group.case.shape))


def judging(groups: list[Group]) -> float:
    """Seconds of the judge's own process."""
    total = 0.0
    for group in groups:
        answers = prod(answer_shape(OPERATIONS[group.operation], group.case.shape, group.axis, group.case.classes))
        asked = sum(1 for backend in group.backends if not refusal(backend, group))
        total += asked * (JUDGED + MEASURED * answers) + (EXACT * answers if asked else 0)
    return total


def wall(seconds: list[float]) -> float:
    """Until all processes are done that take so long each: what is longest, or all of it dealt out to the cores."""
    return max(*seconds, sum(seconds) / cores())


def contents(suite: Suite, answering: Answering, narrowed: Narrowing) -> str:
    """What a suite is there for, table by table, as far as anything is left of it."""
    from tabulate import tabulate

    rows = [(name, f"{count:,}") for name, count in outline(suite, answering, narrowed) if count]
    table = tabulate(rows, headers=("asks", "cells"), disable_numparse=True, colalign=("left", "right"))
    return f"{suite.title}\n\n{table}"


def told(groups: list[Group], suite: str, answering: Answering, narrowed: Narrowing) -> str:
    """Tables for a person. `suite`: by its name, if it is one that is asked; of that who answers, and what is left."""
    from tabulate import tabulate

    by_framework, judge = costs(groups), judging(groups)
    took = wall([*(cost.seconds for cost in by_framework.values()), judge])
    rows = [
        (name, f"{cost.cells:,}", f"{cost.programs:,}", f"{cost.compiling:,.0f}", f"{cost.seconds:,.0f}")
        for name, cost in by_framework.items()
    ]
    rows.append(("the judge", "", "", "", f"{judge:,.0f}"))
    heads = ("framework", "cells", "programs to compile", "of them, s", "s")
    cells = [group for group in groups if not group.probe]
    refused = sum(1 for group in cells for backend in group.backends if refusal(backend, group))
    sums = f"{sum(cost.cells for cost in by_framework.values()):,} cells and {refused:,} that are not asked"
    table = tabulate(rows, headers=heads, disable_numparse=True, colalign=ALIGNED)
    asked = f"{contents(load(suite), answering, narrowed)}\n\n" if suite else ""
    return f"{asked}{table}\n\n{sums}; about {span(took)} on {cores()} cores."


ALIGNED = ("left", "right", "right", "right", "right")


def span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def within_budget(groups: list[Group], suite: str) -> None:
    """UsageError if a framework would compile for longer than the suite allows, where one is named."""
    if not suite:
        return
    allowed = load(suite).compile_seconds
    for framework, cost in costs(groups).items():
        if cost.compiling > allowed:
            raise UsageError(
                f"the suite would have {framework} compile {cost.programs:,} programs, about {cost.compiling:,.0f} s, "
                f"and its compile_seconds are {allowed:g}: raise them, or say compiled = false in a sweep"
            )
