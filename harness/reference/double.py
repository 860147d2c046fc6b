"""Expected values in float64, for formats that float64 has bits to spare for, where Arb would take too long.

Each value has a radius: what theory allows a float64 softmax to err by (`harness.bounds`, docs/operations.md#float64).
Where that is not under 2^-10 ulp of the format under test, or a power of two is inside, the row is left undecided, for
Arb to do. Nothing here is believed for that alone: rows are computed again by Arb, which is what `audited` is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.bounds import ASSUMED, blocked_tree, bound
from harness.formats import FORMATS, Format
from harness.reference.balls import Expected

Floats = NDArray[np.float64]
DOUBLE = FORMATS["float64"]
ROWS_ELEMENTS = 2**17
"""Rows done together: so many elements stay in a core's cache."""
ACCURACY = 2.0**-10
"""In ulp."""
BELOW_ONE = 1 - 2.0**-53


def softmax(x: Floats) -> Floats:
    """A row's largest is under 1, whatever it rounds to."""
    weights = x - x.max(axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    return np.divide(weights, weights.sum(axis=-1, keepdims=True), out=weights)


def log_softmax(x: Floats) -> Floats:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def logsumexp(x: Floats) -> Floats:
    largest = x.max(axis=-1, keepdims=True)
    return largest + np.log(np.exp(x - largest).sum(axis=-1, keepdims=True))


def product(x: Floats, vector: Floats) -> Floats:
    s = softmax(x)
    return s * (vector - (s * vector).sum(axis=-1, keepdims=True))


def jacobian(x: Floats) -> Floats:
    s = softmax(x)
    return (s[:, :, None] * (np.eye(x.shape[-1]) - s[:, None, :])).reshape(len(x), -1)


def log_softmax_vjp(x: Floats, cotangent: Floats) -> Floats:
    return cotangent - softmax(x) * cotangent.sum(axis=-1, keepdims=True)


def log_softmax_jvp(x: Floats, tangent: Floats) -> Floats:
    return tangent - (softmax(x) * tangent).sum(axis=-1, keepdims=True)


def cross_entropy(x: Floats, labels: NDArray[np.integer]) -> Floats:
    return -np.take_along_axis(log_softmax(x), labels[:, None], axis=-1)


def cross_entropy_gradient(x: Floats, labels: NDArray[np.integer]) -> Floats:
    return softmax(x) - (np.arange(x.shape[-1]) == labels[:, None])


FORMULAS: dict[str, Callable[..., Floats]] = {
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "vjp": product,
    "jvp": product,
    "jacobian": jacobian,
    "log_softmax_vjp": log_softmax_vjp,
    "log_softmax_jvp": log_softmax_jvp,
    "cross_entropy": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
}
"""Each is one that `harness.bounds` covers. Softmax itself, the one that is asked most, has a faster way below."""
OPERATIONS = ("softmax", *FORMULAS)


def in_double(
    operation: str, logits: NDArray[np.generic], beside: list[Any], form: Format
) -> tuple[Expected, NDArray[np.bool_]]:
    """Values for finite logits of (rows, n) in a narrower format, and which rows are undecided, and not to be used.

    KeyError for an operation that is not in `OPERATIONS`.
    """
    if operation == "softmax":
        return softmax_rows(logits, form)
    x = np.asarray(logits, dtype=np.float64)
    given = [b if b.dtype.kind == "i" else np.asarray(b, dtype=np.float64) for b in beside]
    values = FORMULAS[operation](x, *given)
    radius = bound(operation, x, given, DOUBLE, blocked_tree)
    hi, exponent = np.frexp(values)
    unit = np.ldexp(1.0, np.maximum(exponent - 1, form.emin) - (form.p - 1))
    inside = straddles(np.abs(values), radius, exponent)
    return exactly(hi, exponent), ((radius > ACCURACY * unit) | inside).any(axis=-1)


def exactly(hi: Floats, exponent: NDArray[np.int32]) -> Expected:
    return Expected(hi, np.broadcast_to(0.0, hi.shape), exponent)


def straddles(size: Floats, radius: Floats, exponent: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether a power of two is nearer than the radius, so that the ulp is not known."""
    return (size - radius < np.ldexp(0.5, exponent)) | (size + radius >= np.ldexp(1.0, exponent))


def softmax_rows(logits: NDArray[np.generic], form: Format) -> tuple[Expected, NDArray[np.bool_]]:
    """Softmax, some rows at a time, with one relative radius a row: that of the element farthest from the maximum."""
    shape, step = logits.shape, max(1, ROWS_ELEMENTS // logits.shape[-1])
    hi, exponent = np.empty(shape), np.empty(shape, dtype=np.int32)
    undecided = np.empty(len(logits), dtype=bool)
    for start in range(0, len(logits), step):
        here = slice(start, start + step)
        x = logits[here]
        largest = x.max(axis=-1, keepdims=True)
        weights = np.subtract(x, largest, dtype=np.float64)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        if shape[-1] > 1:
            np.minimum(weights, BELOW_ONE, out=weights)
        np.frexp(weights, out=(hi[here], exponent[here]))
        spread = np.subtract(largest, x.min(axis=-1, keepdims=True), dtype=np.float64)
        radius = relative_radius(spread, shape[-1])
        undecided[here] = near_power_of_two(hi[here], exponent[here], radius) | ~(radius < ACCURACY * form.u)[:, 0]
    return exactly(hi, exponent), undecided


def relative_radius(spread: Floats, n: int) -> Floats:
    """The softmax bound in float64, at a row's largest distance from its maximum (docs/bounds.md#softmax)."""
    step = DOUBLE.u / (1 - DOUBLE.u)
    own = spread * step + (ASSUMED.exp + 1) * step
    total = np.expm1(own + blocked_tree.height(n) * step)
    radius: Floats = np.expm1(own + (ASSUMED.division + 1) * step - np.log1p(-np.minimum(total, 1 / 8)))
    return np.where(total < 1 / 8, radius, np.inf)


def near_power_of_two(mantissa: Floats, exponent: NDArray[np.int32], radius: Floats) -> NDArray[np.bool_]:
    """Rows with an element just above a power of two, or just below one.

    Not counted are zeros, exponentials that underflowed, which are below every format's quantum and so known; and what
    is just below 1, since that is where a row's largest is known to be.
    """
    suspects = (mantissa.min(axis=-1) - 0.5 < radius[:, 0]) | (1 - mantissa.max(axis=-1) < radius[:, 0])
    if suspects.any():
        m, e, r = mantissa[suspects], exponent[suspects], radius[suspects]
        near = ((m - 0.5 < r) & (m > 0)) | ((1 - m < r) & (e != 0))
        suspects[suspects] = near.any(axis=-1)
    return suspects
