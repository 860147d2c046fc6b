"""A NumPy array as a Python expression, guaranteed to give its dtype, shape and bytes again, and its place in memory.

A view is given with the buffer around it, unless that is many times its own size: then by its values alone.

Short arrays are typed out, each number with the fewest digits that round to it; long ones of few runs of equal numbers
are `np.full` or `np.repeat`; all others are compressed bytes. What is typed is compared with the array before it is
taken: a NaN with a sign or a payload falls through to the bytes.
"""

from __future__ import annotations

import base64
import textwrap
import zlib
from typing import Any

import numpy as np

from harness.numbers.arrays import Array

SHORT = 64
"""Elements that are typed out."""
RUNS = 16
"""Of equal elements, in a long array that is given by them."""
WIDTH = 100
MODULES = ("base64", "ml_dtypes", "zlib")
"""What an expression may name beside `np`."""


def literal(array: Array) -> str:
    """The expression. It names `np`, and of `MODULES` what it takes."""
    buffer = buffer_of(array)
    if buffer.size > 4 * array.size + SHORT or (buffer.size == array.size and array.flags.c_contiguous):
        return plain(np.ascontiguousarray(array).reshape(array.shape))
    first = (address(array) - address(buffer)) // array.itemsize
    place = f"[{first}:]" if first else ""
    base = plain(buffer.ravel(order="K"))
    return f"np.lib.stride_tricks.as_strided(\n    {base}{place}, {array.shape}, {array.strides}\n)"


def buffer_of(array: Array) -> Array:
    """What it is a view of."""
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
    """Nested lists; empty where they would not give the same bytes."""
    numbers = [number(value) for value in array.reshape(-1)]
    if not all(numbers):
        return ""
    return f"np.array({nested(numbers, array.shape)}, dtype={dtype(array)})"


def repeated(array: Array) -> str:
    """Runs of equal numbers; empty where there are too many."""
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
    return "ml_dtypes.bfloat16" if array.dtype.name == "bfloat16" else f"np.{array.dtype.name}"


def number(value: Any) -> str:
    """The shortest text that NumPy rounds to its very bits, by way of a float64; empty for a NaN that has no text."""
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
    """As lists in lists; a row that is too long for a line is wrapped."""
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
