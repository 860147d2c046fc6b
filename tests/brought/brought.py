"""Kernels that a third party brings by an entry point, softmax alone: `PYTHONPATH=tests/brought`."""

from __future__ import annotations

from typing import Any

import brought_kernels
import numpy as np
from brought_kernels import softmax

from backends.numpy import NumPy


class Brought(NumPy):
    """Right, but for a sum that is added up one by one."""

    framework, operations = "brought", ("softmax",)

    def softmax(self, logits: Any, axis: int) -> Any:
        weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
        return weights / np.take(np.cumsum(weights, axis=axis), [-1], axis)


class Opaque(Brought):
    """By a function that looks at its arguments: its calls cannot be written down."""

    variant = "opaque"

    def softmax(self, logits: Any, axis: int) -> Any:
        return softmax(logits, axis)


class Helped(Brought):
    """By a function of a module, which a script can call."""

    variant = "helped"

    def softmax(self, logits: Any, axis: int) -> Any:
        return brought_kernels.softmax(logits, axis)


class Pointer(Brought):
    """By a function of addresses, row by row; right."""

    variant, dtypes = "pointer", ("float32",)

    def softmax(self, logits: Any, axis: int) -> Any:
        rows = np.ascontiguousarray(np.moveaxis(logits, axis, -1))
        size, n = rows.size, rows.shape[-1]
        answers = [brought_kernels.softmax_at(rows.ctypes.data + 4 * start, n) for start in range(0, size, n)]
        return np.moveaxis(np.stack(answers).reshape(rows.shape), -1, axis)


class Floored(Brought):
    """Nothing is less than 2^-100: exact values may have an exponent of thousands."""

    variant = "floored"

    def softmax(self, logits: Any, axis: int) -> Any:
        return np.maximum(super().softmax(logits, axis), 2.0**-100)


BACKENDS = (Brought, Opaque, Helped, Pointer, Floored)
