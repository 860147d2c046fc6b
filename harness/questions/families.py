"""Families of finite logits, in any shape along any axis, made from integers. Each shows some kind of real defect.

A family is scaled to the format under test, so that "far below zero" is where its own exp underflows.
docs/suites.md#families says which defect needs which family.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.questions.drawing import LN_2, LN_TERM, Rows, Span, along, draw
from harness.records import Family, Normal, Recipe, Uniform


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
    return np.where(rows.place, 0.0, LN_TERM - rows.form.p * LN_2)


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


def pair(rows: Rows) -> Floats:
    """Two entries alike, at the row's own place and beside it, and above all others."""
    both = rows.place | np.roll(rows.place, 1, axis=1)
    return np.where(both, 2.0, -1 - 4 * rows.unit)


def summit(rows: Rows) -> Floats:
    """One entry so far above the others that what takes another for the maximum overflows."""
    return np.where(rows.place, 0.0, -rows.farthest - 4 * rows.unit)


def signed(rows: Rows) -> Floats:
    """Zeros of either sign among ordinary numbers: −0 is no mask."""
    eighth = np.floor(rows.unit * 8)
    return np.where(eighth < 3, -0.0, np.where(eighth < 6, 0.0, 4 * rows.unit - 3.5))


STRUCTURED: dict[str, Callable[[Rows], Floats]] = {
    make.__name__: make
    for make in (
        zeros, below, above, abyss, shifted, ties, peak, gap, subnormal, masked, mixed, scaled, ramp, counting,
        repeated,
        lost, pair, summit, signed,
    )
}  # fmt: skip
PLAIN: dict[str, Recipe] = {"normal": Normal(3), "uniform": Uniform(-4, 8), "wide": Normal(30)}
FAMILIES = (*PLAIN, *STRUCTURED)
OVERFLOWING = ("abyss", "masked")
"""Families whose entries are so large that sums of them, or of losses, overflow."""


def recipe(family: str, axis: int) -> Recipe:
    """Return the recipe of a family whose rows run along that axis."""
    return PLAIN.get(family) or Family(family, axis)


def described(family: str) -> str:
    """Return what a family is, in words: for most the docstring of the function that makes it."""
    drawn = {"normal": "σ = 3", "uniform": "uniform on [−4, 4)", "wide": "σ = 30", "zeros": "all logits 0"}
    return drawn.get(family) or " ".join(str(STRUCTURED[family].__doc__).split()).rstrip(".")


@draw.register
def _(recipe: Family, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> Floats:
    return along(STRUCTURED[recipe.name], name, shape, recipe.axis, rows, form)
