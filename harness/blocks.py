"""A case as a stream of row blocks, and the arguments of an operation on one of them.

Numbers come from Philox4x64-10 (Salmon et al., 2011), keyed by the case's name and the argument's: element i is word i
of the stream, so any block can be made alone, on any machine. They are integers, scaled by one rounding an operation in
float64 and one to the dtype under test, but for bfloat16, to which ml_dtypes rounds by way of float32: the same bytes
everywhere, and the exact values are of these.
"""

from __future__ import annotations

import hashlib
from functools import singledispatch
from importlib.resources import files
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import arrays
from harness.formats import FORMATS, Format
from harness.operations import CLASSES, Operation
from harness.records import Case, Chain, Exponentials, Normal, Printed, Recipe, Stored, Twins, Uniform

BLOCK_ELEMENTS = 2**16
LN_TERM, LN_2 = -0.7550225842780328, 0.6931471805599453
"""ln 0.47 and ln 2. A term of 0.47 u is lost when it is added to 1 or more; among its own kind it is not."""
PARTS = 128
"""A label distribution's parts."""
UPSTREAM = ("random", "ones", "same", "onehot")
"""Cotangents and tangents: uniform on [−1, 1); all 1; one row for all; 1 at one lane a row, the first, the next, …"""
LABELS = ("random", "first", "last")
Rows = tuple[int, int]


