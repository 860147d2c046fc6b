"""The atlas's entries as findings: which of them are, at the smallest row that shows it, by a script of its own."""

from harness.findings.specials.survey import survey

__all__ = ["survey"]
