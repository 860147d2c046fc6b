"""Other ways to put one and the same question: they must not change its answer.

The question is put in another memory layout, several times, row by row, beside hostile rows, after other dtypes, or on
two threads. The exact answer is the plain question's, so the bound is too. Whether the bits are the same is reported in
a column of its own. This module has what a worker does for each variation; `not_asked.py` says where one makes no
sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.base import Backend
from harness.faults import Fault, FaultError, Kind
from harness.operations import ARGUMENTS, Operation

Array = NDArray[Any]
Arguments = Mapping[str, Any]
Call = Callable[[Arguments], Array]
REPEATING = ("zeros", "abyss", "repeated")
"""Families of logits whose rows are all alike."""
REPEATS = 5
MARGIN = 16
"""The least number of NaN elements on either side of an offset view."""


def axis_of_batch(shape: tuple[int, ...], axis: int) -> int | None:
    """Return the first dimension that softmax does not run along, or None if there is none."""
    return next((number for number in range(len(shape)) if number != axis % len(shape)), None)


# Layouts: each returns a view with the array's values. The rest of its buffer is NaN (1 in an array of integers).


def transposed(array: Array, axis: int) -> Array:
    """Return the array with its dimensions in reverse order in memory."""
    return np.ascontiguousarray(array.T).T


def strided(array: Array, axis: int) -> Array:
    """Return the array as every other element of a buffer."""
    buffer = np.full((*array.shape[:-1], 2 * array.shape[-1]), blank(array), array.dtype)
    view = buffer[..., ::2]
    view[...] = array
    return view


def offset(array: Array, axis: int) -> Array:
    """Return the array in the middle of a buffer, beginning at an odd element."""
    buffer = np.full(array.size + 2 * MARGIN + 1, blank(array), array.dtype)
    view = buffer[MARGIN + 1 : MARGIN + 1 + array.size].reshape(array.shape)
    view[...] = array
    return view


def flipped(array: Array, axis: int) -> Array:
    """Return the array with its last dimension backwards in memory."""
    return np.ascontiguousarray(array[..., ::-1])[..., ::-1]


def broadcast(array: Array, axis: int) -> Array:
    """Return the array as one row for all, with stride 0 over the batch, or as one number if all elements are alike.

    The rest of its buffer is NaN. Raise ValueError if its rows are not alike.
    """
    if (array == array.flat[0]).all():
        return spread(array.reshape(-1)[:1], array.shape, (0,) * array.ndim)
    batch = axis_of_batch(array.shape, axis)
    if batch is None or not (array == array.take([0], batch)).all():
        raise ValueError("its rows are not alike, so there is nothing to broadcast")
    one = np.ascontiguousarray(array.take([0], batch))
    return spread(one, array.shape, [0 if number == batch else stride for number, stride in enumerate(one.strides)])


def spread(part: Array, shape: tuple[int, ...], strides: Sequence[int]) -> Array:
    """Return a view with that shape and strides, of a buffer as large that begins with the part and is else blank."""
    buffer = np.full(prod(shape), blank(part), part.dtype)
    buffer[: part.size] = part.reshape(-1)
    return np.lib.stride_tricks.as_strided(buffer, shape, strides)


def blank(array: Array) -> Any:
    """Return what fills a buffer beyond an array: NaN, or 1 if it is of integers or booleans."""
    return np.nan if array.dtype.kind not in "iub" else 1


LAYOUTS: dict[str, Callable[[Array, int], Array]] = {
    layout.__name__: layout for layout in (transposed, strided, offset, flipped, broadcast)
}


def laid_out(variation: str, name: str, array: Array, axis: int, first: str) -> Array:
    """Return an argument in the layout that the variation gives it. `first`: the argument with the case's own rows."""
    layout = variation.removeprefix("upstream-")
    theirs = ARGUMENTS[name].laid_out if variation.startswith("upstream-") else name == first
    return LAYOUTS[layout](array, axis) if layout in LAYOUTS and theirs else array


# Calls: the question put in parts, or more than once. `call` computes the answer to host arrays.


