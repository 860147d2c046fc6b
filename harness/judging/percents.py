"""The documents' figure for two answers, exactly as they compute it, and what it takes to read it."""

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
    """The documents' figure for two answers, and what it takes to read it."""

    size: int
    percent: float
    swapped: float
    finite: float
    finite_size: int
    zeros: int
    subnormals: int


def percents(a: NDArray[Any], b: NDArray[Any], form: Format) -> Percents:
    """One block's. `finite`: over the elements where it is finite, NaN over none."""
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
    """The figure of several blocks: their means weighted by size, in their order. Of one block, its own."""
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
    """NumPy's own mean, times 100: a float32's is a float32, and so is 100 times that.

    Of 16-bit numbers both in float64, since NumPy would add bfloat16 in bfloat16.
    """
    with np.errstate(over="ignore"):
        return float(np.mean(shares, dtype=np.float64 if shares.dtype.itemsize == 2 else None) * 100)


def mean_relative_error_percent(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The documents' figure, exactly as they compute it: NaN and infinities included."""
    with np.errstate(all="ignore"):
        return percent(np.abs((a - b) / a))
