"""The entries of the atlas that are findings, each at the smallest row that shows it, with a script of its own."""

from harness.findings.specials.search import survey

__all__ = ["survey"]
