"""The documents' figure for two answers, computed exactly as they do, with what is needed to interpret it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.formats import Format


@dataclass(frozen=True)
class Percents:
    """The documents' figure for two answers a and b, with what is needed to interpret it."""

    size: int
    percent: float
    swapped: float
    """The figure with a and b exchanged."""
    finite: float
    """The figure over the elements whose share is finite; NaN if there are none."""
    finite_size: int
    zeros: int
    """The number of elements where a is 0."""
    subnormals: int
    """The number of elements where a is below the normal numbers and not 0."""


def percents(a: NDArray[Any], b: NDArray[Any], form: Format) -> Percents:
    """Compute the figures of one block. `form` is the format whose smallest normal number counts."""
    with np.errstate(all="ignore"):
        share = np.abs((a - b) / a)
    kept = share[np.isfinite(share)]
    zeros, below = a == 0, np.abs(a) < form.smallest_normal
    return Percents(
        a.size,
        mean_relative_error_percent(a, b),
        mean_relative_error_percent(b, a),
        percent(kept) if kept.size else float("nan"),
        kept.size,
        int(zeros.sum()),
        int((below & ~zeros).sum()),
    )


def weighted(parts: Sequence[Percents]) -> Percents:
    """Combine the figures of several blocks, as means weighted by size. Those of a single block stay as they are."""
    if len(parts) == 1:
        return parts[0]
    size, finite_size = sum(p.size for p in parts), sum(p.finite_size for p in parts)
    return Percents(
        size,
        fsum(p.percent * (p.size / size) for p in parts),
        fsum(p.swapped * (p.size / size) for p in parts),
        fsum(p.finite * (p.finite_size / finite_size) for p in parts if p.finite_size) if finite_size else float("nan"),
        finite_size,
        sum(p.zeros for p in parts),
        sum(p.subnormals for p in parts),
    )


def percent(shares: NDArray[Any]) -> float:
    """Return NumPy's mean times 100, both computed in the dtype of the shares.

    For 16-bit shares both are computed in float64, since NumPy would sum bfloat16 in bfloat16.
    """
    with np.errstate(over="ignore"):
        return float(np.mean(shares, dtype=np.float64 if shares.dtype.itemsize == 2 else None) * 100)


def mean_relative_error_percent(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the documents' figure exactly as they compute it, including NaN and infinities."""
    with np.errstate(all="ignore"):
        return percent(np.abs((a - b) / a))
