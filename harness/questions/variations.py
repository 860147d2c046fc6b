"""Other ways to put one and the same question: they must not change its answer.

In another memory layout, once more, row by row, beside hostile rows, after other dtypes, on two threads. The exact
answer is the plain question's, so the verdict is too; whether the bits are is a column of their own. Here is what a
worker does for each; which of them make sense where is `refusal`'s to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.base import Backend
from harness.operations import Operation
from harness.questions.targets import SAME
from harness.records import Case, Family

Array = NDArray[Any]
Arguments = Mapping[str, Any]
Call = Callable[[Arguments], Array]
REPEATING = ("zeros", "abyss", "repeated")
"""Families of logits whose rows are one and the same."""
BESIDE = ("cotangent", "tangent", "distribution")
"""Arguments beside the logits that have a layout of their own."""
REPEATS = 5
MOST_ALONE = 64
"""Rows of a batch that are asked one by one."""
MARGIN = 16
"""Elements of NaN on either side of an offset view."""


def axis_of_batch(shape: tuple[int, ...], axis: int) -> int | None:
    """The first dimension that softmax does not run along."""
    return next((number for number in range(len(shape)) if number != axis % len(shape)), None)


# Layouts: a view with the array's values, whose buffer has NaN wherever the array is not.


def transposed(array: Array, axis: int) -> Array:
    """Its dimensions the other way round in memory."""
    return np.ascontiguousarray(array.T).T


def strided(array: Array, axis: int) -> Array:
    """Every other element of a buffer."""
    buffer = np.full((*array.shape[:-1], 2 * array.shape[-1]), blank(array), array.dtype)
    view = buffer[..., ::2]
    view[...] = array
    return view


def offset(array: Array, axis: int) -> Array:
    """In the middle of a buffer, from an odd element on."""
    buffer = np.full(array.size + 2 * MARGIN + 1, blank(array), array.dtype)
    view = buffer[MARGIN + 1 : MARGIN + 1 + array.size].reshape(array.shape)
    view[...] = array
    return view


def flipped(array: Array, axis: int) -> Array:
    """Backwards in memory."""
    return np.ascontiguousarray(array[..., ::-1])[..., ::-1]


def broadcast(array: Array, axis: int) -> Array:
    """One row for all, with stride 0 over the batch; one number for all where they are all alike. Beyond it is NaN."""
    if (array == array.flat[0]).all():
        return spread(array.reshape(-1)[:1], array.shape, (0,) * array.ndim)
    batch = axis_of_batch(array.shape, axis)
    if batch is None or not (array == array.take([0], batch)).all():
        raise ValueError("its rows are not alike, so there is nothing to broadcast")
    one = np.ascontiguousarray(array.take([0], batch))
    return spread(one, array.shape, [0 if number == batch else stride for number, stride in enumerate(one.strides)])


def spread(part: Array, shape: tuple[int, ...], strides: Sequence[int]) -> Array:
    """A view of that shape of a buffer as large, which begins with the part and has nothing else in it."""
    buffer = np.full(prod(shape), blank(part), part.dtype)
    buffer[: part.size] = part.reshape(-1)
    return np.lib.stride_tricks.as_strided(buffer, shape, strides)


def blank(array: Array) -> Any:
    return np.nan if array.dtype.kind not in "iub" else 1


LAYOUTS: dict[str, Callable[[Array, int], Array]] = {
    layout.__name__: layout for layout in (transposed, strided, offset, flipped, broadcast)
}


def laid_out(variation: str, name: str, array: Array, axis: int, first: str) -> Array:
    """An argument in the layout that the variation gives it; `first`: the argument that has the case's own rows."""
    layout = variation.removeprefix("upstream-")
    theirs = name in BESIDE if variation.startswith("upstream-") else name == first
    return LAYOUTS[layout](array, axis) if layout in LAYOUTS and theirs else array


# Calls: the question put in parts, or more than once. `call` computes an answer of host arrays.


