"""Make and run a cell's script. What it shows is done by the framework alone, in a fresh interpreter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf
from pathlib import Path

from harness.faults import Fault, Kind, Outcome, Verdict, name, of
from harness.findings.asker import Asker
from harness.findings.scripts.claims import (
    SPECIAL,
    Crashes,
    Form,
    Raises,
    Value,
    Writes,
    rational,
    reproduction,
    ulp_exponent,
)
from harness.numbers.formats import FORMATS
from harness.records import Comparison, Group
from harness.workers.process import THREADS, environment

SECONDS = 300
UNSHOWN = "the calls that were recorded do not show it"
BY_ITS_ROW = "it is seen beside the rest of its row, and is within its own bound: no script of one element shows that"
NO_ARRAY = "what is no array is the adapter's own and no call's answer: no script of the framework's calls shows that"
BESIDE = "it wrote beside its argument, in memory that is nobody's: no script of one argument shows that"


@dataclass(frozen=True)
class Ran:
    """What a script's run gave: its exit status and all that it printed."""

    status: int
    text: str

    @property
    def shown(self) -> bool:
        return self.status == 0 and any(line.startswith("shown:") for line in self.text.splitlines())


def snippet(asker: Asker, group: Group, cell: Comparison) -> tuple[str | None, str]:
    """Return the script that shows a cell, or None and the reason why there is none."""
    what = finding(cell)
    if what is None:
        return None, scriptless(cell)
    watched = what.argument if isinstance(what, Writes) else ""
    found = asker.transcript(group, stand_ins=isinstance(what, Crashes), watched=watched)
    if isinstance(found, str):
        return None, found
    return reproduction(title(cell, asker.version(cell.backend)), found, what, environment()), ""


def title(cell: Comparison, version: str) -> str:
    return f"{cell.backend} {version}: {cell.operation} of {cell.case} in {cell.dtype}"


def scriptless(cell: Comparison) -> str:
    """Return the reason why no script shows the cell, whatever the backend does."""
    if cell.outcome == Outcome.OK:
        return BY_ITS_ROW
    if cell.outcome == Outcome.FAILED:
        return BESIDE if cell.fault == Kind.MEMORY_CHANGED else NO_ARRAY
    return f"no script shows an outcome of {cell.outcome}"


def finding(cell: Comparison) -> Value | Form | Raises | Writes | Crashes | None:
    """Return what the script of a cell has to show, by the cell's outcome, or None if no script can show it."""
    fault = of(cell)
    if fault and cell.outcome == Outcome.FAILED:
        return failure(fault, cell.dtype)
    if fault and cell.outcome == Outcome.CRASHED:
        return Crashes(exit_status(fault))
    if cell.outcome != Outcome.OK:
        return None
    if fault and fault.kind == Kind.OTHER_DTYPE and fault.answered in FORMATS:  # and not in several
        return Form("dtype", fault.answered, cell.dtype)
    most = allowed(cell)
    if most is None:
        return None
    said = json.loads(cell.witness)
    element = tuple(int(index) for index in cell.worst_index.split(",") if index)
    return Value(element, said["actual"], said["expected"], most, cell.dtype, no_fault(cell))


def no_fault(cell: Comparison) -> str:
    """Return the verdict on a cell that does not fail, in the words used for it everywhere; otherwise nothing."""
    if cell.verdict == Verdict.SHORT:
        return ""
    if cell.grade == "C":
        return (
            f"{cell.verdict}, grade C: more than a tree of additions explains, and no more than the measured chain does"
        )
    return f"{cell.verdict}, grade {cell.grade or '–'}"


def failure(fault: Fault, dtype: str) -> Form | Raises | Writes | None:
    """Return what the script of a failed cell has to show, or None if no script can show it."""
    match fault.kind:
        case Kind.OTHER_SHAPE:
            return Form("shape", fault.answered, fault.due)
        case Kind.UNKNOWN_DTYPE | Kind.NO_NUMBERS:
            return Form("dtype", fault.answered, dtype)
        case Kind.ARGUMENT_CHANGED:
            return Writes(fault.argument)
        case Kind.NO_ARRAY | Kind.UNREADABLE | Kind.MEMORY_CHANGED:
            return None
        case _:
            return Raises(name(fault))


def allowed(cell: Comparison) -> float | int | None:
    """Return the error, in ulp, above which the worst element still shows the finding.

    If the cell fails, this limit is the element's `worst_allowed_ulp`, or the bound B if that is infinite. If it does
    not, the limit is the bound B, or half of the error if the element is within the bound. Return None if the cell
    fails although the element is within its limit: then only the common factor of its row shows the finding.
    """
    error, short = cell.worst_ulp_error, cell.grade == "F"
    if error is None or json.loads(cell.witness)["actual"] in SPECIAL:  # these show it by themselves
        return 0.0
    if error == inf:
        return beyond_counting(cell)
    limit = cell.worst_allowed_ulp if short and cell.worst_allowed_ulp != inf else cell.bound
    if limit is not None and limit < error:
        return limit
    return None if short else error / 2


def beyond_counting(cell: Comparison) -> int | None:
    """Return the same where the error is more ulp than a float64 can count, as at an exact 0.

    It is a power of two above the bound.
    """
    said, share = json.loads(cell.witness), cell.worst_error_over_bound
    if not share or share == inf:
        return 1
    exact = rational(said["expected"])
    error = abs(rational(said["actual"]) - exact) / Fraction(2) ** ulp_exponent(exact, cell.dtype)
    limit = 1 << ceil(error / Fraction(share)).bit_length()
    return limit if limit < error else None


def exit_status(fault: Fault) -> int:
    """Return the exit status of a process that ended: minus the signal's number, or the exit code; 1 if unknown."""
    if fault.signal:
        return -signal.Signals[fault.signal].value
    return 1 if fault.code is None else fault.code


def run(script: str, interpreter: str, folder: Path, name: str = "snippet.py") -> Ran:
    """Write a script to a file and run it."""
    file = folder / name
    file.write_text(script, encoding="utf-8")
    return run_file(file, interpreter)


def run_file(file: Path, interpreter: str) -> Ran:
    """Run a file in a fresh interpreter that sees nothing of this harness."""
    try:
        done = subprocess.run(
            [interpreter, "-I", str(file)], capture_output=True, text=True, timeout=SECONDS, check=False, env=bare()
        )
    except subprocess.TimeoutExpired:
        return Ran(1, f"not shown: no end in {SECONDS} s\n")
    return Ran(done.returncode, done.stdout + done.stderr)


def bare() -> dict[str, str]:
    """Return the environment without what would change a framework's arithmetic: the script sets that itself."""
    return {name: value for name, value in os.environ.items() if name not in (*THREADS, "XLA_FLAGS", "JAX_PLATFORMS")}
