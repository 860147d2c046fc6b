"""Reproduce one cell by its name: show what it does by a script that is run in a fresh interpreter."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from backends import NAMES
from harness import faults
from harness.errors import UsageError, unknown
from harness.faults import Kind, Outcome
from harness.findings.asker import Asker, group_of
from harness.findings.record import ATLAS
from harness.findings.scripts.one_cell import UNSHOWN, Ran, no_fault, run, snippet
from harness.findings.scripts.variations import other_bits, plainly
from harness.findings.search import ONE_ANSWER, TWO_THREADS
from harness.findings.specials import reproduce as special
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS
from harness.questions.cases import named
from harness.questions.not_asked import refusal
from harness.questions.variations import CALLS, THREADS
from harness.records import Case, Comparison, Group
from harness.specials.special_inputs import NO_FLOATS

EXAMPLE = "as in: reproduce torch log_softmax zeros:65520 float16"
DTYPES = (*FORMATS, *dict.fromkeys(dtype for dtype, _ in NO_FLOATS.values()))
"""The dtypes that a cell of the atlas may have."""


def words(given: Sequence[str]) -> Sequence[str]:
    """Return the arguments as they are, since a name may contain spaces; split a single one as a shell does.

    Raise UsageError if it cannot be split.
    """
    try:
        return shlex.split(given[0]) if len(given) == 1 else given
    except ValueError as error:
        raise UsageError(f"{given[0]!r} does not read as a shell reads words: {error}") from None


def checked(words: Sequence[str]) -> tuple[str, str, str, str]:
    """Return backend, operation, case and dtype. Raise UsageError for a name that is not valid."""
    if len(words) != 4:
        raise UsageError(f"a cell is BACKEND OPERATION CASE DTYPE, {EXAMPLE}; {len(words)} words were given")
    backend, operation, case, dtype = words
    dtypes = DTYPES if case.startswith(ATLAS) else FORMATS
    for what, name, valid in (
        ("backend", backend, NAMES), ("operation", operation, OPERATIONS), ("dtype", dtype, dtypes),
    ):  # fmt: skip
        if name not in valid:
            raise unknown(what, name, valid)
    if case.startswith(ATLAS):
        special.checked(backend, operation, case, dtype)
    else:
        named(case)
    return backend, operation, case, dtype


def on_axis(case: Case, axis: int | None) -> Case:
    """Return the case with that axis alone, or as it is if `axis` is None.

    Raise UsageError if the case has no such axis.
    """
    if axis is None:
        return case
    rank = len(case.shape)
    if not -rank <= axis < rank:
        raise UsageError(f"{case.name} has {rank} dimension{'s' * (rank > 1)}: its axes are {-rank} to {rank - 1}")
    return replace(case, axes=(axis,))


def script_and_verdict(
    asker: Asker, backend: str, operation: str, case: str, dtype: str, axis: int | None = None
) -> tuple[str, str]:
    """Return the script, and what the harness says of the cell. Raise UsageError if there is no script.

    `axis`: another axis of the case than its first.
    """
    if case.startswith(ATLAS):
        if axis is not None:
            raise UsageError("a cell of the atlas is found by its situation: --axis does not go with it")
        return special.script_and_verdict(
            asker, backend, operation, special.checked(backend, operation, case, dtype), dtype
        )
    made = on_axis(named(case), axis)
    group = group_of(backend, operation, made, dtype)
    if refused := refusal(backend, group):
        raise UsageError(f"{backend} {operation} {case} {dtype} is not asked: {faults.sentence(refused)}")
    if made.variation == THREADS:
        raise UsageError(f"{backend} {operation} {case} {dtype}: {TWO_THREADS}")
    # The plain question comes first: the other way may leave something behind.
    plain = asker.judged(plainly(group)).comparisons[0] if made.variation in CALLS else None
    [cell] = asker.judged(group).comparisons
    script, told = put_otherwise(asker, group, plain, cell) if plain else snippet(asker, group, cell)
    if script is None:
        raise UsageError(f"{backend} {operation} {case} {dtype}: {told}")
    return script, f"{sentence(cell)}{told}"


def put_otherwise(asker: Asker, group: Group, plain: Comparison, cell: Comparison) -> tuple[str | None, str]:
    """Return the script of a question that is more than one call, or None, and a text.

    The text is what is to be said of the script, or the reason why there is none. If the answer is the plain
    question's, the script is too, and shows all that there is. Otherwise it shows both answers.
    """
    if (plain.outcome, plain.reason, plain.answer) == (cell.outcome, cell.reason, cell.answer):
        script, reason = snippet(asker, plainly(group), plain)
        return script, reason or f"; asked {group.case.variation}, it answers as if asked plainly, as the script does"
    if cell.outcome != Outcome.OK and cell.fault != Kind.UNREPEATABLE:
        return snippet(asker, group, cell)
    script, reason = other_bits(asker, group)
    if script is None or group.case.variation != "again" or ran(asker, cell.backend, script).shown:
        return script, reason
    with asker.importing(UNSHOWN):
        script, reason = other_bits(asker, group)
    shown = script is not None and ran(asker, cell.backend, script).shown
    return (script, reason) if shown else (None, ONE_ANSWER)


def sentence(cell: Comparison) -> str:
    if cell.outcome != Outcome.OK:
        return f"{cell.backend}: {cell.outcome}, {cell.reason}"
    off = f"{cell.worst_ulp_error or 0:.4g} ulp"
    if cell.worst_error_over_bound is not None:
        whose = "a tree of additions' bound" if cell.grade == "C" else "its bound"
        off += f", {cell.worst_error_over_bound:.3g} of {whose}"
    return f"{cell.backend}: {no_fault(cell) or f'{cell.verdict}, grade {cell.grade}'}; {off}"


def ran(asker: Asker, backend: str, script: str) -> Ran:
    return run(script, asker.interpreter(backend), asker.scratch)
