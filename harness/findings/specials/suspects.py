"""Entries of an atlas that are findings: of which kind, what is broken, and which of their facts shows it.

A finite number that is not the exact one, a row that depends on its neighbours and a death are defects, declared or
not. So is what differs from its declaration, and what varies, unless a public document says that it does: then it is
policy. An entry that varies in nothing is a policy difference where most other frameworks do something else.
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
from harness.specials.policies import AS_DECLARED, DIFFERS, Policy, declared
from harness.specials.situations import SITUATIONS
from harness.specials.sweep import FIRST_DTYPE, is_mode, rows
from harness.specials.truths import RIGHT

ALIVE, EXACT, APART = "it answers", "a finite number is the exact one", "a row does not depend on its neighbours"
LAWS = (ALIVE, EXACT, APART)
"""Those that a fact breaks by itself, the gravest first."""
DECLARED, OTHERS = "what is declared", "what other frameworks do"
DEATHS = ("crashes", "gives no answer", "runs out of memory")
SeenBy = Mapping[Key, Sequence[Seen]]


@dataclass(frozen=True)
class Suspect:
    """Entries in which one backend does the same; `entry`: the one with the fewest elements."""

    kind: str
    law: str
    entry: Entry
    facts: tuple[str, ...]
    """Those that show it."""
    expected: str
    """The fact in their place, or what others do, in words."""
    against: str = ""
    """The backend that the expected fact is of, where another side can be shown."""
    cells: int = 0

    @property
    def key(self) -> Key:
        return (self.entry.backend, self.entry.operation, self.entry.situation)

    @property
    def broken(self) -> str:
        """What is broken, and by what kind of input. To do otherwise than others has a property for each way."""
        way = f": {outline(self.facts[0])}" if self.law == OTHERS else ""
        return f"{self.law}: {subject(self.entry.situation)}{way}"

    def alike(self, backend: str) -> tuple[str, ...]:
        """Equal for suspects that are one finding: differences of policy whatever the operation."""
        return (self.kind, backend, self.broken, self.entry.operation if self.kind == DEFECT else "")


def subject(situation: str) -> str:
    """What a situation is about: integers of every size are one subject, and so are wrong labels."""
    return SITUATIONS[situation].among or situation


def suspects(entries: Sequence[Entry], seen: SeenBy, policies: Sequence[Policy]) -> list[Suspect]:
    """One for each way in which a backend falls out, defects first. What a framework does compiled as well as not is
    told of the framework."""
    found: dict[tuple[str, ...], list[Suspect]] = {}
    for entry in sorted(entries, key=lambda entry: is_mode(find(entry.backend))):
        about = find(entry.backend)
        for suspect in of_entry(entry, entries, seen, policies):
            framework = suspect.alike(about.framework if is_mode(about) else entry.backend)
            found.setdefault(framework if framework in found else suspect.alike(entry.backend), []).append(suspect)
    together = [joined(alike, seen) for alike in found.values()]
    return sorted(together, key=lambda suspect: KINDS.index(suspect.kind))


def joined(alike: Sequence[Suspect], seen: SeenBy) -> Suspect:
    own = [suspect for suspect in alike if suspect.entry.backend == alike[0].entry.backend]
    smallest = min(own, key=lambda suspect: min(one.width for one in showing(suspect, seen)))
    cells = sum(len(one.positions) for suspect in alike for one in showing(suspect, seen))
    return replace(smallest, cells=cells)


def showing(suspect: Suspect, seen: SeenBy) -> list[Seen]:
    """Where a suspect's facts were seen."""
    return [one for one in seen[suspect.key] if one.fact in suspect.facts]


