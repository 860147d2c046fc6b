"""Which cases, operations, dtypes and ways of asking go together: TOML files, ours or a user's.

`load` reads one with every check; `cells` is what it asks, in order. docs/suites.md has the words.
"""

from __future__ import annotations

from harness.suites.cells import Narrowing, Wish, cells, outline, who_answers
from harness.suites.model import SUITES, Suite, load

__all__ = ["SUITES", "Narrowing", "Suite", "Wish", "cells", "load", "outline", "who_answers"]
