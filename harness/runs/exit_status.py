"""A run's exit status: it follows from its cells, its probes, what was asked for by name, and how the run went."""

from __future__ import annotations

from fnmatch import fnmatchcase

from harness import errors
from harness.faults import DEATHS, Outcome, Verdict
from harness.records import Run


def exit_code(run: Run) -> int:
    """Return the first status of `errors.PRECEDENCE` that holds. A saved run has the one with which it was made."""
    outcomes = {*run.comparisons.outcome, *(probe["outcome"] for probe in run.about.get("unanswered_probes", ()))}
    short = run.comparisons.verdict.isin((Verdict.SHORT, Verdict.FLAW_GONE)).any()
    holds = {
        errors.OUR_FAULT: bool(run.about.get("faults")) or (Outcome.NOT_RUN in outcomes and not run.about["partial"]),
        errors.INTERRUPTED: bool(run.about["partial"]),
        errors.BACKEND_DIED: bool(outcomes & set(DEATHS)),
        errors.NOTHING_COMPARED: Outcome.OK not in outcomes or bool(unjudged_by_name(run)),
        errors.FALLS_SHORT: short or Outcome.FAILED in outcomes,
    }
    return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)


def unjudged_by_name(run: Run) -> list[str]:
    """Return a sentence for each name or pattern of backends that was asked for and of which nothing was judged.

    A pattern gets none if most of what it matches is absent: only what is named itself must be there.
    """
    asked = run.about.get("options", {}).get("selection", {}).get("backends", ())
    return [sentence for name in asked if (sentence := unjudged(name, run))]


def unjudged(name: str, run: Run) -> str:
    """Return the sentence, or an empty string if an answer was judged or an outcome sets the exit status itself."""
    cells, by_name = run.comparisons, is_name(name)
    its = cells[cells.backend == name] if by_name else cells[[fnmatchcase(b, name) for b in cells.backend]]
    if its.verdict.isin(JUDGED).any() or its.outcome.isin((Outcome.FAILED, *DEATHS)).any():
        return ""
    if its.empty:
        return f"{name} was requested by name, but it supports none of the selected operations and dtypes"
    worst = its.groupby(["outcome", "reason"], sort=False).size().sort_values(ascending=False, kind="stable")
    outcome, reason = worst.index[0]
    if outcome == Outcome.ABSENT:
        return f"{name} was requested by name, but is absent: {reason}" if by_name else ""
    told = ", ".join(part for part in (outcome, reason) if part and part != Outcome.OK)
    return f"{name} was requested by name, but none of its {len(its):,} cells was judged: {told or its.verdict.iloc[0]}"


JUDGED = (Verdict.WITHIN, Verdict.SHORT, Verdict.AS_DECLARED, Verdict.FLAW_GONE)
"""Verdicts of answers that were judged."""


def is_name(pattern: str) -> bool:
    """Decide whether this is the name of one backend, and no pattern."""
    return not set(pattern) & set("*?[")
