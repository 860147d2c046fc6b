"""A run as it is saved, with the contents of `run.json` and its tables: a new one, or one that is judged again."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import __version__
from harness.judging.pairs import Pairing
from harness.judging.probes import Probed
from harness.judging.same_bits import with_same_bits
from harness.questions.blocks import boundaries
from harness.records import Group, Judgement, Run
from harness.runs import archive
from harness.runs.comparing import Comparing, judge_group
from harness.runs.journal import Journal, unit_of
from harness.runs.journal_units import merged_judgement
from harness.workers.machine import environment


def as_run(work: Comparing, plan: list[Group], options: Mapping[str, Any]) -> Run:
    """Return the run as it is to be saved, without its files' hashes. Close its archive, if there is one."""
    journal, cases = work.journal, {group.case.name: group.case for group in plan if not group.probe}
    about = {
        "harness": __version__,
        "partial": work.partial,
        "faults": work.faults,
        "environment": environment(),
        "frameworks": frameworks(work),
        "options": dict(options),
        "cases": {
            name: {
                "source": case.source,
                "shape": case.shape,
                "recipe": repr(case.recipe),
                "blocks": len(boundaries(case)),
            }
            for name, case in cases.items()
        },
        "inputs": journal.inputs,
        "unanswered_probes": work.probed.unanswered,
        "audit": dataclasses.asdict(journal.audit()),
    }
    if work.archive:
        about["arrays"] = work.archive.close()
    return run_of(about, journal)


def frameworks(work: Comparing) -> dict[str, dict[str, Any]]:
    """Return what the workers said of each framework; only the version, if it answered only before an interruption."""
    before = {name: {"version": version} for name, version in work.journal.versions.items()}
    return before | work.engine.about


def run_of(about: Mapping[str, Any], journal: Journal) -> Run:
    tables = journal.tables()
    return Run(about, **{**tables, "comparisons": with_same_bits(tables["comparisons"])})


def judged_again(folder: Path, old: Run, pairing: Pairing, scratch: Path) -> Run:
    """Judge a saved run's arrays against today's exact values and bounds. No backend is asked.

    `scratch`: a folder for the journal.
    """
    probed = Probed()
    found = archive.read(folder, old.about)
    journal = Journal(scratch, [group for group, _ in found], "")
    journal.begin()
    together: dict[str, list[Judgement]] = defaultdict(list)
    for group, results in found:
        together[unit_of(group)].append(judge_group(group, results, pairing, probed))
    for unit, judgements in together.items():
        journal.add(unit, merged_judgement(judgements), {}, {}, partial=False)
    about = {key: value for key, value in old.about.items() if key != "arrays"} | {"faults": []}
    audit = dataclasses.asdict(journal.audit())
    return run_of(
        {**about, "judged_again_by": __version__, "audit": audit, "unanswered_probes": probed.unanswered}, journal
    )
