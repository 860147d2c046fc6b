"""What may become of a question, and what may be wrong with an answer: as data, and in sentences, made here alone.

Whatever is decided by an outcome, a verdict or a fault is decided by these types, never by the words of a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of one question at one backend. Every cell has one."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    ABSENT = "absent"
    FAILED = "error"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


AT_A_LIMIT = (Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY)
"""Outcomes of a question that reached a limit of time or memory."""
DEATHS = (Outcome.CRASHED, *AT_A_LIMIT)
"""Outcomes of a question whose worker process ended."""


class Verdict(StrEnum):
    """The judgement on an answer or on a law. A cell without an answer has none."""

    WITHIN = "within bound"
    SHORT = "fails"
    AS_DECLARED = "known limitation"
    FLAW_GONE = "unexpected pass"
    UNMEASURED = "inconclusive"
    """For an answer above B that some order of summation may explain, if the probe that would decide is missing."""
    VACUOUS = "no finite bound"
    """For an answer with an infinite bound at some element, if nothing else is wrong with it."""


class Kind(StrEnum):
    """Why there is no answer, or what other than its size is wrong with one. Its words stand in saved runs."""

    NOT_CLAIMED = "not claimed"
    TOO_LARGE = "too large"
    NOT_ITS_OWN = "not its own"
    NOT_IN_THIS_WAY = "not asked in this way"
    NOT_HERE = "not here"
    NO_INTERPRETER = "no interpreter"
    INTERRUPTED = "interrupted"
    JUDGE_FAILED = "judge failed"

    RAISED = "raised"
    UNREPEATABLE = "unrepeatable"
    """The same question got two answers in one process."""
    ARGUMENT_CHANGED = "argument changed"
    MEMORY_CHANGED = "memory beside an argument changed"
    NO_ARRAY = "no array"
    NO_NUMBERS = "no numbers"
    UNREADABLE = "unreadable array"
    OTHER_SHAPE = "another shape"
    UNKNOWN_DTYPE = "unknown dtype"

    KILLED = "killed by a signal"
    EXITED = "exited"
    STOPPED = "stopped by the harness"
    WORKER_FAILED = "worker failed"
    NO_ANSWER_IN_TIME = "no answer in time"
    MEMORY_LIMIT = "memory limit reached"
    RAISED_FOR_MEMORY = "raised for want of memory"

    OTHER_DTYPE = "another dtype"
    NO_DIGIT = "no digit right"
    OTHER_BITS_AGAIN = "other bits when asked again"
    OTHER_BITS_BESIDE = "other bits beside other rows"


WITHOUT_CELL = (Kind.NOT_ITS_OWN, Kind.NOT_IN_THIS_WAY)
"""A run makes no cell of a question that is not asked for one of these."""
OF_DTYPE = (Kind.OTHER_DTYPE, Kind.UNKNOWN_DTYPE, Kind.NO_NUMBERS)
"""The answer has another dtype than the one claimed."""
OF_ARGUMENTS = (Kind.ARGUMENT_CHANGED, Kind.MEMORY_CHANGED)
"""The backend wrote where it may only read."""
OUTCOMES = {
    Kind.NOT_CLAIMED: Outcome.UNSUPPORTED, Kind.TOO_LARGE: Outcome.SKIPPED, Kind.NOT_ITS_OWN: Outcome.UNSUPPORTED,
    Kind.NOT_IN_THIS_WAY: Outcome.UNSUPPORTED, Kind.NOT_HERE: Outcome.ABSENT, Kind.NO_INTERPRETER: Outcome.ABSENT,
    Kind.INTERRUPTED: Outcome.NOT_RUN, Kind.JUDGE_FAILED: Outcome.NOT_RUN,
    Kind.RAISED: Outcome.FAILED, Kind.UNREPEATABLE: Outcome.FAILED, Kind.ARGUMENT_CHANGED: Outcome.FAILED,
    Kind.MEMORY_CHANGED: Outcome.FAILED, Kind.NO_ARRAY: Outcome.FAILED, Kind.NO_NUMBERS: Outcome.FAILED,
    Kind.UNREADABLE: Outcome.FAILED, Kind.OTHER_SHAPE: Outcome.FAILED, Kind.UNKNOWN_DTYPE: Outcome.FAILED,
    Kind.KILLED: Outcome.CRASHED, Kind.EXITED: Outcome.CRASHED, Kind.STOPPED: Outcome.CRASHED,
    Kind.WORKER_FAILED: Outcome.CRASHED, Kind.NO_ANSWER_IN_TIME: Outcome.TIMED_OUT,
    Kind.MEMORY_LIMIT: Outcome.OUT_OF_MEMORY, Kind.RAISED_FOR_MEMORY: Outcome.OUT_OF_MEMORY,
    Kind.OTHER_DTYPE: Outcome.OK, Kind.NO_DIGIT: Outcome.OK, Kind.OTHER_BITS_AGAIN: Outcome.OK,
    Kind.OTHER_BITS_BESIDE: Outcome.OK,
}  # fmt: skip
"""The outcome of a question with a fault of each kind."""


@dataclass(frozen=True)
class Fault:
    """A kind with its arguments. Those that the kind does not have are empty."""

    kind: Kind
    message: str = ""
    """What others said, such as an exception. Nothing is decided by it."""
    type: str = ""
    """The name of an exception's type."""
    argument: str = ""
    """The name of the argument that was written to."""
    answered: str = ""
    """The dtype, the shape or the Python type of the answer. Several dtypes are joined by " and "."""
    due: str = ""
    """The dtype or the shape that the answer should have."""
    number: int = 0
    """The number of the first answer that differs from the one before."""
    of: int = 0
    """The number of times that the question was to be asked."""
    signal: str = ""
    """The name of the signal that ended the process."""
    code: int | None = None
    """The process's exit code."""
    used: float = 0.0
    """The memory in use, in GiB."""
    allowed: float = 0.0
    """The limit that was reached, in seconds or in GiB."""
    twice: bool = False
    """True if the same question ended two processes."""
    importing: bool = False
    """True if this happened while the framework was imported."""

    @property
    def outcome(self) -> Outcome:
        return OUTCOMES[self.kind]

    def plain(self) -> dict[str, Any]:
        """Return the fault as a mapping of plain types, without empty arguments. `from_plain` is the way back."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "kind"}
        empty = {field.name: field.default for field in fields(self)}
        return {"kind": self.kind.value} | {key: value for key, value in given.items() if value != empty[key]}


INTERRUPTED = Fault(Kind.INTERRUPTED)
NAMES = {
    **dict.fromkeys((Kind.NOT_CLAIMED, Kind.TOO_LARGE, Kind.NOT_IN_THIS_WAY, Kind.NOT_HERE), "{message}"),
    Kind.NOT_ITS_OWN: "it does not compute that by itself",
    Kind.NO_INTERPRETER: "its interpreter does not start",
    Kind.INTERRUPTED: "interrupted",
    Kind.JUDGE_FAILED: "the judge failed",
    **dict.fromkeys((Kind.RAISED, Kind.RAISED_FOR_MEMORY), "{type}"),
    Kind.UNREPEATABLE: "UnrepeatableError",
    **dict.fromkeys(OF_ARGUMENTS, "InputChangedError"),
    Kind.NO_ARRAY: "answered with {answered}, not an array",
    Kind.NO_NUMBERS: "answered in {answered}, which is no number",
    Kind.UNREADABLE: "answered with what does not read as an array",
    Kind.OTHER_SHAPE: "answered with shape {answered}, not {due}",
    **dict.fromkeys((Kind.UNKNOWN_DTYPE, Kind.OTHER_DTYPE), "answered in {answered}, not {due}"),
    Kind.KILLED: "killed by {signal}",
    Kind.EXITED: "exit code {code}",
    Kind.STOPPED: "stopped by us",
    Kind.WORKER_FAILED: "the worker itself failed",
    Kind.NO_ANSWER_IN_TIME: "no answer in {allowed:g} s",
    Kind.MEMORY_LIMIT: "{used:.1f} GiB in use, {allowed:g} allowed",
    Kind.NO_DIGIT: "no digit right",
    Kind.OTHER_BITS_AGAIN: "the same question was answered by other bits when it was asked again",
    Kind.OTHER_BITS_BESIDE: "its bits depend on what stands in other rows",
}
"""The name of a fault of each kind.

