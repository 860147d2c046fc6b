"""What the checks see, as one Markdown page: a pure function of the tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.power import tables
from harness.power.classes import NOTES
from harness.power.mutants import MUTANTS
from harness.power.tables import Power
from harness.power.trial import Round
from reports.markdown import grid

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
    yield "# What the checks see"
    yield f"**{headline(power)}**"
    yield summary(power)
    yield READING
    if power.survivors:
        yield "## Survivors"
        yield ", ".join(f"`{name}`" for name in power.survivors)
    yield "## Classes of real defects"
    yield grid(texts(tables.class_rows(power)))
    yield "\n".join(f"- {name}: {note}" for name, note in NOTES.items())
    yield "## Mutants"
    yield grid(texts(tables.mutant_rows(power)))
    yield from unseen(power)
    yield "## Held out"
    yield held_out(power)
    yield grid(texts(tables.held_out_rows(power))) if power.held_out else ""
    yield "## Checks"
    yield unable(power)
    yield MARGINS
    yield grid(texts(tables.check_rows(power)))
    yield "## No false alarm"
    yield acquittal(power)
    yield grid(texts(tables.flagged_rows(power.flagged))) if power.flagged else ""
    yield from peers(power)


def brief(power: Power) -> str:
    """Return the result as text for a terminal."""
    rows = tables.checker_rows(power)
    table = str(rows.to_markdown(index=False, tablefmt="simple", disable_numparse=True))
    lines = [headline(power), "", table]
    lines += [f"survives: {name}" for name in power.survivors]
    lines += [f"false alarm: {kill.backend}, {kill.check}, {kill.case}" for kill in power.flagged[:MOST_LINES]]
    lines += [f"out of sight: {mutant.variant}: {mutant.out_of_sight}" for mutant in power.out_of_sight]
    lines += [f"in sight, and named as out of it: {name}" for name in power.in_sight_after_all]
    lines += [f"self-test: {kill.backend}, {kill.check}, {kill.case}" for kill in power.self_test[:MOST_LINES]]
    lines += [f"our own fault: {fault}" for fault in power.faults]
    lines += [f"unable to fail: {name}" for name in tables.blind(power)]
    return "\n".join(lines) + "\n"


MOST_LINES = 20


def headline(power: Power) -> str:
    dead, total = len(power.mutants) - len(tables.alive(power.mutants, power.kills)), len(power.mutants)
    alarms = len(power.flagged)
    return (
        f"{dead} of {total} mutants killed, by {power.answers:,} judged answers; "
        f"{alarms} false alarms in {power.right_answers:,} right ones."
    )


def summary(power: Power) -> str:
    rows = tables.checker_rows(power)
    shown = pd.DataFrame(
        {
            "checker": rows.checker,
            "questions": rows.questions,
            "was given": rows.given,
            "mutants killed": rows.killed,
            "of": rows.of,
            "of those whose answers differ there": [
                f"{killed} of {differ}" for killed, differ in zip(rows.killed, rows.answers_differ, strict=True)
            ],
            "false alarms": [
                f"{flagged} in {asked:,}"
                for flagged, asked in zip(rows.right_ones_flagged, rows.right_answers_asked, strict=True)
            ],
        }
    )
    return grid(texts(shown))


READING = (
    "A mutant is NumPy's backend with one slip in it, which stands for a class of defects that real softmaxes had. It "
    "is asked what a framework is asked, and judged by the same verdict. *Killed*: something is objected to, and "
    "not to the same in NumPy's own formulas. The peers are asked about the same mutants with their defaults: on the "
    "customary input, random numbers in 32 rows of 10, and on finite cases of our suite, one a family (checks by "
    "differences on cases of 64 numbers at most, in float64). *Differ there*: those whose answers to these questions "
    "have other bits than NumPy's own formulas give; the others show in layouts, repeats, neighbours or special inputs "
    "alone, which nobody asks the peers about. Where a peer objects to what is right, or to NumPy's own formulas, what "
    "it says of mutants is not counted."
)


def unable(power: Power) -> str:
    blind = tables.blind(power)
    if len(power.mutants) < len(MUTANTS):
        return "Of some of the mutants alone: that a check kills nothing here says nothing about it."
    if not blind:
        return "Every check kills something. *Only by it*: mutants that no other check sees."
    return f"Unable to fail, as far as these mutants show: {', '.join(f'`{name}`' for name in blind)}."


def acquittal(power: Power) -> str:
    suites = "; ".join(map(told, power.rounds))
    return (
        f"Right in ways that are in use: {', '.join(f'`{name}`' for name in power.right)}. They go through {suites}: "
        f"{power.right_answers:,} answers judged, {len(power.flagged)} objected to. The reference itself, rounded "
        f"once, is a self-test, as nothing could object to it but for a fault of the judge's own: "
        f"{power.self_test_answers:,} answers, {len(power.self_test)} objected to, none of them counted."
    )


def told(one: Round) -> str:
    """Return a suite, how much of it was asked, and who was asked."""
    share, names = one.share, ", ".join(f"`{backend.title()}`" for backend in one.backends)
    if share.small == 1 and share.large == 1:
        return f"{one.suite} ({names})"
    return f"{one.suite} (1 in {share.small} of its small plain synthetic cases, 1 in {share.large} large; {names})"


def held_out(power: Power) -> str:
    if not power.held_out:
        return "Measured with all of the mutants alone."
    living = [mutant.variant for mutant in tables.alive(power.held_out, power.held_kills)]
    return (
        f"Written before the checks, which are not mended for them: {len(power.held_out) - len(living)} of "
        f"{len(power.held_out)} killed. These live: {', '.join(f'`{name}`' for name in living) or 'none'}."
    )


def unseen(power: Power) -> Iterator[str]:
    if power.out_of_sight:
        yield "## Out of sight"
        yield "\n".join(f"- `{mutant.variant}`: {mutant.out_of_sight}" for mutant in power.out_of_sight)


MARGINS = (
    "*Smallest margin*: of the mutants that a check kills, how many times its limit was exceeded in the narrowest "
    "case; *inf* where nothing is allowed. *Reading*: it kills nothing that another check does not kill too, "
    "and is there to say what is wrong."
)


def peers(power: Power) -> Iterator[str]:
    if power.absent:
        yield "Absent: " + "; ".join(f"{name}: {reason}" for name, reason in power.absent.items()) + "."
    if not power.said:
        return
    yield "## What the peers see"
    yield grid(texts(tables.peer_rows(power)))
    alarms = [said for said in power.said if said.backend in power.right and said.objected]
    if alarms:
        yield "What they object to although it is right; the first objection each:"
        rows = [(s.checker, s.questions, s.backend, s.objected, s.asked, s.case, s.objection) for s in alarms]
        heads = ["checker", "questions", "backend", "objections", "asked", "first at", "objection"]
        yield grid(pd.DataFrame(rows, columns=heads))


def texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with True and False in words, and an empty text where nothing was killed."""
    return rows.map(in_words)


def in_words(value: object) -> object:
    if isinstance(value, bool | np.bool_):
        return {True: "yes", False: "NO"}[bool(value)]
    return "" if isinstance(value, float) and np.isnan(value) else value
