"""NumPy arrays as Python expressions that give the same dtype, shape, bytes and place in memory again.

A view is written with the buffer around it, unless that is many times its own size: then by its values alone.

A short array is typed out, each number with the fewest digits that round to it. A long array of few runs of equal
numbers is `np.full` or `np.repeat`. Any other is compressed bytes. Typed numbers are compared with the array before
they are used: a NaN with a sign or a payload is written as bytes instead.
"""

from __future__ import annotations

import base64
import textwrap
import zlib
from typing import Any

import numpy as np

from harness.numbers.arrays import Array
from harness.numbers.formats import BROUGHT

SHORT = 64
"""The largest number of elements that are typed out."""
RUNS = 16
"""The largest number of runs of equal elements by which a long array is written."""
WIDTH = 100
MODULES = ("base64", "ml_dtypes", "zlib")
"""The modules that an expression may name besides `np`."""


def literal(array: Array) -> str:
    """Return the expression. It names `np`, and those of `MODULES` that it needs."""
    buffer = buffer_of(array)
    if buffer.size > 4 * array.size + SHORT or (buffer.size == array.size and array.flags.c_contiguous):
        return plain(np.ascontiguousarray(array).reshape(array.shape))
    first = (address(array) - address(buffer)) // array.itemsize
    place = f"[{first}:]" if first else ""
    base = plain(buffer.ravel(order="K"))
    return f"np.lib.stride_tricks.as_strided(\n    {base}{place}, {array.shape}, {array.strides}\n)"


def buffer_of(array: Array) -> Array:
    """Return the array that holds the whole buffer of a view, or the array itself if it has no such base."""
    base: Any = array
    while getattr(base, "base", None) is not None:
        base = base.base
    return base if isinstance(base, np.ndarray) and base.dtype == array.dtype else array


def address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def plain(array: Array) -> str:
    if not array.size:
        return f"np.zeros({array.shape}, dtype={dtype(array)})"
    return (typed_out(array) if array.size <= SHORT else repeated(array)) or compressed(array)


def typed_out(array: Array) -> str:
    """Return nested lists of numbers, or nothing if they would not give the same bytes."""
    numbers = [number(value) for value in array.reshape(-1)]
    if not all(numbers):
        return ""
    return f"np.array({nested(numbers, array.shape)}, dtype={dtype(array)})"


def repeated(array: Array) -> str:
    """Return runs of equal numbers, or nothing if there are too many or one has no text."""
    flat = array.reshape(-1)
    bits = flat.view(f"u{array.dtype.itemsize}")
    starts = np.flatnonzero(np.concatenate([[True], bits[1:] != bits[:-1]]))
    numbers = [number(value) for value in flat[starts[: RUNS + 1]]]
    if len(starts) > RUNS or not all(numbers):
        return ""
    if len(numbers) == 1:
        return f"np.full({array.shape}, {numbers[0]}, dtype={dtype(array)})"
    lengths = np.diff(starts, append=flat.size).tolist()
    runs = f"np.repeat(np.array({wrapped(numbers)}, dtype={dtype(array)}), {lengths})"
    return f"{runs}.reshape({array.shape})"


def compressed(array: Array) -> str:
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    lines = "".join(f"\n    {line!r}" for line in textwrap.wrap(text, WIDTH - 8))
    data = f"zlib.decompress(base64.b64decode({lines}\n))"
    return f"np.frombuffer({data}, dtype={dtype(array)}).reshape({array.shape}).copy()"


def dtype(array: Array) -> str:
    return f"{'ml_dtypes' if array.dtype.name in BROUGHT else 'np'}.{array.dtype.name}"


def number(value: Any) -> str:
    """Return the shortest text that NumPy rounds to the same bits, by way of a float64.

    Return an empty text for a NaN that has none.
    """
    if isinstance(value, np.integer):
        return str(int(value))
    exact = float(value.real if isinstance(value, np.complexfloating) else value)
    digits = (f"{exact:.{count}g}" for count in range(1, 18))
    found = next((float(text) for text in digits if same_bits(float(text), value)), None)
    if found is None:
        return ""
    return repr(found).replace("inf", "np.inf").replace("nan", "np.nan")


def same_bits(number: float, value: Any) -> bool:
    with np.errstate(over="ignore"):  # fewer digits may round up to infinity
        return np.array(number).astype(value.dtype).tobytes() == value.tobytes()


def nested(numbers: list[str], shape: tuple[int, ...]) -> str:
    """Return lists in lists as text. A row that is too long for a line is wrapped."""
    if not shape:
        return numbers[0]
    if len(shape) == 1:
        return wrapped(numbers)
    size = len(numbers) // shape[0]
    rows = [nested(numbers[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]
    line = f"[{', '.join(rows)}]"
    if (len(rows) == 1 or len(line) <= WIDTH // 4) and "\n" not in line:
        return line
    return "[\n" + "".join(textwrap.indent(row, "    ") + ",\n" for row in rows) + "]"


def wrapped(numbers: list[str]) -> str:
    line = f"[{', '.join(numbers)}]"
    if len(line) <= WIDTH - 30:
        return line
    return "[\n" + textwrap.indent(textwrap.fill(", ".join(numbers), WIDTH - 8), "    ") + "\n]"
