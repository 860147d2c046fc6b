"""What people check a softmax with today, each as itself and with its defaults, for `harness.power` to measure.

Every check takes NumPy's arrays or functions. It returns an empty string if it finds nothing to object to, otherwise
its first objection. A framework is imported only inside the functions of its module.
"""

from __future__ import annotations


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its type if the message is empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
