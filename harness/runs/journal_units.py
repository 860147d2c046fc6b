"""Units: all that is asked about one case in one dtype along one axis, which is joined and written down together."""

from __future__ import annotations

from collections import defaultdict

from harness.judging import rows
from harness.judging.equations import joined
from harness.records import Audit, Group, Judgement
from harness.runs.journal import unit_of


def units_of(groups: list[Group]) -> list[list[int]]:
    """Return, for each group, the numbers of all groups in its unit; an empty list for a probe."""
    together: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        if not group.probe:
            together[unit_of(group)].append(number)
    return [[] if group.probe else together[unit_of(group)] for group in groups]


def probes_of(groups: list[Group]) -> dict[str, list[int]]:
    """Return the numbers of each backend's probes."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        for backend in group.backends if group.probe else ():
            found[backend].append(number)
    return found


def merged_judgement(judgements: list[Judgement]) -> Judgement:
    """Join a unit's judgements, and add rows for the equations between its operations, which need both sides."""
    found = joined(side for judgement in judgements for side in judgement.sides)
    return Judgement(
        [row for judgement in judgements for row in judgement.comparisons],
        [row for judgement in judgements for row in judgement.pairs],
        [row for judgement in judgements for row in judgement.properties] + [rows.equation_row(*row) for row in found],
        [row for judgement in judgements for row in judgement.profiles],
        audit=sum((judgement.audit for judgement in judgements), start=Audit()),
    )
