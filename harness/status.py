"""What makes a run's exit status: its cells, its probes, what was asked for by name, and how it went."""

from __future__ import annotations

from harness import errors, rows
from harness.records import Run


def exit_code(run: Run) -> int:
    """By `errors.PRECEDENCE`; of a saved run it is the one that it was made with."""
    outcomes = {*run.comparisons.outcome, *(probe["outcome"] for probe in run.about.get("unanswered_probes", ()))}
    holds = {
        errors.OUR_FAULT: bool(run.about.get("faults")) or ("not run" in outcomes and not run.about["partial"]),
        errors.INTERRUPTED: bool(run.about["partial"]),
        errors.BACKEND_DIED: bool(outcomes & set(errors.DEATHS)),
        errors.NOTHING_COMPARED: "ok" not in outcomes or bool(absent_by_name(run)),
        errors.FALLS_SHORT: run.comparisons.verdict.isin((rows.SHORT, rows.FLAW_GONE)).any() or "failed" in outcomes,
    }
    return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)


def absent_by_name(run: Run) -> list[str]:
    """A sentence for each backend that was asked for by its name, or its framework's, and is not there."""
    asked = run.about.get("options", {}).get("selection", {}).get("backends", ())
    absent = run.comparisons[run.comparisons.outcome == "absent"].drop_duplicates("backend")
    return [
        f"{name} was asked for by name and is absent: {reason}"
        for name, reason in zip(absent.backend, absent.reason, strict=True)
        if name in asked or name.partition(":")[0] in asked
    ]
