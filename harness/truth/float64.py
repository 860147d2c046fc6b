"""Expected values in float64, for narrower formats, where Arb would take too long.

Each value has a radius: the error that theory allows a float64 implementation (`harness.truth.bounds`,
docs/operations.md#float64). A row is left undecided, for Arb to compute, where a radius is not under 2^-10 ulp or a
power of two lies within it. The ulp is that of a format with the precision of the one under test but no smallest
number, so relative errors are as well known as ULP errors, below the format's numbers too. Theory alone is not
believed: Arb computes some rows again (`harness.truth.audit.audited`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import FORMATS, Format
from harness.truth.bounds import ASSUMED, blocked_tree, bound
from harness.truth.exact.balls import LOWEST_EXPONENT, Expected

DOUBLE = FORMATS["float64"]
ROWS_ELEMENTS = 2**17
"""How many elements are computed together: so many stay in a core's cache."""
ACCURACY = 2.0**-10
"""The largest radius of a decided value, in ulp of a format without a smallest number."""
BELOW_ONE = 1 - 2.0**-53
FAR, LN_2 = 600.0, 0.6931471805599453
"""The distance from the maximum beyond which exponentials may leave float64's normal numbers, by themselves or divided
by the sum; and ln 2."""


class Doubles(NamedTuple):
    """Values, a mask of the rows that are undecided and not to be used, and the radius of each value."""

    values: Expected
    undecided: NDArray[np.bool_]
    radius: Floats
    """The largest relative error of each value, shape (rows, answers), or (rows, 1) where a row has one."""


def softmax(x: Floats) -> Floats:
    """Return the softmax of each row, shape (rows, n)."""
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
"""The formulas by operation, each one that `harness.truth.bounds` covers. Softmax itself, which is asked most, is
computed faster by `softmax_rows`."""
IN_FLOAT64 = ("softmax", *FORMULAS)


def in_double(operation: str, logits: NDArray[np.generic], beside: list[Any], form: Format) -> Doubles:
    """Return values for finite logits of shape (rows, n) in a narrower format, in any memory layout.

    `form`: the format under test. Raise KeyError for an operation that is not in `OPERATIONS`.
    """
    if operation == "softmax":
        return softmax_rows(logits, form)
    x = contiguous(logits)
    given = [b if b.dtype.kind == "i" else contiguous(b) for b in beside]
    values = FORMULAS[operation](x, *given)
    radius = bound(operation, x, given, DOUBLE, blocked_tree)
    hi, exponent = np.frexp(values)
    inside = straddles(np.abs(values), radius, exponent)
    with np.errstate(all="ignore"):  # a value of 0 divides by 0, but `straddles` has left it undecided
        scaled = np.ldexp(radius, -exponent)
        relative = scaled / np.abs(hi)
    undecided = np.asarray((~(scaled <= ACCURACY * form.u) | inside).any(axis=-1))
    return Doubles(exactly(hi, exponent), undecided, relative)


def contiguous(rows: NDArray[np.generic]) -> Floats:
    """Return the rows as float64, each in one piece: only along such rows does NumPy add pairwise."""
    return np.ascontiguousarray(rows, dtype=np.float64)


def exactly(hi: Floats, exponent: NDArray[np.int32]) -> Expected:
    return Expected(hi, np.broadcast_to(0.0, hi.shape), exponent)


def straddles(size: Floats, radius: Floats, exponent: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Decide for each value whether a power of two is nearer than its radius, so that its ulp is not known."""
    return (size - radius < np.ldexp(0.5, exponent)) | (size + radius >= np.ldexp(1.0, exponent))


def softmax_rows(logits: NDArray[np.generic], form: Format) -> Doubles:
    """Return the softmax of each row, computed some rows at a time.

    Each row has one relative radius, that of its element farthest from the maximum.
    """
    shape, step = logits.shape, max(1, ROWS_ELEMENTS // logits.shape[-1])
    hi, exponent = np.empty(shape), np.empty(shape, dtype=np.int32)
    radius, undecided = np.empty((len(logits), 1)), np.empty(len(logits), dtype=bool)
    buffer = np.empty((min(step, len(logits)), shape[-1]))  # its rows are in one piece, whatever the logits' layout
    for start in range(0, len(logits), step):
        here = slice(start, start + step)
        x = logits[here]
        largest = x.max(axis=-1, keepdims=True)
        spread = np.subtract(largest, x.min(axis=-1, keepdims=True), dtype=np.float64)
        radius[here] = relative_radius(spread, shape[-1])
        weights = np.subtract(x, largest, out=buffer[: len(x)], dtype=np.float64)
        np.exp(weights, out=weights)
        total = weights.sum(axis=-1, keepdims=True)
        weights /= total
        if shape[-1] > 1:
            np.minimum(weights, BELOW_ONE, out=weights)
        np.frexp(weights, out=(hi[here], exponent[here]))
        known = radius[here] < ACCURACY * form.u
        if (below := known & (spread > FAR)).any():
            gap = np.subtract(x, largest, dtype=np.float64)
            far = below & (gap < -FAR)
            hi[here][far], exponent[here][far] = far_below(gap[far], np.broadcast_to(total, gap.shape)[far])
        undecided[here] = near_power_of_two(hi[here], exponent[here], radius[here]) | ~known[:, 0]
    return Doubles(exactly(hi, exponent), undecided, radius)


def far_below(gap: Floats, total: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Return exp(gap)/total, as mantissa and exponent, where float64 has no such number.

    It is exp(gap − k·ln 2)/total, with k added to the exponent.
    """
    turns = np.rint(gap / LN_2)
    hi, exponent = np.frexp(np.exp(gap - turns * LN_2) / total)
    return hi, np.maximum(exponent + turns, LOWEST_EXPONENT).astype(np.int32)


def relative_radius(spread: Floats, n: int) -> Floats:
    """Return the relative bound of softmax in float64 at a row's largest distance from its maximum.

    The proof is in docs/bounds.md#softmax.
    """
    step = DOUBLE.u / (1 - DOUBLE.u)
    gap = np.minimum(spread, 1 / DOUBLE.u) * np.where(spread > FAR, 3, 1)  # taking k·ln 2 away may cost twice as much
    own = gap * step + (ASSUMED.exp + 1) * step
    total = np.expm1(own + blocked_tree.height(n) * step)
    radius: Floats = np.expm1(own + (ASSUMED.division + 1) * step - np.log1p(-np.minimum(total, 1 / 8)))
    return np.where(total < 1 / 8, radius, np.inf)


def near_power_of_two(mantissa: Floats, exponent: NDArray[np.int32], radius: Floats) -> NDArray[np.bool_]:
    """Return a mask of the rows with an element whose radius reaches a power of two, on either side.

    An element just below 1 does not count, since a row's largest is known to lie below 1.
    """
    suspects = (mantissa.min(axis=-1) - 0.5 < radius[:, 0]) | (1 - mantissa.max(axis=-1) < radius[:, 0])
    if suspects.any():
        m, e, r = mantissa[suspects], exponent[suspects], radius[suspects]
        near = (m - 0.5 < r) | ((1 - m < r) & (e != 0))
        suspects[suspects] = near.any(axis=-1)
    return suspects
