"""The questions that a run asks: names and patterns are checked and made into groups. Nothing runs here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from backends import NAMES, find
from harness.errors import UsageError, nearest, unknown
from harness.judging.grades import needs_height
from harness.judging.probes import EXP, HEIGHT, LAST, exp_shows, place_of, probed_as
from harness.judging.probes import case as probe_case
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, softmax_length
from harness.questions.cases import CASES
from harness.questions.cases import named as named_case
from harness.questions.not_asked import makes_cell
from harness.questions.suites import Wish, cells, load, who_answers
from harness.questions.suites.wishes import in_order, matched, of_cases
from harness.records import Case, Group


@dataclass(frozen=True)
class Selection:
    """What the user asked for, as names or patterns; an empty tuple stands for the default."""

    backends: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    suite: str = ""

    @property
    def of_its_own(self) -> bool:
        """Whether the selection itself names what to ask, instead of narrowing a suite."""
        return not self.suite and bool(self.operations or self.dtypes or self.cases)

    def answering(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Return the backends that answer a suite's table with that list of backends, before it is narrowed."""
        return who_answers(patterns, named(self.backends))


def matching(what: str, patterns: Iterable[str], valid: Sequence[str]) -> tuple[str, ...]:
    """Return the names of `valid` that match any pattern, in order. Raise UsageError if a pattern matches none."""
    wanted = list(patterns)
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in valid):
            raise unknown(what, pattern, valid)
    return tuple(name for name in valid if any(fnmatchcase(name, pattern) for pattern in wanted))


