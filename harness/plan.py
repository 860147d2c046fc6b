"""Which questions a run asks: names and patterns, checked, made into groups. Nothing runs here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from backends import NAMES, find
from harness.cases import CASES
from harness.cases import named as named_case
from harness.errors import UsageError, unknown
from harness.formats import FORMATS
from harness.grades import needs_height
from harness.operations import OPERATIONS, softmax_length
from harness.probes import EXP, HEIGHT, exp_shows, probed_as
from harness.probes import case as probe_case
from harness.records import Case, Group
from harness.variations import refusal


@dataclass(frozen=True)
class Selection:
    """What the user asked for, as names or patterns; an empty tuple is the default."""

    backends: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


def matching(what: str, patterns: Iterable[str], valid: Sequence[str]) -> tuple[str, ...]:
    """The valid names that match any of the patterns, in their own order; an error for a pattern that matches none."""
    wanted = list(patterns)
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in valid):
            raise unknown(what, pattern, valid)
    return tuple(name for name in valid if any(fnmatchcase(name, pattern) for pattern in wanted))


def named(patterns: Iterable[str]) -> tuple[str, ...]:
    """Backends asked for by name, and not by a pattern: those must be there."""
    return tuple(pattern for pattern in patterns if pattern in NAMES)


def groups(selection: Selection) -> list[Group]:
    """Every question of the selection, in the order of cases, dtypes, axes and operations."""
    default = tuple(name for name in NAMES if find(name).by_default)
    backends = matching("backend", selection.backends, NAMES) if selection.backends else default
    operations = matching("operation", selection.operations, tuple(OPERATIONS))
    dtypes = matching("dtype", selection.dtypes, tuple(FORMATS))
    cases = [named_case(name) for name in cases_matching(selection.cases)]
    planned = [
        Group(operation, case, dtype, axis, answering)
        for case in cases
        for dtype in dtypes or case.dtypes
        for axis in case.axes
        for operation in operations or case.operations
        if (answering := answerers(operation, case, axis, backends))
    ]
    if not planned:
        asked = operations or tuple(dict.fromkeys(name for case in cases for name in case.operations))
        raise UsageError(f"none of {', '.join(backends)} computes {' or '.join(asked)} by itself")
    return probes(planned) + planned


def probes(planned: list[Group]) -> list[Group]:
    """The questions that measure how backends add, for each dtype and n at which a grade may depend on it, and exp.

    A framework's are its own, so that it waits for no other.
    """
    asked: dict[tuple[str, str, str, int], dict[str, None]] = {}
    for group in planned:
        n = softmax_length(OPERATIONS[group.operation], group.case.shape[group.axis])
        for backend in group.backends:
            name, dtype = probed_as(backend, group.dtype)
            if needs_height(n):
                asked.setdefault((HEIGHT, find(name).framework, dtype, n), {})[name] = None
            if group.operation == "softmax" and exp_shows(FORMATS[dtype]):
                asked.setdefault((EXP, find(name).framework, dtype, 0), {})[name] = None
    return [
        Group("softmax", probe_case(kind, n), dtype, -1, tuple(names), kind)
        for (kind, _, dtype, n), names in asked.items()
    ]


def cases_matching(patterns: Sequence[str]) -> tuple[str, ...]:
    """The named cases that match a pattern; a synthetic case, or one asked in another way, is its own name."""
    if not patterns:
        return tuple(CASES)
    plain = [pattern for pattern in patterns if ":" not in pattern and "@" not in pattern]
    made = [pattern for pattern in patterns if pattern not in plain]
    return tuple(dict.fromkeys((*matching("case", plain, tuple(CASES)), *made)))


def answerers(operation: str, case: Case, axis: int, backends: Iterable[str]) -> tuple[str, ...]:
    """The backends that compute this operation in their own way, and can be asked so."""
    return tuple(
        name
        for name in backends
        if operation in find(name).operations and not refusal(case, OPERATIONS[operation], axis, find(name))
    )
