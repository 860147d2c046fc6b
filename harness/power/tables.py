"""Kills as tables, with one row per mutant, per check or per checker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import pandas as pd

from harness.errors import AS_IT_SHOULD_BE, FALLS_SHORT, OUR_FAULT
from harness.judging.equations import EQUATIONS
from harness.judging.laws import LAWS, TWIN_LAWS
from harness.judging.same_bits import STRICT
from harness.power.classes import REASONS, TITLES
from harness.power.mutant_kills import BITS, BOUND, CHANGED, DTYPE, FINITE, RAISED, SHAPE, Kill
from harness.power.mutants import MUTANTS
from harness.power.peers import Said
from harness.power.planting import Mutant
from harness.power.same_questions import SameQuestions
from harness.power.trial import Round
from harness.questions.variations import VARIATIONS
from harness.specials.special_inputs import SITUATIONS

OURS = "softmax-harness"
KILLED, SURVIVES, NOT_ASKED = "killed", "survives", "not applicable"


@dataclass(frozen=True)
class Power:
    """All that was found. `flagged`: the objections to correct backends."""

    mutants: Sequence[type[Mutant]]
    kills: Sequence[Kill]
    flagged: Sequence[Kill]
    right: Sequence[str]
    said: Sequence[Said] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    answers: int = 0
    right_answers: int = 0
    rounds: Sequence[Round] = ()
    """The suites that correct backends went through, and how much of each."""
    faults: Sequence[str] = ()
    """What the harness could not judge, in words."""
    held_out: Sequence[type[Mutant]] = ()
    held_kills: Sequence[Kill] = ()
    self_test: Sequence[Kill] = ()
    """The objections to the reference itself, rounded once."""
    self_test_answers: int = 0
    alike: Mapping[str, SameQuestions] = field(default_factory=dict)
    """What this harness finds on the peers' questions."""

    @property
    def survivors(self) -> list[str]:
        """Return the names of the mutants that survive and are not declared out of sight."""
        return [mutant.variant for mutant in alive(self.mutants, self.kills) if not mutant.out_of_sight]

    @property
    def out_of_sight(self) -> list[type[Mutant]]:
        return [mutant for mutant in alive(self.mutants, self.kills) if mutant.out_of_sight]

    @property
    def in_sight_after_all(self) -> list[str]:
        """Return the names of the mutants that are declared out of sight, but are killed."""
        living = self.out_of_sight
        return [mutant.variant for mutant in self.mutants if mutant.out_of_sight and mutant not in living]


def alive(mutants: Iterable[type[Mutant]], kills: Iterable[Kill]) -> list[type[Mutant]]:
    dead = {kill.backend for kill in kills}
    return [mutant for mutant in mutants if mutant.title() not in dead]


def checks() -> tuple[str, ...]:
    """Return the names of all checks."""
    laws = dict.fromkeys(law for table in (LAWS, TWIN_LAWS) for own in table.values() for law in own)
    ways = (f"@{variation}" for variation in VARIATIONS)
    atlas = (f"atlas: {situation}" for situation in SITUATIONS)
    bits = [f"{BITS} @{way}" for way in STRICT]
    return (BOUND, FINITE, *laws, *EQUATIONS, *ways, *bits, CHANGED, DTYPE, SHAPE, RAISED, *atlas)


def mutant_rows(power: Power) -> pd.DataFrame:
    """Return the first objection to each mutant, in the order of the run."""
    return rows_of(power.mutants, power.kills)


def held_out_rows(power: Power) -> pd.DataFrame:
    return rows_of(power.held_out, power.held_kills)


def rows_of(mutants: Iterable[type[Mutant]], kills: Sequence[Kill]) -> pd.DataFrame:
    rows = []
    for mutant in sorted(mutants, key=lambda m: list(TITLES).index(m.defect)):
        found = [kill for kill in kills if kill.backend == mutant.title()]
        first = found[0] if found else Kill("", "", "", 0.0)
        rows.append((mutant.defect, mutant.variant, bool(found), first.check, first.case, rounded(first.margin)))
    return pd.DataFrame(rows, columns=["class", "mutant", "killed", "killed_by", "case", "margin"])


def rounded(margin: float) -> float:
    """Round to three significant digits."""
    return margin if margin == inf else float(f"{margin:.3g}")


def check_rows(power: Power) -> pd.DataFrame:
    """Return how many mutants each check kills, how many only it kills, and the narrowest of its kills, in limits.

    A check that kills only what others kill too is there for reading: it says what is wrong.
    """
    by_mutant: dict[str, dict[str, float]] = defaultdict(dict)
    for kill in power.kills:
        by_mutant[kill.backend][kill.check] = max(kill.margin, by_mutant[kill.backend].get(kill.check, 0.0))
    rows = []
    for name in dict.fromkeys((*checks(), *(kill.check for kill in power.kills))):
        killed = [found for found in by_mutant.values() if name in found]
        alone = sum(len(found) == 1 for found in killed)
        narrowest = min((found[name] for found in killed), default=float("nan"))
        rows.append((name, len(killed), alone, rounded(narrowest), "killing" if alone else "reading"))
    return pd.DataFrame(rows, columns=["check", "mutants_killed", "only_by_it", "smallest_margin", "for"])


