"""The findings of an atlas: each suspect is asked at its smallest witness, written as a script, and shown by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path

from backends import find
from harness.findings.asker import Asker
from harness.findings.record import DEFECT, Finding
from harness.findings.search import file_name, in_words_or_itself, shown_by
from harness.findings.specials.outcomes import AskedQuestion, deviant, other
from harness.findings.specials.questions import in_brackets, spelt
from harness.findings.specials.scripts import Shown, shown
from harness.findings.specials.suspects import ALIVE, DECLARED, EXACT, SeenBy, SpecialSuspect, law_of, showing, suspects
from harness.operations import OPERATIONS
from harness.specials import Atlas, Entry
from harness.specials.entries import example
from harness.specials.policies import DIFFERS, INCONSISTENT, Policy, ours
from harness.workers.machine import cores


def survey(
    atlas: Atlas,
    out: Path,
    interpreters: Mapping[str, str] | None = None,
    policies: Sequence[Policy] | None = None,
    modules: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda line: None,
) -> list[Finding]:
    """Return all findings of an atlas, defects first, and write their scripts to `out/findings`.

    Frameworks are asked side by side.
    """
    found = suspects(atlas.entries, atlas.seen, ours() if policies is None else policies)
    frameworks = dict.fromkeys(find(suspect.entry.backend).framework for suspect in found)

    def of_framework(framework: str) -> dict[SpecialSuspect, Finding]:
        own = [suspect for suspect in found if find(suspect.entry.backend).framework == framework]
        with Asker(interpreters or {}, modules=modules) as asker:
            made = {}
            for suspect in own:
                say(f"{suspect.entry.backend} {suspect.entry.operation}: {suspect.broken}")
                made[suspect] = looked_into(suspect, atlas, asker, out)
            return made

    with ThreadPoolExecutor(cores()) as pool:
        made = {suspect: one for part in pool.map(of_framework, frameworks) for suspect, one in part.items()}
    return [made[suspect] for suspect in found]


def looked_into(suspect: SpecialSuspect, atlas: Atlas, asker: Asker, out: Path) -> Finding:
    """Return the finding of a suspect, at the smallest rows that still show it."""
    one = deviant(suspect, atlas.seen, asker)
    gone = Shown(" | ".join(suspect.facts), suspect.expected, reason="asked again, it does not come back")
    name = file_name(suspect.entry.backend, suspect.entry.operation, dtype_of(one), suspect.broken)
    told = gone

    def show() -> tuple[str, str]:
        nonlocal told
        told = with_other_side(suspect, one, atlas.seen, asker) if one else gone
        return shown_by(told.script, told.reason, asker, suspect.entry.backend, out, name)

    script = in_words_or_itself(asker, show)
    return finding(suspect, one, told, atlas, script)


def dtype_of(one: AskedQuestion | None) -> str:
    return one.question.sheet.dtype if one else ""


def with_other_side(suspect: SpecialSuspect, one: AskedQuestion, seen: SeenBy, asker: Asker) -> Shown:
    beside = other(suspect, one, seen, asker) if suspect.against else None
    return shown(asker, one, beside, suspect.expected)


def finding(
    suspect: SpecialSuspect, one: AskedQuestion | None, told: Shown, atlas: Atlas, script: tuple[str, str]
) -> Finding:
    """Return the record of a finding. `script`: the script's file and the finding's status."""
    entry = suspect.entry
    file, status = script
    return Finding(
        kind=suspect.kind,
        defect_class=entry.defect_class,
        verdict=verdict(suspect, atlas.entries),
        backend=entry.backend,
        version=entry.version,
        operation=entry.operation,
        dtype=dtype_of(one),
        axis=one.question.axis if one else -1,
        property=suspect.broken,
        witness=f"{spelt(entry.situation)} {in_brackets(one.question)}" if one else spelt(entry.situation),
        elements=prod(one.question.shape) if one else 0,
        at=told.at,
        actual=told.actual,
        expected=told.expected,
        of_bound=told.of_bound,
        cells=suspect.cells,
        first_seen=first_seen(suspect, atlas.seen),
        snippet=file,
        status=status,
    )


def first_seen(suspect: SpecialSuspect, seen: SeenBy) -> str:
    """Return the narrowest question of the survey that showed the suspect, in words."""
    return example(suspect.entry.operation, min(showing(suspect, seen), key=lambda one: one.width))


def verdict(suspect: SpecialSuspect, entries: Sequence[Entry]) -> str:
    """Return in words what is wrong. A wrong derivative of a right value has a verdict of its own."""
    if suspect.kind != DEFECT:
        return suspect.kind
    if suspect.law != EXACT:
        return {ALIVE: "no answer", DECLARED: DIFFERS}.get(suspect.law, INCONSISTENT)
    forward = OPERATIONS[suspect.entry.operation].derivative_of
    if not forward:
        return "value wrong"
    place = (suspect.entry.backend, forward, suspect.entry.situation)
    value = next((entry for entry in entries if (entry.backend, entry.operation, entry.situation) == place), None)
    if value is None:
        return "derivative wrong"
    return "value and derivative wrong" if law_of(value.fact, value.situation) else "forward right, derivative wrong"
