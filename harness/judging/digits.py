"""The largest error that leaves one digit of an answer right, element by element (docs/bounds.md#grades).

It is a tenth of the element's scale. The scale is the exact value itself; where terms cancel, the sum of their absolute
values; and 1 for logarithms, whose error is the relative error of their argument. A larger bound leaves no digit right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.formats import DIGIT
from harness.truth.bounds import scales
from harness.truth.bounds.scales import softmax

Floats = NDArray[np.float64]


def digit(operation: str, logits: NDArray[np.generic], beside: list[Any]) -> Floats:
    """Return DIGIT times each element's scale, shape (rows, elements); (1, 1) for one number for all rows.

    Raise ValueError for an operation whose scale is not known.
    """
    if (scale := scales(operation, logits, *beside)) is None:
        scale = size(operation, np.asarray(logits, np.float64), beside)
    return DIGIT * scale.reshape(1 if scale.ndim == 0 else len(logits), -1)


def leaves_digit(bound: Floats, a_digit: Floats) -> NDArray[np.bool_]:
    """Decide at each element whether every answer within the bound has a digit right. `digit` returns `a_digit`."""
    return np.less_equal(bound, a_digit)


def size(operation: str, x: Floats, beside: list[Any]) -> Floats:
    """Return the elements' scales for an operation that `scales` does not cover."""
    match operation, beside:
        case "softmax", []:
            return softmax(x)
        case "log_softmax", []:
            return np.ones_like(x)
        case ("logsumexp", []) | ("cross_entropy", [_]):
            return np.ones(len(x))
        case (("cross_entropy_mean" | "cross_entropy_sum"), [_]):
            return np.asarray(len(x) if operation.endswith("sum") else 1.0)
        case "soft_cross_entropy", [p]:
            return of_one(p)
        case (("soft_cross_entropy_mean" | "soft_cross_entropy_sum"), [p]):
            return of_one(p).sum() / (1 if operation.endswith("sum") else len(x))
        case _:
            return size_of_entries(operation, x, beside)


def of_one(p: NDArray[np.generic]) -> Floats:
    """Return Σ |p_j| for each row: the weight of the logarithms in its loss."""
    return np.abs(np.asarray(p, np.float64)).sum(axis=-1)


def size_of_entries(operation: str, x: Floats, beside: list[Any]) -> Floats:
    """Return the scales of elements made of δ and s, with both added without signs."""
    s = softmax(x @ np.asarray(beside[0], np.float64).T if operation.startswith("layer") else x)
    one = np.eye(s.shape[-1])
    match operation, beside:
        case "jacobian", []:
            return s[:, :, None] * (one + s[:, None, :])
        case "jacobian_row", [index]:
            return s[:, [index]] * (one[index] + s)
        case "log_softmax_jacobian", []:
            return one + s[:, None, :]
        case "mean_squared_error", [labels]:
            return np.asarray(((1 + at(s, labels)) ** 2).mean())
        case "mean_squared_error_gradient", [labels]:
            return 2 * (1 + at(s, labels)) * at(s, labels) * (one[labels] + s) / len(x)
        case "layer", [_]:
            return s
        case "layer_jacobian", [_]:
            return (s[:, :, None] * (one + s[:, None, :]))[..., None] * np.abs(x)[:, None, None, :]
        case "layer_cross_entropy_gradient", [_, classes]:
            return (s + one[classes])[..., None] * np.abs(x)[:, None, :]
    raise ValueError(f"no digit is known for {operation}")


def at(s: Floats, labels: NDArray[np.integer]) -> Floats:
    """Return each row's entry at its label, shape (rows, 1)."""
    return np.take_along_axis(s, labels[:, None], axis=-1)
