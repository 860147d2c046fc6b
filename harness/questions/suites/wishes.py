"""What a suite asks: questions with the backends that are to answer, in the suite's order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from backends import BROUGHT, NAMES, claimed, find
from harness.questions.cases import CASES, named
from harness.questions.suites.combinations import AXES, choices, given
from harness.questions.suites.file import PLAIN, Named, Suite, Sweep, load
from harness.questions.variations import missing
from harness.records import Case


@dataclass(frozen=True)
class Wish:
    """One operation on one case, in one dtype along one axis, and who is to answer."""

    case: Case
    dtype: str
    axis: int
    operation: str
    backends: tuple[str, ...]


Narrowing = Callable[[Iterable[Wish]], Iterable[Wish]]
Answering = Callable[[Sequence[str]], tuple[str, ...]]
"""Who answers a table, by the patterns in its list of backends."""


def cells(suite: Suite, answering: Answering | None = None) -> Iterator[Wish]:
    """All wishes of a suite and of what it includes."""
    who = answering or who_answers
    for other in suite.include:
        yield from cells(load(other), who)
    for table in suite.named:
        yield from of_named(table, who(table.backends))
    for sweep in suite.sweep:
        yield from of_sweep(sweep, answering_to(sweep, who))


def outline(suite: Suite, answering: Answering | None = None, narrowed: Narrowing = iter) -> Iterator[tuple[str, int]]:
    """What the suite's tables are there for, and how many cells each asks, some of which others ask as well.

    `narrowed`: of each table's wishes, those that are left.
    """
    who = answering or who_answers
    for other in suite.include:
        yield from outline(load(other), who, narrowed)
    for table in suite.named:
        yield "named cases", number(narrowed(of_named(table, who(table.backends))))
    for sweep in suite.sweep:
        yield sweep.name, number(narrowed(of_sweep(sweep, answering_to(sweep, who))))


def number(wishes: Iterable[Wish]) -> int:
    """Of cells: a backend has one for each of its own operations that is wished for."""
    return sum(wish.operation in find(name).operations for wish in wishes for name in wish.backends)


def answering_to(sweep: Sweep, who: Answering) -> tuple[str, ...]:
    """Without those that compile each shape, if the sweep says so."""
    return tuple(name for name in who(sweep.backends) if sweep.compiled or not find(name).compiles)


def who_answers(patterns: Sequence[str], named: Sequence[str] = ()) -> tuple[str, ...]:
    """Those on a table's list; beside them whoever is brought, where NumPy is on it, or JAX for one that compiles.

    `named`: who is asked for by name, and takes the list's place: likewise, or where the list has none of ours.
    """
    listed = matched(patterns)
    foreign = all(name in BROUGHT for name in listed)
    brought = (name for name in BROUGHT if find(name).by_default)
    return in_order(
        (
            *listed,
            *(name for name in (*brought, *named) if STANDS_FOR[find(name).compiles] in listed),
            *(name for name in named if foreign),
        )
    )


STANDS_FOR = {False: "numpy", True: "jax"}
"""On a suite's lists, by whether a backend compiles each shape: a framework of ours whose place others can take."""


def in_order(backends: Iterable[str]) -> tuple[str, ...]:
    """In that of `NAMES`; planted ones behind, as they come."""
    given = list(dict.fromkeys(backends))
    return tuple(sorted(given, key=lambda name: NAMES.index(name) if name in NAMES else len(NAMES)))


def matched(patterns: Sequence[str]) -> tuple[str, ...]:
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
    """Backends that can be asked the same are: an array that covers all pairs for one may not for another."""
    for factors, alike in by_what_they_can(sweep, backends):
        for chosen in choices(factors, sweep.choose):
            case = named(case_name(chosen))
            yield Wish(case, chosen["dtype"], case.axes[0], chosen["operation"], alike)
            if case.variation:  # and the plain question, whose bits its own are compared with
                yield Wish(named(case.stream), chosen["dtype"], case.axes[0], chosen["operation"], alike)


Factors = dict[str, list[Any]]


def by_what_they_can(sweep: Sweep, backends: tuple[str, ...]) -> list[tuple[Factors, tuple[str, ...]]]:
    """Backends that have the same of a sweep's variations, dtypes and operations, with the factors that are left."""
    found: list[tuple[Factors, tuple[str, ...]]] = []
    for name in backends:
        factors = possible(sweep, name)
        if not all(factors.values()):
            continue
        earlier = next((number for number, (same, _) in enumerate(found) if same == factors), None)
        if earlier is None:
            found.append((factors, (name,)))
        else:
            found[earlier] = (factors, (*found[earlier][1], name))
    return found


def possible(sweep: Sweep, name: str) -> Factors:
    """A sweep's factors less what this backend does not have at all."""
    about = find(name)
    has = {
        "operation": claimed(name),
        "dtype": about.dtypes,
        "variation": [v for v in sweep.variation if missing(v, about) is None],
    }
    return {
        factor: [value for value in values if value in has.get(factor, values)]
        for factor, values in sweep.factors().items()
    }


def case_name(chosen: Mapping[str, Any]) -> str:
    """By the grammar of `harness.questions.cases`, without what makes no difference to the operation."""
    rows, width = chosen["rows"], chosen["width"]
    shape = AXES[chosen["axis"]].format(rows=rows, width=width) if rows else str(width)
    variation = "" if chosen["variation"] == PLAIN else f"@{chosen['variation']}"
    return ";".join([f"{chosen['family']}:{shape}", *given(chosen)]) + variation
