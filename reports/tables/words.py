"""The words that people read for the values that saved files hold. No report states a saved value in any other way.

`docs/glossary.md` defines the words. JSON and CSV have the saved values themselves.
"""

from __future__ import annotations

from harness.findings.record import ACCURACY, POLICY, SHOWN, STALE
from harness.power.tables import KILLED, SURVIVES
from harness.specials.policies import AS_DECLARED, DIFFERS, UNDECLARED

VERDICTS = {
    AS_DECLARED: "as specified",
    DIFFERS: "differs from specification",
    UNDECLARED: "not specified",
}
"""Verdicts of the atlas; the verdicts and outcomes of a run are shown as they are saved."""
KINDS = {ACCURACY: "accuracy loss", POLICY: "behaviour difference"}
"""Kinds of findings."""
DETECTION = {
    KILLED: "detected",
    SURVIVES: "not detected",
    "killing": "detection",
    "reading": "diagnosis",
    "its suites": "all suites",
    "its suites, held-out mutants": "all suites, held-out mutants",
    "customary": "typical input",
    "suite": "sample of the suite",
    "answers, of the standard suite and the atlas": "results, of the standard suite and the atlas",
    "answers": "results",
    "answers, and the exact values": "results and exact values",
}
"""Entries of the tables of mutants and checks."""
HEADINGS = {
    "killed_by": "detected by",
    "first_killed_by": "first detected by",
    "killed": "detected",
    "mutants_killed": "mutants detected",
    "only_by_it": "only by this check",
    "for": "purpose",
    "questions": "inputs",
    "given": "available to the checker",
    "answers_differ": "results differ",
    "right_ones_flagged": "false positives",
    "right_answers_asked": "correct results checked",
}
"""Headings for the columns of the tables of mutants and checks; for the others, the names without underscores."""
STATUSES = {SHOWN: "reproduced", f"not {SHOWN}": "not reproduced", STALE: "no longer reproduced"}
"""What became of a finding's script: the beginning of a status, before a colon and a reason."""


def verdict(value: str) -> str:
    """Return the words for a verdict of the atlas; any other value as it is."""
    return VERDICTS.get(value, value)


def kind(value: str) -> str:
    """Return the words for a kind of finding."""
    return KINDS.get(value, value)


def detection(value: str) -> str:
    """Return the words for an entry of the tables of mutants and checks."""
    return DETECTION.get(value, value)


def heading(column: str) -> str:
    """Return the heading for a column of the tables of mutants and checks."""
    return HEADINGS.get(column, column.replace("_", " "))


def status(value: str) -> str:
    """Return the words for a finding's status, followed by its reason if it has one."""
    beginning, colon, reason = value.partition(":")
    return f"{STATUSES.get(beginning, beginning)}{colon}{reason}"
