"""Slips in layouts and axes: ignored strides of logits, cotangents and answers, and mistaken axes.

All mutants stay inside the buffer that they were given: an index beyond it wraps around.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from backends.numpy import NumPy
from harness.power.planting import mutant, planted


def whole(array: Any) -> Any:
    """Return a view's buffer, as one row in memory order, and the index in it of the view's first element."""
    base = array
    while getattr(base, "base", None) is not None:
        base = base.base
    base = np.asarray(base)
    count = 1 + sum((n - 1) * abs(stride) for n, stride in zip(base.shape, base.strides, strict=True)) // base.itemsize
    memory = as_strided(base, (count,), (base.itemsize,), writeable=False)
    first = (address(array) - address(memory)) // array.itemsize
    return memory, first


def address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def read_as(array: Any, strides: tuple[int, ...]) -> Any:
    """Return the elements at those strides (in elements), from the view's first element on."""
    memory, first = whole(array)
    places = sum(np.indices(array.shape)[number] * stride for number, stride in enumerate(strides))
    return memory[(first + places) % len(memory)]


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(prod(shape[number + 1 :]) for number in range(len(shape)))


def as_if_contiguous(array: Any) -> Any:
    return read_as(array, row_major(array.shape)) if array.size else array


@mutant("C10", "softmax")
def strides_ignored(b: NumPy, logits: Any, axis: int) -> Any:
    """The logits are read contiguously from their first element on."""
    return NumPy.softmax(b, as_if_contiguous(logits), axis)


@mutant("C10", "softmax")
def step_taken_for_one(b: NumPy, logits: Any, axis: int) -> Any:
    """The stride inside a row is taken for 1, while that between rows is used."""
    strides = [stride // logits.itemsize for stride in logits.strides]
    return NumPy.softmax(b, read_as(logits, (*strides[:-1], 1)) if logits.size else logits, axis)


@mutant("C10", "softmax")
def offset_forgotten(b: NumPy, logits: Any, axis: int) -> Any:
    """A view is read from the beginning of its buffer."""
    memory, _ = whole(logits)
    strides = [stride // logits.itemsize for stride in logits.strides]
    places = sum(np.indices(logits.shape)[number] * stride for number, stride in enumerate(strides))
    return NumPy.softmax(b, memory[places % len(memory)] if logits.size else logits, axis)


@mutant("C10", "softmax")
def negative_stride_taken_for_positive(b: NumPy, logits: Any, axis: int) -> Any:
    """Strides are unsigned, so a flipped array is read forwards from its first element."""
    strides = tuple(abs(stride) // logits.itemsize for stride in logits.strides)
    return NumPy.softmax(b, read_as(logits, strides) if logits.size else logits, axis)


@mutant("C10", "softmax")
def stride_zero_taken_for_dense(b: NumPy, logits: Any, axis: int) -> Any:
    """A broadcast dimension is stepped through as if it were stored."""
    dense = row_major(logits.shape)
    strides = tuple(s // logits.itemsize or d for s, d in zip(logits.strides, dense, strict=True))
    return NumPy.softmax(b, read_as(logits, strides) if logits.size else logits, axis)


@mutant("C09", "softmax")
def aligned_down(b: NumPy, logits: Any, axis: int) -> Any:
    """A vector load starts at the boundary before the first element, as if every buffer began on one."""
    memory, first = whole(logits)
    strides = [stride // logits.itemsize for stride in logits.strides]
    places = sum(np.indices(logits.shape)[number] * stride for number, stride in enumerate(strides))
    return NumPy.softmax(b, memory[(first - first % 4 + places) % len(memory)] if logits.size else logits, axis)


@mutant("C39", "softmax")
def exp_of_a_strided_array(b: NumPy, logits: Any, axis: int) -> Any:
    """A new vectorised exp gives every fourth element of a strided array with float16's precision only."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    if not logits.flags.c_contiguous:
        coarse = np.moveaxis(weights, axis, -1)
        coarse[..., ::4] = coarse[..., ::4].astype(np.float16)
    return weights / weights.sum(axis=axis, keepdims=True)


@mutant("C11", "vjp", "jvp")
def cotangent_strides_ignored(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The cotangent is read contiguously, even if it is expanded, flipped or part of a wider buffer."""
    return NumPy.vjp(b, logits, as_if_contiguous(cotangent), axis)


@mutant("C11", "jvp", "vjp")
def tangent_strides_ignored(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The tangent is read contiguously, even if it is expanded, flipped or part of a wider buffer."""
    return NumPy.jvp(b, logits, as_if_contiguous(tangent), axis)


@mutant("C11", "softmax")
def answer_written_in_memory_order(b: NumPy, logits: Any, axis: int) -> Any:
    """The output has the input's layout, but is filled in memory order."""
    out = np.empty_like(logits)
    order = "K" if out.flags.c_contiguous or not out.flags.f_contiguous else "F"
    return NumPy.softmax(b, logits, axis).ravel().reshape(out.shape, order="C" if order == "K" else "F")


@mutant("C11", "vjp")
def saved_output_strides_ignored(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The saved softmax has the logits' layout, but backward reads it contiguously."""
    s = np.empty_like(logits)
    s[...] = NumPy.softmax(b, logits, axis)
    s = as_if_contiguous(s)
    return s * (cotangent - (s * cotangent).sum(axis=axis, keepdims=True))


@mutant("C12", "softmax")
def axis_from_the_other_end(b: NumPy, logits: Any, axis: int) -> Any:
    """The axis is counted as in column-major order: rank − 1 − axis."""
    return NumPy.softmax(b, logits, logits.ndim - 1 - axis % logits.ndim)


@mutant("C12", "log_softmax", "softmax")
def axis_ignored(b: NumPy, logits: Any, axis: int) -> Any:
    """The axis is always the last one."""
    return NumPy.log_softmax(b, logits, -1)


@mutant("C12", "softmax")
def negative_axis_off_by_one(b: NumPy, logits: Any, axis: int) -> Any:
    """A negative axis is off by one, except −1."""
    return NumPy.softmax(b, logits, axis if axis >= -1 else max(-logits.ndim, axis - 1))


@mutant("C12", "softmax")
def two_dimensions_at_most(b: NumPy, logits: Any, axis: int) -> Any:
    """An axis that is not the last is supported only for matrices, and refused for more dimensions."""
    if axis % logits.ndim == logits.ndim - 1:
        return NumPy.softmax(b, logits, axis)
    if logits.ndim > 2:
        raise NotImplementedError("an axis in the middle")
    return NumPy.softmax(b, logits.T, -1).T


@mutant("C12", "vjp")
def backward_along_the_last_axis(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """Forward uses the axis, but backward sums along the last one."""
    s = NumPy.softmax(b, logits, axis)
    return s * (cotangent - (s * cotangent).sum(axis=-1, keepdims=True))


@mutant("C13", "softmax")
def flattened_from_the_axis_on(b: NumPy, logits: Any, axis: int) -> Any:
    """All dimensions from the axis on are flattened into one, as in ONNX before opset 13."""
    first = axis % logits.ndim
    flat = logits.reshape(*logits.shape[:first], -1)
    return NumPy.softmax(b, flat, -1).reshape(logits.shape)


MUTANTS = planted(globals())
