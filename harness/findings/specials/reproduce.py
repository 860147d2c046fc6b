"""Reproduce one cell of the atlas by its name: ask the survey's question at few widths, and show it by a script."""

from __future__ import annotations

from collections import defaultdict

from backends import find
from harness.errors import UsageError, unknown
from harness.faults import Fault, event, sentence
from harness.findings.asker import Asker
from harness.findings.specials.outcomes import deviant, other
from harness.findings.specials.questions import SpecialQuestion, outcome, spelt
from harness.findings.specials.scripts import shown
from harness.findings.specials.suspects import SpecialSuspect, showing, suspects
from harness.numbers.formats import FORMATS
from harness.questions.not_asked import not_its_own
from harness.specials.asking import one_situation
from harness.specials.atlas import of_backend
from harness.specials.coincidences import settled
from harness.specials.entries import Entry, Key, Seen, entry
from harness.specials.facts import Answer
from harness.specials.policies import declared, ours
from harness.specials.sheets import Sheet
from harness.specials.special_inputs import SITUATIONS
from harness.specials.sweep import COMPILED, COSTLY, Widths, is_mode
from harness.workers.driver import NotStartedError

FEW = (1, 2, 3, 4, 8, 17, 130)
SMALL_WIDTHS = Widths(widths=FEW, others=FEW, first=(3, 8), alone=(3,), dtypes=("float32", "float64"))


def checked(backend: str, operation: str, name: str, dtype: str) -> str:
    """Return the situation. Raise UsageError for a name that is not valid, and for what the atlas does not ask."""
    names = {spelt(situation): situation for situation in SITUATIONS}
    if name not in names:
        raise unknown("situation", name, names)
    situation = names[name]
    about = SITUATIONS[situation]
    if operation not in about.operations:
        raise UsageError(f"{name} is not asked of {operation}: there are {', '.join(about.operations)}")
    if dtype not in (valid := [d for d in about.dtypes or FORMATS if d not in FORMATS or d in find(backend).dtypes]):
        raise unknown(f"dtype for {backend} at {name}", dtype, valid)
    if refused := not_its_own(find(backend), operation):
        raise UsageError(f"{backend} {operation} is not asked: {sentence(refused)}")
    return situation


def script_and_verdict(asker: Asker, backend: str, operation: str, situation: str, dtype: str) -> tuple[str, str]:
    """Return the script, and what the atlas says of the cell. Raise UsageError if there is no script."""
    try:
        asker.start(backend)
    except NotStartedError as failed:
        raise UsageError(f"{backend} does not answer: {failed.fault.outcome}, {event(failed.fault)}") from None
    key = (backend, operation, situation)
    seen, about = entry_of(asker, key)
    suspect = next((s for s in suspects([about], seen, ours()) if in_dtype(s, seen, dtype)), None)
    suspect = suspect or as_it_is(about, seen[key], dtype)
    one = deviant(suspect, seen, asker, dtype)
    if one is None:
        raise UsageError(f"{backend} {operation} {spelt(situation)} {dtype} was not seen: ask for another dtype")
    found = shown(asker, one, other(suspect, one, seen, asker) if suspect.against else None, suspect.expected)
    if found.script is None:
        raise UsageError(f"{backend} {operation} {spelt(situation)} {dtype}: {found.reason}")
    return found.script, f"{backend}: {about.verdict}: {about.fact}"


def entry_of(asker: Asker, key: Key) -> tuple[dict[Key, list[Seen]], Entry]:
    """Return what was seen and a key's entry, as the survey makes it.

    A compiled mode has its framework beside it.
    """
    backend, operation, situation = key
    seen = defaultdict[Key, list[Seen]](list)
    native = find(backend).framework if is_mode(find(backend)) else backend
    for name in dict.fromkeys((backend, native)):
        about = find(name)
        sweep = COMPILED if about.program_seconds >= COSTLY or is_mode(about) else SMALL_WIDTHS

        def ask(operation: str, sheet: Sheet, layout: str, name: str = name) -> Answer | Fault:
            return outcome(asker, SpecialQuestion(name, operation, situation, sheet, layout), one_situation(sheet))

        of_backend(ask, about, sweep, seen, situation, operation)
    for name in {backend, native}:
        own = (name, operation, situation)
        seen[own] = settled(seen[own], declared(ours(), *own))
    version = asker.version(backend)
    theirs = seen[native, operation, situation] if native != backend else ()
    return seen, entry(key, version, seen[key], theirs, ours())


def in_dtype(suspect: SpecialSuspect, seen: dict[Key, list[Seen]], dtype: str) -> bool:
    return any(one.dtype == dtype for one in showing(suspect, seen))


def as_it_is(about: Entry, seen: list[Seen], dtype: str) -> SpecialSuspect:
    """Return a suspect for a cell that is no finding in that dtype, so that it can be shown all the same."""
    facts = tuple(dict.fromkeys(one.fact for one in seen if one.dtype == dtype))
    return SpecialSuspect("", "", about, facts, "")