def of_entry(entry: Entry, entries: Sequence[Entry], seen: SeenBy, policies: Sequence[Policy]) -> Iterator[Suspect]:
    """At most one: what is wrong by itself, before what varies, what differs from its declaration, and what others do
    in another way."""
    key = (entry.backend, entry.operation, entry.situation)
    everybody = declared([policy for policy in policies if policy.backend == ["*"]], *key)
    usual = everybody.fact if everybody else []
    facts, wanted = tuple(dict.fromkeys(one.fact for one in seen[key])), expected(seen[key], usual)
    about = find(entry.backend)
    native = seen.get((about.framework, *key[1:]), ()) if is_mode(about) else ()
    if law := next((law for law in LAWS if law in {law_of(fact, entry.situation) for fact in facts}), ""):
        wrong = tuple(fact for fact in facts if law_of(fact, entry.situation) == law)
        against = entry.backend if wanted not in wrong else ""
        yield Suspect(DEFECT, law, entry, wrong, wanted if against else "; ".join(usual) or "another answer", against)
    elif len(facts) > 1:
        others = tuple(fact for fact in facts if fact != wanted)
        yield Suspect(variation(entry), same_whatever(coordinates(seen[key])), entry, others, wanted, entry.backend)
    elif entry.verdict == DIFFERS:
        yield Suspect(DEFECT, DECLARED, entry, facts, entry.policy)
    elif other_mode(seen[key], native):
        yield from of_mode(entry, entries, seen, usual)
    elif entry.verdict == AS_DECLARED and (told := elsewhere(entry, entries)):
        yield Suspect(POLICY, OTHERS, entry, facts, told)


def expected(seen: Sequence[Seen], usual: Sequence[str]) -> str:
    """Of several facts, what is declared of everybody, or is right, or is an answer; else the one seen most often, and
    of two that are as often in float64."""
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
    """That the fact breaks by itself, whatever is declared; empty if none."""
    if fact.startswith(DEATHS):
        return ALIVE
    if re.search(r"\bwrong\b", fact) and has_exact(situation):
        return EXACT
    return APART if "rows beside it" in fact else ""


@cache
def has_exact(situation: str) -> bool:
    """Whether there is a right answer: every number finite or -inf, not all of them -inf, and the label a class."""
    about = SITUATIONS[situation]
    if about.wraps:
        return False
    made = rows(about, about.widths[0] if about.widths else about.smallest, (about.dtypes or (FIRST_DTYPE,))[0])
    return all((np.isfinite(row.logits) | row.masked).all() and not row.masked.all() for row in made)


def variation(entry: Entry) -> str:
    """Policy where it is as declared by a public document."""
    documented = entry.verdict == AS_DECLARED and entry.source.startswith("https://")
    return POLICY if documented else DEFECT


def of_mode(entry: Entry, entries: Sequence[Entry], seen: SeenBy, usual: Sequence[str]) -> Iterator[Suspect]:
    """No finding: a mode that refuses as declared, by another exception than its framework does uncompiled; and one
    that does what everybody does where its framework falls out, which is told of the framework itself. So is an answer
    that is right in the mode alone."""
    key = (entry.operation, entry.situation)
    framework = find(entry.backend).framework
    facts, theirs = ({one.fact for one in seen[backend, *key]} for backend in (entry.backend, framework))
    if entry.verdict == AS_DECLARED and (all(map(refuses, facts | theirs)) or facts <= set(usual)):
        return
    law, kind, [other, *_] = same_whatever((MODE,)), variation(entry), sorted(theirs - facts)
    native = next((one for one in entries if (one.backend, one.operation, one.situation) == (framework, *key)), None)
    if native and facts == {RIGHT} and not other.startswith(RIGHT):
        yield Suspect(kind, law, native, (other,), RIGHT, entry.backend)
    else:
        yield Suspect(kind, law, entry, tuple(sorted(facts)), other, framework)


def refuses(fact: str) -> bool:
    return fact.startswith("raises")


def elsewhere(entry: Entry, entries: Sequence[Entry]) -> str:
    """What other frameworks do, if most do something else. To refuse is to refuse, by whatever exception."""
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
    """Whatever the exception, and whatever the dtype of what is right."""
    return "raises" if refuses(fact) else re.sub(r"^right in \w+$", "right", fact)
