"""The messages between the engine and a worker: plain types, followed by the bytes of their arrays.

No file is used that a backend could write to, truncate or delete, so nothing that a backend does to the file system
harms another one. An array's SHA-256 shows that it arrived as it was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers import arrays
from harness.numbers.arrays import Array, Hashed

CHUNK = 2**22
"""Bytes that are sent at once. Sending an array takes that much memory beside the array."""
HEAD = "array of"


def send(channel: Any, message: Mapping[str, Any]) -> None:
    """Send a message, then its arrays in the order in which they stand in it."""
    behind: list[Array] = []
    channel.send(packed(message, behind))
    for array in behind:
        for chunk in chunks(array):
            channel.send(chunk)


def packed(value: Any, behind: list[Array]) -> Any:
    """Return the value as plain types, each array replaced by a description. The arrays are appended to `behind`."""
    if isinstance(value, Mapping):
        return {name: packed(own, behind) for name, own in value.items()}
    if isinstance(value, np.ndarray):
        return packed(Hashed(value, arrays.sha256(value)), behind)
    if not isinstance(value, Hashed):
        return value
    behind.append(np.asarray(value.array, order="C"))
    array = value.array
    return {HEAD: arrays.kind(array), "shape": list(array.shape), "bytes": array.nbytes, "sha256": value.sha256}


def chunks(array: Array) -> Iterator[bytes]:
    """Yield the bytes of an array, which must be in C order, `CHUNK` at a time."""
    flat = arrays.bytes_of(array)
    for start in range(0, flat.size, CHUNK):
        yield flat[start : start + CHUNK].tobytes()


def unpacked(value: Any, following: Callable[[], bytes]) -> Any:
    """Return the value that was packed, with each array as `Received`. `following` returns the next chunk."""
    if not isinstance(value, dict):
        return value
    if HEAD in value:
        return Received(value[HEAD], tuple(value["shape"]), value["sha256"], gathered(value["bytes"], following))
    return {name: unpacked(own, following) for name, own in value.items()}


def gathered(size: int, following: Callable[[], bytes]) -> NDArray[np.uint8]:
    """Return the next `size` bytes, which arrive in chunks."""
    flat = np.empty(size, np.uint8)
    for start in range(0, size, CHUNK):
        flat[start : start + CHUNK] = np.frombuffer(following(), np.uint8)
    return flat


@dataclass(frozen=True)
class Received:
    """An array as it arrived, with the hash that came with it; not checked yet."""

    kind: str
    shape: tuple[int, ...]
    sha256: str
    flat: NDArray[np.uint8]

    def array(self) -> Array:
        """Return the array. Raise ValueError if its hash is not the one that came with it."""
        array: Array = self.flat.view(arrays.dtype(self.kind)).reshape(self.shape)
        if arrays.sha256(array) != self.sha256:
            raise ValueError("an array's bytes changed on their way into this process")
        return array
