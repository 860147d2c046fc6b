"""Facts into entries: one for each backend, operation and situation, with what it varies by and the verdict on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from harness.specials.policies import AS_DECLARED, DIFFERS, INCONSISTENT, UNDECLARED, Policy, declared
from harness.specials.sheets import AXES
from harness.specials.situations import SITUATIONS

COORDINATES = ("dtype", "axis", "width", "position")
MODE = "mode"
UNEXPLAINED = "nothing that was recorded"
"""Where one and the same place has several facts. No question is put twice, so no repetition is blamed either."""
FEW = 8
"""Widths that are named one by one."""
Key = tuple[str, str, str]
"""Backend, operation and situation."""


class Seen(NamedTuple):
    """A fact and where it was seen. `axis`: how rows lay, as in `harness.specials.sheets.AXES`."""

    fact: str
    dtype: str
    axis: str
    width: int
    positions: tuple[str, ...] = ("",)
    also: frozenset[str] = frozenset()
    """Other facts that the same numbers are: those of a row of one number, say."""

    @property
    def places(self) -> Iterator[tuple[str, str, int, str]]:
        """By all `COORDINATES`."""
        return ((self.dtype, self.axis, self.width, position) for position in self.positions)


@dataclass(frozen=True)
class Entry:
    """What one backend does in one situation. `fact`: one, or all that were seen, joined by " | "."""

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
    """`native`: what the same framework's other mode of running gave, for a compiled variant."""
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
    """One a key. `versions` by backend; `natives`: of a compiled variant, the backend whose mode it is."""
    return [
        entry(key, versions[key[0]], there, seen.get((natives.get(key[0], ""), *key[1:]), ()), policies)
        for key, there in seen.items()
    ]


def verdict(policy: Policy | None, facts: Sequence[str], by: str, mode: bool) -> str:
    """A known inconsistency is declared strictly: where it is gone, that differs from the declaration."""
    if policy is None:
        return INCONSISTENT if len(facts) > 1 or mode else UNDECLARED
    if policy.allows(facts, by):
        return AS_DECLARED
    return INCONSISTENT if len(facts) > 1 else DIFFERS


def coordinates(seen: Sequence[Seen]) -> tuple[str, ...]:
    """The fewest, in their order, on which alone the fact depends; or that none of them explains it."""
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
    """As in "width: NaN everywhere at 1 to 127; 0 everywhere at 128"."""
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
    """What the framework gives where it does not compile, if it is something else in the very same place."""
    there = by_place(native, COORDINATES)
    alike = by_place((one._replace(fact=fact) for one in native for fact in (one.fact, *one.also)), COORDINATES)
    for one in seen:
        for place in one.places:
            if place in there and not {one.fact, *one.also} & alike[place]:
                return f"{MODE}: {one.fact}, and not compiled {' | '.join(sorted(there[place]))}"
    return ""


def example(operation: str, one: Seen) -> str:
    """One question, to be found again in `harness.specials.situations`."""
    shape = {"last": f"(rows, {one.width})", "first": f"({one.width}, rows)", "alone": f"({one.width},)", "0-d": "()"}
    where = f", {one.positions[0]}" if one.positions[0] else ""
    return f"{operation}({one.dtype} of shape {shape[one.axis]}, axis={AXES[one.axis]}){where}"
