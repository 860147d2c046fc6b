"""Arrays on disk until they are judged, in files that have no name: nobody else can open, truncate or delete one."""

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
"""Bytes in a file, from which on another is begun: its room is free again when the last array in it is let go."""
AT_ONCE = 2**22
"""Bytes that are written at once."""
LINE = 64
"""Bytes of which each array's place is a multiple, as in memory."""


@dataclass(eq=False)
class Part:
    """One of the files. `held`: how many arrays in it are still needed."""

    stream: IO[bytes]
    size: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        weakref.finalize(self, self.stream.close)


@dataclass
class Kept:
    """An array in a spool, until it is let go."""

    spool: Spool
    part: Part | None
    start: int
    kind: str
    shape: tuple[int, ...]

    def read(self) -> Array:
        """Mapped, and not read at once; not to be written to."""
        dtype = arrays.dtype(self.kind)
        if self.part is None:
            return np.empty(self.shape, dtype)
        with self.spool.lock:  # mapping moves the place where the file is written
            return np.memmap(self.part.stream, dtype, "r", self.start, self.shape)

    def release(self) -> None:
        """Its room may be used again."""
        self.spool.release(self)


@dataclass
class Spool:
    """In a folder whose file system has the room. Threads share it."""

    folder: Path
    _parts: list[Part] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def keep(self, array: Array) -> Kept:
        """Write it down. UsageError where there is no room."""
        kind, array = arrays.kind(array), np.asarray(array, order="C")
        if not array.nbytes:
            return Kept(self, None, 0, kind, array.shape)
        with self.lock:
            try:
                part = self._open()
                start = part.stream.seek(part.size)
                part.size += write(part.stream, array)
            except OSError as error:
                raise UsageError(f"cannot write to {str(self.folder)!r}: {error.strerror or error}") from None
            part.held += 1
        return Kept(self, part, start, kind, array.shape)

    def _open(self) -> Part:
        if not self._parts or self._parts[-1].size >= ENOUGH:
            self.folder.mkdir(parents=True, exist_ok=True)  # whoever removed it
            stream = tempfile.TemporaryFile(buffering=0, dir=self.folder)  # noqa: SIM115  # open while any is held
            self._parts.append(Part(stream))
        return self._parts[-1]

    def release(self, kept: Kept) -> None:
        with self.lock:
            if kept.part is not None and kept.part in self._parts:
                kept.part.held -= 1
                if not kept.part.held:
                    self._parts.remove(kept.part)
            kept.part = None


def write(stream: IO[bytes], array: Array) -> int:
    """All of it, and how much room that takes, in whole lines of a cache. OSError where there is none."""
    left = arrays.flat(array).data
    while left:
        left = left[stream.write(left[:AT_ONCE]) :]
    return -array.nbytes // LINE * -LINE
