"""What makes a run's exit status: its cells, its probes, what was asked for by name, and how it went."""

from __future__ import annotations

from fnmatch import fnmatchcase

from harness import errors
from harness.judging import rows
from harness.records import Run


def exit_code(run: Run) -> int:
    """By `errors.PRECEDENCE`; of a saved run it is the one that it was made with."""
    outcomes = {*run.comparisons.outcome, *(probe["outcome"] for probe in run.about.get("unanswered_probes", ()))}
    holds = {
        errors.OUR_FAULT: bool(run.about.get("faults")) or ("not run" in outcomes and not run.about["partial"]),
        errors.INTERRUPTED: bool(run.about["partial"]),
        errors.BACKEND_DIED: bool(outcomes & set(errors.DEATHS)),
        errors.NOTHING_COMPARED: "ok" not in outcomes or bool(unjudged_by_name(run)),
        errors.FALLS_SHORT: run.comparisons.verdict.isin((rows.SHORT, rows.FLAW_GONE)).any() or "failed" in outcomes,
    }
    return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)


def unjudged_by_name(run: Run) -> list[str]:
    """A sentence for each backend that was asked for by its name, or pattern, and of which nothing was judged.

    A pattern may be of frameworks that are absent.
    """
    asked = run.about.get("options", {}).get("selection", {}).get("backends", ())
    return [sentence for name in asked if (sentence := unjudged(name, run))]


def unjudged(name: str, run: Run) -> str:
    """The sentence, or nothing where an answer of it was judged, or that there is none makes the exit status itself."""
    cells, by_name = run.comparisons, is_name(name)
    its = cells[cells.backend == name] if by_name else cells[[fnmatchcase(b, name) for b in cells.backend]]
    if its.verdict.isin(JUDGED).any() or its.outcome.isin(("failed", *errors.DEATHS)).any():
        return ""
    if its.empty:
        return f"{name} was asked for by name, and nothing was asked of it: it computes nothing of what was chosen"
    worst = its.groupby(["outcome", "reason"], sort=False).size().sort_values(ascending=False, kind="stable")
    outcome, reason = worst.index[0]
    if outcome == "absent":
        return f"{name} was asked for by name and is absent: {reason}" if by_name else ""
    told = ", ".join(part for part in (outcome, reason) if part and part != "ok")
    return f"{name} was asked for by name, and none of its {len(its):,} cells was judged: {told or its.verdict.iloc[0]}"


JUDGED = (rows.WITHIN, rows.SHORT, rows.AS_DECLARED, rows.FLAW_GONE)
"""Verdicts that say something of an answer."""


def is_name(pattern: str) -> bool:
    """Whether it is a backend's own name, and no pattern of several."""
    return not set(pattern) & set("*?[")
