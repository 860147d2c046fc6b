"""Derivatives by central differences, with which one checks them by hand: row 15."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.base import Backend
from backends.textbook.arrays import batch, identity, one_hot
from backends.textbook.losses import entropy_of, squared_error_of
from backends.textbook.softmaxes import shifted

STEP = 1e-3
"""The document's, whatever the dtype."""


def jacobian_differences(b: Backend, logits: Any, axis: int) -> Any:
    """Row 15: central differences, a column for each logit: (s(x + h·e_j) − s(x − h·e_j)) / 2h."""
    x = b.xp.moveaxis(logits, axis, -1)
    columns = [shifted(b, x + STEP * e, -1) - shifted(b, x - STEP * e, -1) for e in identity(b, x)]
    return b.xp.stack(columns, axis=-1) / (2 * STEP)


def entropy_differences(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Row 15: of cross-entropy, from probabilities as row 16 has it."""
    return loss_differences(b, entropy_of, logits, labels, axis)


def error_differences(b: Backend, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """Row 15: of the squared error."""
    return loss_differences(b, squared_error_of, logits, labels, axis)


def loss_differences(b: Backend, loss: Callable[..., Any], logits: Any, labels: Any, axis: int) -> Any:
    """Of the batch's mean loss, a column of logits at a time: rows do not depend on each other."""
    x = b.xp.moveaxis(logits, axis, -1)
    hot, rows = one_hot(b, x, labels), batch(labels)
    columns = [loss(b, x + STEP * e, hot) / rows - loss(b, x - STEP * e, hot) / rows for e in identity(b, x)]
    return b.xp.moveaxis(b.xp.stack(columns, axis=-1) / (2 * STEP), -1, axis)
