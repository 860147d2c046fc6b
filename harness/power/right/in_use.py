"""Right ways to compute softmax that are in use, each in the format that it is asked in.

All except `compensated` have one structure: a row's maximum, the sum of exponentials, and what is computed from the
two. They differ in how the sum is computed: in one chain, by Kahan's method, in pairs, online in a single pass, in
blocks that are merged, by powers of two, or in the logarithm.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from harness.numbers.arrays import Floats
from harness.numbers.sums import exact_sum, two_sum
from harness.power.narrow import NARROW, rounded_once
from harness.power.right.rounded import Right

PRODUCTS = ("softmax", "log_softmax", "logsumexp", "vjp", "jvp")
BLOCK = 64


class Compensated(Right):
    """Softmax that multiplies the shift's rounding error back in, with a sum exact to twice the working precision."""

    variant, operations = "compensated", PRODUCTS
    dtypes = ("float64", "float32")  # type: ignore[assignment]

    def weights(self, logits: Any) -> tuple[Any, Any, Any, Any]:
        """Return, for rows, the maximum, the shifted logits, the shift's rounding error, and corrected exponentials."""
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


class Summed(Right):
    """Softmax from the exponentials of a row minus its maximum. Subclasses differ in `total`, `parts` or `exp`."""

    dtypes = ("float64", "float32")  # type: ignore[assignment]
    operations: ClassVar[tuple[str, ...]] = ("softmax", "log_softmax", "logsumexp")

    def softmax(self, logits: Any, axis: int) -> Any:
        rows = np.moveaxis(logits, axis, -1)
        largest, total = self.parts(rows)
        return np.moveaxis(self.exp(rows - largest) / total, -1, axis)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        rows = np.moveaxis(logits, axis, -1)
        largest, total = self.parts(rows)
        return np.moveaxis((rows - largest) - np.log(total), -1, axis)

    def logsumexp(self, logits: Any, axis: int) -> Any:
        largest, total = self.parts(np.moveaxis(logits, axis, -1))
        return (largest + np.log(total))[..., 0]

    def parts(self, rows: Any) -> tuple[Any, Any]:
        """Return each row's maximum, and the sum of the exponentials after subtracting it."""
        largest = rows.max(axis=-1, keepdims=True)
        return largest, self.total(self.exp(rows - largest))

    def exp(self, values: Any) -> Any:
        return np.exp(values)

    def total(self, terms: Any) -> Any:
        return terms.sum(axis=-1, keepdims=True)


class Sequential(Summed):
    """One chain of additions in the format itself, as in C code. It is right, with grade C where rows are long."""

    variant, operations = "sequential", ("softmax",)

    def total(self, terms: Any) -> Any:
        return terms.cumsum(axis=-1)[..., -1:]


class Kahan(Summed):
    """One chain that carries the rounding error of each addition (Kahan)."""

    variant, largest_n = "kahan", 4099

    def total(self, terms: Any) -> Any:
        total = lost = np.zeros_like(terms[..., 0])
        for j in range(terms.shape[-1]):
            term = terms[..., j] - lost
            larger = total + term
            total, lost = larger, (larger - total) - term
        return total[..., None]


class Pairwise(Summed):
    """A pairwise sum: halves, and halves of these, in a tree of height log2 n."""

    variant, operations = "pairwise", PRODUCTS

    def total(self, terms: Any) -> Any:
        while (half := terms.shape[-1] // 2) > 0:
            left, right, odd = np.split(terms, [half, 2 * half], axis=-1)
            terms = np.concatenate([left + right, odd], axis=-1)
        return terms

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        s, v = np.moveaxis(self.softmax(logits, axis), axis, -1), np.moveaxis(cotangent, axis, -1)
        return np.moveaxis(s * (v - self.total(s * v)), -1, axis)


class Online(Summed):
    """One pass over the row. A larger logit scales the sum so far down."""

    variant, largest_n = "online", 4099

    def parts(self, rows: Any) -> tuple[Any, Any]:
        largest, total = rows[..., :1], np.ones_like(rows[..., :1])
        for j in range(1, rows.shape[-1]):
            largest, total = merged(largest, total, rows[..., j : j + 1], np.ones_like(total))
        return largest, total


class Blocks(Summed):
    """Blocks of 64 with a maximum and a sum each, merged one after the other, as in attention kernels."""

    variant = "blocks"

    def parts(self, rows: Any) -> tuple[Any, Any]:
        largest, total = Summed.parts(self, rows[..., :BLOCK])
        for start in range(BLOCK, rows.shape[-1], BLOCK):
            largest, total = merged(largest, total, *Summed.parts(self, rows[..., start : start + BLOCK]))
        return largest, total


def merged(largest: Any, total: Any, other: Any, more: Any) -> tuple[Any, Any]:
    """Return the maximum and the sum of two parts of a row together."""
    both = np.maximum(largest, other)
    return both, total * scale(largest, both) + more * scale(other, both)


def scale(own: Any, both: Any) -> Any:
    return np.exp(np.where(own == both, np.zeros_like(own), own - both))


class PowersOfTwo(Summed):
    """exp x as 2 to the power of x·log2 e, with the product in two parts: rounded to one, it would cost |x| u."""

    variant = "powers_of_two"

    def exp(self, values: Any) -> Any:
        high, low = times_log2_e(np.maximum(values, values.dtype.type(LOWEST)))
        weights = np.exp2(high)
        return weights + weights * (low * values.dtype.type(np.log(2)))


class RoundedPowers(Summed):
    """exp x as 2 to the power of x·log2 e rounded, as in fused kernels. It declares `scaled_logits`."""

    variant, scaled_logits = "rounded_powers", True

    def exp(self, values: Any) -> Any:
        with np.errstate(over="ignore"):  # to −∞, whose power is 0
            return np.exp2(values * values.dtype.type(LOG2_E_HIGH))


LOWEST = -1e4
"""A lower limit of exponents. exp is 0 long before it, and products of the formats' lowest numbers would overflow."""


def times_log2_e(values: Any) -> tuple[Any, Any]:
    """Return x·log2 e rounded, and the rounding error.

    The product of halves, with half the digits each, is exact (Dekker).
    """
    kind = values.dtype.type
    constant = kind(LOG2_E_HIGH)
    rest = kind(LOG2_E_HIGH - float(constant)) + kind(LOG2_E_LOW)
    high = values * constant
    (a, b), (c, d) = halves(values), halves(constant)
    lost = ((a * c - high) + a * d + b * c) + b * d
    return high, lost + values * rest


LOG2_E_HIGH, LOG2_E_LOW = 1.4426950408889634, 2.0355273740931033e-17
"""The constant log2 e to 107 bits."""


def halves(value: Any) -> tuple[Any, Any]:
    """Split a number into two numbers with half its digits each (Veltkamp)."""
    scaled = value * value.dtype.type(2 ** ((np.finfo(value.dtype).nmant + 2) // 2) + 1)
    high = scaled - (scaled - value)
    return high, value - high


def in_the_logarithm(b: Right, logits: Any, axis: int) -> Any:
    return np.exp(logits - np.expand_dims(b.logsumexp(logits, axis), axis))


class InTheLogarithm(Right):
    """exp(x − (m + ln Σ)), without a division, computed in float32 for 16 bits.

    In the format itself it costs |x| u.
    """

    variant, operations = "in_the_logarithm", ("softmax",)
    dtypes = NARROW  # type: ignore[assignment]
    softmax = rounded_once(in_the_logarithm, NARROW)