The names of failures stand in accepted baselines, in atlases and in the properties of findings: under another name, an
answer would differ from what was accepted.
"""
SENTENCES = dict.fromkeys(Kind, "{name}") | {
    **dict.fromkeys((Kind.RAISED, Kind.RAISED_FOR_MEMORY, Kind.WORKER_FAILED, Kind.UNREADABLE), "{name}: {message}"),
    Kind.NO_INTERPRETER: "{name}: {message}",
    Kind.JUDGE_FAILED: "{name}: {type}: {message}",
    Kind.UNREPEATABLE: "{name}: answer {number} of {of} has other bits than the one before",
    Kind.ARGUMENT_CHANGED: "{name}: it wrote into its {argument}",
    Kind.MEMORY_CHANGED: "{name}: it wrote beside its {argument}, in the buffer of which that is a view",
    Kind.NO_DIGIT: "{name}: off by more than a tenth, which no chain of additions excuses",
}
"""The sentence on a fault of each kind. Nothing is decided by these: they can be worded in any way."""


def name(fault: Fault) -> str:
    """Return the fault's name, without what was said. Two faults of the same name are the same behaviour."""
    return NAMES[fault.kind].format(**vars(fault))


def sentence(fault: Fault) -> str:
    """Return the fault in words, for people alone."""
    said = SENTENCES[fault.kind].format(name=name(fault), **vars(fault))
    return "while it was imported: " * fault.importing + said + ", twice" * fault.twice


def event(fault: Fault) -> str:
    """Return what happened in words, but not that it was at the start of the interpreter or during the import."""
    return fault.message if fault.kind == Kind.NO_INTERPRETER else sentence(replace(fault, importing=False))


def from_plain(plain: Mapping[str, Any]) -> Fault:
    """Return the fault of a mapping that `Fault.plain` gave."""
    return Fault(**{**plain, "kind": Kind(plain["kind"])})


def columns(fault: Fault | None) -> dict[str, Any]:
    """Return the columns of a fault in the comparisons. What was said is left out: the reason has it."""
    if fault is None:
        return {"fault": "", "fault_arguments": ""}
    given = {key: value for key, value in fault.plain().items() if key not in ("kind", "message")}
    return {"fault": fault.kind.value, "fault_arguments": json.dumps(given) if given else ""}


def of(cell: Any) -> Fault | None:
    """Return the fault of a comparison, or of its row, without what was said. Return None if it has none."""
    return from_plain({"kind": cell.fault, **json.loads(cell.fault_arguments or "{}")}) if cell.fault else None


class FaultError(Exception):
    """A fault that the harness finds while it asks a backend."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(sentence(fault))
        self.fault = fault
