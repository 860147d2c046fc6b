"""What was found in the frameworks, each finding with the script that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.findings.record import DEFECT, Finding
from reports.html.cell_details import Detail
from reports.html.related import Related
from reports.html.tables import Table, of_frame
from reports.pages import findings as page
from reports.tables.text import command, placed

MOST_SCRIPTS = 24
"""The number of scripts on the page. Beyond it, only their files are named."""


@dataclass(frozen=True)
class ShownFinding:
    """A finding as the page shows it.

    `command`: what reproduces the smallest witness; `script`: its text, for the first `MOST_SCRIPTS` findings.
    """

    key: str
    finding: Finding
    place: str
    command: str
    script: str

    @property
    def defect(self) -> bool:
        return self.finding.kind == DEFECT


@dataclass(frozen=True)
class Witnessed:
    """A finding's smallest witness as a cell."""

    backend: str
    operation: str
    case: str
    dtype: str
    axis: int = -1
    """The default. A witness has its axis in its name."""


def found(beside: Related) -> Iterator[ShownFinding]:
    for number, finding in enumerate(beside.findings or ()):
        cell = Witnessed(finding.backend, finding.operation, finding.witness, finding.dtype)
        script = beside.scripts.get(finding.snippet, "") if number < MOST_SCRIPTS else ""
        yield ShownFinding(f"finding-{number}", finding, placed(finding.witness, finding.axis), command(cell), script)


def of_cell(all_: Sequence[ShownFinding], its: Detail) -> list[ShownFinding]:
    """Return the findings for a cell's backends, operation and dtype."""
    place = its.cell.operation, its.cell.dtype
    return [
        one for one in all_
        if one.finding.backend in its.backends and (one.finding.operation, one.finding.dtype) == place
    ]  # fmt: skip


def listed(findings: Sequence[Finding]) -> Table:
    return of_frame("findings", "Findings, each at the smallest input that reproduces it", page.table(findings))
