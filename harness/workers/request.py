"""What a worker is asked and what it replies. On the wire both are plain types; here they have names and types.

Both sides read this module, so it needs no more than NumPy. Who asks, and what happens when a worker dies, stands in
`driver.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.faults import Fault, Kind, Outcome, from_plain, sentence
from harness.records import Group, Result
from harness.workers.wire import Received


@dataclass(frozen=True)
class Recording:
    """How the calls that a request makes are recorded as a script: the options of `harness.transcript.transcript`."""

    stand_ins: bool = False
    watched: str = ""
    imports: str = ""


@dataclass(frozen=True)
class Request:
    """A question on one block. With a `recording`, its script is asked for instead of its answer."""

    backend: str
    operation: str
    axis: int
    arguments: Mapping[str, Any]
    variation: str = ""
    recording: Recording | None = None

    def plain(self) -> dict[str, Any]:
        """Return the request as plain types and arrays, for `wire.send`."""
        return vars(self) | {"recording": self.recording and vars(self.recording)}

    @staticmethod
    def received(message: Mapping[str, Any]) -> Request:
        """Return the request that arrived as `plain`, its arrays as `wire.Received`."""
        recording = message["recording"]
        return Request(**{**message, "recording": recording and Recording(**recording)})


def request_of(group: Group, arguments: Mapping[str, Any], backend: str = "") -> Request:
    """Return the request for one block of a group. `backend`: one of the group's, or empty if it has only one."""
    name = backend or group.backends[0]
    return Request(name, group.operation, group.axis, arguments, group.case.variation)


@dataclass(frozen=True)
class Reply:
    """What came back: a fault, or else the answer or the script that was asked for."""

    fault: Fault | None = None
    remark: str = ""
    """What the backend remarked on its answer, or why there is no script."""
    answer: Any = None
    """An array."""
    script: Mapping[str, str] | None = None
    """The parts of a `Transcript`."""
    dtype: str = ""
    sha256: str = ""
    """The answer's dtype and hash, once it has arrived."""

    @property
    def outcome(self) -> Outcome:
        return self.fault.outcome if self.fault else Outcome.OK

    @property
    def reason(self) -> str:
        """The fault in words or, without one, the remark."""
        return sentence(self.fault) if self.fault else self.remark

    @property
    def found(self) -> Any:
        """The answer, or the fault for which there is none."""
        return self.fault or self.answer

    def plain(self) -> dict[str, Any]:
        """Return the reply as plain types and at most one array, for `wire.send`."""
        fault = self.fault and self.fault.plain()
        return {"fault": fault, "remark": self.remark, "answer": self.answer, "script": self.script}

    @staticmethod
    def received(message: Mapping[str, Any]) -> Reply:
        """Return the reply that arrived as `plain`. If its answer is unreadable, that is its fault."""
        fault, sent = message["fault"], message["answer"]
        reply = Reply(**{**message, "fault": fault and from_plain(fault)})
        if sent is None:
            return reply
        try:
            answer = sent.array()
        except (TypeError, ValueError, ImportError) as error:
            return Reply(Fault(Kind.UNREADABLE, str(error)))
        return replace(reply, answer=answer, dtype=answer.dtype.name, sha256=sent.sha256)

    def result(self, group: int, block: int, backend: str) -> Result:
        """Return the reply as the result of a block of the group of that number."""
        its = (self.outcome, self.reason, self.answer, self.dtype, self.sha256, self.fault)
        return Result(group, block, backend, *its)


def argument(given: Any) -> Any:
    """Return an argument as it is or, if it is a received array, the array. Raise ValueError if its hash is wrong."""
    return given.array() if isinstance(given, Received) else given
