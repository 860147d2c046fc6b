"""How questions and answers travel between us and a worker: plain types, and behind them the bytes of their arrays.

There is no file on the way that a backend could write to, truncate or delete: what it does to the file system is no
other backend's loss. An array is seen to be what was sent by its SHA-256.
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
"""Bytes that are sent at once: what an array takes on its way, beside itself."""
HEAD = "array of"


def send(channel: Any, message: Mapping[str, Any]) -> None:
    """A message, and then its arrays in the order in which they stand there."""
    behind: list[Array] = []
    channel.send(packed(message, behind))
    for array in behind:
        for chunk in chunks(array):
            channel.send(chunk)


def packed(value: Any, behind: list[Array]) -> Any:
    """Plain types, with a head for each array, which is put with those that are sent behind."""
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
    """Its bytes, some at a time. `array`: in C order."""
    flat = arrays.flat(array)
    for start in range(0, flat.size, CHUNK):
        yield flat[start : start + CHUNK].tobytes()


def unpacked(value: Any, following: Callable[[], bytes]) -> Any:
    """What was packed, with all that is sent behind it, each array as `Received`. `following`: the next chunk."""
    if not isinstance(value, dict):
        return value
    if HEAD in value:
        return Received(value[HEAD], tuple(value["shape"]), value["sha256"], gathered(value["bytes"], following))
    return {name: unpacked(own, following) for name, own in value.items()}


def gathered(size: int, following: Callable[[], bytes]) -> NDArray[np.uint8]:
    """So many bytes."""
    flat = np.empty(size, np.uint8)
    for start in range(0, size, CHUNK):
        flat[start : start + CHUNK] = np.frombuffer(following(), np.uint8)
    return flat


@dataclass(frozen=True)
class Received:
    """An array as it came."""

    kind: str
    shape: tuple[int, ...]
    sha256: str
    flat: NDArray[np.uint8]

    def array(self) -> Array:
        """ValueError if its bytes are not those whose hash came with them."""
        array: Array = self.flat.view(arrays.dtype(self.kind)).reshape(self.shape)
        if arrays.sha256(array) != self.sha256:
            raise ValueError("an array's bytes changed on their way into this process")
        return array
