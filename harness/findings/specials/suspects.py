"""Entries of an atlas that are findings: their kind, what is broken, and which of their facts show it.

A finite number that is not the exact one, a row that depends on its neighbours and a death are defects, declared or
not. What differs from its declaration is a defect too. So is an entry that varies, unless a public document declares
it: then it is a policy difference. An entry that does not vary and is as declared is a policy difference if most other
frameworks do something else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from backends import find
from harness.findings.record import DEFECT, KINDS, POLICY
from harness.specials.entries import MODE, UNEXPLAINED, Entry, Key, Seen, coordinates, other_mode
from harness.specials.facts import DEATHS, RAISES
from harness.specials.policies import AS_DECLARED, DIFFERS, Policy, declared
from harness.specials.special_inputs import SITUATIONS
from harness.specials.sweep import FIRST_DTYPE, is_mode, rows
from harness.specials.truths import RIGHT

ALIVE, EXACT, APART = "it answers", "a finite number is the exact one", "a row does not depend on its neighbours"
SPECIAL_LAWS = (ALIVE, EXACT, APART)
"""The laws that a fact can break by itself, the gravest first."""
DECLARED, OTHERS = "what is declared", "what other frameworks do"
SeenBy = Mapping[Key, Sequence[Seen]]


@dataclass(frozen=True)
class SpecialSuspect:
    """Entries in which one backend does the same. `entry` is the one that was seen at the smallest width."""

    kind: str
    law: str
    entry: Entry
    facts: tuple[str, ...]
    """The facts that show it."""
    expected: str
    """The fact that is expected in their place, or what others do, in words."""
    against: str = ""
    """The backend that shows the expected fact, where there is such another side to show; otherwise empty."""
    cells: int = 0

    @property
    def key(self) -> Key:
        return (self.entry.backend, self.entry.operation, self.entry.situation)

    @property
    def broken(self) -> str:
        """What is broken, and by what kind of input. A difference from other frameworks also names what is done."""
        way = f": {outline(self.facts[0])}" if self.law == OTHERS else ""
        return f"{self.law}: {subject(self.entry.situation)}{way}"

    def alike(self, backend: str) -> tuple[str, ...]:
        """Return a key that is equal for suspects that are one finding.

        A defect has its operation in the key; policy differences are one finding whatever the operation.
        """
        return (self.kind, backend, self.broken, self.entry.operation if self.kind == DEFECT else "")


def subject(situation: str) -> str:
    """Return what a situation is about. Integers of every size are one subject, and so are wrong labels."""
    return SITUATIONS[situation].among or situation


def suspects(entries: Sequence[Entry], seen: SeenBy, policies: Sequence[Policy]) -> list[SpecialSuspect]:
    """Return one suspect for each way in which a backend deviates, defects first.

    What a framework does both compiled and uncompiled is reported for the framework alone.
    """
    found: dict[tuple[str, ...], list[SpecialSuspect]] = {}
    for entry in sorted(entries, key=lambda entry: is_mode(find(entry.backend))):
        about = find(entry.backend)
        for suspect in of_entry(entry, entries, seen, policies):
            framework = suspect.alike(about.framework if is_mode(about) else entry.backend)
            found.setdefault(framework if framework in found else suspect.alike(entry.backend), []).append(suspect)
    together = [joined(alike, seen) for alike in found.values()]
    return sorted(together, key=lambda suspect: KINDS.index(suspect.kind))


def joined(alike: Sequence[SpecialSuspect], seen: SeenBy) -> SpecialSuspect:
    own = [suspect for suspect in alike if suspect.entry.backend == alike[0].entry.backend]
    smallest = min(own, key=lambda suspect: min(one.width for one in showing(suspect, seen)))
    cells = sum(len(one.positions) for suspect in alike for one in showing(suspect, seen))
    return replace(smallest, cells=cells)


def showing(suspect: SpecialSuspect, seen: SeenBy) -> list[Seen]:
    """Return where a suspect's facts were seen."""
    return [one for one in seen[suspect.key] if one.fact in suspect.facts]


def of_entry(
    entry: Entry, entries: Sequence[Entry], seen: SeenBy, policies: Sequence[Policy]
) -> Iterator[SpecialSuspect]:
    """Yield one suspect at most.

    What is wrong by itself comes first, then what varies, what differs from its declaration, what differs from the
    uncompiled framework, and what other frameworks do in another way.
    """
    key = (entry.backend, entry.operation, entry.situation)
    everybody = declared([policy for policy in policies if policy.backend == ["*"]], *key)
    usual = everybody.fact if everybody else []
    facts, wanted = tuple(dict.fromkeys(one.fact for one in seen[key])), expected(seen[key], usual)
    about = find(entry.backend)
    native = seen.get((about.framework, *key[1:]), ()) if is_mode(about) else ()
    if law := next((law for law in SPECIAL_LAWS if law in {law_of(fact, entry.situation) for fact in facts}), ""):
        wrong = tuple(fact for fact in facts if law_of(fact, entry.situation) == law)
        against = entry.backend if wanted not in wrong else ""
        yield SpecialSuspect(
            DEFECT, law, entry, wrong, wanted if against else "; ".join(usual) or "another answer", against
        )
    elif len(facts) > 1:
        others = tuple(fact for fact in facts if fact != wanted)
        yield SpecialSuspect(
            variation(entry), same_whatever(coordinates(seen[key])), entry, others, wanted, entry.backend
        )
    elif entry.verdict == DIFFERS:
        yield SpecialSuspect(DEFECT, DECLARED, entry, facts, entry.policy)
    elif other_mode(seen[key], native):
        yield from of_mode(entry, entries, seen, usual)
    elif entry.verdict == AS_DECLARED and (told := elsewhere(entry, entries)):
        yield SpecialSuspect(POLICY, OTHERS, entry, facts, told)