def blind(power: Power) -> list[str]:
    """Return the checks that kill no mutant, and so are not shown to be able to fail.

    Return an empty list unless all mutants were asked, because some of them show nothing about a check.
    """
    if len(power.mutants) < len(MUTANTS):
        return []
    rows = check_rows(power)
    return list(rows.check[rows.mutants_killed == 0])


def checker_rows(power: Power) -> pd.DataFrame:
    """Return, for ours and every other checker, the kills, out of how many, and the objections to what is right.

    `answers_differ`: the number of mutants with any answer to these questions that has other bits than NumPy's own
    formulas give.
    """
    rows = [of_suites(power)]
    if power.held_out:
        rows.append(of_held_out(power))
    rows += [of_ours(power, questions, found) for questions, found in power.alike.items()]
    rows += [of_peer(power, *key) for key in dict.fromkeys((s.checker, s.questions) for s in power.said)]
    names = [
        "checker", "questions", "given", "killed", "of", "could_be_asked", "answers_differ", "right_ones_flagged",
        "right_answers_asked",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


CheckerRow = tuple[str, str, str, int, int, int, int, int, int]
OUR_SUITES, HELD_OUT = "its suites", "its suites, held-out mutants"
GIVEN = {
    "suites": "answers, of the standard suite and the atlas",
    "same": "answers",
    "values": "answers, and the exact values",
    "gradients": "functions and derivatives, float64",
}


def of_suites(power: Power) -> CheckerRow:
    total = len(power.mutants)
    dead = total - len(alive(power.mutants, power.kills))
    flagged = len(power.flagged)
    return OURS, OUR_SUITES, GIVEN["suites"], dead, total, total, total, flagged, power.right_answers


def of_held_out(power: Power) -> CheckerRow:
    total = len(power.held_out)
    dead = total - len(alive(power.held_out, power.held_kills))
    return OURS, HELD_OUT, GIVEN["suites"], dead, total, total, total, len(power.flagged), power.right_answers


def of_ours(power: Power, questions: str, found: SameQuestions) -> CheckerRow:
    """Return the row of this harness on the peers' questions.

    Whose answers differ is known from the checks of values.
    """
    known = {mutant.title() for mutant in power.mutants}
    differ = {s.backend for s in power.said if s.questions == questions and s.kind == "values" and s.differs} & known
    total = len(power.mutants)
    return (
        OURS, questions, GIVEN["same"], len(found.killed & known), total, total, len(differ | (found.killed & known)),
        found.flagged, found.answers,
    )  # fmt: skip


def of_peer(power: Power, checker: str, questions: str) -> CheckerRow:
    own = [said for said in power.said if (said.checker, said.questions) == (checker, questions)]
    known = {mutant.title() for mutant in power.mutants}
    mutants, right = [s for s in own if s.backend in known], [s for s in own if s.backend in power.right]
    return (
        checker,
        questions,
        GIVEN[own[0].kind],
        sum(said.objected > 0 for said in mutants),
        len(power.mutants),
        sum(said.asked > 0 for said in mutants),
        sum(said.differs for said in mutants),
        sum(said.objected for said in right),
        sum(said.asked for said in right),
    )


def peer_rows(power: Power) -> pd.DataFrame:
    """Return one row per mutant, and one column per peer and set of questions."""
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
    """Return how many mutants of each class are killed, and by which checks first; or why a class has none."""
    mutants = mutant_rows(power)
    rows = []
    for name, title in TITLES.items():
        own = mutants[mutants["class"] == name]
        by = ", ".join(dict.fromkeys(own.killed_by[own.killed]))
        narrowest = min((widest(power, f"mutant:{mutant}") for mutant in own.mutant[own.killed]), default=float("nan"))
        rows.append((name, title, len(own), int(own.killed.sum()), rounded(narrowest), by or REASONS.get(name, "")))
    return pd.DataFrame(rows, columns=["class", "defect", "mutants", "killed", "smallest_margin", "first_killed_by"])


def widest(power: Power, mutant: str) -> float:
    """Return the largest margin of a mutant's kills, among those with a limit to exceed; infinite if there are none."""
    own = [kill.margin for kill in power.kills if kill.backend == mutant]
    return max((margin for margin in own if margin < inf), default=inf)


def flagged_rows(flagged: Iterable[Kill]) -> pd.DataFrame:
    rows = [(kill.backend, kill.check, kill.case, rounded(kill.margin)) for kill in flagged]
    return pd.DataFrame(rows, columns=["backend", "check", "case", "margin"])


def exit_code(power: Power) -> int:
    """Return 3 if something could not be judged, and 1 if a mutant survives or what is right is objected to.

    Return 1 too if a mutant is killed that is declared out of sight: the declaration must go. Held-out mutants change
    nothing.
    """
    if power.faults:
        return OUR_FAULT
    wrong = power.survivors or power.flagged or power.self_test or power.in_sight_after_all
    return FALLS_SHORT if wrong else AS_IT_SHOULD_BE
