"""Pairs of backends: which are compared, and the documents' figure for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from backends import NAMES, find
from harness.faults import Outcome
from harness.judging.percents import Percents, percents, weighted
from harness.numbers.arrays import in_the_wider
from harness.numbers.formats import FORMATS
from harness.records import Group, Pair

Answer = NDArray[np.generic]
Pairing = Callable[[Iterable[str]], list[tuple[str, str]]]


@dataclass(frozen=True)
class Percent:
    """The notebook's figure for a pair: exactly NumPy's for one block, the weighted mean for several."""

    parts: tuple[Percents, ...] = ()
    identical: bool = True

    def merged(self, a: Answer, b: Answer) -> Percent:
        """Return the figure with one more block's answers a and b.

        Answers of different dtypes are compared in a dtype that holds both, and are not identical.
        """
        same = a.dtype == b.dtype and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
        figures = percents(*in_the_wider(a, b), FORMATS[a.dtype.name])
        return Percent((*self.parts, figures), self.identical and same)

    def row(self, group: Group, a: str, b: str, outcomes: Mapping[str, Outcome]) -> Pair:
        """Return the pair's row, without figures if one of the two has no answer."""
        head = (group.operation, group.case.name, group.dtype, group.axis, a, b)
        outcome = next((outcomes[side] for side in (a, b) if outcomes[side] != Outcome.OK), Outcome.OK)
        if outcome != Outcome.OK:
            return Pair(*head, outcome)
        whole = weighted(self.parts)
        return Pair(
            *head, outcome, whole.percent, whole.zeros, whole.swapped, whole.finite, whole.subnormals,
            self.identical, len(self.parts),
        )  # fmt: skip


def natives_and_variants(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return all pairs of natives, each variant with its own native, and the pairs that a backend declares."""
    given = list(names)
    alike = [(a, b) for a, b in combinations(given, 2) if ":" not in a and (":" not in b or b.startswith(f"{a}:"))]
    return alike + [(a, b) for a in given for b in given if b in declared(a)]


def declared(name: str) -> tuple[str, ...]:
    """Return the backends that this one declares to be compared with; none for a name that is not known here."""
    return find(name).beside if name in NAMES else ()


def all_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return list(combinations(names, 2))
