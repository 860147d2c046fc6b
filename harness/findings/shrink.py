"""Shrink a failing case to the smallest that still fails: plain, one row, the last axis, few and simple values.

Cases are shrunk by their names, so that anybody can ask every step again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import TypeVar

from harness.questions.cases import CASES, GRAMMAR

Fails = Callable[[str], bool]
Found = TypeVar("Found")
SIMPLEST = ("zeros", "ramp", "repeated", "ties", "normal")
"""Families in the order of how simple their values are. If none of them fails, a witness keeps its own family."""
MOST_STEPS = 60


@dataclass(frozen=True)
class Parts:
    """A synthetic case's name, taken apart."""

    family: str
    shape: tuple[int, ...]
    axis: int
    options: str = ""
    variation: str = ""

    @property
    def name(self) -> str:
        along = "" if self.axis == -1 else f"/{self.axis}"
        way = f"@{self.variation}" if self.variation else ""
        return f"{self.family}:{'x'.join(map(str, self.shape))}{along}{self.options}{way}"

    @property
    def width(self) -> int:
        return self.shape[self.axis]

    def with_width(self, n: int) -> Parts:
        position = self.axis % len(self.shape)
        return replace(self, shape=(*self.shape[:position], n, *self.shape[position + 1 :]))


def shrunk(name: str, fails: Fails) -> str:
    """Return the name of the smallest case that was seen to fail, or the given name if there is no smaller one."""
    asked: dict[str, bool] = {}

    def still(parts: Parts) -> bool:
        if parts.name not in asked:
            if len(asked) >= MOST_STEPS:
                return False
            asked[parts.name] = fails(parts.name)
        return asked[parts.name]

    parts = next((parts for parts in beginnings(name) if still(parts)), None)
    if parts is None:
        return name
    for step in (plainer, fewer_rows, narrower, simpler, narrower):
        parts = step(parts, still)
    return parts.name


def taken_apart(name: str) -> Parts:
    plain, _, variation = name.partition("@")
    found = GRAMMAR.fullmatch(plain)
    assert found is not None
    shape = tuple(map(int, found["shape"].split("x")))
    return Parts(found["family"], shape, int(found["axis"] or -1), found["options"], variation)


def beginnings(name: str) -> Iterator[Parts]:
    """Yield the case itself if it is synthetic, or else synthetic cases of its shape that may fail alike."""
    plain, _, variation = name.partition("@")
    if plain not in CASES:
        yield taken_apart(name)
        return
    case = CASES[plain]
    for family in ("lost", "below", "wide", "gap", *SIMPLEST):
        yield Parts(family, case.shape, case.axes[0], variation=variation)


def plainer(parts: Parts, still: Callable[[Parts], bool]) -> Parts:
    """Return the case without its variation and without its options, as far as it still fails."""
    for change in ({"variation": ""}, {"options": ""}):
        tried = replace(parts, **change)  # type: ignore[arg-type]
        if tried != parts and still(tried):
            parts = tried
    return parts


def fewer_rows(parts: Parts, still: Callable[[Parts], bool]) -> Parts:
    """Return the case with one row, along the last axis if that will do, or with two if it takes a neighbour."""
    n = parts.width
    for shape, axis in (((n,), -1), ((1, n), -1), ((2, n), -1), ((n, 1), 0), ((n, 2), 0)):
        tried = replace(parts, shape=shape, axis=axis)
        if smaller(tried, parts) and still(tried):
            return tried
    return parts


def smaller(one: Parts, other: Parts) -> bool:
    """Decide whether one case is smaller than another.

    It has fewer elements, or as many in fewer dimensions, or as many of both along the last axis instead of another. It
    has more dimensions in no case.
    """
    now, before = ((prod(parts.shape), len(parts.shape), parts.axis != -1) for parts in (one, other))
    return now < before and now[1] <= before[1]


def narrower(parts: Parts, still: Callable[[Parts], bool]) -> Parts:
    def at_width(n: int) -> Parts | None:
        tried = parts.with_width(n)
        return tried if still(tried) else None

    return fewest(parts, parts.width, at_width)


def fewest(found: Found, width: int, at_width: Callable[[int], Found | None]) -> Found:
    """Return what `at_width` gives for the fewest elements, or `found` if no smaller width will do.

    The first power of two that will do is searched first, then the widths between that and the one before it, by
    halving. `at_width` gives None for a width that will not do.
    """
    below = 0
    for n in (2**k for k in range(21) if 2**k < width):
        if other := at_width(n):
            found, width = other, n
            break
        below = n
    while width - below > 1:
        middle = (below + width) // 2
        if other := at_width(middle):
            found, width = other, middle
        else:
            below = middle
    return found


def simpler(parts: Parts, still: Callable[[Parts], bool]) -> Parts:
    before = SIMPLEST[: SIMPLEST.index(parts.family)] if parts.family in SIMPLEST else SIMPLEST
    return next((tried for family in before if still(tried := replace(parts, family=family))), parts)
