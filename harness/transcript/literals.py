"""A NumPy array as a Python expression, guaranteed to give its dtype, shape, memory order and bytes again.

Short arrays are typed out, each number with the fewest digits that round to it; long ones are `np.full` with the few
exceptions written beside it, or else compressed bytes. Every form is tried before it is taken: what does not give the
same bytes (a NaN with a payload) falls through to the bytes themselves.
"""

from __future__ import annotations

import base64
import math
import textwrap
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.arrays import Array

SHORT = 64
"""Elements that are typed out."""
FEW = 8
"""Elements that may differ from all the others."""
WIDTH = 100


def literal(array: Array) -> str:
    """The expression. It names `np`, and `ml_dtypes`, `base64` and `zlib` where it takes them."""
    text = next(form for form in forms(np.ascontiguousarray(array).reshape(array.shape)) if form)
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return f"np.asfortranarray({text})" if fortran else text


def forms(array: Array) -> Iterator[str]:
    """From the most readable on; empty where a form does not give these bytes."""
    if array.size <= SHORT:
        yield typed_out(array)
    yield constant(array)
    yield compressed(array)


def typed_out(array: Array) -> str:
    numbers = [number(value) for value in array.reshape(-1)]
    values = np.array([float(n.replace("np.", "")) for n in numbers] if array.dtype.kind != "i" else array.reshape(-1))
    if values.astype(array.dtype).tobytes() != array.tobytes() or 0 in array.shape:
        return ""
    return f"np.array({nested(numbers, array.shape)}, dtype={dtype(array)})"


def constant(array: Array) -> str:
    """One value everywhere, with at most `FEW` exceptions: they are laid over it by their places."""
    bits = array.reshape(-1).view(f"u{array.dtype.itemsize}")
    (most, times), *_ = Counter(bits.tolist()).most_common(1) or [(0, 0)]
    if array.size - times > FEW or math.isnan(float(value := array.reshape(-1)[bits.tolist().index(most)])):
        return "" if array.size else f"np.zeros({array.shape}, dtype={dtype(array)})"
    places = np.flatnonzero(bits != most)
    if places.size == 0:
        return f"np.full({array.shape}, {number(value)}, dtype={dtype(array)})"
    others = array.reshape(-1)[places]
    if not (typed := typed_out(others)):
        return ""
    flat = f"np.full({array.size}, {number(value)}, dtype={dtype(array)})"
    wheres = f"np.isin(np.arange({array.size}), {places.tolist()})"
    return f"np.where({wheres}, {spread(typed, places, array.size)}, {flat}).reshape({array.shape})"


def spread(typed: str, places: Array, size: int) -> str:
    """The exceptions at their places; what stands elsewhere is not looked at."""
    return f"{typed}[np.searchsorted({places.tolist()}, np.arange({size})) % {places.size}]"


def compressed(array: Array) -> str:
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    lines = "".join(f"\n    {line!r}" for line in textwrap.wrap(text, WIDTH - 8)) or " ''"
    data = f"zlib.decompress(base64.b64decode({lines}\n))"
    return f"np.frombuffer({data}, dtype={dtype(array)}).reshape({array.shape}).copy()"


def dtype(array: Array) -> str:
    return "ml_dtypes.bfloat16" if array.dtype.name == "bfloat16" else f"np.{array.dtype.name}"


def number(value: Any) -> str:
    """The shortest text that rounds to it in its own dtype; the float64 in between is then exact enough."""
    if isinstance(value, np.integer):
        return str(int(value))
    exact = float(value)
    if not math.isfinite(exact):
        return repr(exact).replace("inf", "np.inf").replace("nan", "np.nan")
    texts = (repr(float(f"{exact:.{digits}g}")) for digits in range(1, 17))
    same = value.tobytes()
    with np.errstate(over="ignore"):
        return next((t for t in texts if np.float64(t).astype(value.dtype).tobytes() == same), repr(exact))


def nested(numbers: list[str], shape: tuple[int, ...]) -> str:
    """As lists in lists; a row that is too long for a line is wrapped."""
    if not shape:
        return numbers[0]
    if len(shape) == 1:
        return wrapped(numbers)
    size = len(numbers) // shape[0]
    rows = [nested(numbers[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]
    line = ", ".join(rows)
    if len(line) <= WIDTH - 20 and "\n" not in line:
        return f"[{line}]"
    return "[\n" + "".join(textwrap.indent(row, "    ") + ",\n" for row in rows) + "]"


def wrapped(numbers: list[str]) -> str:
    line = f"[{', '.join(numbers)}]"
    if len(line) <= WIDTH - 20:
        return line
    return "[\n" + textwrap.indent(textwrap.fill(", ".join(numbers), WIDTH - 8), "    ") + "\n]"
