"""From a run's tables to its findings: each suspect asked again, shrunk, written as a script, and shown by it."""

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
from harness.errors import AT_A_LIMIT, UsageError
from harness.findings.asking import Asker
from harness.findings.bits import other_bits
from harness.findings.classes import defect_class
from harness.findings.record import ATLAS, DEFECT, KINDS, POLICY, SHOWN, STALE, Finding
from harness.findings.shrink import shrunk
from harness.findings.snippets import UNSHOWN, Ran, run, snippet
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
from harness.judging.rows import SHORT
from harness.questions.cases import named
from harness.questions.variations import THREADS
from harness.records import Comparison, Run
from harness.runs.units import in_one

FORWARD = {
    "vjp": "softmax", "jvp": "softmax", "hvp": "softmax", "jacobian": "softmax", "jacobian_row": "softmax",
    "log_softmax_vjp": "log_softmax", "log_softmax_jvp": "log_softmax", "log_softmax_jacobian": "log_softmax",
    "cross_entropy_gradient": "cross_entropy", "cross_entropy_mean_gradient": "cross_entropy_mean",
    "cross_entropy_hvp": "cross_entropy", "soft_cross_entropy_gradient": "soft_cross_entropy",
    "mean_squared_error_gradient": "mean_squared_error", "layer_jacobian": "layer",
}  # fmt: skip
"""The value that an operation is a derivative of."""
FOLDER = "findings"
LONGEST = 200
"""Characters of a file's name."""


def survey(
    run: Run, asker: Asker, out: Path, tell: Callable[[str], None], kinds: Collection[str] = KINDS
) -> list[Finding]:
    """All findings of a run, their scripts written to `out/findings`. UsageError where one can't be asked here."""
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
        raise UsageError(f"the run's backend {unknown[0]!r} is not known here, and what fell short is asked again")


def check_there(its: Iterable[Suspect], asker: Asker) -> None:
    for backend in dict.fromkeys(suspect.backend for suspect in its):
        if reason := asker.absence(backend):
            raise UsageError(f"the run's backend {backend!r} is absent, and what fell short is asked again: {reason}")


def file_name(backend: str, operation: str, dtype: str, broken: str) -> str:
    """One for each finding that `record.key` tells from others, so that none overwrites another's or another run's."""
    what = re.sub(r"[^\w]+", "-", " ".join((operation, dtype, broken))).strip("-")
    name = f"{quote(backend, safe='')}-{what}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def looked_into(suspect: Suspect, asker: Asker, out: Path, name: str) -> Finding:
    """One suspect, at the smallest witness that still shows it; stale where it does not when it is asked again."""
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
        asker, lambda: shown_by(*written(suspect, witness, cell, asker), asker, suspect.backend, out, name)
    )
    return finding(suspect, witness, cell, asker, unless_whim(suspect, told, out))


def in_words_or_itself(asker: Asker, show: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """A script's file and what came of it: of one that imports the backend, where the first does not show it."""
    file, status = show()
    if not file or status == SHOWN:
        return file, status
    with asker.importing(UNSHOWN):
        return show()


def unless_whim(suspect: Suspect, told: tuple[str, str], out: Path) -> tuple[str, str]:
    """Of several answers to one question, a script may have recorded the way to one: that is none to keep."""
    file, status = told
    if suspect.property != BITS_AGAIN or not file or status == SHOWN:
        return told
    (out / file).unlink()
    return "", ONE_ANSWER


def still_fails(old: Finding, asker: Asker) -> bool | None:
    """Whether what was found before fails when its witness is asked again; None where that cannot be asked here."""
    if old.witness.startswith(ATLAS) or named(old.witness).variation == THREADS or asker.absence(old.backend):
        return None
    law = old.verdict == LAW
    suspect = Suspect(
        old.kind, old.property, old.backend, old.operation, old.dtype, old.axis, old.witness, old.cells, law
    )
    return breaks(asker, suspect) if law else fails_alike(asker, suspect, old.witness)[0]


LAW = "law broken"
MOST_AT_A_LIMIT = 2
"""Questions of one suspect that time out or run out of memory: each takes as long as a block may, and a new worker.
The first says that it still does, the second may be smaller; the value that a derivative is of may be a third."""
GONE = f"{STALE}: asked again, it does not fail"
ONE_ANSWER = "what is recorded of it is one of its answers, and the same each time: no script shows the others"
TWO_THREADS = "it takes two processes, of one thread and of two: no script shows that"
BEYOND_SCRIPTS = "it is still broken, and every answer meets its bound: no script of one answer shows that"


def fails_alike(asker: Asker, suspect: Suspect, case: str) -> tuple[bool, Comparison | None]:
    """Whether a case fails in the suspect's way; and the cell, where it is one cell that does."""
    if of_bits(suspect):
        return other_answer(asker, suspect, case), None
    cell = asker.cell(suspect.backend, suspect.operation, case, suspect.dtype)
    return cell is not None and alike(cell, suspect), cell


def other_answer(asker: Asker, suspect: Suspect, case: str) -> bool:
    """Whether a case that is put in the suspect's other way has other bits than when it is asked plainly."""
    way = suspect.case.partition("@")[2]
    group = asker.group(suspect.backend, suspect.operation, named(case), suspect.dtype)
    if group is None or group.case.variation != way:
        return False
    plain = asker.cell(suspect.backend, suspect.operation, case.partition("@")[0], suspect.dtype)
    other = asker.judged(group).comparisons[0]
    if other.reason.startswith("UnrepeatableError"):
        return True
    return plain is not None and plain.outcome == other.outcome == "ok" and plain.answer != other.answer


def breaks(asker: Asker, suspect: Suspect) -> bool:
    """Whether a law is still broken, which may be one between two operations."""
    sides = [operation for operation, _ in EQUATIONS.get(suspect.property, ())] or [suspect.operation]
    case = named(suspect.case)
    asked = [asker.group(suspect.backend, operation, case, suspect.dtype) for operation in sides]
    found = in_one([asker.judged(group) for group in asked if group is not None])
    return any(law.law == suspect.property and law.verdict == SHORT for law in found.properties)


def alike(cell: Comparison, suspect: Suspect) -> bool:
    """Whether a cell fails in the suspect's way."""
    if suspect.property == LOST:
        return cell.verdict != SHORT and loses(cell)
    if cell.grade == "C":
        return suspect.property.startswith("B:")
    if cell.outcome == "ok" and cell.verdict != SHORT:
        return False
    return broken(cell) == (suspect.kind, suspect.property)


def finding(suspect: Suspect, witness: str, cell: Comparison | None, asker: Asker, script: tuple[str, str]) -> Finding:
    """The record. `script`: its file and what came of it."""
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
        of_bound=cell.bound_fraction_there if cell else None,
        cells=suspect.cells,
        first_seen=suspect.case,
        snippet=file,
        status=status,
    )


