"""Backends that are right by construction: nothing may be flagged about them, on any suite.

`right:exact` rounds the exact value once, so it is A+ wherever there is an exact value. `right:wide` computes in the
next wider format and rounds once. `right:compensated` loses nothing in the shift and in the sum. `right:sequential`
adds in one chain, as C code does: right, and C where rows are long.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from math import prod
from typing import Any, ClassVar

import numpy as np

from backends.base import METHODS, NEXT_WIDER
from backends.base import OPERATIONS as METHOD_OF
from backends.numpy import NumPy
from harness import arrays
from harness.formats import FORMATS
from harness.operations import OPERATIONS, Operation, answer_shape, lengths
from harness.reference.balls import Expected
from harness.reference.exact import expected
from harness.sums import Floats, exact_sum, two_sum

PRODUCTS = ("softmax", "log_softmax", "logsumexp", "vjp", "jvp")


class Right(NumPy):
    """The native that the others derive from: NumPy's own formulas."""

    framework = "right"
    layouts: ClassVar[tuple[str, ...]] = ()


def nearest(values: Expected, dtype: str) -> Any:
    """The exact values rounded once, ties to even, subnormal results too."""
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
    """An argument as (rows, …), as the reference takes it."""
    if isinstance(value, int) or name == "weights":
        return value
    return value.reshape(-1) if value.dtype.kind == "i" else np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])


def in_shape(operation: Operation, rows: Any, shape: tuple[int, ...], axis: int, classes: int) -> Any:
    """Answers row by row as the backend's interface has them."""
    if not operation.in_place:
        return rows.reshape(answer_shape(operation, shape, axis, classes))
    moved = np.moveaxis(np.empty(shape, bool), axis, -1).shape
    return np.moveaxis(rows.reshape(moved), -1, axis)


def question(method: str, reduction: str) -> Operation:
    """The operation that a method's call stands for."""
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
    """The next wider format inside: the range costs nothing there, and one rounding is left."""

    variant = "wide"
    dtypes = ("float32", "float16", "bfloat16")

    def answer(self, method: str, **arguments: Any) -> Any:
        narrow = next(value.dtype for value in arguments.values() if floating(value))
        wide = NEXT_WIDER[narrow.name]
        cast = {name: value.astype(wide) if floating(value) else value for name, value in arguments.items()}
        return np.asarray(getattr(NumPy, method)(Right(), **cast)).astype(narrow)


def floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind not in "iub"


class Compensated(Right):
    """The shift's rounding is kept and multiplied back in; the sum is exact to twice the working precision."""

    variant, operations = "compensated", PRODUCTS
    dtypes = ("float64", "float32")  # type: ignore[assignment]

    def weights(self, logits: Any) -> tuple[Any, Any, Any, Any]:
        """Of rows: maximum, shifted logits, what the shift lost, and exponentials that have it."""
        largest = logits.max(axis=-1, keepdims=True)
        shifted, lost = two_sum(logits, -largest)
        weights = np.exp(shifted)
        return largest, shifted, lost, weights + weights * lost

    def softmax(self, logits: Any, axis: int) -> Any:
        weights = self.weights(np.moveaxis(logits, axis, -1))[-1]
        return np.moveaxis(weights / compensated(weights), -1, axis)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        _, shifted, lost, weights = self.weights(np.moveaxis(logits, axis, -1))
        return np.moveaxis(shifted + (lost - np.log(compensated(weights))), -1, axis)

    def logsumexp(self, logits: Any, axis: int) -> Any:
        largest, _, _, weights = self.weights(np.moveaxis(logits, axis, -1))
        return (largest + np.log(compensated(weights)))[..., 0]

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        s, v = np.moveaxis(self.softmax(logits, axis), axis, -1), np.moveaxis(cotangent, axis, -1)
        return np.moveaxis(s * (v - compensated(s * v)), -1, axis)


def compensated(terms: Floats) -> Any:
    return exact_sum(terms)[..., None].astype(terms.dtype)


class Sequential(Right):
    """One chain of additions in the format itself."""

    variant, operations = "sequential", ("softmax",)
    dtypes = ("float64", "float32")  # type: ignore[assignment]

    def softmax(self, logits: Any, axis: int) -> Any:
        weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
        return weights / np.take(weights.cumsum(axis=axis), [-1], axis=axis)


def as_method(method: str) -> Callable[..., Any]:
    """A method of that name that passes everything on to `answer`."""
    names = list(signature(getattr(NumPy, method)).parameters)[1:]

    def asked(self: Any, *args: Any, **arguments: Any) -> Any:
        return self.answer(method, **dict(zip(names, args, strict=False)), **arguments)

    return asked


for _method in METHODS:
    for _class in (Exact, Wide):
        setattr(_class, _method, as_method(_method))

BACKENDS: tuple[type[Right], ...] = (Right, Exact, Wide, Compensated, Sequential)
CLAIMS = BACKENDS[1:]
