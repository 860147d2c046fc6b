"""A suspect at its witness, in words and as a script: against the exact value if there is one, else side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.faults import Fault, Outcome, name, sentence
from harness.findings.asker import Asker
from harness.findings.scripts import side_by_side
from harness.findings.scripts.claims import Crashes, Value, reproduction
from harness.findings.scripts.one_cell import exit_status
from harness.findings.specials.outcomes import AskedQuestion
from harness.findings.specials.questions import SpecialQuestion, in_brackets, transcript
from harness.judging.metrics import errors
from harness.judging.witness import exact_hexadecimal, hexadecimal
from harness.numbers.formats import FORMATS
from harness.specials.facts import NUMERIC, in_rows, shape
from harness.specials.truths import RIGHT, truths
from harness.transcript.literals import literal
from harness.workers.process import environment

NUMBERS = 6
"""The largest number of an answer's elements that are written in words."""


@dataclass(frozen=True)
class Shown:
    """What a table says of a suspect, and its script. `reason`: why there is no script."""

    actual: str
    expected: str
    at: str = ""
    of_bound: float | None = None
    script: str | None = None
    reason: str = ""


def shown(asker: Asker, one: AskedQuestion, other: AskedQuestion | None, expected: str) -> Shown:
    """Return what a table says of a suspect, and its script.

    `expected`: in words, where there is neither an exact value nor another side; empty where nothing is amiss.
    """
    if isinstance(one.asked, Fault) and one.asked.outcome != Outcome.FAILED:
        return death(asker, one, one.asked)
    if off := exact(one):
        return from_exact(asker, one, *off)
    both = [one] if other is None else [one, other]
    actual = in_words(one)
    wanted = expected if other is None else f"{in_words(other)}, as of {place(other.question)}"
    written = recorded(asker, both)
    if isinstance(written, str):
        return Shown(actual, wanted, reason=written)
    claim = f"{place(one.question)}: {actual}{wanted and f', and not {wanted}'}"
    return Shown(actual, wanted, script=side_by_side.script_of(title(asker, one), written, claim, environment()))


def death(asker: Asker, one: AskedQuestion, fault: Fault) -> Shown:
    actual, wanted = f"{fault.outcome}: {sentence(fault)}", "an answer"
    if fault.outcome != Outcome.CRASHED:
        return Shown(actual, wanted, reason=f"no script shows an outcome of {fault.outcome}")
    found = transcript(asker, one.question, stand_ins=True)
    if isinstance(found, str):
        return Shown(actual, wanted, reason=found)
    what = Crashes(exit_status(fault))
    return Shown(actual, wanted, script=reproduction(title(asker, one), found, what, environment()))


def from_exact(asker: Asker, one: AskedQuestion, what: Value, of_bound: float | None) -> Shown:
    at = ",".join(map(str, what.element))
    found = transcript(asker, one.question)
    if isinstance(found, str):
        return Shown(what.actual, what.expected, at, of_bound, reason=found)
    script = reproduction(title(asker, one), found, what, environment())
    return Shown(what.actual, what.expected, at, of_bound, script)


def exact(one: AskedQuestion) -> tuple[Value, float | None] | None:
    """Return the element that is furthest above its bound, and its error as a share of the bound.

    Return None if no element is above its bound. The share is None if it is not finite.
    """
    question, answer = one.question, one.asked
    if isinstance(answer, Fault) or answer.dtype.name not in FORMATS or not answer.size:
        return None
    sheet, form = question.sheet, answer.dtype.name
    if answer.shape != shape(question.operation, sheet, question.layout):
        return None
    elements = in_rows(question.operation, np.arange(answer.size).reshape(answer.shape), sheet, question.layout)
    values = in_rows(question.operation, answer, sheet, question.layout)
    for truth in truths(sheet, question.operation, form):
        found = errors(values[truth.rows], truth.expected, FORMATS[form])
        with np.errstate(all="ignore"):
            share = np.where(truth.allowed < 0, 0, found.absolute / truth.allowed)
        worst = np.unravel_index(np.nan_to_num(share, nan=np.inf).argmax(), share.shape)
        if truth.word == RIGHT and not share[worst] <= 1:
            element = np.unravel_index(int(elements[truth.rows][worst]), answer.shape)
            actual, wanted = values[truth.rows][worst], exact_hexadecimal(truth.expected.row(worst[0]), int(worst[1]))
            what = Value(tuple(map(int, element)), hexadecimal(actual), wanted, float(found.ulp[worst]) / 2, form)
            return what, float(share[worst]) if np.isfinite(share[worst]) else None
    return None


def recorded(asker: Asker, both: Sequence[AskedQuestion]) -> list[side_by_side.NamedQuestion] | str:
    """Return the sides as the script has them, or a sentence that says why one cannot be written down."""
    made = []
    for side in both:
        found = transcript(asker, side.question)
        if isinstance(found, str):
            return found
        if isinstance(side.asked, Fault):
            said = repr(name(side.asked))
        elif side.asked.dtype.kind in NUMERIC or side.asked.dtype.name in FORMATS:
            said = literal(one_nan(side.asked))
        else:
            return "its answer holds no numbers"
        made.append(side_by_side.NamedQuestion(place(side.question), found, said))
    return made


def one_nan(answer: np.ndarray) -> np.ndarray:
    """Return the answer with all NaN alike, since no number tells their signs.

    If its dtype has no NaN, return the answer as it is.
    """
    if answer.dtype.kind in "biu":
        return answer
    return np.where(np.isnan(answer), np.array(np.nan, answer.dtype), answer)


def place(question: SpecialQuestion) -> str:
    how = f"{question.sheet.dtype} of shape {question.shape}, axis {question.axis}"
    return f"{question.backend}, {question.operation} of {in_brackets(question)} in {how}"


def in_words(side: AskedQuestion) -> str:
    """Return in words what a side gave: the type of its exception, or the numbers of its answer."""
    if isinstance(side.asked, Fault):
        return f"raises {name(side.asked)}"
    numbers = [in_short(number) for number in side.asked.reshape(-1)[:NUMBERS].tolist()]
    more = ", …" if side.asked.size > NUMBERS else ""
    return f"[{', '.join(numbers)}{more}]" if side.asked.ndim else numbers[0]


def in_short(number: Any) -> str:
    """Return a number to six digits, and anything else in Python's words."""
    return f"{number:.6g}" if isinstance(number, int | float | complex | np.number) else str(number)


def title(asker: Asker, one: AskedQuestion) -> str:
    question = one.question
    about = f"{question.operation} of {question.situation} in {question.sheet.dtype}"
    return f"{question.backend} {asker.version(question.backend)}: {about}"