def class_of(suspect: Suspect, witness: str, cell: Comparison | None) -> str:
    return defect_class(witness, suspect.operation, suspect.dtype, suspect.property, cell.cause if cell else "")


def shown_by(script: str | None, reason: str, asker: Asker, backend: str, out: Path, name: str) -> tuple[str, str]:
    """The script's file beside the table, and the finding's status after it has run; no file where there is none."""
    if script is None:
        return "", reason
    file = f"{FOLDER}/{name}.py"
    (out / FOLDER).mkdir(exist_ok=True)
    ran = run(script, asker.interpreter(backend), out / FOLDER, Path(file).name)
    return file, SHOWN if ran.shown else last_words(ran)


def written(suspect: Suspect, witness: str, cell: Comparison | None, asker: Asker) -> tuple[str | None, str]:
    """The script that shows it, or why there is none."""
    group = asker.group(suspect.backend, suspect.operation, named(witness), suspect.dtype)
    if group is None:
        return None, "it is not asked any more"
    if of_bits(suspect):
        return other_bits(asker, group)
    if cell is None:
        return None, "it is not asked any more"
    return snippet(asker, group, cell)


def last_words(ran: Ran) -> str:
    """Of a script that did not show it: `not shown: …`, in its own words or by its last line."""
    lines = [line for line in ran.text.splitlines() if line.strip()]
    last = f"not shown: {(lines or ['it said nothing'])[-1]}"
    return next((line for line in reversed(lines) if line.startswith("not shown: ")), last)


def values(suspect: Suspect, cell: Comparison | None) -> tuple[str, str]:
    """Actual and expected, exactly, or in words."""
    if of_bits(suspect):
        return "other bits", "the same bits"
    if cell is None:
        return "", ""
    if cell.outcome != "ok" or not cell.witness:
        expected = "arguments as they were" if suspect.property == UNTOUCHED else "an answer"
        return f"{cell.outcome}: {cell.reason}", expected
    witness = json.loads(cell.witness)
    return str(witness["actual"]), str(witness["expected"])


def verdict(suspect: Suspect, witness: str, cell: Comparison | None, asker: Asker) -> str:
    """What is wrong with it. A derivative may be wrong where the value that it is of is right: said apart."""
    if suspect.kind != DEFECT:
        return suspect.kind
    if of_bits(suspect):
        return "bits that depend on more than the question"
    if suspect.property == UNTOUCHED:
        return "arguments changed"
    if cell is None:
        return LAW if suspect.law else ""
    forward = FORWARD.get(suspect.operation)
    value = asker.cell(suspect.backend, forward, witness, suspect.dtype) if forward else None
    if forward is None:
        return "value wrong"
    if value is None:
        return "derivative wrong"
    right = value.outcome == "ok" and value.verdict != SHORT
    return "forward right, derivative wrong" if right else "value and derivative wrong"
