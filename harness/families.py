"""Families of finite logits, in any shape along any axis: what real defects needed to show, made from integers.

A family is scaled to the format under test, so that "far below zero" is where its own exp underflows. Which defect
needs which family: docs/suites.md#families.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from harness import blocks
from harness.formats import Format
from harness.records import Family, Normal, Recipe, Uniform

Floats = NDArray[np.float64]
LN_2 = blocks.LN_2


@dataclass(frozen=True)
class Rows:
    """What a family makes its rows of. `unit`: uniform on [0, 1), (rows, n); `number`: of each row in the case."""

    unit: Floats
    number: NDArray[np.int64]
    form: Format

    @property
    def n(self) -> int:
        return self.unit.shape[1]

    @property
    def turn(self) -> NDArray[np.int64]:
        """The rows' numbers as a column."""
        return self.number[:, None]

    @property
    def place(self) -> NDArray[np.bool_]:
        """One lane a row: the first, the last and the middle of the first three rows, then others."""
        n = self.n
        lanes = np.array([0, n - 1, n // 2, n // 4, n - n // 4 - 1, n // 3, 1 % n, max(0, n - 2)])
        return np.arange(n) == lanes[self.turn % len(lanes)]

    @property
    def farthest(self) -> float:
        """Beyond this, exp underflows to nothing, and that of its negative overflows."""
        return 1.2 * (self.form.emax + self.form.p) * LN_2


def zeros(rows: Rows) -> Floats:
    return np.zeros_like(rows.unit)


def below(rows: Rows) -> Floats:
    """All entries so far below zero that exp of each is 0: a maximum that starts at 0 gives 0 / 0."""
    return -rows.farthest - 4 * rows.unit


def above(rows: Rows) -> Floats:
    """All entries so large that exp of each overflows."""
    return rows.farthest + 4 * rows.unit


def abyss(rows: Rows) -> Floats:
    """All entries at nine tenths of the largest negative number: below any finite sentinel."""
    return np.full_like(rows.unit, -0.9 * rows.form.largest)


def shifted(rows: Rows) -> Floats:
    """Integers beside a shift of which they are the last bits, up and down in turn."""
    shift = 1.25 * 2.0 ** (rows.form.p - 1)
    return np.where(rows.turn % 2, 1, -1) * np.round(shift) + np.floor(16 * rows.unit)


def ties(rows: Rows) -> Floats:
    """All entries alike in every third row; else about half of them are the largest."""
    lower = np.where(rows.unit < 0.5, 0.0, -np.floor(8 * rows.unit) / 2)
    return np.where(rows.turn % 3 == 0, 0.0, lower)


def peak(rows: Rows) -> Floats:
    """One entry 20 above the others, at a place that the row's number chooses."""
    return np.where(rows.place, 10.0, -10 + rows.unit)


def gap(rows: Rows) -> Floats:
    """One entry so far above the others that its probability rounds to 1, or nearly: its logarithm is tiny."""
    return np.where(rows.place, 0.0, -rows.form.p * LN_2 * (0.6 + 0.6 * rows.unit))


def lost(rows: Rows) -> Floats:
    """One entry 0 among others that a sum of 1 or more loses one by one, and not together."""
    return np.where(rows.place, 0.0, blocks.LN_TERM - rows.form.p * LN_2)


def subnormal(rows: Rows) -> Floats:
    """One entry 0, and the others' probabilities below the smallest normal number."""
    lowest, bits = rows.form.emin * LN_2, (rows.form.p - 2) * LN_2
    return np.where(rows.place, 0.0, lowest - bits * rows.unit)


def masked(rows: Rows) -> Floats:
    """Scores of ±20 with half the entries masked by a finite number: −1e4, −1e9 or the lowest of all in turn."""
    lowest = -rows.form.largest
    masks = np.maximum(np.array([-1e4, -1e9, lowest]), lowest)[rows.turn % 3]
    keep = rows.place | (np.floor(64 * rows.unit) % 2 == 0)
    return np.where(keep, 40 * rows.unit - 20, masks)


def mixed(rows: Rows) -> Floats:
    """Rows about 0, about +1e4 and about −1e4 beside each other: what takes the batch's maximum loses two of them."""
    return np.array([0.0, 1e4, -1e4])[rows.turn % 3] + np.floor(32 * rows.unit) / 4


def scaled(rows: Rows) -> Floats:
    """Small integers times 2^e/3, no powers of two, e from 0 to 40 with the row (to 12 in float16)."""
    exponent = rows.turn % (41 if rows.form.emax > 100 else 13)
    return np.floor(7 * rows.unit - 3) * 2.0**exponent / 3


def ramp(rows: Rows) -> Floats:
    """From −1 up to 1, or down in every other row."""
    steps = np.linspace(-1, 1, rows.n) if rows.n > 1 else np.zeros(1)
    return np.where(rows.turn % 2, -steps, steps)


def counting(rows: Rows) -> Floats:
    """Eighths, counted on from row to row modulo 61: no two rows or columns alike."""
    return ((rows.turn * rows.n + np.arange(rows.n)) * 7 % 61) / 8


def repeated(rows: Rows) -> Floats:
    """Every row alike, so that one can be broadcast."""
    return np.broadcast_to(((np.arange(rows.n) * 37 + 11) % 64) / 16, rows.unit.shape).copy()


STRUCTURED: dict[str, Callable[[Rows], Floats]] = {
    make.__name__: make
    for make in (
        zeros, below, above, abyss, shifted, ties, peak, gap, subnormal, masked, mixed, scaled, ramp, counting,
        repeated,
        lost,
    )
}  # fmt: skip
PLAIN: dict[str, Recipe] = {"normal": Normal(3), "uniform": Uniform(-4, 8), "wide": Normal(30)}
FAMILIES = (*PLAIN, *STRUCTURED)
OVERFLOWING = ("abyss", "masked")
"""Whose entries are so large that sums of them, or of losses, overflow."""


def recipe(family: str, axis: int) -> Recipe:
    """The recipe of a family whose rows run along that axis."""
    return PLAIN.get(family) or Family(family, axis)


def described(family: str) -> str:
    """What it is, in a sentence."""
    drawn = {"normal": "σ = 3", "uniform": "uniform on [−4, 4)", "wide": "σ = 30", "zeros": "all logits 0"}
    return drawn.get(family) or " ".join(str(STRUCTURED[family].__doc__).split()).rstrip(".")


@blocks.draw.register
def _(recipe: Family, name: str, shape: tuple[int, ...], rows: blocks.Rows, form: Format) -> Floats:
    position = recipe.axis % len(shape)
    batch, n = (*shape[:position], *shape[position + 1 :]), shape[position]
    before = rows[0] * prod(batch[1:]) if position else 0
    unit = (
        blocks.words(name, (*batch, n), rows if position else (0, batch[0] if batch else 1)) >> np.uint64(11)
    ) * 2.0**-53
    count = prod(batch)
    table = np.asarray(unit.reshape(count, n), dtype=np.float64)
    made = STRUCTURED[recipe.name](Rows(table, before + np.arange(count), form))
    return np.moveaxis(made.reshape(*batch, n), -1, position)
