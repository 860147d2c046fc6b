"""Held-out mutants: slips in 16 bits, or because something is kept in 16 bits. The package's docstring has the rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


def wide(values: Any) -> Any:
    return values.astype(np.float32)


def truncated(values: Any) -> Any:
    """Return float32 values without their lower half: bfloat16's bits, rounded towards zero."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


@mutant("C33", "softmax", dtypes=("bfloat16",))
def exp_from_a_table_of_sixteenths(b: NumPy, logits: Any, axis: int) -> Any:
    """exp is looked up at the next lower sixteenth, "enough for 8 bits"."""
    shifted = wide(logits) - wide(logits).max(axis=axis, keepdims=True)
    weights = np.exp(np.floor(shifted * 16) / 16)
    return (weights / weights.sum(axis=axis, keepdims=True)).astype(logits.dtype)


@mutant("C37", "softmax", dtypes=("bfloat16",))
def probabilities_truncated(b: NumPy, logits: Any, axis: int) -> Any:
    """The lower half of a float32 is dropped, where it should be rounded."""
    return truncated(NumPy.softmax(b, wide(logits), axis)).astype(logits.dtype)


@mutant("C37", "softmax", dtypes=("float16",))
def the_other_half_precision(b: NumPy, logits: Any, axis: int) -> Any:
    """float16 logits go through a kernel for bfloat16."""
    return truncated(NumPy.softmax(b, truncated(wide(logits)), axis)).astype(logits.dtype)


@mutant("C06", "vjp", dtypes=("float16",))
def inner_product_in_one_chain_of_float16(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Softmax is computed in float32, but ⟨s, g⟩ is added one by one in float16."""
    s = NumPy.softmax(b, wide(logits), axis)
    inner = np.take(np.cumsum((s * wide(cotangent)).astype(np.float16), axis=axis, dtype=np.float16), [-1], axis=axis)
    return (s * (wide(cotangent) - wide(inner))).astype(logits.dtype)


@mutant("C06", "vjp", dtypes=("float32",))
def output_saved_in_bfloat16(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Backward of a float32 softmax uses a saved output that was truncated to bfloat16."""
    s = truncated(NumPy.softmax(b, logits, axis))
    return s * (cotangent - (s * cotangent).sum(axis=axis, keepdims=True))


@mutant("C07", "vjp", dtypes=("float16",))
def scaled_by_1024_inside(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """A loss scale of 1,024 is put on and taken off in float16, so a cotangent above 63 overflows."""
    scaled = wide(cotangent * np.float16(1024))
    return (NumPy.vjp(b, wide(logits), scaled, axis).astype(np.float16) / np.float16(1024)).astype(logits.dtype)


@mutant("C06", "log_softmax", dtypes=("bfloat16",))
def logarithm_of_the_sum_in_bfloat16(b: NumPy, logits: Any, axis: int) -> Any:
    """All is computed in float32, but the maximum plus ln Σ is stored in bfloat16 before it is subtracted."""
    normaliser = np.expand_dims(NumPy.logsumexp(b, wide(logits), axis), axis)
    return (wide(logits) - wide(normaliser.astype(logits.dtype))).astype(logits.dtype)


@mutant("C23", "hvp", dtypes=("bfloat16", "float16"))
def gradient_taken_for_its_derivative(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    """The result is the VJP times the tangent, element by element."""
    return (NumPy.vjp(b, wide(logits), wide(cotangent), axis) * wide(tangent)).astype(logits.dtype)


MUTANTS = planted(globals())
