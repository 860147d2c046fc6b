"""Arguments for any operation, beside some logits: random, of the right kind, in the logits' dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.numbers import arrays
from harness.operations import CLASSES, OPERATIONS


def beside(operation: str, rows: int, n: int, dtype: str, random: np.random.Generator) -> list[Any]:
    """In the operation's order."""
    return [argument(name, rows, n, dtype, random) for name in OPERATIONS[operation].arguments[1:]]


def argument(name: str, rows: int, n: int, dtype: str, random: np.random.Generator) -> Any:
    match name:
        case "index":
            return n // 2
        case "labels":
            return random.integers(0, n, size=rows)
        case "classes":
            return random.integers(0, CLASSES, size=rows)
        case "distribution":
            cuts = np.sort(random.integers(0, 129, size=(rows, n - 1)), axis=-1)
            return (np.diff(cuts, axis=-1, prepend=0, append=128) / 128).astype(arrays.dtype(dtype))
        case "weights":
            return random.uniform(-1, 1, size=(CLASSES, n)).astype(arrays.dtype(dtype))
        case _:
            return random.uniform(-1, 1, size=(rows, n)).astype(arrays.dtype(dtype))
