"""The scale of an answer: the sum of its terms without their signs.

Where terms cancel, the exact value alone does not show how large they were.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def scales(operation: str, logits: NDArray[np.generic], *beside: Any) -> Floats | None:
    """Return the scale of each element, such as s_j(|v_j| + Σ s_i·|v_i|) for products; None for other operations."""
    if operation.startswith("layer") or not beside:
        return None
    x = np.asarray(logits, dtype=np.float64)
    s = softmax(x)
    sizes = [np.abs(np.asarray(b, dtype=np.float64)) for b in beside]
    match operation:
        case "vjp" | "jvp" | "cross_entropy_hvp":
            return s * (sizes[-1] + mean(s, sizes[-1]))
        case "hvp":
            v, t = sizes
            return s * (t * v + t * mean(s, v) + v * mean(s, t) + mean(s, t * v) + 2 * mean(s, t) * mean(s, v))
        case "log_softmax_vjp":
            return sizes[0] + s * sizes[0].sum(axis=-1, keepdims=True)
        case "log_softmax_jvp":
            return sizes[0] + mean(s, sizes[0])
        case "cross_entropy_gradient" | "cross_entropy_mean_gradient":
            scale: Floats = s + (np.arange(x.shape[-1]) == beside[0][:, None])
            return scale / (len(x) if "mean" in operation else 1)
        case "soft_cross_entropy_gradient":
            return s * sizes[0].sum(axis=-1, keepdims=True) + sizes[0]
        case _:
            return None


def softmax(x: Floats) -> Floats:
    """Return softmax in float64, which is good enough for a scale or a direction."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    s: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return s


def mean(s: Floats, size: Floats) -> Floats:
    """Return Σ s_i·|v_i|, shape (rows, 1)."""
    total: Floats = (s * size).sum(axis=-1, keepdims=True)
    return total
