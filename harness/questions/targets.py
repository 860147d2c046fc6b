"""Labels and label distributions for each row of logits: the kinds of `;labels=` and `;distribution=`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.operations import DISTRIBUTION_PARTS

Integers = NDArray[np.int64]
SHARE = 2**20
"""The largest of the integers that are divided by their sum to give a `rounded` distribution."""
ENDS = (65537, 65536, 65535, 32768, 32767, 2049, 257, 256, 255, 128, 127)
"""Labels at which integers of 8 and of 16 bits end, and the first integers that bfloat16 and float16 do not have."""


@dataclass(frozen=True)
class Labelling:
    """What labels are made from.

    `drawn`: a random label a row. `number`: each row's number in its case. `first`: the random label of the case's
    row 0. `likeliest`: returns the class of each row's largest logit.
    """

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
    """Return one random label for all rows."""
    return np.full_like(rows.drawn, rows.first)


def ends(rows: Labelling) -> Integers:
    """Return labels of `ENDS` in turn, as far as there are so many classes, or else the last class."""
    there = np.array([label for label in ENDS if label < rows.classes] or [rows.classes - 1])
    return there[rows.number % len(there)]


def likeliest(rows: Labelling) -> Integers:
    """Return the class of each row's largest logit."""
    return rows.likeliest()


KINDS: dict[str, Callable[[Labelling], Integers]] = {
    make.__name__: make for make in (first, last, alike, ends, likeliest)
}
LABELS = ("random", *KINDS)
SAME = ("first", "last", "alike")
"""Kinds of labels that are the same for all rows."""
DISTRIBUTIONS = ("random", "onehot", "less", "more", "zeros", "rounded")


def cut(drawn: NDArray[np.uint64]) -> Floats:
    """Return multiples of 1/128 that sum to 1: a row's first n − 1 random words cut 128 parts into n."""
    cuts = np.sort((drawn[..., :-1] % np.uint64(DISTRIBUTION_PARTS + 1)).astype(np.int64), axis=-1)
    parts: Floats = np.diff(cuts, axis=-1, prepend=0, append=DISTRIBUTION_PARTS) / DISTRIBUTION_PARTS
    return parts


def rounded(drawn: NDArray[np.uint64]) -> Floats:
    """Return positive numbers whose sum is 1 except for their roundings."""
    shares = (drawn % np.uint64(SHARE)).astype(np.int64) + 1
    quotients: Floats = shares / shares.sum(axis=-1, keepdims=True)
    return quotients


def scale(kind: str, number: Integers) -> Floats:
    """Return what each row's distribution sums to: 1, a power of two, or 0 in every second row."""
    turn = number % 2
    power = {"less": -1 - turn, "more": 1 + turn}.get(kind, np.zeros_like(turn))
    return np.where((kind == "zeros") & (turn == 0), 0.0, np.ldexp(1.0, power))
