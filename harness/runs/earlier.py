"""Runs from before faults were saved as data: what they said in words is read as a fault. No other module reads words.

The sentences of those runs are spelt here as they were then, whatever today's are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from harness.faults import Fault, Kind, Outcome, columns
from harness.records import Comparison

NAMES = [field.name for field in fields(Comparison)]
COLUMNS = [*columns(None)]
OUTCOME, REASON = NAMES.index("outcome"), NAMES.index("reason")
RAISED = r"(?P<type>[^:]*): (?P<message>.*)"
SENTENCES = (
    (Outcome.UNSUPPORTED, Kind.NOT_CLAIMED, "(?P<message>.*)"),
    (Outcome.SKIPPED, Kind.TOO_LARGE, "(?P<message>.*)"),
    (Outcome.ABSENT, Kind.NO_INTERPRETER, "its interpreter does not start: (?P<message>.*)"),
    (Outcome.ABSENT, Kind.NOT_HERE, "(?P<message>.*)"),
    (Outcome.NOT_RUN, Kind.JUDGE_FAILED, f"the judge failed: {RAISED}"),
    (Outcome.NOT_RUN, Kind.INTERRUPTED, ".*"),
    (Outcome.FAILED, Kind.UNREPEATABLE, r"UnrepeatableError: answer (?P<number>\d+) of (?P<of>\d+) .*"),
    (Outcome.FAILED, Kind.ARGUMENT_CHANGED, r"InputChangedError: it wrote into its (?P<argument>\w+)"),
    (Outcome.FAILED, Kind.MEMORY_CHANGED, r"InputChangedError: it wrote beside its (?P<argument>\w+),.*"),
    (Outcome.FAILED, Kind.OTHER_SHAPE, r"answered with shape (?P<answered>\(.*\)), not (?P<due>\(.*\))"),
    (Outcome.FAILED, Kind.UNREADABLE, "answered with what does not read as an array: (?P<message>.*)"),
    (Outcome.FAILED, Kind.NO_ARRAY, "answered with (?P<answered>.*), not an array"),
    (Outcome.FAILED, Kind.NO_NUMBERS, "answered in (?P<answered>.*), which is no number"),
    (Outcome.FAILED, Kind.UNKNOWN_DTYPE, "answered in (?P<answered>.*), not (?P<due>.*)"),
    (Outcome.FAILED, Kind.RAISED, RAISED),
    (Outcome.FAILED, Kind.RAISED, "(?P<type>.*)"),
    (Outcome.CRASHED, Kind.KILLED, r"killed by (?P<signal>SIG\w+)"),
    (Outcome.CRASHED, Kind.EXITED, r"exit code (?P<code>\d+)"),
    (Outcome.CRASHED, Kind.STOPPED, "stopped by us"),
    (Outcome.CRASHED, Kind.WORKER_FAILED, "(the worker itself failed: )?(?P<message>.*)"),
    (Outcome.TIMED_OUT, Kind.NO_ANSWER_IN_TIME, r"no answer in (?P<allowed>[\d.e+-]+) s"),
    (Outcome.TIMED_OUT, Kind.NO_ANSWER_IN_TIME, ".*"),
    (Outcome.OUT_OF_MEMORY, Kind.MEMORY_LIMIT, r"(?P<used>[\d.]+) GiB in use, (?P<allowed>[\d.e+-]+) allowed"),
    (Outcome.OUT_OF_MEMORY, Kind.RAISED_FOR_MEMORY, RAISED),
    (Outcome.OK, Kind.OTHER_DTYPE, "answered in (?P<answered>.*), not (?P<due>.*)"),
    (Outcome.OK, Kind.NO_DIGIT, "no digit right: .*"),
    (Outcome.OK, Kind.OTHER_BITS_AGAIN, "the same question was answered by other bits when it was asked again"),
    (Outcome.OK, Kind.OTHER_BITS_BESIDE, "its bits depend on what stands in other rows"),
)
"""What each kind of fault was called, by outcome. The first that fits counts."""
NUMBERS = {"number": int, "of": int, "code": int, "used": float, "allowed": float}
IMPORTING, TWICE = "while it was imported: ", ", twice"


def fault(outcome: str, reason: str) -> Fault | None:
    """Return the fault of a cell with this outcome and reason, or None if it has none."""
    importing, twice = reason.startswith(IMPORTING), outcome == Outcome.CRASHED and reason.endswith(TWICE)
    said = reason.removeprefix(IMPORTING)
    said = said.removesuffix(TWICE) if twice else said
    for of, kind, words in SENTENCES:
        if of == outcome and (found := re.fullmatch(words, said, re.DOTALL)):
            given = {key: value for key, value in found.groupdict().items() if value is not None}
            arguments: dict[str, Any] = {key: NUMBERS.get(key, str)(value) for key, value in given.items()}
            return Fault(kind, twice=twice, importing=importing, **arguments)
    return None


def with_faults(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons with the columns of faults, read from the reasons if the run was saved without them."""
    if not {"outcome", "reason"} <= {*cells.columns} or {*COLUMNS} <= {*cells.columns}:
        return cells
    keys = list(zip(cells.outcome, cells.reason, strict=True))
    found = {key: columns(fault(*key)) for key in dict.fromkeys(keys)}
    return cells.assign(**{name: pd.Series([found[key][name] for key in keys], cells.index, "str") for name in COLUMNS})


def with_fault(values: Sequence[Any]) -> Sequence[Any]:
    """Return the values of a comparison in a journal, with those of its fault if they are not there yet."""
    if len(values) != len(NAMES) - len(COLUMNS):
        return values
    return [*values, *columns(fault(values[OUTCOME], values[REASON])).values()]
