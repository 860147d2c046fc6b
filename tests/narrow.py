"""Wrong answers in 16 bits that the proved bounds are too wide for, brought as a third party brings a backend.

Each is computed in float32 and rounded once, so nothing but the slip is wrong. The native is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from backends.base import METHODS, OPERATIONS
from backends.numpy import NumPy


class Narrow(NumPy):
    framework = "narrow"
    dtypes: ClassVar = ("float16", "bfloat16")


def floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind not in "iub"


def widened(value: Any) -> Any:
    return value.astype(np.float32) if floating(value) else value


def rounded_once(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(b: NumPy, *args: Any, **given: Any) -> Any:
        narrow = next(value.dtype for value in (*args, *given.values()) if floating(value))
        wide = {name: widened(value) for name, value in given.items()}
        return np.asarray(function(b, *map(widened, args), **wide)).astype(narrow)

    return method


def wrong(operation: str) -> Callable[[Callable[..., Any]], type[Narrow]]:
    def make(function: Callable[..., Any]) -> type[Narrow]:
        method = OPERATIONS[operation]
        members = {"variant": function.__name__, "operations": (operation,), method: rounded_once(function)}
        return type(function.__name__, (Narrow,), members)

    return make


def weighted(s: Any, v: Any, axis: int) -> Any:
    return (s * v).sum(axis=axis, keepdims=True)


@wrong("softmax")
def softmax_a_little_too_large(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis) * np.float32(1.08)


@wrong("softmax")
def softmax_larger_by_a_hundredth(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis) * np.float32(1.01)


@wrong("softmax")
def schraudolph(b: NumPy, logits: Any, axis: int) -> Any:
    """exp by its exponent bits alone (N. N. Schraudolph, Neural Computation 11, 1999), off by up to 4 %."""
    x = np.maximum(logits - logits.max(axis=axis, keepdims=True), -87)
    bits = (2.0**23 * (x / np.log(2) + 127) - 366_000).astype(np.int32)
    weights = np.ascontiguousarray(bits).view(np.float32)
    return weights / weights.sum(axis=axis, keepdims=True)


@wrong("jacobian")
def jacobian_too_large(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.jacobian(b, logits, axis) * np.float32(1.15)


@wrong("vjp")
def vjp_too_large(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    return NumPy.vjp(b, logits, cotangent, axis) * np.float32(1.3)


@wrong("jvp")
def jvp_with_a_plain_mean(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis) * (tangent - tangent.mean(axis=axis, keepdims=True))


@wrong("cross_entropy_hvp")
def hessian_s_diagonal_alone(b: NumPy, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    return s * (1 - s) * tangent


@wrong("hvp")
def hvp_of_zeros(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    return np.zeros_like(logits)


@wrong("hvp")
def hvp_negated(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    return -NumPy.hvp(b, logits, cotangent, tangent, axis)


@wrong("hvp")
def hvp_without_covariance(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    return s * (tangent - weighted(s, tangent, axis)) * (cotangent - weighted(s, cotangent, axis))


for _method in METHODS:
    setattr(Narrow, _method, rounded_once(getattr(NumPy, _method)))

WRONG = tuple(c for c in list(globals().values()) if isinstance(c, type) and getattr(c, "variant", ""))
BACKENDS = (Narrow, *WRONG)
