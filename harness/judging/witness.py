"""The witness: the worst element of a cell with every number in hexadecimal, so that it can be reproduced exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import sha256
from harness.truth import Expected

WHOLE_ROW_N = 64
"""The longest row that a witness shows in full."""


def witness(row: Mapping[str, Any], element: int, actual: NDArray[np.generic], expected: Expected) -> str:
    """Return one row's arguments as JSON, with the actual and the exact value of one element of its answer.

    The row's own numbers come first. Up to n = 64 the whole row is shown; beyond, the element's own entries, the row's
    largest number and its SHA-256.
    """
    own, *_ = row
    n = len(row[own])
    shown: dict[str, Any] = {"element": element}
    for name, value in row.items():
        if isinstance(value, int):
            shown[name] = value
        elif n <= WHOLE_ROW_N:
            shown[name] = (
                [hexadecimal(v) for v in value] if value.ndim == 1 else [[*map(hexadecimal, w)] for w in value]
            )
        elif value.ndim == 1:
            shown[name] = hexadecimal(value[element % n])
        else:
            shown[f"SHA-256 of {name}"] = sha256(value)
    if n > WHOLE_ROW_N:
        shown |= {f"largest of {own}": hexadecimal(row[own].max()), f"SHA-256 of {own}": sha256(row[own])}
    shown |= {"actual": hexadecimal(actual[element]), "expected": exact_hexadecimal(expected, element)}
    return json.dumps(shown)


def hexadecimal(value: Any) -> str:
    return float(value).hex()


def exact_hexadecimal(row: Expected, element: int) -> str:
    """Return the first 106 bits of an exact value as `0x0.…p…`, for any exponent."""
    high, low, exponent = int(row.hi[element] * 2.0**53), int(row.lo[element] * 2.0**106), int(row.exponent[element])
    bits = abs((high << 53) + low)
    return f"{'-' if high < 0 else ''}0x0.{bits << 2:027x}p{exponent:+d}" if bits else "0x0p+0"