def again(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """Return the last of five answers. Raise UnrepeatableError if one has other bits than the one before."""
    answer = call(arguments)
    for number in range(2, REPEATS + 1):
        before, answer = answer.tobytes(), call(arguments)
        if answer.tobytes() != before:
            raise UnrepeatableError(Fault(Kind.UNREPEATABLE, number=number, of=REPEATS))
    return answer


class UnrepeatableError(FaultError):
    """One question got two answers with different bits."""


def alone(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """Return the answers to each row of the batch alone, put together along the batch."""
    shape = arguments[operation.arguments[0]].shape
    batch = required(axis_of_batch(shape, axis))
    answers = [call(rows(arguments, [number], shape, axis, batch)) for number in range(shape[batch])]
    return np.concatenate(answers, axis=batch_of_answer(operation, batch, axis % len(shape)))


def hostile(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """Return the plain answer, with each row as it is beside hostile rows wherever its bits differ there.

    A hostile row is all NaN, infinity or a large number. Every other row is replaced by one, first the odd rows and
    then the even ones.
    """
    first = operation.arguments[0]
    logits = arguments[first]
    batch = required(axis_of_batch(logits.shape, axis))
    at = batch_of_answer(operation, batch, axis % logits.ndim)
    answer = np.array(call(arguments))
    rows_of_answer = np.moveaxis(answer, at, 0)
    plain = rows_of_answer.copy()
    for kept, disturbed in disturbances(logits, batch):
        beside = np.moveaxis(call({**arguments, first: disturbed}), at, 0)[kept::2]
        differs = [a.tobytes() != b.tobytes() for a, b in zip(beside, plain[kept::2], strict=True)]
        rows_of_answer[kept::2][differs] = beside[differs]
    return answer


def disturbances(logits: Array, batch: int) -> Iterator[tuple[int, Array]]:
    """Yield the first row that is kept, 0 or 1, with logits in which every other row is replaced by a hostile value.

    Each half of the rows is replaced as often as it takes for every hostile value to stand in some row.
    """
    count = logits.shape[batch]
    for kept in (0, 1):
        replaced = range(1 - kept, count, 2)
        for begin in range(0, len(HOSTILE), max(1, len(replaced))):
            disturbed = np.moveaxis(logits.copy(order="K"), batch, 0)
            for number, row in enumerate(replaced):
                disturbed[row] = HOSTILE[(begin + number) % len(HOSTILE)]
            yield kept, np.moveaxis(disturbed, 0, batch)


HOSTILE = (np.nan, np.inf, 1e4, -np.inf, -1e4)


def dtypes(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """Return the answer after the same question was asked in every other dtype that the backend claims."""
    from harness.numbers import arrays

    own = arguments[operation.arguments[0]].dtype.name
    for name in (name for name in reversed(backend.dtypes) if name != own):
        cast = {
            key: value.astype(arrays.dtype(name))
            if isinstance(value, np.ndarray) and value.dtype.kind != "i"
            else value
            for key, value in arguments.items()
        }
        call(cast)
    return call(arguments)


CALLS: dict[str, Callable[[Call, Arguments, int, Operation, Backend], Array]] = {
    variation.__name__: variation for variation in (again, alone, hostile, dtypes)
}
THREADS = "threads"
"""The variation that asks on two threads, in a worker process of its own."""
FIRST = "first"
"""The variation that asks the first question of a worker process, which is started anew."""
HELD = "held"
"""The variation in which the answer is read only after a second question, of other numbers, has been answered too."""
VARIATIONS = (*LAYOUTS, *(f"upstream-{layout}" for layout in LAYOUTS), *CALLS, HELD, FIRST, THREADS)


def others(arguments: Arguments, first: str) -> dict[str, Any]:
    """Return the arguments of another question of the same shapes, with `first`, the logits or inputs, negated."""
    return {**arguments, first: -arguments[first]}


def rows(arguments: Arguments, numbers: list[int], shape: tuple[int, ...], axis: int, batch: int) -> dict[str, Any]:
    """Return the arguments of some rows alone, along dimension `batch`. Labels lack the axis, weights have no rows."""
    position = axis % len(shape)
    label = batch if batch < position else batch - 1
    along = {True: label, False: batch}
    return {
        name: value.take(numbers, along[value.dtype.kind == "i"])
        if isinstance(value, np.ndarray) and ARGUMENTS[name].per_row
        else value
        for name, value in arguments.items()
    }


def batch_of_answer(operation: Operation, batch: int, position: int) -> int:
    """Return the batch's dimension in the answer. Where that is not in place, its axis is moved last or gone."""
    return batch if operation.in_place or batch < position else batch - 1


def required(batch: int | None) -> int:
    """Return the batch's dimension. Raise ValueError if there is none."""
    if batch is None:
        raise ValueError("there is one row alone")
    return batch
