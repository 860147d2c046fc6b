"""Arrays as bytes and as `.npy` files. NumPy has no names for formats of ml_dtypes, which are stored as integers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.formats import BROUGHT

Array = NDArray[Any]
Floats = NDArray[np.float64]
_parsing = Lock()
"""Held while a file is read: NumPy parses its header by `ast`, which CPython 3.11.7 cannot do in two threads
(python/cpython#106905)."""


def dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype of that name. ml_dtypes is imported only for its own: a worker process may lack it."""
    if name in BROUGHT:
        import ml_dtypes

        brought: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return brought
    return np.dtype(name)


def in_the_wider(a: Array, b: Array) -> tuple[Array, Array]:
    """Return both arrays in the narrowest dtype that holds the numbers of both: float32 for float16 and bfloat16."""
    narrow = {a.dtype.name, b.dtype.name} == {"float16", "bfloat16"}
    wider = np.dtype(np.float32) if narrow else np.promote_types(a.dtype, b.dtype)
    return a.astype(wider, copy=False), b.astype(wider, copy=False)


def kind(array: Array) -> str:
    """Return the name of the array's dtype with its byte order, as `dtype` takes it."""
    return array.dtype.name if array.dtype.name in BROUGHT else array.dtype.str


def bytes_of(array: Array) -> NDArray[np.uint8]:
    """Return the bytes of an array in C order; a view if the array is contiguous."""
    return array.reshape(-1).view(np.uint8)


def save(file: str | PathLike[str], array: Array) -> str:
    """Write an array as a `.npy` file, and return the name of its dtype, which `load` needs."""
    name, array = array.dtype.name, np.asarray(array, order="C")  # the file must not depend on the memory layout
    np.save(file, array.view(f"u{array.itemsize}") if name in BROUGHT else array, allow_pickle=False)
    return name


def load(file: str | PathLike[str], name: str, mapped: bool = False) -> Array:
    """Read a `.npy` file as the dtype of that name, memory-mapped or at once. One thread reads at a time."""
    with _parsing:
        stored: Array = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
    return stored.view(dtype(name)) if name in BROUGHT else stored


@dataclass(frozen=True)
class File:
    """An array in a file of its own."""

    place: str
    dtype: str

    def read(self) -> Array:
        """Return the array, memory-mapped."""
        return load(self.place, self.dtype, mapped=True)


@dataclass(frozen=True)
class Hashed:
    """An array with its SHA-256."""

    array: Array
    sha256: str


def sha256(array: Array) -> str:
    """Return the SHA-256 of an array's dtype, shape and bytes in C order."""
    head = f"{array.dtype.name}{array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()
