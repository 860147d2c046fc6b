"""Slips in widths and indices: tails of vectors, padding lanes, offsets that wrap, and rows that are never written.

Where the real defect needs 2^31 elements or a GPU's grid, the index wraps at a small power of two instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy import NumPy
from harness.power.planting import mutant, planted

LANES = 8


def by_rows(logits: Any, axis: int) -> Any:
    """Return a copy as (rows, n)."""
    moved = np.moveaxis(logits, axis, -1)
    return moved.reshape(-1, moved.shape[-1]).copy()


def back(rows: Any, logits: Any, axis: int) -> Any:
    """Return rows in the shape of the logits."""
    return np.moveaxis(rows.reshape(np.moveaxis(logits, axis, -1).shape), -1, axis)


def softmax_of_rows(rows: Any) -> Any:
    weights = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


@mutant("C08", "softmax")
def row_offset_wraps(b: NumPy, logits: Any, axis: int) -> Any:
    """The row's offset is taken modulo 2^4, for the 2^32 of a real kernel, so later rows repeat earlier ones."""
    rows = by_rows(logits, axis)
    return back(softmax_of_rows(rows[np.arange(len(rows)) % 16]), logits, axis)


@mutant("C08", "softmax")
def grid_too_small(b: NumPy, logits: Any, axis: int) -> Any:
    """One launch reaches 64 rows, for the 65,535 of a GPU's grid, so the other rows are not written."""
    s = softmax_of_rows(by_rows(logits, axis))
    s[64:] = 0
    return back(s, logits, axis)


@mutant("C08", "softmax")
def position_in_a_signed_byte(b: NumPy, logits: Any, axis: int) -> Any:
    """The position in a row is held in 8 bits, so beyond 255 it starts anew."""
    rows = by_rows(logits, axis)
    return back(softmax_of_rows(rows)[:, np.arange(rows.shape[-1]) % 256], logits, axis)


@mutant("C09", "softmax")
def tail_left_out_of_the_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """Only whole vectors of eight are summed, if there is one, and the last n mod 8 numbers are left out."""
    rows = by_rows(logits, axis)
    n = rows.shape[-1]
    weights = np.exp(rows - rows.max(axis=-1, keepdims=True))
    kept = n - n % LANES if n >= LANES else n
    return back(weights / weights[:, :kept].sum(axis=-1, keepdims=True), logits, axis)


@mutant("C09", "softmax")
def padding_counts_in_the_maximum(b: NumPy, logits: Any, axis: int) -> Any:
    """The lanes that fill the last vector hold 0, which wins the maximum over a row of negative numbers."""
    rows = by_rows(logits, axis)
    largest = rows.max(axis=-1, keepdims=True)
    if rows.shape[-1] % LANES:
        largest = np.maximum(largest, 0)
    weights = np.exp(rows - largest)
    return back(weights / weights.sum(axis=-1, keepdims=True), logits, axis)


@mutant("C09", "softmax")
def padding_counts_in_the_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """The lanes that fill the last vector hold 0, and their exp, after the maximum is subtracted, is summed too."""
    rows = by_rows(logits, axis)
    largest = rows.max(axis=-1, keepdims=True)
    weights = np.exp(rows - largest)
    padding = -rows.shape[-1] % LANES * np.exp(np.minimum(-largest, 50))
    return back(weights / (weights.sum(axis=-1, keepdims=True) + padding).astype(rows.dtype), logits, axis)


@mutant("C09", "softmax")
def one_past_the_row_in_the_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """`<=` stands for `<`, so the next row's first number is summed too."""
    rows = by_rows(logits, axis)
    weights = np.exp(rows - rows.max(axis=-1, keepdims=True))
    totals = weights.sum(axis=-1, keepdims=True)
    totals[:-1] += weights[1:, :1]
    return back(weights / totals, logits, axis)


@mutant("C09", "softmax")
def one_past_the_row_in_the_maximum(b: NumPy, logits: Any, axis: int) -> Any:
    """The next row's first number counts in the maximum, which is harmless until it is far above, or NaN."""
    rows = by_rows(logits, axis)
    largest = rows.max(axis=-1, keepdims=True)
    largest[:-1] = np.maximum(largest[:-1], rows[1:, :1])
    weights = np.exp(rows - largest)
    return back(weights / weights.sum(axis=-1, keepdims=True), logits, axis)


@mutant("C09", "softmax")
def odd_lane_at_257(b: NumPy, logits: Any, axis: int) -> Any:
    """One element beyond whole blocks of 256 is left unnormalised, which no other width shows."""
    rows = by_rows(logits, axis)
    s = softmax_of_rows(rows)
    if rows.shape[-1] % 256 == 1 and rows.shape[-1] > 256:
        s[:, -1] = np.exp(rows[:, -1] - rows.max(axis=-1))
    return back(s, logits, axis)


@mutant("C09", "softmax")
def second_row_shares_the_first_sum(b: NumPy, logits: Any, axis: int) -> Any:
    """Rows are computed in pairs that share the first one's sum, so a single row is right."""
    rows = by_rows(logits, axis)
    weights = np.exp(rows - rows.max(axis=-1, keepdims=True))
    totals = weights.sum(axis=-1, keepdims=True)
    totals[1::2] = totals[: len(rows) - 1 : 2]
    return back(weights / totals, logits, axis)


@mutant("C09", "softmax")
def size_one_forgotten(b: NumPy, logits: Any, axis: int) -> Any:
    """A row of one number is copied to the output, although its softmax is 1."""
    return logits.copy() if logits.shape[axis] == 1 else NumPy.softmax(b, logits, axis)


MUTANTS = planted(globals())
