"""The record of one finding. Its fields are the columns of the table of findings."""

from __future__ import annotations

from dataclasses import dataclass

DEFECT, POLICY, ACCURACY = "defect", "policy difference", "accuracy grade"
KINDS = (DEFECT, ACCURACY, POLICY)
SHOWN, STALE = "shown", "stale"
ATLAS = "atlas:"
"""The prefix of a witness that is a situation and no case: `atlas:one_NaN`."""


@dataclass(frozen=True)
class Finding:
    """What a framework does, and what was expected of it, at the smallest input that was seen to show it."""

    kind: str
    """One of `KINDS`: defect, accuracy grade or policy difference."""
    defect_class: str
    """The class of defect, as docs/power.md numbers them, or empty."""
    verdict: str
    backend: str
    version: str
    operation: str
    dtype: str
    axis: int
    property: str
    """The property that is broken."""
    witness: str
    """The name of a case, which `compare --case` asks again, or of a situation with its logits."""
    elements: int
    at: str
    actual: str
    expected: str
    of_bound: float | None
    cells: int
    """The number of cells of the run in which the same was seen."""
    first_seen: str
    """The smallest of these cells, before it was shrunk."""
    snippet: str
    """The script's file beside the table, which shows the finding by itself; empty if there is none."""
    status: str
    """`shown` if the script showed it in a fresh interpreter; `stale` if it does so no more; or why it is not shown."""


def key(finding: Finding) -> tuple[str, ...]:
    """Return what makes two findings of two runs one and the same."""
    return (finding.kind, finding.backend, finding.operation, finding.dtype, finding.property)
