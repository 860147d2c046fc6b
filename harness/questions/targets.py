"""Labels and label distributions, a row of logits each: the kinds of `;labels=` and `;distribution=`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.operations import DISTRIBUTION_PARTS

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
SHARE = 2**20
"""Of a distribution whose entries are rounded: the largest of the integers that are divided by their sum."""
ENDS = (65537, 65536, 65535, 32768, 32767, 2049, 257, 256, 255, 128, 127)
"""Where integers of 8 and of 16 bits end, and the first integers that bfloat16 and float16 have not."""


@dataclass(frozen=True)
class Labelling:
    """What labels are made of: `drawn`, a random one a row; each row's `number` in its case; `first`, that of row 0."""

    drawn: Integers
    number: Integers
    first: int
    classes: int
    likeliest: Callable[[], Integers]


def first(rows: Labelling) -> Integers:
    return np.zeros_like(rows.drawn)


def last(rows: Labelling) -> Integers:
    return np.full_like(rows.drawn, rows.classes - 1)


def alike(rows: Labelling) -> Integers:
    """One for all rows."""
    return np.full_like(rows.drawn, rows.first)


def ends(rows: Labelling) -> Integers:
    """Where narrower integers end, the largest first, as far as there are so many classes; else the last class."""
    there = np.array([label for label in ENDS if label < rows.classes] or [rows.classes - 1])
    return there[rows.number % len(there)]


def likeliest(rows: Labelling) -> Integers:
    """That of the row's largest logit."""
    return rows.likeliest()


KINDS: dict[str, Callable[[Labelling], Integers]] = {
    make.__name__: make for make in (first, last, alike, ends, likeliest)
}
LABELS = ("random", *KINDS)
SAME = ("first", "last", "alike")
"""Kinds that are one and the same for all rows."""
DISTRIBUTIONS = ("random", "onehot", "less", "more", "zeros", "rounded")


def cut(drawn: NDArray[np.uint64]) -> Floats:
    """Multiples of 1/128 that sum to 1: a row's first n − 1 random words cut 128 parts into n."""
    cuts = np.sort((drawn[..., :-1] % np.uint64(DISTRIBUTION_PARTS + 1)).astype(np.int64), axis=-1)
    parts: Floats = np.diff(cuts, axis=-1, prepend=0, append=DISTRIBUTION_PARTS) / DISTRIBUTION_PARTS
    return parts


def rounded(drawn: NDArray[np.uint64]) -> Floats:
    """Any positive numbers, whose sum is 1 but for their roundings."""
    shares = (drawn % np.uint64(SHARE)).astype(np.int64) + 1
    quotients: Floats = shares / shares.sum(axis=-1, keepdims=True)
    return quotients


def scale(kind: str, number: Integers) -> Floats:
    """What a row's distribution sums to: 1, or a power of two, or in every second row 0."""
    turn = number % 2
    power = {"less": -1 - turn, "more": 1 + turn}.get(kind, np.zeros_like(turn))
    return np.where((kind == "zeros") & (turn == 0), 0.0, np.ldexp(1.0, power))
