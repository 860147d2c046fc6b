"""A method in the next wider format, with its answer rounded once, as in good kernels for 16 bits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from backends.base import NEXT_WIDER

NARROW = ("float16", "bfloat16")


def floating(value: Any) -> bool:
    """Decide whether a value is an array of floats, including bfloat16, whose kind is V."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fV"


def rounded_once(method: Callable[..., Any], dtypes: Collection[str]) -> Callable[..., Any]:
    """Return the method in the next wider format if its first array has one of these dtypes; otherwise as it is."""

    def widened(b: Any, *args: Any, **given: Any) -> Any:
        own = next((value.dtype for value in (*args, *given.values()) if floating(value)), np.dtype(np.float64))
        if own.name not in dtypes:
            return method(b, *args, **given)
        named = {name: cast(value, own) for name, value in given.items()}
        return np.asarray(method(b, *(cast(value, own) for value in args), **named)).astype(own)

    return widened


def cast(value: Any, own: Any) -> Any:
    return value.astype(NEXT_WIDER[own.name]) if floating(value) else value
