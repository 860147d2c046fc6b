"""Cotangents and tangents over the whole range of a format, each row along the axis: the kinds of `;upstream=`.

None is so large that a sum of its own entries overflows; of two of them the product may (docs/suites.md#arguments).
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

import numpy as np

from harness.questions.drawing import Floats, Rows

ROOM = 3
"""Powers of two that are left above the largest sum."""


def signed(rows: Rows) -> Floats:
    """On [−1, 1)."""
    return 2 * rows.unit - 1


def highest(rows: Rows) -> int:
    """The power of two of which n numbers can be added, in any order, and some of them subtracted."""
    return rows.form.emax - ROOM - ceil(log2(rows.n))


def large(rows: Rows) -> Floats:
    """As large as may be added: what is clipped, normalised or kept in a narrower format shows."""
    return np.ldexp(signed(rows), highest(rows))


def small(rows: Rows) -> Floats:
    """Half as many powers of two below 1 as the format has: what is dropped for being near 0 shows."""
    return np.ldexp(signed(rows), rows.form.emin // 2)


def subnormal(rows: Rows) -> Floats:
    """Below the smallest normal number."""
    return np.ldexp(signed(rows), rows.form.emin)


def mixed(rows: Rows) -> Floats:
    """Exponents of all sizes beside each other, such that products of two such vectors can still be added."""
    widest = max(1, (highest(rows) - ceil(log2(rows.n)) - 4) // 2)
    digits = np.floor(rows.unit * 2.0**20)
    exponents = np.mod(digits, 2 * widest + 1) - widest
    return np.ldexp(np.mod(rows.unit * 2.0**20, 1) * 2 - 1, exponents.astype(np.int64))


def sparse(rows: Rows) -> Floats:
    """About one entry in eight, and beside them zeros of either sign."""
    zero = np.where(np.floor(rows.unit * 64) % 2 == 0, 0.0, -0.0)
    return np.where(np.floor(rows.unit * 512) % 8 == 0, signed(rows), zero)


def constant(rows: Rows) -> Floats:
    """One number for all of a row, another for each: J·c is 0."""
    return np.broadcast_to((rows.turn % 7 - 3.5) / 3, rows.unit.shape).copy()


def orthogonal(rows: Rows) -> Floats:
    """Each number beside its negative, so that they add up to 0, and a 0 at the end where their number is odd."""
    made = signed(rows)
    made[:, 1::2] = -made[:, : rows.n - 1 : 2]
    if rows.n % 2:
        made[:, -1] = 0.0
    return made


VECTORS: dict[str, Callable[[Rows], Floats]] = {
    make.__name__: make for make in (large, small, subnormal, mixed, sparse, constant, orthogonal)
}
