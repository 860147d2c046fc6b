"""What a worker is asked and what it replies. On the wire both are plain types; here they have names and types.

Both sides read this module, so it needs no more than NumPy. Who asks, and what happens when a worker dies, stands in
`driver.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    """What came back: an outcome with its reason and, if the outcome is ok, the answer or the script."""

    outcome: str
    reason: str = ""
    answer: Any = None
    """An array."""
    script: Mapping[str, str] | None = None
    """The parts of a `Transcript`."""
    dtype: str = ""
    sha256: str = ""
    """The answer's dtype and hash, once it has arrived."""

    def plain(self) -> dict[str, Any]:
        """Return the reply as plain types and at most one array, for `wire.send`."""
        return {"outcome": self.outcome, "reason": self.reason, "answer": self.answer, "script": self.script}

    @staticmethod
    def received(message: Mapping[str, Any]) -> Reply:
        """Return the reply that arrived as `plain`. If its answer is unreadable, its outcome is failed."""
        reply, sent = Reply(**message), message["answer"]
        if sent is None:
            return reply
        try:
            answer = sent.array()
        except (TypeError, ValueError, ImportError) as error:
            return Reply("failed", f"answered with what does not read as an array: {error}")
        return Reply(reply.outcome, reply.reason, answer, None, answer.dtype.name, sent.sha256)

    def result(self, group: int, block: int, backend: str) -> Result:
        """Return the reply as the result of a block of the group of that number."""
        return Result(group, block, backend, self.outcome, self.reason, self.answer, self.dtype, self.sha256)


def argument(given: Any) -> Any:
    """Return an argument as it is or, if it is a received array, the array. Raise ValueError if its hash is wrong."""
    return given.array() if isinstance(given, Received) else given