def expected(seen: Sequence[Seen], usual: Sequence[str]) -> str:
    """Return which of several facts is expected.

    It is one that is declared of every backend, else one that is right, else one that is an answer, else the one seen
    most often. If two are seen as often, it is the one seen in float64.
    """
    count: Counter[str] = Counter(dict.fromkeys(sorted({one.fact for one in seen}), 0))
    for one in seen:
        count[one.fact] += len(one.positions)
    widest = {one.fact for one in seen if one.dtype == "float64"}
    return max(
        count,
        key=lambda fact: (fact in usual, fact.startswith("right"), not refuses(fact), count[fact], fact in widest),
    )


def same_whatever(by: Sequence[str]) -> str:
    place = "in the very same place" if tuple(by) == (UNEXPLAINED,) else f"whatever the {' and '.join(by)}"
    return f"the same {place}"


def law_of(fact: str, situation: str) -> str:
    """Return the law that the fact breaks by itself, whatever is declared; empty if it breaks none."""
    if fact.startswith(DEATHS):
        return ALIVE
    if re.search(r"\bwrong\b", fact) and has_exact(situation):
        return EXACT
    return APART if "rows beside it" in fact else ""


@cache
def has_exact(situation: str) -> bool:
    """Decide whether a situation has a right answer.

    It has one if every number is finite or -inf, no row is -inf throughout, and the label is a class.
    """
    about = SITUATIONS[situation]
    if about.wraps:
        return False
    made = rows(about, about.widths[0] if about.widths else about.smallest, (about.dtypes or (FIRST_DTYPE,))[0])
    return all((np.isfinite(row.logits) | row.masked).all() and not row.masked.all() for row in made)


def variation(entry: Entry) -> str:
    """Return the kind of an entry that varies: policy if it is as declared by a public document, else defect."""
    documented = entry.verdict == AS_DECLARED and entry.source.startswith("https://")
    return POLICY if documented else DEFECT


def of_mode(entry: Entry, entries: Sequence[Entry], seen: SeenBy, usual: Sequence[str]) -> Iterator[SpecialSuspect]:
    """Yield the suspect of a compiled mode that differs from its framework uncompiled, if it is one.

    It is none if it is as declared and both refuse, by whatever exceptions. It is none either if it is as declared and
    does what is declared of every backend: then the framework deviates, and its own entry says so. If only the mode is
    right, the suspect is the framework's entry.
    """
    key = (entry.operation, entry.situation)
    framework = find(entry.backend).framework
    facts, theirs = ({one.fact for one in seen[backend, *key]} for backend in (entry.backend, framework))
    if entry.verdict == AS_DECLARED and (all(map(refuses, facts | theirs)) or facts <= set(usual)):
        return
    law, kind, [other, *_] = same_whatever((MODE,)), variation(entry), sorted(theirs - facts)
    native = next((one for one in entries if (one.backend, one.operation, one.situation) == (framework, *key)), None)
    if native and facts == {RIGHT} and not other.startswith(RIGHT):
        yield SpecialSuspect(kind, law, native, (other,), RIGHT, entry.backend)
    else:
        yield SpecialSuspect(kind, law, entry, tuple(sorted(facts)), other, framework)


def refuses(fact: str) -> bool:
    return fact.startswith(RAISES)


def elsewhere(entry: Entry, entries: Sequence[Entry]) -> str:
    """Return what other frameworks do, if most do something else; otherwise nothing.

    All exceptions count as the same. A variant that does what its framework does is not reported.
    """
    about = find(entry.backend)
    asked = [e for e in entries if (e.operation, e.situation) == (entry.operation, entry.situation)]
    right = [e for e in asked if not e.varies_by and not law_of(e.fact, e.situation)]
    facts = {e.backend: e.fact for e in right if not find(e.backend).variant}
    mine = outline(entry.fact)
    if about.variant and (about.framework not in facts or outline(facts[about.framework]) == mine):
        return ""
    most = next(iter(Counter(map(outline, facts.values())).most_common(1)), (mine, 0))[0]
    others: dict[str, list[str]] = {}
    for backend, fact in facts.items():
        if outline(fact) != mine:
            others.setdefault(fact, []).append(backend)
    told = "; ".join(f"{fact} ({', '.join(backends)})" for fact, backends in others.items())
    return told if mine != most else ""


def outline(fact: str) -> str:
    """Return a fact without the type of its exception, and without the dtype of a right answer."""
    return "raises" if refuses(fact) else re.sub(r"^right in \w+$", "right", fact)
