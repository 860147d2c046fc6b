"""A format's arithmetic as IEEE 754 has it: each primitive computed in float64 and rounded, sums in a stated order.

float64 holds every sum, product and quotient of two 16-bit numbers exactly or to 2^-53, and its exp and log to 2^-50.
The arithmetic of float64 itself is the machine's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
"""Numbers in the arithmetic's own format."""


@dataclass(frozen=True)
class Arithmetic:
    """The arithmetic of one format, with sums along the last axis added in one order.

    `kind`: NumPy's dtype for the format. `order`: one of `ORDERS`.
    """

    kind: Any
    order: str

    def rounded(self, values: NDArray[np.floating[Any]]) -> Numbers:
        return values.astype(self.kind)

    def of(self, function: Callable[..., Any], *given: Numbers) -> Numbers:
        return self.rounded(function(*(part.astype(np.float64) for part in given)))

    def exp(self, x: Numbers) -> Numbers:
        return self.of(np.exp, x)

    def log(self, x: Numbers) -> Numbers:
        return self.of(np.log, x)

    def plus(self, a: Numbers, b: Numbers) -> Numbers:
        return self.of(np.add, a, b)

    def minus(self, a: Numbers, b: Numbers) -> Numbers:
        return self.of(np.subtract, a, b)

    def times(self, a: Numbers, b: Numbers) -> Numbers:
        return self.of(np.multiply, a, b)

    def over(self, a: Numbers, b: Numbers) -> Numbers:
        return self.of(np.divide, a, b)

    def sum(self, terms: Numbers) -> Numbers:
        """Return the sum along the last axis, which stays with length 1."""
        return ORDERS[self.order](self, terms)

    def number(self, value: float) -> Numbers:
        return self.rounded(np.array(value))


def one_by_one(p: Arithmetic, terms: Numbers) -> Numbers:
    total: Numbers = np.add.accumulate(terms, axis=-1, dtype=p.kind)[..., -1:]
    return total


def from_the_end(p: Arithmetic, terms: Numbers) -> Numbers:
    return one_by_one(p, terms[..., ::-1])


def in_a_tree(p: Arithmetic, terms: Numbers) -> Numbers:
    while terms.shape[-1] > 1:
        terms = padded(terms, 2)
        terms = p.plus(terms[..., 0::2], terms[..., 1::2])
    return terms


def in_lanes(count: int) -> Callable[[Arithmetic, Numbers], Numbers]:
    """Return a function that adds as a vector unit does, in this many lanes.

    Lane i adds every term whose place is i modulo `count`, and a tree adds the lanes.
    """

    def total(p: Arithmetic, terms: Numbers) -> Numbers:
        full = padded(terms, count)
        lanes = full.reshape(*full.shape[:-1], -1, count)
        return in_a_tree(p, np.add.accumulate(lanes, axis=-2, dtype=p.kind)[..., -1, :])

    return total


def in_blocks(count: int) -> Callable[[Arithmetic, Numbers], Numbers]:
    """Return a function that adds each block of this many terms by itself and then the blocks, both one by one."""

    def total(p: Arithmetic, terms: Numbers) -> Numbers:
        full = padded(terms, count)
        blocks = one_by_one(p, full.reshape(*full.shape[:-1], -1, count))[..., 0]
        return one_by_one(p, blocks)

    return total


def in_wider(p: Arithmetic, terms: Numbers) -> Numbers:
    """Return the sum in float64, rounded once."""
    return p.rounded(terms.astype(np.float64).sum(axis=-1, keepdims=True))


def padded(terms: Numbers, multiple: int) -> Numbers:
    """Return the terms with zeros after them, up to a length that is a multiple of this."""
    missing = -terms.shape[-1] % multiple
    if not missing:
        return terms
    return np.concatenate([terms, np.zeros((*terms.shape[:-1], missing), terms.dtype)], axis=-1)


ORDERS: dict[str, Callable[[Arithmetic, Numbers], Numbers]] = {
    "one by one": one_by_one,
    "from the end": from_the_end,
    "in 2 lanes": in_lanes(2),
    "in 4 lanes": in_lanes(4),
    "in 8 lanes": in_lanes(8),
    "in 16 lanes": in_lanes(16),
    "in 32 lanes": in_lanes(32),
    "in blocks of 16": in_blocks(16),
    "in a tree": in_a_tree,
    "in a wider format": in_wider,
}
