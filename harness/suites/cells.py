"""What a suite asks: questions with the backends that are to answer, in the suite's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from backends import NAMES, find
from harness.cases import CASES, named
from harness.records import Case
from harness.suites.choice import AXES, choices
from harness.suites.model import PLAIN, Named, Suite, Sweep, load


@dataclass(frozen=True)
class Wish:
    """One operation on one case, in one dtype along one axis, and who is to answer."""

    case: Case
    dtype: str
    axis: int
    operation: str
    backends: tuple[str, ...]


def cells(suite: Suite, answering: tuple[str, ...] | None = None) -> Iterator[Wish]:
    """All wishes of a suite and of what it includes. `answering`: these, whoever the suite names."""
    for other in suite.include:
        yield from cells(load(other), answering)
    for table in suite.named:
        yield from of_named(table, answering or matched(table.backends))
    for sweep in suite.sweep:
        asked = answering or matched(sweep.backends)
        yield from of_sweep(sweep, tuple(name for name in asked if sweep.compiled or not find(name).compiles))


def matched(patterns: list[str]) -> tuple[str, ...]:
    """The backends that match, of those that run by default; of the others one that is named itself."""
    return tuple(
        name
        for name in NAMES
        if name in patterns
        or (find(name).by_default and any(fnmatchcase(name, pattern) for pattern in patterns or ("*",)))
    )


def of_named(table: Named, backends: tuple[str, ...]) -> Iterator[Wish]:
    cases = (case for name, case in CASES.items() if any(fnmatchcase(name, pattern) for pattern in table.cases))
    return of_cases(cases, table.operations, table.dtypes, backends)


def of_cases(
    cases: Iterable[Case], operations: Sequence[str], dtypes: Sequence[str], backends: tuple[str, ...]
) -> Iterator[Wish]:
    """All along each axis, with the cases' own operations and dtypes where none are given."""
    for case in cases:
        for dtype in dtypes or case.dtypes:
            for axis in case.axes:
                for operation in operations or case.operations:
                    yield Wish(case, dtype, axis, operation, backends)


def of_sweep(sweep: Sweep, backends: tuple[str, ...]) -> Iterator[Wish]:
    for chosen in choices(sweep.factors(), sweep.choose):
        case = named(case_name(chosen))
        yield Wish(case, chosen["dtype"], case.axes[0], chosen["operation"], backends)
        if case.variation:  # and the plain question, whose bits its own are compared with
            yield Wish(named(case.stream), chosen["dtype"], case.axes[0], chosen["operation"], backends)


def case_name(chosen: Mapping[str, Any]) -> str:
    """By the grammar of `harness.cases`."""
    rows, width = chosen["rows"], chosen["width"]
    shape = AXES[chosen["axis"]].format(rows=rows, width=width) if rows else str(width)
    given = [f"{name}={chosen[name]}" for name in ("upstream", "labels") if chosen[name] != "random"]
    variation = "" if chosen["variation"] == PLAIN else f"@{chosen['variation']}"
    return ";".join([f"{chosen['family']}:{shape}", *given]) + variation
