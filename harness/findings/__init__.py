"""What a run found: shrunk to the smallest input that shows it, and shown by a script without this harness.

A defect, a policy difference and an accuracy grade are three kinds, and never mixed. docs/findings.md has the words.
"""

from __future__ import annotations

from harness.findings.asking import Asker
from harness.findings.record import Finding
from harness.findings.survey import survey

__all__ = ["Asker", "Finding", "survey"]
