"""Derivatives by central differences, by which they are checked by hand: row 15 of `docs/seeds.md`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.base import Backend
from backends.textbook.arrays import batch, identity, one_hot
from backends.textbook.losses import entropy_of, squared_error_of
from backends.textbook.softmaxes import shifted

STEP = 1e-3
"""The step of the document, for every dtype."""


def jacobian_differences(b: Backend, logits: Any, axis: int) -> Any:
    """Compute the Jacobian by central differences, one column per logit (row 15).

    Column j is (s(x + h·e_j) − s(x − h·e_j)) / 2h.
    """
    x = b.xp.moveaxis(logits, axis, -1)
    columns = [shifted(b, x + STEP * e, -1) - shifted(b, x - STEP * e, -1) for e in identity(b, x)]
    return b.xp.stack(columns, axis=-1) / (2 * STEP)


def entropy_differences(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Compute the gradient of cross-entropy, from probabilities as in row 16, by central differences (row 15)."""
    return loss_differences(b, entropy_of, logits, labels, axis)


def error_differences(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Compute the gradient of the squared error by central differences (row 15)."""
    return loss_differences(b, squared_error_of, logits, labels, axis)


def loss_differences(b: Backend, loss: Callable[..., Any], logits: Any, labels: Any, axis: int) -> Any:
    """Compute the gradient of the batch's mean loss by central differences, one column of logits at a time.

    One column serves all rows, because they do not depend on each other.
    """
    x = b.xp.moveaxis(logits, axis, -1)
    hot, rows = one_hot(b, x, labels), batch(labels)
    columns = [loss(b, x + STEP * e, hot) / rows - loss(b, x - STEP * e, hot) / rows for e in identity(b, x)]
    return b.xp.moveaxis(b.xp.stack(columns, axis=-1) / (2 * STEP), -1, axis)