def boundaries(case: Case) -> list[Rows]:
    """Start and stop of each block along the first dimension: they depend on the case alone.

    One block where softmax runs along the first dimension on some axis, or where there is no other.
    """
    height, width = case.shape[0], prod(case.shape[1:])
    if len(case.shape) == 1 or any(axis % len(case.shape) == 0 for axis in case.axes):
        return [(0, height)]
    step = max(1, BLOCK_ELEMENTS // max(1, width))
    return [(start, min(start + step, height)) for start in range(0, height, step)] or [(0, 0)]


def arguments(case: Case, operation: Operation, dtype: str, axis: int, rows: Rows) -> dict[str, Any]:
    """What the operation is called with: the case's own rows, and the arrays and numbers that it takes beside them."""
    return {name: argument(case, name, dtype, axis, rows) for name in operation.arguments}


def argument(case: Case, name: str, dtype: str, axis: int, rows: Rows) -> Any:
    """One of them: a number for `index`, the documents' output 2 of 4; integers for labels; else an array."""
    match name:
        case "index":
            return case.shape[axis] // 2
        case "labels":
            return labels(case, name, case.shape[axis], axis, rows)
        case "classes":
            return labels(case, name, CLASSES, axis, rows)
        case "distribution":
            return distribution(case, dtype, axis, rows)
        case "weights":
            return weights(case, dtype, axis)
        case "cotangent" | "tangent":
            return upstream(case, name, dtype, axis, rows)
        case _:
            return array(case, name, dtype, rows)


def labels(case: Case, name: str, classes: int, axis: int, rows: Rows) -> NDArray[np.int64]:
    """A class for each row of the logits, any of them, from a stream of random words."""
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    drawn = np.take(words(f"{key(case)}/{name}", shape, rows).reshape(shape), [0], axis=position)
    random = (drawn % np.uint64(classes)).astype(np.int64).squeeze(position)
    return random if case.labels == "random" else np.full_like(random, 0 if case.labels == "first" else classes - 1)


def distribution(case: Case, dtype: str, axis: int, rows: Rows) -> NDArray[np.generic]:
    """Multiples of 1/128 that sum to 1, for each row of the logits: exact in every format, and so is their sum.

    A row's first n − 1 random words cut 128 parts into n; of a case with one label, that has them all.
    """
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    if case.labels != "random":
        return onehot(shape, position, np.asarray(0 if case.labels == "first" else -1), dtype)
    drawn = np.moveaxis(words(f"{key(case)}/distribution", shape, rows).reshape(shape), position, -1)[..., :-1]
    cuts = np.sort((drawn % np.uint64(PARTS + 1)).astype(np.int64), axis=-1)
    parts = np.diff(cuts, axis=-1, prepend=0, append=PARTS)
    return np.moveaxis(parts / PARTS, -1, position).astype(arrays.dtype(dtype))


def weights(case: Case, dtype: str, axis: int) -> NDArray[np.generic]:
    """Of a layer, (t, n), for all rows of the case: uniform on [−1, 1)."""
    shape = (CLASSES, case.shape[axis])
    drawn = draw(Uniform(-1.0, 2.0), f"{key(case)}/weights", shape, (0, CLASSES), FORMATS[dtype])
    return drawn.astype(arrays.dtype(dtype))


def upstream(case: Case, name: str, dtype: str, axis: int, rows: Rows) -> NDArray[np.generic]:
    """A cotangent or a tangent of the kind that the case names."""
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    match case.upstream:
        case "ones":
            return np.ones(shape, arrays.dtype(dtype))
        case "onehot":
            batch = (*shape[:position], *shape[position + 1 :])
            before = rows[0] * prod(batch[1:]) if position else 0
            return onehot(shape, position, (before + np.arange(prod(batch)).reshape(batch)) % shape[position], dtype)
        case "same":
            one = array(case, name, dtype, (0, 1)) if position else array(case, name, dtype, rows)
            one = np.moveaxis(one, position, -1).reshape(-1, shape[position])[0]
            return np.moveaxis(
                np.broadcast_to(one, (*shape[:position], *shape[position + 1 :], len(one))), -1, position
            )
        case _:
            return array(case, name, dtype, rows)


def onehot(shape: tuple[int, ...], position: int, lane: NDArray[Any], dtype: str) -> NDArray[np.generic]:
    """1 at that lane of each row along the axis, and 0 beside it."""
    lanes = np.broadcast_to(lane % shape[position], (*shape[:position], *shape[position + 1 :]))
    hot = np.arange(shape[position]) == lanes[..., None]
    return np.moveaxis(hot, -1, position).astype(arrays.dtype(dtype))


def array(case: Case, argument: str, dtype: str, rows: Rows) -> NDArray[np.generic]:
    """One argument's random values on those rows, in the dtype under test: the case's, or uniform on [−1, 1)."""
    name = stream(argument)
    recipe = case.recipe if name == "logits" else Uniform(-1.0, 2.0)
    shape = (rows[1] - rows[0], *case.shape[1:])
    return draw(recipe, f"{key(case)}/{name}", shape, rows, FORMATS[dtype]).reshape(shape).astype(arrays.dtype(dtype))


def same_for_every_axis(case: Case, name: str) -> bool:
    """Whether an argument does not depend on the axis."""
    return name in ("logits", "inputs") or (name in ("cotangent", "tangent") and case.upstream == "random")


def key(case: Case) -> str:
    """What its numbers are drawn by: cases that differ in how they are asked alone have the same."""
    return case.stream or case.name


def stream(argument: str) -> str:
    """The argument whose numbers it has: a layer's inputs are what other operations call logits."""
    return "logits" if argument == "inputs" else argument


@singledispatch
def draw(recipe: Recipe, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    """Values of a recipe on those rows, in float64, before they are rounded to the dtype under test."""
    raise TypeError(f"no such recipe: {recipe!r}")


@draw.register
def _(recipe: Printed, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    return np.array(recipe.values, dtype=np.float64)[rows[0] : rows[1]]


@draw.register
def _(recipe: Uniform, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    unit = (words(name, shape, rows) >> np.uint64(11)) * 2.0**-53
    drop = recipe.drop * np.arange(rows[0], rows[1], dtype=np.float64)
    return (recipe.low + recipe.width * unit).reshape(rows[1] - rows[0], -1) - drop[:, None]


@draw.register
def _(recipe: Normal, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    uniform = (words(name, (*shape, 12), rows) >> np.uint64(8)).astype(np.int64).reshape(-1, 12)
    total = uniform.sum(axis=1) - 6 * 2**56
    scaled: NDArray[np.float64] = recipe.sigma * (total * 2.0**-56)
    return scaled


@draw.register
def _(recipe: Chain, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    n = shape[1]
    places = [0, 1, 2, n // 4, n // 3, n // 2, n - 2, n - 1]
    logits = np.full(shape, LN_TERM - form.p * LN_2)
    for number in range(*rows):
        logits[number - rows[0], places[number % len(places)]] = 0.0
    return logits


@draw.register
def _(recipe: Exponentials, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    """From where nine exponentials are under u/50 together, to where they are still normal numbers four times over."""
    nearest, farthest = -(form.p + 9) * LN_2, (form.emin + 2) * LN_2
    unit = (words(name, shape, rows) >> np.uint64(11)).reshape(shape) * 2.0**-53
    logits = np.asarray(nearest + (farthest - nearest) * unit, dtype=np.float64)
    logits[:, 0] = 0.0
    return logits


@draw.register
def _(recipe: Twins, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    logits = (words(name, shape, rows).reshape(shape) % np.uint64(256)) / 64.0
    for number in range(*rows):
        kind, here = number % 4, number - rows[0]
        if kind in (1, 3):
            twin = (words(name, (1, *shape[1:]), (number - 1, number)).reshape(shape[1:]) % np.uint64(256)) / 64.0
            logits[here] = twin + 64 if kind == 1 else twin[::-1]
    return logits


@draw.register
def _(recipe: Stored, name: str, shape: tuple[int, ...], rows: Rows, form: Format) -> NDArray[np.float64]:
    file = files("harness").joinpath("data", recipe.file)
    content = file.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != recipe.sha256:
        raise ValueError(f"{recipe.file} is damaged: its SHA-256 is {found}, not {recipe.sha256}")
    with file.open("rb") as stream:
        stored: NDArray[np.float64] = np.load(stream, allow_pickle=False)
    return stored[rows[0] : rows[1]]


def words(name: str, shape: tuple[int, ...], rows: Rows) -> NDArray[np.uint64]:
    """The stream's 64-bit words for those rows, little-endian whatever the machine."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    count, first = prod(shape), rows[0] * prod(shape[1:])
    stream = np.random.Philox(key=key)
    stream.advance(first // 4)  # four words a step
    drawn = stream.random_raw(count + first % 4)
    return drawn[first % 4 :].astype("<u8")
