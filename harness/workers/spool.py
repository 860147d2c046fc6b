"""Arrays on disk until they are judged, in files without a name, which nobody else can open, truncate or delete."""

from __future__ import annotations

import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np

from harness.errors import UsageError
from harness.numbers import arrays
from harness.numbers.arrays import Array

ENOUGH = 2**26
"""Bytes in a file from which on a new file is begun. A file's space is freed when its last array is released."""
AT_ONCE = 2**22
"""Bytes that one call writes at most."""
LINE = 64
"""Alignment of arrays in a file, in bytes: a cache line."""


@dataclass(eq=False)
class Part:
    """One file of a spool: its size in bytes, and how many of its arrays are still held."""

    stream: IO[bytes]
    size: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        weakref.finalize(self, self.stream.close)


@dataclass
class SpooledArray:
    """An array in a spool, until it is released."""

    spool: Spool
    part: Part | None
    start: int
    kind: str
    shape: tuple[int, ...]

    def read(self) -> Array:
        """Return the array, mapped read-only instead of read into memory."""
        dtype = arrays.dtype(self.kind)
        if self.part is None:
            return np.empty(self.shape, dtype)
        with self.spool.lock:  # mapping moves the file's write position
            return np.memmap(self.part.stream, dtype, "r", self.start, self.shape)

    def release(self) -> None:
        """Give the array up. Its file is dropped once all arrays in it are released."""
        self.spool.release(self)


@dataclass
class Spool:
    """A store of arrays in unnamed files, on the file system of `folder`. Threads may share it."""

    folder: Path
    _parts: list[Part] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def keep(self, array: Array) -> SpooledArray:
        """Write an array to disk. Raise UsageError if it cannot be written, as on a full disk."""
        kind, array = arrays.kind(array), np.asarray(array, order="C")
        if not array.nbytes:
            return SpooledArray(self, None, 0, kind, array.shape)
        with self.lock:
            try:
                part = self._open()
                start = part.stream.seek(part.size)
                part.size += write(part.stream, array)
            except OSError as error:
                raise UsageError(f"cannot write to {str(self.folder)!r}: {error.strerror or error}") from None
            part.held += 1
        return SpooledArray(self, part, start, kind, array.shape)

    def _open(self) -> Part:
        if not self._parts or self._parts[-1].size >= ENOUGH:
            self.folder.mkdir(parents=True, exist_ok=True)  # in case someone removed it
            stream = tempfile.TemporaryFile(buffering=0, dir=self.folder)  # noqa: SIM115  # open while arrays are held
            self._parts.append(Part(stream))
        return self._parts[-1]

    def release(self, kept: SpooledArray) -> None:
        with self.lock:
            if kept.part is not None and kept.part in self._parts:
                kept.part.held -= 1
                if not kept.part.held:
                    self._parts.remove(kept.part)
            kept.part = None


def write(stream: IO[bytes], array: Array) -> int:
    """Write all of an array. Return the bytes that it takes, rounded up to a multiple of `LINE`. May raise OSError."""
    left = arrays.bytes_of(array).data
    while left:
        left = left[stream.write(left[:AT_ONCE]) :]
    return -array.nbytes // LINE * -LINE
