"""A method in the next wider format: its answer rounded once, as good kernels for 16 bits have it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from backends.base import NEXT_WIDER

NARROW = ("float16", "bfloat16")


def floating(value: Any) -> bool:
    """Whether it is an array of floats, bfloat16 too, whose kind is V."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fV"


def rounded_once(method: Callable[..., Any], dtypes: Collection[str]) -> Callable[..., Any]:
    """The method in the next wider format where its first array is of one of these dtypes, and as it is elsewhere."""

    def widened(b: Any, *args: Any, **given: Any) -> Any:
        own = next((value.dtype for value in (*args, *given.values()) if floating(value)), np.dtype(np.float64))
        if own.name not in dtypes:
            return method(b, *args, **given)
        named = {name: cast(value, own) for name, value in given.items()}
        return np.asarray(method(b, *(cast(value, own) for value in args), **named)).astype(own)

    return widened


def cast(value: Any, own: Any) -> Any:
    return value.astype(NEXT_WIDER[own.name]) if floating(value) else value