def named(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the backends that are asked for by name, not by a pattern: they must be there, and must be judged."""
    return tuple(pattern for pattern in patterns if pattern in NAMES)


def groups(selection: Selection, probe_all: bool = False) -> list[Group]:
    """Return every question of the selection, in the order of cases, dtypes, axes and operations, probes first.

    Synthetic cases get their probes later, if an answer needs one, or here if `probe_all`. Raise UsageError if nothing
    is left to ask, or if a filter matches nothing.
    """
    asked = list(wishes(selection))
    planned = merged(asked)
    if not asked:
        raise nothing_of_the_suite(selection)
    if not planned:
        who = dict.fromkeys(name for wish in asked for name in wish.backends)
        what = dict.fromkeys(wish.operation for wish in asked)
        raise UsageError(
            f"nothing to run: none of {', '.join(who)} supports {' or '.join(what)} for the selected cases"
        )
    check_filters(selection, planned)
    return probes([group for group in planned if probe_all or group.case.name in CASES]) + planned


def check_filters(selection: Selection, planned: list[Group]) -> None:
    """Raise UsageError if a name or pattern of an operation, dtype or case matches none of the planned questions."""
    there = {
        "operation": (selection.operations, {group.operation for group in planned}),
        "dtype": (selection.dtypes, {group.dtype for group in planned}),
        "case": (selection.cases, {group.case.name for group in planned}),
    }
    for option, (patterns, names) in there.items():
        for pattern in patterns:
            if pattern not in names and not any(fnmatchcase(name, pattern) for name in names):
                who = ", ".join(dict.fromkeys(name for group in planned for name in group.backends))
                raise UsageError(f"--{option} {pattern} matches nothing that would run; the rest would run on {who}")


def nothing_of_the_suite(selection: Selection) -> UsageError:
    """Return the error for a selection that leaves nothing of its suite.

    It names the first pattern that none of the suite's cases matches, or else all names and patterns.
    """
    suite = selection.suite or "quick"
    cases = dict.fromkeys(wish.case.name for wish in cells(load(suite), selection.answering))
    for pattern in selection.cases:
        if not any(fnmatchcase(name, pattern) for name in cases):
            near = nearest(pattern, list(cases))
            hint = f"did you mean {near!r}?" if near else f"--dry-run --suite {suite} prints what it contains"
            return UsageError(f"no case of the suite {suite} matches {pattern!r}: {hint}")
    given = {name: getattr(selection, name) for name in ("backends", "operations", "dtypes", "cases")}
    told = "; ".join(f"{name} {', '.join(patterns)}" for name, patterns in given.items() if patterns)
    return UsageError(f"the suite {suite} has nothing that matches all of: {told}")


def wishes(selection: Selection) -> Iterator[Wish]:
    """Yield the suite's wishes that match the selection, or those that the selection names itself."""
    if not selection.of_its_own:
        yield from narrowed(selection, cells(load(selection.suite or "quick"), selection.answering))
        return
    backends, operations, dtypes = chosen(selection)
    cases = [named_case(name) for name in cases_matching(selection.cases)]
    yield from of_cases(cases, operations, dtypes, backends or matched([]))


def chosen(selection: Selection) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the backends, operations and dtypes that the patterns match; an empty tuple where there is no pattern."""
    return (
        tuple(name for name in matching("backend", selection.backends, NAMES) if by_default(name, selection.backends)),
        matching("operation", selection.operations, tuple(OPERATIONS)),
        matching("dtype", selection.dtypes, tuple(FORMATS)),
    )


def by_default(name: str, patterns: Sequence[str]) -> bool:
    """Decide whether a backend that matches a pattern runs.

    It does if it runs by default, is named itself, or a pattern begins with its framework's name and a colon.
    """
    about = find(name)
    return (
        about.by_default or name in patterns or any(pattern.startswith(f"{about.framework}:") for pattern in patterns)
    )


def narrowed(selection: Selection, asked: Iterable[Wish]) -> Iterator[Wish]:
    """Yield the wishes that match the selection, each with those of its backends that match."""
    backends, operations, dtypes = chosen(selection)
    for wish in asked:
        matches = (
            (not operations or wish.operation in operations)
            and (not dtypes or wish.dtype in dtypes)
            and (not selection.cases or any(fnmatchcase(wish.case.name, pattern) for pattern in selection.cases))
        )
        answering = tuple(name for name in wish.backends if not backends or name in backends)
        if matches and answering:
            yield replace(wish, backends=answering)


def merged(asked: Iterable[Wish]) -> list[Group]:
    """Return the wishes as groups: each question once, those about one case in one dtype along one axis together."""
    units: dict[tuple[Case, str, int], dict[str, dict[str, None]]] = {}
    for wish in asked:
        asked_of_all = Group(wish.operation, wish.case, wish.dtype, wish.axis, wish.backends)
        if answering := tuple(name for name in wish.backends if makes_cell(name, asked_of_all)):
            unit = units.setdefault((wish.case, wish.dtype, wish.axis), {})
            unit.setdefault(wish.operation, {}).update(dict.fromkeys(answering))
    return [
        Group(operation, case, dtype, axis, in_order(answering))
        for (case, dtype, axis), operations in units.items()
        for operation, answering in operations.items()
    ]


def probes(planned: list[Group]) -> list[Group]:
    """Return the probes of a plan: how backends add, for each dtype and n where a grade may depend on it, and exp.

    Each framework has probes of its own, so that it waits for no other.
    """
    asked: dict[tuple[str, str, str, int, str], dict[str, None]] = {}
    for group in planned:
        n = softmax_length(OPERATIONS[group.operation], group.case.shape[group.axis], group.case.classes)
        for backend in group.backends:
            name, dtype = probed_as(backend, group.dtype)
            if needs_height(n):
                asked.setdefault((HEIGHT, find(name).framework, dtype, n, place_of(group)), {})[name] = None
            if OPERATIONS[group.operation].normalised and exp_shows(FORMATS[dtype]):
                asked.setdefault((EXP, find(name).framework, dtype, 0, LAST), {})[name] = None
    return [
        Group("softmax", case := probe_case(kind, n, place), dtype, case.axes[0], tuple(names), kind)
        for (kind, _, dtype, n, place), names in asked.items()
    ]


def cases_matching(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the cases that match a pattern, or of all named cases if there is no pattern.

    A pattern with `:` or `@` is itself the name of a synthetic case or of a variation.
    """
    if not patterns:
        return tuple(CASES)
    plain = [pattern for pattern in patterns if ":" not in pattern and "@" not in pattern]
    made = [pattern for pattern in patterns if pattern not in plain]
    return tuple(dict.fromkeys((*matching("case", plain, tuple(CASES)), *made)))
