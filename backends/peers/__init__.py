"""What people check a softmax with today, each as itself and with its defaults, for `harness.power` to measure.

Every check takes NumPy's arrays and functions, and answers with an empty text where it finds nothing to object to, and
else with its first objection. A framework is imported inside of its module's functions alone.
"""

from __future__ import annotations


def first_line(error: Exception) -> str:
    """Of what it says; its type where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
