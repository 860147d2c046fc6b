"""Cotangents and tangents over the whole range of a format, each row along the axis: the kinds of `;upstream=`.

None is so large that a sum of its own entries overflows. A product of two of them may (docs/suites.md#arguments).
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

import numpy as np

from harness.numbers.arrays import Floats
from harness.questions.drawing import Rows

ROOM = 3
"""Powers of two that are left above the largest sum."""


def signed(rows: Rows) -> Floats:
    """Return numbers on [−1, 1), shape (rows, n)."""
    return 2 * rows.unit - 1


def highest(rows: Rows) -> int:
    """Return an exponent e such that n numbers up to 2^e can be added, in any order, and some of them subtracted."""
    return rows.form.emax - ROOM - ceil(log2(rows.n))


def large(rows: Rows) -> Floats:
    """Return numbers as large as may be added. They show what is clipped, normalised or kept in a narrower format."""
    return np.ldexp(signed(rows), highest(rows))


def small(rows: Rows) -> Floats:
    """Return numbers up to 2^(emin/2). They show what is dropped for being near 0."""
    return np.ldexp(signed(rows), rows.form.emin // 2)


def subnormal(rows: Rows) -> Floats:
    """Return numbers below the smallest normal number."""
    return np.ldexp(signed(rows), rows.form.emin)


def mixed(rows: Rows) -> Floats:
    """Return numbers of all exponents, large and small, for which products of two such vectors can still be added."""
    widest = max(1, (highest(rows) - ceil(log2(rows.n)) - 4) // 2)
    digits = np.floor(rows.unit * 2.0**20)
    exponents = np.mod(digits, 2 * widest + 1) - widest
    return np.ldexp(np.mod(rows.unit * 2.0**20, 1) * 2 - 1, exponents.astype(np.int64))


def sparse(rows: Rows) -> Floats:
    """Return rows in which about one entry in eight is nonzero, among zeros of either sign."""
    zero = np.where(np.floor(rows.unit * 64) % 2 == 0, 0.0, -0.0)
    return np.where(np.floor(rows.unit * 512) % 8 == 0, signed(rows), zero)


def constant(rows: Rows) -> Floats:
    """Return one number for all of a row, and another for the next row: J·c is 0."""
    return np.broadcast_to((rows.turn % 7 - 3.5) / 3, rows.unit.shape).copy()


def orthogonal(rows: Rows) -> Floats:
    """Return each number beside its negative, so that a row adds up to 0. A row of odd length ends with a 0."""
    made = signed(rows)
    made[:, 1::2] = -made[:, : rows.n - 1 : 2]
    if rows.n % 2:
        made[:, -1] = 0.0
    return made


VECTORS: dict[str, Callable[[Rows], Floats]] = {
    make.__name__: make for make in (large, small, subnormal, mixed, sparse, constant, orthogonal)
}
