"""The sides of a suspect: what it does at its smallest witness, and a question that is answered as expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from backends import find
from harness.faults import Fault
from harness.findings.asker import Asker
from harness.findings.specials.questions import SpecialQuestion, facts, outcome
from harness.findings.specials.smallest import nearest, smallest
from harness.findings.specials.suspects import SeenBy, SpecialSuspect, showing
from harness.numbers.formats import FORMATS
from harness.specials.facts import Answer


@dataclass(frozen=True)
class AskedQuestion:
    """A question and its answer, or the fault for which there is none."""

    question: SpecialQuestion
    asked: Answer | Fault


def deviant(suspect: SpecialSuspect, seen: SeenBy, asker: Asker, dtype: str = "") -> AskedQuestion | None:
    """Return the smallest question with one of the suspect's facts, in `dtype` if that is given.

    Return None if no such fact comes back.
    """
    places = [one for one in showing(suspect, seen) if dtype in ("", one.dtype)]
    question = smallest(suspect.key, places, lambda tried: asked_showing(asker, tried, suspect.facts) is not None)
    return asked_showing(asker, question, suspect.facts) if question else None


def other(suspect: SpecialSuspect, one: AskedQuestion, seen: SeenBy, asker: Asker) -> AskedQuestion | None:
    """Return a side with the expected fact: the same rows asked in another way, or else other rows.

    Return None if the fact does not come back.
    """
    wanted = (suspect.expected,)
    tried = (asked_showing(asker, question, wanted) for question in otherwise(one.question, suspect.against))
    if found := next((side for side in tried if side), None):
        return found
    key = (suspect.against, *suspect.key[1:])
    places = [place for place in seen.get(key, ()) if place.fact == suspect.expected]
    question = nearest(key, places, lambda asked: asked_showing(asker, asked, wanted) is not None, one.question)
    return asked_showing(asker, question, wanted) if question else None


def otherwise(question: SpecialQuestion, backend: str) -> Iterator[SpecialQuestion]:
    """Yield the question for another backend, or for the same one in other dtypes and layouts.

    Its own layout comes first.
    """
    if backend != question.backend:
        yield replace(question, backend=backend)
        return
    about = question.sheet.dtype
    dtypes = [about, *(name for name in find(backend).dtypes if name != about)] if about in FORMATS else [about]
    for layout, dtype in product(layouts(question), dtypes):
        if (layout, dtype) != (question.layout, about):
            yield replace(question.in_dtype(dtype), layout=layout)


def layouts(question: SpecialQuestion) -> Sequence[str]:
    """Return the layouts in which the question's rows can lie, its own first."""
    if question.layout == "0-d":
        return ("0-d",)
    there = ("last", "first", "alone") if len(question.sheet.rows) == 1 else ("last", "first")
    return (question.layout, *(layout for layout in there if layout != question.layout))


def asked_showing(asker: Asker, question: SpecialQuestion, wanted: Sequence[str]) -> AskedQuestion | None:
    """Ask the question. Return the side if one of the wanted facts comes back, otherwise None."""
    asked = outcome(asker, question)
    return AskedQuestion(question, asked) if facts(question, asked) & set(wanted) else None
