"""What may become of a question, and what is said of an answer."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one question at one backend. Every cell has one."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    ABSENT = "absent"
    FAILED = "failed"
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
    SHORT = "falls short"
    AS_DECLARED = "flaw as declared"
    FLAW_GONE = "flaw gone"
    UNMEASURED = "chain not measured"
    """For an answer above B that some order of summation may explain, if the probe that would decide is missing."""
    VACUOUS = "bound is vacuous"
    """For an answer with an infinite bound at some element, if nothing else is wrong with it."""
