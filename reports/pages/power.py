"""What the checks detect, as one Markdown page: a pure function of the tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.power import tables
from harness.power.classes import NOTES
from harness.power.mutants import MUTANTS
from harness.power.tables import Power
from harness.power.trial import Round
from reports import terminal
from reports.markdown import grid
from reports.tables import words

FILES = {
    "power.csv": tables.mutant_rows,
    "held_out.csv": tables.held_out_rows,
    "checks.csv": tables.check_rows,
    "peers.csv": tables.peer_rows,
    "checkers.csv": tables.checker_rows,
}


def render(power: Power) -> str:
    """Return the whole page."""
    return "\n\n".join(part for part in sections(power) if part) + "\n"


def sections(power: Power) -> Iterator[str]:
    yield "# What the checks detect"
    yield f"**{headline(power)}**"
    yield summary(power)
    yield READING
    if power.survivors:
        yield "## Mutants that are not detected"
        yield ", ".join(f"`{name}`" for name in power.survivors)
    yield "## Classes of real defects"
    yield grid(texts(tables.class_rows(power)))
    yield "\n".join(f"- {name}: {note}" for name, note in NOTES.items())
    yield "## Mutants"
    yield grid(texts(tables.mutant_rows(power)))
    yield from unseen(power)
    yield "## Held-out mutants"
    yield held_out(power)
    yield grid(texts(tables.held_out_rows(power))) if power.held_out else ""
    yield "## Checks"
    yield unable(power)
    yield MARGINS
    yield grid(texts(tables.check_rows(power)))
    yield "## False positives"
    yield acquittal(power)
    yield grid(texts(tables.flagged_rows(power.flagged))) if power.flagged else ""
    yield from peers(power)


def brief(power: Power) -> str:
    """Return the result as text for a terminal."""
    rows = tables.checker_rows(power)
    table = terminal.grid(texts(rows))
    lines = [headline(power), "", table]
    lines += [f"not detected: {name}" for name in power.survivors]
    lines += [f"false positive: {kill.backend}, {kill.check}, {kill.case}" for kill in power.flagged[:MOST_LINES]]
    lines += [f"declared undetectable: {mutant.variant}: {mutant.out_of_sight}" for mutant in power.out_of_sight]
    lines += [f"detected, but declared undetectable: {name}" for name in power.in_sight_after_all]
    lines += [f"self-test: {kill.backend}, {kill.check}, {kill.case}" for kill in power.self_test[:MOST_LINES]]
    lines += [f"internal error: {fault}" for fault in power.faults]
    lines += [f"check that detects nothing: {name}" for name in tables.blind(power)]
    return "\n".join(lines) + "\n"


MOST_LINES = 20


def headline(power: Power) -> str:
    dead, total = len(power.mutants) - len(tables.alive(power.mutants, power.kills)), len(power.mutants)
    alarms = len(power.flagged)
    return (
        f"{dead} of {total} mutants detected, with {power.answers:,} results judged; "
        f"{alarms} false positive{'s' * (alarms != 1)} in {power.right_answers:,} correct results."
    )


def summary(power: Power) -> str:
    rows = tables.checker_rows(power)
    shown = pd.DataFrame(
        {
            "checker": rows.checker,
            "inputs": rows.questions,
            "available to the checker": rows.given,
            "mutants detected": rows.killed,
            "of": rows.of,
            "detected of those whose results differ": [
                f"{killed} of {differ}" for killed, differ in zip(rows.killed, rows.answers_differ, strict=True)
            ],
            "false positives": [
                f"{flagged} in {asked:,}"
                for flagged, asked in zip(rows.right_ones_flagged, rows.right_answers_asked, strict=True)
            ],
        }
    )
    return grid(texts(shown))


READING = (
    "A mutant is the NumPy backend with one planted bug, which represents a class of defects that real softmaxes had. "
    "It is tested like a framework. *detected*: a check fails for the mutant that does not fail for the unchanged "
    "NumPy formulas. The other checkers test the same mutants with their default settings: on a typical input, random "
    "numbers in 32 rows of 10, and on finite cases of our suite, one for each family (finite-difference checks only on "
    "cases of at most 64 numbers, in float64). *results differ*: the mutants whose results for these inputs have other "
    "bits than those of the NumPy formulas. The other mutants differ only for layouts, repeated calls, neighbouring "
    "rows or special inputs, which the other checkers do not test. Where a checker flags a correct result, or the "
    "NumPy formulas, its verdict on mutants is not counted."
)


def unable(power: Power) -> str:
    blind = tables.blind(power)
    if len(power.mutants) < len(MUTANTS):
        return "Only some of the mutants were tested, so a check that detects none of them may still detect others."
    if not blind:
        return "Every check detects a mutant. *only by this check*: mutants that no other check detects."
    return f"These checks detect no mutant: {', '.join(f'`{name}`' for name in blind)}."


def acquittal(power: Power) -> str:
    suites = "; ".join(map(round_text, power.rounds))
    return (
        f"These correct implementations are tested: {', '.join(f'`{name}`' for name in power.right)}. The suites are "
        f"{suites}. Of {power.right_answers:,} results, {len(power.flagged)} were flagged. The exact values, rounded "
        f"once, are a self-test of the judge: of {power.self_test_answers:,} results, {len(power.self_test)} were "
        f"flagged. They are not counted elsewhere."
    )


def round_text(one: Round) -> str:
    """Return a suite, how much of it was asked, and who was asked."""
    share, names = one.share, ", ".join(f"`{backend.title()}`" for backend in one.backends)
    if share.small == 1 and share.large == 1:
        return f"{one.suite} ({names})"
    return f"{one.suite} (1 in {share.small} of its small plain synthetic cases, 1 in {share.large} large; {names})"


def held_out(power: Power) -> str:
    if not power.held_out:
        return "The held-out mutants are tested only in a run with all mutants."
    living = [mutant.variant for mutant in tables.alive(power.held_out, power.held_kills)]
    return (
        f"These mutants were written before the checks, and no check is changed because of them. "
        f"{len(power.held_out) - len(living)} of {len(power.held_out)} are detected. Not detected: "
        f"{', '.join(f'`{name}`' for name in living) or 'none'}."
    )


def unseen(power: Power) -> Iterator[str]:
    if power.out_of_sight:
        yield "## Declared undetectable"
        yield "\n".join(f"- `{mutant.variant}`: {mutant.out_of_sight}" for mutant in power.out_of_sight)


MARGINS = (
    "*smallest margin*: the smallest ratio of deviation to limit among the mutants that a check detects; *inf* if the "
    "limit is 0. *diagnosis*: every mutant that this check detects is also detected by another check; it says what is "
    "wrong."
)


def peers(power: Power) -> Iterator[str]:
    if power.absent:
        yield "Absent: " + "; ".join(f"{name}: {reason}" for name, reason in power.absent.items()) + "."
    if not power.said:
        return
    yield "## Other checkers"
    yield grid(texts(tables.peer_rows(power)))
    alarms = [said for said in power.said if said.backend in power.right and said.objected]
    if alarms:
        yield "The following table lists the correct results that they flag, with the first objection to each."
        rows = [(s.checker, s.questions, s.backend, s.objected, s.asked, s.case, s.objection) for s in alarms]
        heads = ["checker", "inputs", "backend", "flagged", "tested", "first case", "objection"]
        yield grid(pd.DataFrame(rows, columns=heads))


def texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows under their headings, with entries in words, and an empty text where nothing was detected."""
    return rows.rename(columns=words.heading).map(yes_or_no)


def yes_or_no(value: object) -> object:
    if isinstance(value, bool | np.bool_):
        return {True: "yes", False: "NO"}[bool(value)]
    if isinstance(value, str):
        return words.detection(value)
    return "" if isinstance(value, float) and np.isnan(value) else value
