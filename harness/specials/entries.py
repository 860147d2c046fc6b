"""Facts as entries: one for each backend, operation and situation, with what it varies by and the verdict on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from harness.specials.policies import AS_DECLARED, DIFFERS, INCONSISTENT, UNDECLARED, Policy, declared
from harness.specials.sheets import LAYOUT_AXES
from harness.specials.special_inputs import SITUATIONS

COORDINATES = ("dtype", "axis", "width", "position")
MODE = "mode"
UNEXPLAINED = "nothing that was recorded"
"""What facts vary by if the same place has several. No question is asked twice, so repetition is not blamed either."""
FEW = 8
"""The largest number of places that are named one by one."""
Key = tuple[str, str, str]
"""Backend, operation and situation."""


class Seen(NamedTuple):
    """A fact and where it was seen. `axis`: the layout of the rows, one of `harness.specials.sheets.LAYOUT_AXES`."""

    fact: str
    dtype: str
    axis: str
    width: int
    positions: tuple[str, ...] = ("",)
    also: frozenset[str] = frozenset()
    """Other facts that fit the same numbers, as they do in a row of one number."""

    @property
    def places(self) -> Iterator[tuple[str, str, int, str]]:
        """The places where it was seen, each with all `COORDINATES`."""
        return ((self.dtype, self.axis, self.width, position) for position in self.positions)


@dataclass(frozen=True)
class Entry:
    """What one backend does for one operation in one situation.

    `fact` is one fact, or all that were seen, joined by " | ".
    """

    backend: str
    version: str
    operation: str
    situation: str
    defect_class: str
    fact: str
    varies_by: str
    policy: str
    verdict: str
    source: str
    asked: int
    example: str


def entry(key: Key, version: str, seen: Sequence[Seen], native: Sequence[Seen], policies: Sequence[Policy]) -> Entry:
    """Return the entry of a key. `native`: what was seen of the framework uncompiled, for a compiled variant."""
    backend, operation, situation = key
    facts = tuple(sorted({one.fact for one in seen}))
    by = coordinates(seen) if len(facts) > 1 else ()
    other = other_mode(seen, native)
    policy = declared(policies, backend, operation, situation)
    return Entry(
        backend=backend,
        version=version,
        operation=operation,
        situation=situation,
        defect_class=SITUATIONS[situation].defect,
        fact=" | ".join(facts),
        varies_by="; ".join(part for part in (described(seen, by), other) if part),
        policy=policy.says if policy else "",
        verdict=verdict(policy, facts, " and ".join(by), bool(other)),
        source=policy.ground if policy else "",
        asked=sum(len(one.positions) for one in seen),
        example=example(operation, min(seen, key=lambda one: (one.width < 3, one.width, one.dtype != "float32"))),
    )


def entries(
    seen: Mapping[Key, Sequence[Seen]],
    versions: Mapping[str, str],
    natives: Mapping[str, str],
    policies: Sequence[Policy],
) -> list[Entry]:
    """Return one entry for each key.

    `versions` has the version of each backend; `natives` has the framework of each compiled variant.
    """
    return [
        entry(key, versions[key[0]], there, seen.get((natives.get(key[0], ""), *key[1:]), ()), policies)
        for key, there in seen.items()
    ]


def verdict(policy: Policy | None, facts: Sequence[str], by: str, mode: bool) -> str:
    """Return the verdict on an entry.

    A known inconsistency is declared strictly: if it is gone, the entry differs from its declaration.
    """
    if policy is None:
        return INCONSISTENT if len(facts) > 1 or mode else UNDECLARED
    if policy.allows(facts, by):
        return AS_DECLARED
    return INCONSISTENT if len(facts) > 1 else DIFFERS


def coordinates(seen: Sequence[Seen]) -> tuple[str, ...]:
    """Return the fewest coordinates, in their order, on which alone the fact depends.

    If all of them together do not explain it, return `UNEXPLAINED`.
    """
    for count in range(1, len(COORDINATES) + 1):
        for chosen in combinations(COORDINATES, count):
            if all(len(facts) == 1 for facts in by_place(seen, chosen).values()):
                return chosen
    return (UNEXPLAINED,)


def by_place(seen: Iterable[Seen], chosen: Sequence[str]) -> dict[tuple[object, ...], set[str]]:
    found: dict[tuple[object, ...], set[str]] = defaultdict(set)
    numbers = [COORDINATES.index(name) for name in chosen]
    for one in seen:
        for place in one.places:
            found[tuple(place[number] for number in numbers)].add(one.fact)
    return found


def described(seen: Sequence[Seen], by: Sequence[str]) -> str:
    """Return in words where each fact is, as in "width: NaN everywhere at 1 to 127; 0 everywhere at 128"."""
    if not by or by == (UNEXPLAINED,):
        return "".join(by)
    where: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for place, [fact] in by_place(seen, by).items():
        where[fact].append(place)
    parts = (f"{fact} at {listed(places)}" for fact, places in sorted(where.items()))
    return f"{' and '.join(by)}: {'; '.join(parts)}"


def listed(places: Sequence[tuple[object, ...]]) -> str:
    names = [" ".join(str(part) for part in place) or "every row" for place in places]
    if len(names) <= FEW:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} … {names[-1]} ({len(names)})"


def other_mode(seen: Sequence[Seen], native: Sequence[Seen]) -> str:
    """Return what the framework gives uncompiled, if it is something else in the very same place; else nothing."""
    there = by_place(native, COORDINATES)
    alike = by_place((one._replace(fact=fact) for one in native for fact in (one.fact, *one.also)), COORDINATES)
    for one in seen:
        for place in one.places:
            if place in there and not {one.fact, *one.also} & alike[place]:
                return f"{MODE}: {one.fact}, and not compiled {' | '.join(sorted(there[place]))}"
    return ""


def example(operation: str, one: Seen) -> str:
    """Return one question in words. Its rows can be found again in `harness.specials.special_inputs`."""
    shape = {"last": f"(rows, {one.width})", "first": f"({one.width}, rows)", "alone": f"({one.width},)", "0-d": "()"}
    where = f", {one.positions[0]}" if one.positions[0] else ""
    return f"{operation}({one.dtype} of shape {shape[one.axis]}, axis={LAYOUT_AXES[one.axis]}){where}"
