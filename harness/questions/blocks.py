"""A case as a stream of row blocks, and the arguments of an operation on one of them.

Numbers are drawn by the names of the case and the argument (`harness.questions.drawing`) and rounded once to the dtype
under test; to bfloat16 twice, since ml_dtypes rounds by way of float32. The bytes are the same everywhere, and the
exact values are those at the rounded numbers.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.operations import ARGUMENTS, Operation
from harness.questions import targets
from harness.questions.drawing import Span, along, draw, numbered, words
from harness.questions.vectors import VECTORS
from harness.records import Case, Uniform

BLOCK_ELEMENTS = 2**16
UPSTREAM = ("random", "ones", "same", "onehot", *VECTORS)
"""Kinds of cotangents and tangents: uniform on [−1, 1); all 1; one row for all; 1 at one lane a row, the first, the
next, …, and 0 elsewhere; and those that `harness.questions.vectors` makes."""
INDEX = ("middle", "first", "last")
"""The output whose derivative `jacobian_row` is. The documents ask for the middle one, index 2 of 4."""
WEIGHTS = {"random": 1.0, "wide": 32.0, "narrow": 2.0**-10}
"""Kinds of a layer's weights: uniform between minus and plus this."""
Rows = Span


def boundaries(case: Case) -> list[Rows]:
    """Return start and stop of each block along the first dimension. They depend on the case alone.

    There is only one block if one of the case's axes is the first dimension.
    """
    height, width = case.shape[0], prod(case.shape[1:])
    if len(case.shape) == 1 or any(axis % len(case.shape) == 0 for axis in case.axes):
        return [(0, height)]
    step = max(1, BLOCK_ELEMENTS // max(1, width))
    return [(start, min(start + step, height)) for start in range(0, height, step)] or [(0, 0)]


def arguments(case: Case, operation: Operation, dtype: str, axis: int, rows: Rows) -> dict[str, Any]:
    """Return the operation's arguments by name: the case's own rows, and the arrays and numbers beside them."""
    return {name: argument(case, name, dtype, axis, rows) for name in operation.arguments}


def argument(case: Case, name: str, dtype: str, axis: int, rows: Rows) -> Any:
    """Return one argument: a number for an index, an array of integers for labels and classes, else one of floats."""
    match ARGUMENTS[name].kind:
        case "index":
            return {"first": 0, "middle": case.shape[axis] // 2, "last": case.shape[axis] - 1}[case.index]
        case "label":
            return labels(case, name, case.shape[axis], dtype, axis, rows)
        case "class":
            return labels(case, name, case.classes, dtype, axis, rows)
        case "distribution":
            return distribution(case, dtype, axis, rows)
        case "weights":
            return weights(case, dtype, axis)
        case "vector":
            return upstream(case, name, dtype, axis, rows)
        case _:
            return array(case, name, dtype, rows)


def labels(case: Case, name: str, classes: int, dtype: str, axis: int, rows: Rows) -> NDArray[np.int64]:
    """Return a class for each row of the logits, of the case's kind. The shape is the block's without the axis."""
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    stream = f"{key(case)}/{name}"
    drawn = np.take(words(stream, shape, rows).reshape(shape), [0], axis=position)
    random = (drawn % np.uint64(classes)).astype(np.int64).squeeze(position)
    if case.labels == "random":
        return random
    one = int(words(stream, (1,), (0, 1))[0] % np.uint64(classes))
    made = targets.Labelling(
        random, numbered(shape, position, rows), one, classes, lambda: likeliest(case, name, dtype, axis, rows, random)
    )
    return targets.KINDS[case.labels](made)


def likeliest(case: Case, name: str, dtype: str, axis: int, rows: Rows, random: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each row's largest logit stands. A layer's logits are not known here, so its classes stay random."""
    if ARGUMENTS[name].kind == "class":
        return random
    return array(case, "logits", dtype, rows).argmax(axis=axis).astype(np.int64)


def distribution(case: Case, dtype: str, axis: int, rows: Rows) -> NDArray[np.generic]:
    """Return a distribution for each row of the logits, of the case's kind.

    Except for `rounded`, its entries are multiples of 1/128, or of a power of two times that: they and their sum are
    exact in every format. If the case has a kind of labels, all the weight is at the label.
    """
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    hot = case.labels != "random" or case.distribution == "onehot"
    whole = hot_labels(case, dtype, axis, rows) if hot else shares(case, shape, position, rows)
    if case.distribution in ("random", "onehot", "rounded"):
        return whole.astype(arrays.dtype(dtype))
    sums = np.expand_dims(targets.scale(case.distribution, numbered(shape, position, rows)), position)
    return (whole * sums).astype(arrays.dtype(dtype))


def hot_labels(case: Case, dtype: str, axis: int, rows: Rows) -> NDArray[np.float64]:
    """Return 1 at each row's label and 0 elsewhere."""
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    lane = labels(case, "distribution", shape[position], dtype, axis, rows)
    return onehot(shape, position, lane, "float64").astype(np.float64)


def shares(case: Case, shape: tuple[int, ...], position: int, rows: Rows) -> NDArray[np.float64]:
    """Return random distributions over the classes, each of sum 1 (for `rounded` up to rounding)."""
    drawn = np.moveaxis(words(f"{key(case)}/distribution", shape, rows).reshape(shape), position, -1)
    parts = targets.rounded(drawn) if case.distribution == "rounded" else targets.cut(drawn)
    return np.moveaxis(parts, -1, position)


def weights(case: Case, dtype: str, axis: int) -> NDArray[np.generic]:
    """Return a layer's weights, shape (t, n), the same for all rows of the case."""
    shape, end = (case.classes, case.shape[axis]), WEIGHTS[case.weights]
    drawn = draw(Uniform(-end, 2 * end), f"{key(case)}/weights", shape, (0, case.classes), FORMATS[dtype])
    return drawn.astype(arrays.dtype(dtype))


def upstream(case: Case, name: str, dtype: str, axis: int, rows: Rows) -> NDArray[np.generic]:
    """Return a cotangent or a tangent of the case's kind."""
    position = axis % len(case.shape)
    shape = (rows[1] - rows[0], *case.shape[1:])
    match case.upstream:
        case "random":
            return array(case, name, dtype, rows)
        case "ones":
            return np.ones(shape, arrays.dtype(dtype))
        case "onehot":
            return onehot(shape, position, numbered(shape, position, rows) % shape[position], dtype)
        case "same":
            one = array(case, name, dtype, (0, 1)) if position else array(case, name, dtype, rows)
            one = np.moveaxis(one, position, -1).reshape(-1, shape[position])[0]
            return np.moveaxis(
                np.broadcast_to(one, (*shape[:position], *shape[position + 1 :], len(one))), -1, position
            )
        case kind:
            made = along(VECTORS[kind], f"{key(case)}/{name}", shape, axis, rows, FORMATS[dtype])
            return made.astype(arrays.dtype(dtype))


def onehot(shape: tuple[int, ...], position: int, lane: NDArray[Any], dtype: str) -> NDArray[np.generic]:
    """Return 1 at that lane of each row along the axis, and 0 elsewhere."""
    lanes = np.broadcast_to(lane % shape[position], (*shape[:position], *shape[position + 1 :]))
    hot = np.arange(shape[position]) == lanes[..., None]
    return np.moveaxis(hot, -1, position).astype(arrays.dtype(dtype))


def array(case: Case, argument: str, dtype: str, rows: Rows) -> NDArray[np.generic]:
    """Return an argument's values on those rows, in the dtype under test.

    Logits and inputs follow the case's recipe; other arguments are uniform on [−1, 1).
    """
    name = stream(argument)
    recipe = case.recipe if name == "logits" else Uniform(-1.0, 2.0)
    shape = (rows[1] - rows[0], *case.shape[1:])
    return draw(recipe, f"{key(case)}/{name}", shape, rows, FORMATS[dtype]).reshape(shape).astype(arrays.dtype(dtype))


def same_for_every_axis(case: Case, name: str) -> bool:
    """Decide whether an argument is the same for every axis."""
    kind = ARGUMENTS[name].kind
    return kind == "rows" or (kind == "vector" and case.upstream == "random")


def key(case: Case) -> str:
    """Return the name by which the case's numbers are drawn. Cases that differ only in how they are asked share one."""
    return case.stream or case.name


def stream(argument: str) -> str:
    """Return the argument whose numbers this one has: a layer's inputs are what other operations call logits."""
    return "logits" if ARGUMENTS[argument].kind == "rows" else argument
