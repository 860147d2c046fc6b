"""A run as it is saved: what stands in `run.json`, its tables, its exit status; and one that is judged again."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from backends import find
from harness import __version__, archive, errors, rows
from harness.blocks import boundaries
from harness.compare import Comparing, judged
from harness.environment import environment
from harness.journal import Journal, unit_of
from harness.pairs import Pairing
from harness.probes import Probed
from harness.records import Group, Judgement, Run
from harness.sameness import with_same_bits
from harness.units import in_one


def exit_code(
    comparisons: pd.DataFrame,
    partial: bool,
    faults: list[str],
    asked_by_name: tuple[str, ...],
    unanswered: Iterable[Mapping[str, Any]],
) -> int:
    """The run's exit status, by `errors.PRECEDENCE`. `unanswered`: probes."""
    outcomes = {*comparisons.outcome, *(probe["outcome"] for probe in unanswered)}
    absent = set(comparisons.backend[comparisons.outcome == "absent"])
    short = comparisons.verdict.isin((rows.SHORT, rows.FLAW_GONE)).any()
    holds = {
        errors.OUR_FAULT: bool(faults),
        errors.INTERRUPTED: partial,
        errors.BACKEND_DIED: bool(outcomes & set(errors.DEATHS)),
        errors.NOTHING_COMPARED: "ok" not in outcomes or bool(absent & set(asked_by_name)),
        errors.FALLS_SHORT: short or "failed" in outcomes,
    }
    return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)


def absent_by_name(comparisons: pd.DataFrame, asked_by_name: tuple[str, ...]) -> dict[str, str]:
    """Backends that were asked for by name and are not there, with the reason."""
    absent = comparisons[comparisons.outcome == "absent"].drop_duplicates("backend")
    return {
        name: reason
        for name, reason in zip(absent.backend, absent.reason, strict=True)
        if name in asked_by_name or find(name).framework in asked_by_name
    }


def as_run(work: Comparing, plan: list[Group], options: Mapping[str, Any]) -> Run:
    """The run as it is saved, without its files' hashes."""
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
    """What the workers said; of those that answered before an interruption alone, their version."""
    before = {name: {"version": version} for name, version in work.journal.versions.items()}
    return before | work.engine.about


def run_of(about: Mapping[str, Any], journal: Journal) -> Run:
    tables = journal.tables()
    return Run(about, **{**tables, "comparisons": with_same_bits(tables["comparisons"])})


def judged_again(folder: Path, old: Run, pairing: Pairing, scratch: Path) -> Run:
    """A saved run's arrays against today's exact values and bounds: nothing runs."""
    probed = Probed()
    found = archive.read(folder, old.about)
    journal = Journal(scratch, [group for group, _ in found], "")
    journal.begin()
    together: dict[str, list[Judgement]] = defaultdict(list)
    for group, results in found:
        together[unit_of(group)].append(judged(group, results, pairing, probed))
    for unit, judgements in together.items():
        journal.add(unit, in_one(judgements), {}, {}, partial=False)
    about = {key: value for key, value in old.about.items() if key != "arrays"} | {"faults": []}
    audit = dataclasses.asdict(journal.audit())
    return run_of(
        {**about, "judged_again_by": __version__, "audit": audit, "unanswered_probes": probed.unanswered}, journal
    )
