"""Arrays as bytes and as `.npy` files, bfloat16 too: NumPy's format has no name for it, so its bits go as integers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_parsing = Lock()
"""NumPy parses a file's header by `ast`, which CPython 3.11.7 cannot do in two threads (python/cpython#106905)."""


def dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that name. bfloat16 is looked for only when asked for: a worker's interpreter may lack it."""
    if name == "bfloat16":
        import ml_dtypes

        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype(name)


def in_the_wider(a: Array, b: Array) -> tuple[Array, Array]:
    """Both in the dtype that holds the numbers of either, which is float32 for float16 and bfloat16."""
    narrow = {a.dtype.name, b.dtype.name} == {"float16", "bfloat16"}
    wider = np.dtype(np.float32) if narrow else np.promote_types(a.dtype, b.dtype)
    return a.astype(wider, copy=False), b.astype(wider, copy=False)


def kind(array: Array) -> str:
    """Of which dtype it is, in words that `dtype` takes: with its byte order."""
    return "bfloat16" if array.dtype.name == "bfloat16" else array.dtype.str


def flat(array: Array) -> NDArray[np.uint8]:
    """The bytes of an array in C order, as a view."""
    return array.reshape(-1).view(np.uint8)


def save(file: str | PathLike[str], array: Array) -> str:
    """Write it; the name of its dtype, which reading it takes."""
    name, array = array.dtype.name, np.asarray(array, order="C")  # whatever the layout that it was made in
    np.save(file, array.view(np.uint16) if name == "bfloat16" else array, allow_pickle=False)
    return name


def load(file: str | PathLike[str], name: str, mapped: bool = False) -> Array:
    """Read it as the dtype of that name, mapped or at once; by one thread at a time."""
    with _parsing:
        stored: Array = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
    return stored.view(dtype(name)) if name == "bfloat16" else stored


@dataclass(frozen=True)
class File:
    """An array in a file of its own."""

    place: str
    dtype: str

    def read(self) -> Array:
        """Mapped, and not read at once."""
        return load(self.place, self.dtype, mapped=True)


@dataclass(frozen=True)
class Hashed:
    """An array whose hash is known."""

    array: Array
    sha256: str


def sha256(array: Array) -> str:
    """Of dtype, shape and bytes in C order: two arrays with one hash are one input."""
    head = f"{array.dtype.name}{array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()
