"""One finding: frozen, and as a table whose columns these are."""

from __future__ import annotations

from dataclasses import dataclass

DEFECT, POLICY, ACCURACY = "defect", "policy difference", "accuracy grade"
KINDS = (DEFECT, ACCURACY, POLICY)
SHOWN, STALE = "shown", "stale"
ATLAS = "atlas:"
"""How a witness begins that is a situation, and no case: `atlas:one_NaN`."""


@dataclass(frozen=True)
class Finding:
    """What a framework does, and what was expected of it, at the smallest input that was seen to show it."""

    kind: str
    """defect, policy difference or accuracy grade."""
    defect_class: str
    """As docs/power.md numbers them."""
    verdict: str
    backend: str
    version: str
    operation: str
    dtype: str
    axis: int
    property: str
    """That is broken."""
    witness: str
    """A case by its name: `compare --case` asks it again."""
    elements: int
    at: str
    actual: str
    expected: str
    of_bound: float | None
    cells: int
    """In how many cells of the run the same was seen."""
    first_seen: str
    """The first of them."""
    snippet: str
    """A file beside the table, which shows it without this harness."""
    status: str
    """shown: the snippet showed it in a fresh interpreter; stale: it does not any more; or why there is none."""


def key(finding: Finding) -> tuple[str, ...]:
    """What makes two findings of two runs one and the same."""
    return (finding.kind, finding.backend, finding.operation, finding.dtype, finding.property)
