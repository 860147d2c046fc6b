"""What is right, and how far off an answer may be: exact values, proved bounds, honest evaluations."""

from harness.truth import float64
from harness.truth.audit import AuditError, audited, checked, deviation
from harness.truth.exact.balls import Expected, UndecidedError
from harness.truth.exact.expected import expected
from harness.truth.preconditions import check_preconditions

__all__ = [
    "AuditError", "Expected", "UndecidedError", "audited", "check_preconditions", "checked", "deviation", "expected",
    "float64",
]  # fmt: skip
