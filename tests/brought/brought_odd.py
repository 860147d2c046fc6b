"""Kernels whose answers are of every dtype, rank and kind that a method may give: `PYTHONPATH=tests/brought`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from backends.numpy import NumPy

DTYPES = {
    "int8": np.int8, "uint64": np.uint64, "bools": np.bool_, "complex64": np.complex64, "complex128": np.complex128,
    "float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "longdouble": np.longdouble, "objects": object,
    "words": str, "bytes_": bytes, "dates": "datetime64[s]", "spans": "timedelta64[s]", "tiny": ml_dtypes.float8_e4m3fn,
    "int4": ml_dtypes.int4, "pairs": [("a", "f4"), ("b", "i4")], "void": "V8", "swapped": ">f4",
}  # fmt: skip
FORMS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda s: None,
    "number": lambda s: 0.5,
    "boolean": lambda s: True,
    "imaginary": lambda s: 1j,
    "large": lambda s: 10**400,
    "word": lambda s: "softmax",
    "lists": lambda s: s.tolist(),
    "ragged": lambda s: [[1.0], [1.0, 2.0]],
    "tuple": lambda s: (s, s),
    "dictionary": lambda s: {"s": s},
    "generator": lambda s: (row for row in s),
    "point": lambda s: np.float32(0.5),
    "zero_d": lambda s: np.array(0.5, s.dtype),
    "flat": lambda s: s.reshape(-1),
    "deeper": lambda s: s[None],
    "turned": lambda s: s.T,
    "longer": lambda s: np.concatenate([s, s]),
    "empty": lambda s: s[:0],
    "frozen": lambda s: np.broadcast_to(s, s.shape),
    "masked": lambda s: np.ma.masked_array(s, np.zeros(s.shape, bool)),
    "matrix": lambda s: np.matrix(s) if s.ndim == 2 else s,
    "records": np.rec.array,
    "itself": lambda s: type("Itself", (), {"__array__": lambda self, *how, **other: self})(),
    "raising": lambda s: type("Raising", (), {"__array__": lambda self, *how, **other: 1 / 0})(),
    "payload": lambda s: np.full(s.shape, 0xFFF8000000000001, "u8").view("f8"),
}


def cast(dtype: Any) -> Callable[[Any], Any]:
    """To that dtype, whatever comes of the numbers; of the type's zeros where there is no way."""

    def made(s: Any) -> Any:
        with np.errstate(all="ignore"):
            try:
                return s.astype(dtype)
            except (TypeError, ValueError):
                return np.zeros(s.shape, dtype)

    return made


class Odd(NumPy):
    """Right."""

    framework, operations = "brought_odd", ("softmax", "logsumexp")


def variant(name: str, given: Callable[[Any], Any]) -> type[NumPy]:
    """Every answer of both operations as that makes it."""

    def softmax(b: NumPy, logits: Any, axis: int) -> Any:
        return given(NumPy.softmax(b, logits, axis))

    def logsumexp(b: NumPy, logits: Any, axis: int) -> Any:
        return given(np.asarray(NumPy.logsumexp(b, logits, axis)))

    return type(name, (Odd,), {"variant": name, "softmax": softmax, "logsumexp": logsumexp})


GIVEN = {**{name: cast(dtype) for name, dtype in DTYPES.items()}, **FORMS}
BACKENDS = (Odd, *(variant(name, given) for name, given in GIVEN.items()))
