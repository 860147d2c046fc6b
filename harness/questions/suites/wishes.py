"""The questions of a suite, in its order, each with the backends that are to answer it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from backends import BROUGHT, NAMES, find
from harness.questions.cases import CASES, named
from harness.questions.not_asked import missing, not_its_own
from harness.questions.suites.combinations import AXES, choices, given
from harness.questions.suites.schema import PLAIN, Named, Suite, Sweep, load
from harness.records import Case


@dataclass(frozen=True)
class Wish:
    """One operation on one case, in one dtype along one axis, and the backends that are to answer."""

    case: Case
    dtype: str
    axis: int
    operation: str
    backends: tuple[str, ...]


Narrowing = Callable[[Iterable[Wish]], Iterable[Wish]]
Answering = Callable[[Sequence[str]], tuple[str, ...]]
"""A function that returns which backends answer a table, from the patterns in its list of backends."""


def cells(suite: Suite, answering: Answering | None = None) -> Iterator[Wish]:
    """Yield all wishes of a suite, after those of the suites that it includes."""
    who = answering or who_answers
    for other in suite.include:
        yield from cells(load(other), who)
    for table in suite.named:
        yield from of_named(table, who(table.backends))
    for sweep in suite.sweep:
        yield from of_sweep(sweep, answering_to(sweep, who))


def outline(suite: Suite, answering: Answering | None = None, narrowed: Narrowing = iter) -> Iterator[tuple[str, int]]:
    """Yield a title of each of the suite's tables, and how many cells it asks. Other tables may ask some of them too.

    `narrowed`: a function that keeps some of a table's wishes.
    """
    who = answering or who_answers
    for other in suite.include:
        yield from outline(load(other), who, narrowed)
    for table in suite.named:
        yield "named cases", number(narrowed(of_named(table, who(table.backends))))
    for sweep in suite.sweep:
        yield sweep.name, number(narrowed(of_sweep(sweep, answering_to(sweep, who))))


def number(wishes: Iterable[Wish]) -> int:
    """Return the number of cells: a wish has one for each of its backends that has the operation."""
    return sum(wish.operation in find(name).operations for wish in wishes for name in wish.backends)


def answering_to(sweep: Sweep, who: Answering) -> tuple[str, ...]:
    """Return the backends that answer a sweep, without those that compile each shape unless it is `compiled`."""
    return tuple(name for name in who(sweep.backends) if sweep.compiled or not find(name).compiles)


def who_answers(patterns: Sequence[str], named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the backends that answer a table: those on its list, and beside them some that users brought.

    A brought backend that runs by default is added if the list has NumPy, or JAX for one that compiles. A backend in
    `named`, which is asked for by name, is added on the same condition, and also if the list has no backend of ours.
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
"""The framework of ours on a suite's list whose place another backend can take, by whether that compiles each shape."""


def in_order(backends: Iterable[str]) -> tuple[str, ...]:
    """Return the backends in the order of `NAMES`, each once. Planted ones come last, in the order given."""
    given = list(dict.fromkeys(backends))
    return tuple(sorted(given, key=lambda name: NAMES.index(name) if name in NAMES else len(NAMES)))


def matched(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the backends that match a pattern and run by default, and any other whose exact name is a pattern."""
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
    """Yield the wishes for all cases along each axis, with a case's own operations and dtypes where none are given."""
    for case in cases:
        for dtype in dtypes or case.dtypes:
            for axis in case.axes:
                for operation in operations or case.operations:
                    yield Wish(case, dtype, axis, operation, backends)


def of_sweep(sweep: Sweep, backends: tuple[str, ...]) -> Iterator[Wish]:
    """Yield the wishes of a sweep. Only backends that can be asked the same choices share an array of combinations.

    An array that covers all pairs for one backend may not do so for another.
    """
    for factors, alike in by_what_they_can(sweep, backends):
        for chosen in choices(factors, sweep.choose):
            case = named(case_name(chosen))
            yield Wish(case, chosen["dtype"], case.axes[0], chosen["operation"], alike)
            if case.variation:  # the plain question too, since its bits are compared
                yield Wish(named(case.stream), chosen["dtype"], case.axes[0], chosen["operation"], alike)


Factors = dict[str, list[Any]]


def by_what_they_can(sweep: Sweep, backends: tuple[str, ...]) -> list[tuple[Factors, tuple[str, ...]]]:
    """Return groups of backends that have the same of a sweep's variations, dtypes and operations.

    Each group comes with the sweep's factors that are left for it. A backend with an empty factor is in none.
    """
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
    """Return a sweep's factors without the choices that this backend does not have at all."""
    about = find(name)
    has = {
        "operation": [o for o in sweep.operation if not_its_own(about, o) is None],
        "dtype": about.dtypes,
        "variation": [v for v in sweep.variation if missing(v, about) is None],
    }
    return {
        factor: [value for value in values if value in has.get(factor, values)]
        for factor, values in sweep.factors().items()
    }


def case_name(chosen: Mapping[str, Any]) -> str:
    """Return a case's name in the grammar of `harness.questions.cases`, without options that make no difference."""
    rows, width = chosen["rows"], chosen["width"]
    shape = AXES[chosen["axis"]].format(rows=rows, width=width) if rows else str(width)
    variation = "" if chosen["variation"] == PLAIN else f"@{chosen['variation']}"
    return ";".join([f"{chosen['family']}:{shape}", *given(chosen)]) + variation
