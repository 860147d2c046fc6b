"""Kills into tables: a mutant a row, a check a row, a checker a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import pandas as pd

from harness.atlas.situations import SITUATIONS
from harness.equations import EQUATIONS
from harness.errors import AS_IT_SHOULD_BE, FALLS_SHORT, OUR_FAULT
from harness.power.classes import REASONS, TITLES
from harness.power.kills import BITS, BOUND, CHANGED, DTYPE, FINITE, RAISED, SHAPE, Kill
from harness.power.mutants import MUTANTS
from harness.power.peers import Said
from harness.power.planting import Mutant
from harness.power.trial import Share
from harness.properties import LAWS, TWIN_LAWS
from harness.sameness import STRICT
from harness.variations import VARIATIONS

OURS = "softmax-harness"
KILLED, SURVIVES, NOT_ASKED = "killed", "survives", "not applicable"


@dataclass(frozen=True)
class Power:
    """All that was found. `flagged`: what was objected to in backends that are right."""

    mutants: Sequence[type[Mutant]]
    kills: Sequence[Kill]
    flagged: Sequence[Kill]
    right: Sequence[str]
    said: Sequence[Said] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    answers: int = 0
    right_answers: int = 0
    shares: Mapping[str, Share] = field(default_factory=dict)
    """The suites that right ones went through, and how much of each."""
    faults: Sequence[str] = ()
    """What the harness could not judge, in words."""

    def of(self, mutant: type[Mutant]) -> list[Kill]:
        return [kill for kill in self.kills if kill.backend == mutant.title()]

    @property
    def survivors(self) -> list[str]:
        dead = {kill.backend for kill in self.kills}
        return [mutant.variant for mutant in self.mutants if mutant.title() not in dead]


def checks() -> tuple[str, ...]:
    """Every check there is, by its name."""
    laws = dict.fromkeys(law for table in (LAWS, TWIN_LAWS) for own in table.values() for law in own)
    ways = (f"@{variation}" for variation in VARIATIONS)
    atlas = (f"atlas: {situation}" for situation in SITUATIONS)
    bits = [f"{BITS} @{way}" for way in STRICT]
    return (BOUND, FINITE, *laws, *EQUATIONS, *ways, *bits, CHANGED, DTYPE, SHAPE, RAISED, *atlas)


def mutant_rows(power: Power) -> pd.DataFrame:
    """The first objection to each, in the order of the run."""
    rows = []
    for mutant in sorted(power.mutants, key=lambda m: list(TITLES).index(m.defect)):
        found = power.of(mutant)
        first = found[0] if found else Kill("", "", "", 0.0)
        rows.append((mutant.defect, mutant.variant, bool(found), first.check, first.case, rounded(first.margin)))
    return pd.DataFrame(rows, columns=["class", "mutant", "killed", "killed_by", "case", "margin"])


def rounded(margin: float) -> float:
    """To three digits."""
    return margin if margin == inf else float(f"{margin:.3g}")


def check_rows(power: Power) -> pd.DataFrame:
    """How many mutants each check kills, and how many no other does."""
    by_mutant: dict[str, set[str]] = defaultdict(set)
    for kill in power.kills:
        by_mutant[kill.backend].add(kill.check)
    names = dict.fromkeys((*checks(), *(kill.check for kill in power.kills)))
    rows = [
        (
            name,
            sum(name in found for found in by_mutant.values()),
            sum(found == {name} for found in by_mutant.values()),
        )
        for name in names
    ]
    return pd.DataFrame(rows, columns=["check", "mutants_killed", "only_by_it"])


def blind(power: Power) -> list[str]:
    """Checks that kill nothing: as far as is shown, they cannot fail. Nothing is shown by some of the mutants."""
    if len(power.mutants) < len(MUTANTS):
        return []
    rows = check_rows(power)
    return list(rows.check[rows.mutants_killed == 0])


def checker_rows(power: Power) -> pd.DataFrame:
    """Ours and everybody else's: kills, out of how many, and objections to what is right.

    `answers_differ`: of how many mutants any answer to these questions has other bits than NumPy's own formulas give.
    """
    total = len(power.mutants)
    dead = total - len(power.survivors)
    ours = (OURS, "its suites", dead, total, total, total, len(power.flagged), power.right_answers)
    rows = [ours, *(of_peer(power, *key) for key in dict.fromkeys((s.checker, s.questions) for s in power.said))]
    names = [
        "checker", "questions", "killed", "of", "could_be_asked", "answers_differ", "right_ones_flagged",
        "right_answers_asked",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def of_peer(power: Power, checker: str, questions: str) -> tuple[str, str, int, int, int, int, int, int]:
    own = [said for said in power.said if (said.checker, said.questions) == (checker, questions)]
    known = {mutant.title() for mutant in power.mutants}
    mutants, right = [s for s in own if s.backend in known], [s for s in own if s.backend in power.right]
    return (
        checker,
        questions,
        sum(said.objected > 0 for said in mutants),
        len(power.mutants),
        sum(said.asked > 0 for said in mutants),
        sum(said.differs for said in mutants),
        sum(said.objected for said in right),
        sum(said.asked for said in right),
    )


def peer_rows(power: Power) -> pd.DataFrame:
    """A mutant a row, a peer and set of questions a column."""
    columns = {
        f"{checker}, {questions}": {
            said.backend: KILLED if said.objected else SURVIVES if said.asked else NOT_ASKED
            for said in power.said
            if (said.checker, said.questions) == (checker, questions)
        }
        for checker, questions in dict.fromkeys((s.checker, s.questions) for s in power.said)
    }
    heads = {"class": [m.defect for m in power.mutants], "mutant": [m.variant for m in power.mutants]}
    found = {name: [own.get(m.title(), NOT_ASKED) for m in power.mutants] for name, own in columns.items()}
    return pd.DataFrame({**heads, **found})


def class_rows(power: Power) -> pd.DataFrame:
    """What of each class is killed, and by which checks first; or why it has no mutant."""
    mutants = mutant_rows(power)
    rows = []
    for name, title in TITLES.items():
        own = mutants[mutants["class"] == name]
        by = ", ".join(dict.fromkeys(own.killed_by[own.killed]))
        rows.append((name, title, len(own), int(own.killed.sum()), by or REASONS.get(name, "")))
    return pd.DataFrame(rows, columns=["class", "defect", "mutants", "killed", "first_killed_by"])


def flagged_rows(flagged: Iterable[Kill]) -> pd.DataFrame:
    rows = [(kill.backend, kill.check, kill.case, rounded(kill.margin)) for kill in flagged]
    return pd.DataFrame(rows, columns=["backend", "check", "case", "margin"])


def exit_code(power: Power) -> int:
    """3 where something could not be judged, 1 where a mutant survives or what is right is objected to."""
    if power.faults:
        return OUR_FAULT
    return FALLS_SHORT if power.survivors or power.flagged else AS_IT_SHOULD_BE
