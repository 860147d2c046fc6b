"""Exact values with a proved radius, made once a question and not once a backend."""

from harness.reference.exact import Expected, expected
from harness.reference.preconditions import check_preconditions

__all__ = ["Expected", "check_preconditions", "expected"]
