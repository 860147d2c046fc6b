"""The findings of a run: each suspect is asked again, shrunk, written as a script, and shown by running it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from functools import cache
from hashlib import sha256
from math import prod
from pathlib import Path
from urllib.parse import quote

from backends import NAMES
from harness.errors import UsageError
from harness.faults import AT_A_LIMIT, Kind, Outcome, Verdict
from harness.findings.asker import Asker
from harness.findings.classes import defect_class
from harness.findings.record import ATLAS, DEFECT, KINDS, POLICY, SHOWN, STALE, Finding
from harness.findings.scripts.one_cell import UNSHOWN, Ran, run, snippet
from harness.findings.scripts.variations import other_bits
from harness.findings.shrink import shrunk
from harness.findings.suspects import (
    BITS_AGAIN,
    LOST,
    UNTOUCHED,
    Suspect,
    at_the_lost,
    broken,
    loses,
    of_bits,
    suspects,
)
from harness.judging.equations import EQUATIONS
from harness.operations import OPERATIONS
from harness.questions.cases import named
from harness.questions.variations import THREADS
from harness.records import Comparison, Run
from harness.runs.journal_units import merged_judgement

FOLDER = "findings"
LONGEST = 200
"""The largest number of characters in a file's name, without its extension."""


def survey(
    run: Run, asker: Asker, out: Path, tell: Callable[[str], None], kinds: Collection[str] = KINDS
) -> list[Finding]:
    """Return all findings of a run, and write their scripts to `out/findings`.

    Raise UsageError if a backend of the run is unknown here, or if one that must be asked again is absent.
    """
    check_known(run)
    its = suspects(run.comparisons, run.properties, kinds)
    check_there(its, asker)
    found = []
    for suspect in its:
        tell(f"{suspect.backend} {suspect.operation} {suspect.case} {suspect.dtype}: {suspect.property}")
        name = file_name(suspect.backend, suspect.operation, suspect.dtype, suspect.property)
        found.append(looked_into(suspect, asker, out, name))
    return found


def check_known(run: Run) -> None:
    if unknown := sorted({*run.comparisons.backend} - {*NAMES}):
        raise UsageError(f"the run's backend {unknown[0]!r} is not installed here, and its failures must run again")


def check_there(its: Iterable[Suspect], asker: Asker) -> None:
    for backend in dict.fromkeys(suspect.backend for suspect in its):
        if reason := asker.absence(backend):
            raise UsageError(f"the run's backend {backend!r} is absent, and its failures must run again: {reason}")


def file_name(backend: str, operation: str, dtype: str, broken: str) -> str:
    """Return a file name without extension, from all that `record.key` has but the kind.

    No script may overwrite another finding's, of this run or of another.
    """
    what = re.sub(r"[^\w]+", "-", " ".join((operation, dtype, broken))).strip("-")
    name = f"{quote(backend, safe='')}-{what}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def looked_into(suspect: Suspect, asker: Asker, out: Path, name: str) -> Finding:
    """Return the finding of one suspect, at the smallest witness that still shows it.

    The finding is stale if the suspect does not fail when it is asked again.
    """
    asked: dict[str, Comparison | None] = {}

    @cache
    def fails(case: str) -> bool:
        if sum(cell is not None and cell.outcome in AT_A_LIMIT for cell in asked.values()) >= MOST_AT_A_LIMIT:
            return False
        failed, asked[case] = fails_alike(asker, suspect, case)
        return failed

    if named(suspect.case).variation == THREADS:
        return finding(suspect, suspect.case, None, asker, ("", TWO_THREADS))
    if suspect.law:
        reason = BEYOND_SCRIPTS if breaks(asker, suspect) else GONE
        return finding(suspect, suspect.case, None, asker, ("", reason))
    if not fails(suspect.case):
        return finding(suspect, suspect.case, None, asker, ("", GONE))
    witness = shrunk(suspect.case, fails)
    cell = asked.get(witness)
    if cell is not None and suspect.property == LOST:
        cell = at_the_lost(cell)
    told = in_words_or_itself(
        asker, lambda: shown_by(*script_for(suspect, witness, cell, asker), asker, suspect.backend, out, name)
    )
    return finding(suspect, witness, cell, asker, unless_whim(suspect, told, out))


