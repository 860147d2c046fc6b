"""Backends that are right by construction: the exact value rounded once, and NumPy's formulas in a wider format.

`right:exact` is the reference itself, rounded. An objection to it can only be a fault of the judge's own, so it is a
self-test and counts nowhere. `right:wide` computes in the next wider format and rounds once: float32 for 16 bits,
float64 for float32.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from math import prod
from typing import Any, ClassVar

import numpy as np

from backends.base import METHODS
from backends.base import OPERATIONS as METHOD_OF
from backends.numpy import NumPy
from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, Operation, answer_shape, lengths
from harness.power.narrow import rounded_once
from harness.truth.exact.balls import Expected
from harness.truth.exact.expected import expected


class Right(NumPy):
    """The native that the others derive from: NumPy's own formulas."""

    framework = "right"
    layouts: ClassVar[tuple[str, ...]] = ()


def nearest(values: Expected, dtype: str) -> Any:
    """Return the exact values rounded once, ties to even, including subnormal results."""
    form = FORMATS[dtype]
    sign, high = np.sign(values.hi), np.abs(values.hi)
    quantum = np.maximum(values.exponent - form.p, form.emin - form.p + 1)
    scale = np.maximum(values.exponent - quantum, -1100)
    scaled, low = np.ldexp(high, scale), np.ldexp(values.lo * sign, scale)
    whole = np.floor(scaled)
    beyond = (scaled - whole - 0.5) + low  # a sum of two floats has the right sign
    up = (beyond > 0) | ((beyond == 0) & (whole % 2 == 1))
    return (sign * np.ldexp(whole + up, quantum)).astype(arrays.dtype(dtype))


def by_rows(name: str, value: Any, axis: int) -> Any:
    """Return an argument as (rows, …), as the reference takes it."""
    if isinstance(value, int) or name == "weights":
        return value
    return value.reshape(-1) if value.dtype.kind == "i" else np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])


def in_shape(operation: Operation, rows: Any, shape: tuple[int, ...], axis: int, classes: int) -> Any:
    """Return answers given row by row in the shape of the backend's interface."""
    if not operation.in_place:
        return rows.reshape(answer_shape(operation, shape, axis, classes))
    moved = np.moveaxis(np.empty(shape, bool), axis, -1).shape
    return np.moveaxis(rows.reshape(moved), -1, axis)


def question(method: str, reduction: str) -> Operation:
    """Return the operation that a call of a method stands for."""
    asked = [OPERATIONS[name] for name, own in METHOD_OF.items() if own == method]
    return next(operation for operation in asked if operation.reduction == reduction or not operation.reduction)


class Exact(Right):
    """The exact value, rounded once; NaN for a row that is not finite, whose value is a matter of policy."""

    variant = "exact"
    dtypes = ("float64", "float32", "float16", "bfloat16")  # type: ignore[assignment]

    def answer(self, method: str, axis: int, reduction: str = "", **arguments: Any) -> Any:
        operation = question(method, reduction)
        given = [by_rows(name, arguments[name], axis) for name in operation.arguments]
        logits = arguments[operation.arguments[0]]
        n, classes = logits.shape[axis], len(arguments.get("weights", ()))
        strange = ~np.isfinite(given[0]).all(axis=-1)
        given[0] = np.where(strange[:, None], np.zeros_like(given[0]), given[0])
        exact = expected(operation.name, given[0], given[1:])
        rows = nearest(exact, logits.dtype.name).reshape(-1, prod(lengths(operation, n, classes)))
        rows[strange if len(rows) == len(strange) else slice(0, len(rows) * bool(strange.any()))] = np.nan
        return in_shape(operation, rows, logits.shape, axis, classes)


class Wide(Right):
    """NumPy's formulas in the next wider format: the range costs nothing there, and one rounding is left."""

    variant = "wide"
    dtypes = ("float32", "float16", "bfloat16")


def as_method(method: str) -> Callable[..., Any]:
    """Return a method of that name that passes its arguments on to `answer`."""
    names = list(signature(getattr(NumPy, method)).parameters)[1:]

    def asked(self: Any, *args: Any, **arguments: Any) -> Any:
        return self.answer(method, **dict(zip(names, args, strict=False)), **arguments)

    return asked


for _method in METHODS:
    setattr(Exact, _method, as_method(_method))
    setattr(Wide, _method, rounded_once(getattr(NumPy, _method), Wide.dtypes))
