"""What a run found, shrunk to the smallest input that shows it, and shown by a script without this harness.

Defects, policy differences and accuracy grades are three kinds that are never mixed. docs/findings.md defines the
words.
"""

from __future__ import annotations

from harness.findings.asker import Asker
from harness.findings.record import Finding
from harness.findings.search import survey

__all__ = ["Asker", "Finding", "survey"]
