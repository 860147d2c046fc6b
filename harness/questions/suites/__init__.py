"""Which cases, operations, dtypes and ways of asking go together: TOML files, ours or a user's.

`load` reads and validates a file, and `cells` yields what it asks, in order. docs/suites.md describes the format.
"""

from __future__ import annotations

from harness.questions.suites.schema import SUITES, Suite, load
from harness.questions.suites.wishes import Narrowing, Wish, cells, outline, who_answers

__all__ = ["SUITES", "Narrowing", "Suite", "Wish", "cells", "load", "outline", "who_answers"]
