"""How a case's numbers are drawn: recipes, and rows along an axis, out of one stream of random words.

Words come from Philox4x64-10 (Salmon et al., 2011), keyed by a name. Element i is made from word i of the stream (from
12 words for `Normal`), so any block can be made alone, on any machine. Words are integers and are scaled in float64,
with one rounding an operation, so the bytes are the same everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from importlib.resources import files
from math import prod

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.records import Chain, Exponentials, Normal, Printed, Recipe, Stored, Twins, Uniform

Span = tuple[int, int]
"""Start and stop of some rows along the first dimension."""
LN_TERM, LN_2 = -0.7550225842780328, 0.6931471805599453
"""ln 0.47 and ln 2. A term of 0.47 u is lost when it is added to 1 or more, but not when added to terms of its size."""


@dataclass(frozen=True)
class Rows:
    """What rows along an axis are made from, for the format under test.

    `unit`: uniform on [0, 1), shape (rows, n). `number`: each row's number in the case.
    """

    unit: Floats
    number: NDArray[np.int64]
    form: Format

    @property
    def n(self) -> int:
        return self.unit.shape[1]

    @property
    def turn(self) -> NDArray[np.int64]:
        """Return the rows' numbers as a column, shape (rows, 1)."""
        return self.number[:, None]

    @property
    def place(self) -> NDArray[np.bool_]:
        """Return a mask of one lane a row: the first, the last and the middle one in the first rows, then others."""
        n = self.n
        lanes = np.array([0, n - 1, n // 2, n // 4, n - n // 4 - 1, n // 3, 1 % n, max(0, n - 2)])
        return np.arange(n) == lanes[self.turn % len(lanes)]

    @property
    def farthest(self) -> float:
        """Return a distance from 0: exp overflows that far above 0, and underflows to 0 that far below."""
        return 1.2 * (self.form.emax + self.form.p) * LN_2


def numbered(shape: tuple[int, ...], position: int, rows: Span) -> NDArray[np.int64]:
    """Return each row's number in its case, for a block of that shape with its axis at `position`."""
    batch = (*shape[:position], *shape[position + 1 :])
    before = rows[0] * prod(batch[1:]) if position else 0
    return before + np.arange(prod(batch)).reshape(batch)


def along(
    make: Callable[[Rows], Floats], name: str, shape: tuple[int, ...], axis: int, rows: Span, form: Format
) -> Floats:
    """Return what `make` gives for the rows along that axis, in the block's shape."""
    position = axis % len(shape)
    batch, n = (*shape[:position], *shape[position + 1 :]), shape[position]
    drawn = words(name, (*batch, n), rows if position else (0, batch[0] if batch else 1))
    unit = (drawn >> np.uint64(11)) * 2.0**-53
    table = np.asarray(unit.reshape(prod(batch), n), dtype=np.float64)
    made = make(Rows(table, numbered(shape, position, rows).reshape(-1), form))
    return np.moveaxis(made.reshape(*batch, n), -1, position)


@singledispatch
def draw(recipe: Recipe, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    """Return a recipe's values on those rows, in float64, before they are rounded to the dtype under test."""
    raise TypeError(f"no such recipe: {recipe!r}")


@draw.register
def _(recipe: Printed, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    return np.array(recipe.values, dtype=np.float64)[rows[0] : rows[1]]


@draw.register
def _(recipe: Uniform, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    unit = (words(name, shape, rows) >> np.uint64(11)) * 2.0**-53
    drop = recipe.drop * np.arange(rows[0], rows[1], dtype=np.float64)
    return (recipe.low + recipe.width * unit).reshape(rows[1] - rows[0], -1) - drop[:, None]


@draw.register
def _(recipe: Normal, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    uniform = (words(name, (*shape, 12), rows) >> np.uint64(8)).astype(np.int64).reshape(-1, 12)
    total = uniform.sum(axis=1) - 6 * 2**56
    scaled: NDArray[np.float64] = recipe.sigma * (total * 2.0**-56)
    return scaled


@draw.register
def _(recipe: Chain, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    n = shape[1]
    places = [0, 1, 2, n // 4, n // 3, n // 2, n - 2, n - 1]
    logits = np.full(shape, LN_TERM - form.p * LN_2)
    for number in range(*rows):
        logits[number - rows[0], places[number % len(places)]] = 0.0
    return logits


@draw.register
def _(recipe: Exponentials, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    """Return rows of one 0 among logits whose exponentials are lost in the sum.

    These lie between 4 times the smallest normal number and u/512, so that nine of them together are under u/50.
    """
    nearest, farthest = -(form.p + 9) * LN_2, (form.emin + 2) * LN_2
    unit = (words(name, shape, rows) >> np.uint64(11)).reshape(shape) * 2.0**-53
    logits = np.asarray(nearest + (farthest - nearest) * unit, dtype=np.float64)
    logits[:, 0] = 0.0
    return logits


@draw.register
def _(recipe: Twins, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    logits = (words(name, shape, rows).reshape(shape) % np.uint64(256)) / 64.0
    for number in range(*rows):
        kind, here = number % 4, number - rows[0]
        if kind in (1, 3):
            twin = (words(name, (1, *shape[1:]), (number - 1, number)).reshape(shape[1:]) % np.uint64(256)) / 64.0
            logits[here] = twin + 64 if kind == 1 else twin[::-1]
    return logits


@draw.register
def _(recipe: Stored, name: str, shape: tuple[int, ...], rows: Span, form: Format) -> NDArray[np.float64]:
    file = files("harness.questions.data").joinpath(recipe.file)
    content = file.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != recipe.sha256:
        raise ValueError(f"{recipe.file} is damaged: its SHA-256 is {found}, not {recipe.sha256}")
    with file.open("rb") as stream:
        stored: NDArray[np.float64] = np.load(stream, allow_pickle=False)
    return stored[rows[0] : rows[1]]


def words(name: str, shape: tuple[int, ...], rows: Span) -> NDArray[np.uint64]:
    """Return the stream's 64-bit words for those rows, little-endian on every machine."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    count, first = prod(shape), rows[0] * prod(shape[1:])
    stream = np.random.Philox(key=key)
    stream.advance(first // 4)  # four words a step
    drawn = stream.random_raw(count + first % 4)
    return drawn[first % 4 :].astype("<u8")
