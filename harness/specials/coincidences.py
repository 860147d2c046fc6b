"""Facts that are the same numbers in short rows, told as one: a row that is 0 everywhere at width 2 is so at 1.

Where a row is so short that its numbers fit several facts, it is no evidence for any of them: it is told as the fact
that longer rows show, and where none do, as what is declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.specials.entries import Seen
from harness.specials.policies import Policy


def settled(seen: Sequence[Seen], policy: Policy | None) -> list[Seen]:
    """Each with one fact, of as few as explain all that was seen."""
    declared = policy.fact if policy else []
    shown = counted(one for one in seen if not one.also)
    told = [chosen(one, shown, declared) for one in seen]
    while left := [one for one in told if one.fact not in shown]:
        shown[commonest(left, declared)] += 1
        told = [chosen(one, shown, declared) for one in told]
    return told


def chosen(one: Seen, shown: Counter[str], declared: Sequence[str]) -> Seen:
    """Told as a fact that is shown elsewhere, if it can be: as the declared, the most frequent, its own."""
    able = sorted({one.fact, *one.also} & {*shown})
    if not one.also or not able:
        return one
    best = max(able, key=lambda fact: (fact in declared, shown[fact], fact == one.fact))
    return one._replace(fact=best, also=(one.also | {one.fact}) - {best})


def commonest(left: Sequence[Seen], declared: Sequence[str]) -> str:
    """What is declared, if any of these may be that; else what most of them are."""
    able, own = counted(one._replace(fact=fact) for one in left for fact in (one.fact, *one.also)), counted(left)
    return max(sorted(able), key=lambda fact: (fact in declared, able[fact], own[fact]))


def counted(seen: Iterable[Seen]) -> Counter[str]:
    count: Counter[str] = Counter()
    for one in seen:
        count[one.fact] += len(one.positions)
    return count