def in_words_or_itself(asker: Asker, show: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Return a script's file and the finding's status.

    If the script in the framework's own words does not show the finding, a script that imports the backend takes its
    place.
    """
    file, status = show()
    if not file or status == SHOWN:
        return file, status
    with asker.importing(UNSHOWN):
        return show()


def unless_whim(suspect: Suspect, told: tuple[str, str], out: Path) -> tuple[str, str]:
    """Remove a script that should show several answers to one question and does not.

    It may have recorded the way to one of these answers only. Return the file and the status that then hold.
    """
    file, status = told
    if suspect.property != BITS_AGAIN or not file or status == SHOWN:
        return told
    (out / file).unlink()
    return "", ONE_ANSWER


def still_fails(old: Finding, asker: Asker) -> bool | None:
    """Decide whether an earlier finding still fails when its witness is asked again.

    Return None if it cannot be asked here.
    """
    if old.witness.startswith(ATLAS) or named(old.witness).variation == THREADS or asker.absence(old.backend):
        return None
    law = old.verdict == LAW
    suspect = Suspect(
        old.kind, old.property, old.backend, old.operation, old.dtype, old.axis, old.witness, old.cells, law
    )
    return breaks(asker, suspect) if law else fails_alike(asker, suspect, old.witness)[0]


LAW = "law broken"
MOST_AT_A_LIMIT = 2
"""The number of questions of one suspect that may time out or run out of memory: each takes as long as a block may, and
a new worker process. The first confirms the suspect, and the second may be a smaller case. The question about the value
that a derivative is of may be a third."""
GONE = f"{STALE}: asked again, it does not fail"
ONE_ANSWER = "what is recorded of it is one of its answers, and the same each time: no script shows the others"
TWO_THREADS = "it takes two processes, of one thread and of two: no script shows that"
BEYOND_SCRIPTS = "it is still broken, and every answer meets its bound: no script of one answer shows that"


def fails_alike(asker: Asker, suspect: Suspect, case: str) -> tuple[bool, Comparison | None]:
    """Return whether a case fails in the suspect's way, and its cell.

    The cell is None if two answers are compared, or if the case makes no cell.
    """
    if of_bits(suspect):
        return other_answer(asker, suspect, case), None
    cell = asker.cell(suspect.backend, suspect.operation, case, suspect.dtype)
    return cell is not None and fails_likewise(cell, suspect), cell


def other_answer(asker: Asker, suspect: Suspect, case: str) -> bool:
    """Decide whether a case in the suspect's variation has an answer with other bits than the plain question."""
    way = suspect.case.partition("@")[2]
    group = asker.group(suspect.backend, suspect.operation, named(case), suspect.dtype)
    if group is None or group.case.variation != way:
        return False
    plain = asker.cell(suspect.backend, suspect.operation, case.partition("@")[0], suspect.dtype)
    other = asker.judged(group).comparisons[0]
    if other.fault == Kind.UNREPEATABLE:
        return True
    return plain is not None and plain.outcome == other.outcome == Outcome.OK and plain.answer != other.answer


def breaks(asker: Asker, suspect: Suspect) -> bool:
    """Decide whether a law is still broken. If it holds between two operations, both are asked."""
    sides = [operation for operation, _ in EQUATIONS.get(suspect.property, ())] or [suspect.operation]
    case = named(suspect.case)
    asked = [asker.group(suspect.backend, operation, case, suspect.dtype) for operation in sides]
    found = merged_judgement([asker.judged(group) for group in asked if group is not None])
    return any(law.law == suspect.property and law.verdict == Verdict.SHORT for law in found.properties)


def fails_likewise(cell: Comparison, suspect: Suspect) -> bool:
    """Decide whether a cell fails in the suspect's way."""
    if suspect.property == LOST:
        return cell.verdict != Verdict.SHORT and loses(cell)
    if cell.grade == "C":
        return suspect.property.startswith("B:")
    if cell.outcome == Outcome.OK and cell.verdict != Verdict.SHORT:
        return False
    return broken(cell) == (suspect.kind, suspect.property)


def finding(suspect: Suspect, witness: str, cell: Comparison | None, asker: Asker, script: tuple[str, str]) -> Finding:
    """Return the record of a finding. `script`: the script's file and the finding's status."""
    actual, expected = values(suspect, cell)
    file, status = script
    case = named(witness)
    return Finding(
        kind=suspect.kind,
        defect_class="" if suspect.kind == POLICY else class_of(suspect, witness, cell),
        verdict=verdict(suspect, witness, cell, asker),
        backend=suspect.backend,
        version=asker.version(suspect.backend),
        operation=suspect.operation,
        dtype=suspect.dtype,
        axis=case.axes[0],
        property=suspect.property,
        witness=witness,
        elements=prod(case.shape),
        at=cell.worst_index if cell else "",
        actual=actual,
        expected=expected,
        of_bound=cell.worst_error_over_bound if cell else None,
        cells=suspect.cells,
        first_seen=suspect.case,
        snippet=file,
        status=status,
    )


def class_of(suspect: Suspect, witness: str, cell: Comparison | None) -> str:
    return defect_class(witness, suspect.operation, suspect.dtype, suspect.property, cell.cause if cell else "")


def shown_by(script: str | None, reason: str, asker: Asker, backend: str, out: Path, name: str) -> tuple[str, str]:
    """Write the script to `out` and run it. Return its file and the finding's status.

    If there is no script, return an empty file name and the reason.
    """
    if script is None:
        return "", reason
    file = f"{FOLDER}/{name}.py"
    (out / FOLDER).mkdir(exist_ok=True)
    ran = run(script, asker.interpreter(backend), out / FOLDER, Path(file).name)
    return file, SHOWN if ran.shown else last_words(ran)


def script_for(suspect: Suspect, witness: str, cell: Comparison | None, asker: Asker) -> tuple[str | None, str]:
    """Return the script that shows the finding, or None and the reason why there is none."""
    group = asker.group(suspect.backend, suspect.operation, named(witness), suspect.dtype)
    if group is None:
        return None, "it is not asked any more"
    if of_bits(suspect):
        return other_bits(asker, group)
    if cell is None:
        return None, "it is not asked any more"
    return snippet(asker, group, cell)


def last_words(ran: Ran) -> str:
    """Return `not shown: …` for a script that did not show its finding, in its own words or with its last line."""
    lines = [line for line in ran.text.splitlines() if line.strip()]
    last = f"not shown: {(lines or ['it said nothing'])[-1]}"
    return next((line for line in reversed(lines) if line.startswith("not shown: ")), last)


def values(suspect: Suspect, cell: Comparison | None) -> tuple[str, str]:
    """Return the actual and the expected value, exactly or in words."""
    if of_bits(suspect):
        return "other bits", "the same bits"
    if cell is None:
        return "", ""
    if cell.outcome != Outcome.OK or not cell.witness:
        expected = "arguments as they were" if suspect.property == UNTOUCHED else "an answer"
        return f"{cell.outcome}: {cell.reason}", expected
    witness = json.loads(cell.witness)
    return str(witness["actual"]), str(witness["expected"])


def verdict(suspect: Suspect, witness: str, cell: Comparison | None, asker: Asker) -> str:
    """Return in words what is wrong. A wrong derivative of a right value has a verdict of its own."""
    if suspect.kind != DEFECT:
        return suspect.kind
    if of_bits(suspect):
        return "bits that depend on more than the question"
    if suspect.property == UNTOUCHED:
        return "arguments changed"
    if cell is None:
        return LAW if suspect.law else ""
    forward = OPERATIONS[suspect.operation].derivative_of
    value = asker.cell(suspect.backend, forward, witness, suspect.dtype) if forward else None
    if not forward:
        return "value wrong"
    if value is None:
        return "derivative wrong"
    right = value.outcome == Outcome.OK and value.verdict != Verdict.SHORT
    return "forward right, derivative wrong" if right else "value and derivative wrong"
