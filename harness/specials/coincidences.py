"""Decide which fact a short row shows if its numbers fit several.

Such a row is no evidence for any of these facts. It is given the fact that longer rows show, or the declared one if
none do. For example, a row that is 0 everywhere at width 2 is 0 everywhere at width 1 too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.specials.entries import Seen
from harness.specials.policies import Policy


def settled(seen: Sequence[Seen], policy: Policy | None) -> list[Seen]:
    """Return what was seen with one fact each, chosen so that few facts explain all of it."""
    declared = policy.fact if policy else []
    shown = counted(one for one in seen if not one.also)
    told = [chosen(one, shown, declared) for one in seen]
    while left := [one for one in told if one.fact not in shown]:
        shown[commonest(left, declared)] += 1
        told = [chosen(one, shown, declared) for one in told]
    return told


def chosen(one: Seen, shown: Counter[str], declared: Sequence[str]) -> Seen:
    """Return `one` with a fact that is shown elsewhere, if one fits.

    A declared fact is preferred, then the most frequent one, then its own.
    """
    able = sorted({one.fact, *one.also} & {*shown})
    if not one.also or not able:
        return one
    best = max(able, key=lambda fact: (fact in declared, shown[fact], fact == one.fact))
    return one._replace(fact=best, also=(one.also | {one.fact}) - {best})


def commonest(left: Sequence[Seen], declared: Sequence[str]) -> str:
    """Return a declared fact if one fits any of these, or else the fact that fits most of them."""
    able, own = counted(one._replace(fact=fact) for one in left for fact in (one.fact, *one.also)), counted(left)
    return max(sorted(able), key=lambda fact: (fact in declared, able[fact], own[fact]))


def counted(seen: Iterable[Seen]) -> Counter[str]:
    count: Counter[str] = Counter()
    for one in seen:
        count[one.fact] += len(one.positions)
    return count
