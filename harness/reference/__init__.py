"""Exact values with a proved radius, made once a question and not once a backend."""

from harness.reference import double
from harness.reference.audit import AuditError, audited, checked, deviation
from harness.reference.balls import Expected, UndecidedError
from harness.reference.exact import expected
from harness.reference.preconditions import check_preconditions

__all__ = [
    "AuditError", "Expected", "UndecidedError", "audited", "check_preconditions", "checked", "deviation", "double",
    "expected",
]  # fmt: skip
