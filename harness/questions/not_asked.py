"""Why a question is not asked of a backend. This is known before anything runs, and every command finds it out here.

What only a worker can say (its framework is absent) stands in `harness.workers.driver`; which questions a user selects,
in `harness.runs.plan`.
"""

from __future__ import annotations

from collections.abc import Iterator

from backends import Backend, disclaims, find, unsupported
from harness.faults import WITHOUT_CELL, Fault, Kind
from harness.operations import OPERATIONS, Operation, too_large
from harness.questions.targets import SAME
from harness.questions.variations import LAYOUTS, REPEATING, THREADS, axis_of_batch
from harness.records import Case, Family, Group

MOST_ALONE = 64
"""The most rows of a batch that are asked one by one."""


def refusal(backend: str, group: Group) -> Fault | None:
    """Return why a group's question is not asked of a backend, or None if it is."""
    return next(refusals(backend, group), None)


def makes_cell(backend: str, group: Group) -> bool:
    """Decide whether a run makes a cell of a question, with an answer or with the reason why there is none."""
    return not any(one.kind in WITHOUT_CELL for one in refusals(backend, group))


def unasked(backend: str, group: Group) -> Fault | None:
    """Return why a cell that a run makes is not asked, or None if it is."""
    return next((one for one in refusals(backend, group) if one.kind not in WITHOUT_CELL), None)


def refusals(backend: str, group: Group) -> Iterator[Fault]:
    """Yield all reasons, first the one that is told."""
    about, operation, n = find(backend), OPERATIONS[group.operation], group.case.shape[group.axis]
    if group.operation not in about.operations:
        yield Fault(Kind.NOT_ITS_OWN)
    if reason := unsupported(backend, group.operation, group.dtype):
        yield Fault(Kind.NOT_CLAIMED, reason)
    if refused := of_variation(group.case, operation, group.axis, about):
        yield refused
    if reason := too_large(operation, n) or too_long(about, n):
        yield Fault(Kind.TOO_LARGE, reason)


def not_its_own(backend: type[Backend], operation: str) -> Fault | None:
    """Return why an answer would not be the backend's own, whatever the dtype, or None if it would."""
    if operation not in backend.operations:
        return Fault(Kind.NOT_ITS_OWN)
    reason = disclaims(backend, operation)
    return Fault(Kind.NOT_CLAIMED, reason) if reason else None


def too_long(backend: type[Backend], n: int) -> str | None:
    """Return why the backend is not asked at length n, whatever the operation, or None."""
    if backend.largest_n is not None and n > backend.largest_n:
        return f"n = {n}: {backend.title()} is written out and asked up to n = {backend.largest_n}"
    return None


def not_so(reason: str) -> Fault:
    """Return the fault of a question that is not asked as a variation."""
    return Fault(Kind.NOT_IN_THIS_WAY, reason)


def missing(variation: str, backend: type[Backend]) -> Fault | None:
    """Return why a backend can't be asked in that way at all, or None."""
    layout = variation.removeprefix("upstream-")
    if layout in LAYOUTS and layout not in backend.layouts:
        return not_so(f"{backend.title()} has no {layout} arrays")
    if variation == THREADS and not backend.threaded:
        return not_so(f"{backend.title()} has one thread")
    return None


def of_variation(case: Case, operation: Operation, axis: int, backend: type[Backend]) -> Fault | None:
    """Return why a case's variation is not asked of this operation, axis and backend, or None."""
    variation = case.variation
    layout = variation.removeprefix("upstream-")
    batch = axis_of_batch(case.shape, axis)
    if not variation:
        return None
    if lacking := missing(variation, backend) or nothing_beside(variation, operation):
        return lacking
    if layout == "broadcast" and (batch is None or not equal_rows(case, operation, variation)):
        return not_so("its rows are not alike, so there is nothing to broadcast")
    if variation in ("alone", "hostile") and (batch is None or case.shape[batch] < 2 or operation.rows_together):
        return not_so("there is one row alone, or the answer is of all rows together")
    if variation == "hostile" and operation.weighted:
        return not_so("a derivative by weights is a sum over all rows, where 0 · NaN is NaN")
    if variation == "alone" and batch is not None and case.shape[batch] > MOST_ALONE:
        return not_so(f"more than {MOST_ALONE} rows")
    return None


def nothing_beside(variation: str, operation: Operation) -> Fault | None:
    """Return why no argument but the logits can be given a layout of its own, or None."""
    if variation.startswith("upstream-") and not operation.laid_out:
        return not_so(f"{operation.name} has no argument beside the logits that has a layout")
    return None


def equal_rows(case: Case, operation: Operation, variation: str) -> bool:
    """Decide whether the rows of the arrays that are to be broadcast are all alike."""
    if not variation.startswith("upstream-"):
        return isinstance(case.recipe, Family) and case.recipe.name in REPEATING
    if operation.takes("distribution"):
        return case.labels in SAME and case.distribution in ("random", "onehot", "rounded")
    return case.upstream in ("ones", "same")
