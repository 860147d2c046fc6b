"""The worst element of a cell, exactly: every number in hex, so that it can be typed in again elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.arrays import sha256
from harness.reference import Expected

WHOLE_ROW_N = 64


def witness(row: Mapping[str, Any], element: int, actual: NDArray[np.generic], expected: Expected) -> str:
    """JSON of one row's arguments (`logits` first), with actual and expected at one element of its answer.

    The whole row up to n = 64; beyond, the element's own logit, the row's largest, and the row's hash.
    """
    logits = row["logits"]
    n = len(logits)
    shown: dict[str, Any] = {"element": element}
    for name, value in row.items():
        if isinstance(value, int):
            shown[name] = value
        elif n <= WHOLE_ROW_N:
            shown[name] = [hexadecimal(v) for v in value]
        else:
            shown[name] = hexadecimal(value[element % n])
    if n > WHOLE_ROW_N:
        shown |= {"largest logit": hexadecimal(logits.max()), "SHA-256 of logits": sha256(logits)}
    shown |= {"actual": hexadecimal(actual[element]), "expected": exact_hexadecimal(expected, element)}
    return json.dumps(shown)


def hexadecimal(value: Any) -> str:
    return float(value).hex()


def exact_hexadecimal(row: Expected, element: int) -> str:
    """The first 106 bits of an exact value, whatever its exponent: 0x0.…p…"""
    high, low, exponent = int(row.hi[element] * 2.0**53), int(row.lo[element] * 2.0**106), int(row.exponent[element])
    bits = abs(high) << 53 | abs(low)
    return f"{'-' if high < 0 else ''}0x0.{bits << 2:027x}p{exponent:+d}" if bits else "0x0p+0"