def again(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """The last of five answers, if none has other bits than the one before."""
    answer = call(arguments)
    for number in range(2, REPEATS + 1):
        before, answer = answer.tobytes(), call(arguments)
        if answer.tobytes() != before:
            raise UnrepeatableError(f"answer {number} of {REPEATS} has other bits than the one before")
    return answer


class UnrepeatableError(Exception):
    """One question, two answers."""


def alone(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """Each row of the batch by itself."""
    shape = arguments[operation.arguments[0]].shape
    batch = required(axis_of_batch(shape, axis))
    answers = [call(rows(arguments, [number], shape, axis, batch)) for number in range(shape[batch])]
    return np.concatenate(answers, axis=batch_of_answer(operation, batch, axis % len(shape)))


def hostile(call: Call, arguments: Arguments, axis: int, operation: Operation, backend: Backend) -> Array:
    """The plain answer, with every other row as it is beside NaN, infinities and large numbers where that differs."""
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
    """The first row that is kept, and logits with every other row replaced, until each hostile value stood in some."""
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
    """After the same question in every other dtype that the backend claims, in this process."""
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
"""On two threads, in a worker of its own."""
FIRST = "first"
"""As the first question of a process: its worker is started anew."""
HELD = "held"
"""The answer is read after the next question, the same of other numbers, has been answered too."""
VARIATIONS = (*LAYOUTS, *(f"upstream-{layout}" for layout in LAYOUTS), *CALLS, HELD, FIRST, THREADS)


def others(arguments: Arguments, first: str) -> dict[str, Any]:
    """The arguments of another question of the same shapes."""
    return {**arguments, first: -arguments[first]}


def rows(arguments: Arguments, numbers: list[int], shape: tuple[int, ...], axis: int, batch: int) -> dict[str, Any]:
    """The arguments of some rows alone, along that dimension of the batch. Labels have no axis, weights no rows."""
    position = axis % len(shape)
    label = batch if batch < position else batch - 1
    along = {True: label, False: batch}
    return {
        name: value.take(numbers, along[value.dtype.kind == "i"])
        if isinstance(value, np.ndarray) and name != "weights"
        else value
        for name, value in arguments.items()
    }


def batch_of_answer(operation: Operation, batch: int, position: int) -> int:
    """The same dimension in the answer, which has the axis moved last or none where it is not in place."""
    return batch if operation.in_place or batch < position else batch - 1


def required(batch: int | None) -> int:
    if batch is None:
        raise ValueError("there is one row alone")
    return batch


def missing(variation: str, backend: type[Backend]) -> str | None:
    """Why a backend can't be asked in that way at all, or None."""
    layout = variation.removeprefix("upstream-")
    if layout in LAYOUTS and layout not in backend.layouts:
        return f"{backend.title()} has no {layout} arrays"
    if variation == THREADS and not backend.threaded:
        return f"{backend.title()} has one thread"
    return None


def refusal(case: Case, operation: Operation, axis: int, backend: type[Backend]) -> str | None:
    """Why a case's variation makes no cell there, or None."""
    variation = case.variation
    layout = variation.removeprefix("upstream-")
    batch = axis_of_batch(case.shape, axis)
    if not variation:
        return None
    if lacking := missing(variation, backend):
        return lacking
    if variation.startswith("upstream-") and not set(BESIDE) & set(operation.arguments):
        return f"{operation.name} has no argument beside the logits that has a layout"
    if layout == "broadcast" and (batch is None or not alike(case, operation, variation)):
        return "its rows are not alike, so there is nothing to broadcast"
    if variation in ("alone", "hostile") and (batch is None or case.shape[batch] < 2 or operation.rows_together):
        return "there is one row alone, or the answer is of all rows together"
    if variation == "hostile" and "weights" in operation.arguments:
        return "a derivative by weights is a sum over all rows, where 0 · NaN is NaN"
    if variation == "alone" and batch is not None and case.shape[batch] > MOST_ALONE:
        return f"more than {MOST_ALONE} rows"
    return None


def alike(case: Case, operation: Operation, variation: str) -> bool:
    """Whether the rows of what is to be broadcast are one and the same."""
    if not variation.startswith("upstream-"):
        return isinstance(case.recipe, Family) and case.recipe.name in REPEATING
    if "distribution" in operation.arguments:
        return case.labels in SAME and case.distribution in ("random", "onehot", "rounded")
    return case.upstream in ("ones", "same")
