"""One script of two questions that should have the same bits and do not: the plain one, and one asked otherwise."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

import numpy as np

from harness.findings.asker import Asker
from harness.findings.scripts.claims import OPENED, opening, verdict
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.variations import LAYOUTS, REPEATS, axis_of_batch, batch_of_answer, disturbances, rows
from harness.records import Group
from harness.transcript.script import Transcript
from harness.workers.input_files import Inputs
from harness.workers.process import environment
from harness.workers.request import Request


def other_bits(asker: Asker, group: Group) -> tuple[str | None, str]:
    """Return the script, or None and the reason why there is none."""
    plain = replace(group, case=replace(group.case, variation=""))
    first = asker.transcript(plain)
    if group.case.variation == "again" and not isinstance(first, str):
        return repeated(asker, group, first), ""
    asked, at, other_at = other_question(asker, group)
    if isinstance(first, str) or asked is None:
        return None, first if isinstance(first, str) else EARLIER
    other = asker.written(asked)
    if isinstance(other, str):
        return None, other
    if bool(first.note) != bool(other.note):
        with asker.importing("one of the two questions cannot"):
            return other_bits(asker, group)
    return script(asker, group, asks(first, at), asks(other, other_at), first), ""


EARLIER = "its bits depend on what was asked before it in the same process: no script of one question shows that"


def asks(transcript: Transcript, part: str) -> str:
    """Return the body of a function that returns a part of an answer. `part`: an expression of the part."""
    return textwrap.indent(f"{transcript.computation}\n{transcript.conversion}\nreturn {part}.copy()", "    ")


def other_question(asker: Asker, group: Group) -> tuple[Request | None, str, str]:
    """Return the request of the question asked otherwise, and the parts of both answers that should be the same.

    The parts are expressions, first of the plain answer, then of the other. If one request cannot ask otherwise, return
    None and empty parts.
    """
    inputs = Inputs(asker.scratch)
    request = asker.request(group, inputs)
    variation = group.case.variation
    if variation.removeprefix("upstream-") in LAYOUTS:
        return request, "actual", "actual"
    if variation not in ("alone", "hostile"):
        return None, "", ""
    operation = OPERATIONS[group.operation]
    made = blocks.arguments(group.case, operation, group.dtype, group.axis, blocks.boundaries(group.case)[0])
    shape = group.case.shape
    batch = axis_of_batch(shape, group.axis)
    assert batch is not None
    place = batch_of_answer(operation, batch, group.axis % len(shape))
    number = differing(asker, group, place)
    its_row = f"actual.take([{number}], {place})"
    if variation == "alone":
        changed, theirs = rows(made, [number], shape, group.axis, batch), "actual"
    else:
        changed, theirs = disturbed(asker, group, made, (batch, number, place)), its_row
    return replace(request, variation="", arguments={**request.arguments, **changed}), its_row, theirs


def plainly(group: Group) -> Group:
    """Return the same question without its variation."""
    return replace(group, case=replace(group.case, variation=""))


def differing(asker: Asker, group: Group, place: int) -> int:
    """Return the number of the first row whose bits are not the plain answer's, or 0 if all rows are the same."""
    one, two = (np.moveaxis(asker.answer(asked), place, 0) for asked in (plainly(group), group))
    return next((number for number, (a, b) in enumerate(zip(one, two, strict=True)) if a.tobytes() != b.tobytes()), 0)


def disturbed(asker: Asker, group: Group, made: dict[str, Any], at: tuple[int, int, int]) -> dict[str, Any]:
    """Return the arguments with that row as it is, and with the first hostile rows beside it that change its bits.

    If none of them do, the last ones are returned. `at`: the axis of the batch, the row's number, and the axis of rows
    in the answer.
    """
    batch, number, place = at
    [first, *_] = OPERATIONS[group.operation].arguments
    plain = asker.answer(plainly(group)).take(number, place).tobytes()
    request = asker.request(plainly(group), Inputs(asker.scratch))
    changed = made
    for kept, logits in disturbances(made[first], batch):
        if kept != number % 2:
            continue
        changed = {**made, first: logits}
        reply = asker.answered(replace(request, arguments={**request.arguments, first: logits}))
        if reply.fault:
            break
        if reply.answer.take(number, place).tobytes() != plain:
            break
    return changed


def repeated(asker: Asker, group: Group, plainly: Transcript) -> str:
    """Return the script of one question that has two answers."""
    otherwise = (
        f"    answers = (asked_plainly() for _ in range({REPEATS * 20}))\n"
        "    return next((answer for answer in answers if answer.tobytes() != one.tobytes()), one)"
    )
    return script(asker, group, asks(plainly, "actual"), otherwise, plainly)


def script(asker: Asker, group: Group, plainly: str, otherwise: str, recorded: Transcript) -> str:
    """Return the script of both questions. `recorded`: the transcript whose setup serves both."""
    who, way = f"{group.backends[0]} {asker.version(group.backends[0])}", group.case.variation
    lines = [
        opening(f"{who}: {group.operation} of {group.case.name} in {group.dtype}", environment(), recorded.note),
        *(line for line in recorded.setup.splitlines() if line not in OPENED), "", "",
        "def asked_plainly():", plainly, "", "",
        f"def asked_otherwise():  # {way}", otherwise, "", "",
        "one = asked_plainly()",
        "two = asked_otherwise()",
        "print('plainly  ', one.ravel()[:8])",
        "print('otherwise', two.ravel()[:8])",
        *verdict("one.tobytes() != two.tobytes()", f"asked {way}, the answer has other bits"),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
