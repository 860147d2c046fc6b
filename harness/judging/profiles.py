"""Profiles: a cell's errors by the logit's distance from its row's maximum, and by the size of the exact value.

A profile covers the rows that are judged together first (`slices.SLICE_ELEMENTS`), for named cases only: enough to draw
at a fixed cost. docs/reading.md defines its columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.judging.metrics import ulp_exponent
from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.operations import OPERATIONS, lengths
from harness.records import Profile
from harness.truth import Expected

DISTANCE, MAGNITUDE = "distance", "magnitude"
OCTAVES = 2.0 ** np.arange(11)
DISTANCES = np.array([0.0, 0.5, *np.stack([OCTAVES, 1.5 * OCTAVES], axis=1).ravel()[:-1], np.inf])
"""The ends of the bins by distance, two bins an octave. A bin excludes its upper end; the first has the maximum."""
EXPONENTS = np.array([-np.inf, *(-(2.0**k) for k in range(10, -1, -1)), 0.0, *(2.0**k for k in range(10)), np.inf])
"""The exponents e of the ends 2^e of the bins by magnitude. A bin excludes its upper end."""


Where = tuple[str, str, str, int, str]
"""A cell: operation, case, dtype, axis and backend."""


def profile(
    where: Where, logits: NDArray[np.generic], actual: NDArray[np.generic], expected: Expected, ulp: Floats,
    bound: Floats, form: Format,
) -> tuple[Profile, ...]:  # fmt: skip
    """Return the bins by magnitude, and those by distance if each logit has its own element of the answer.

    `actual`, `expected`, `ulp` (the ULP errors) and `bound` have shape (rows, elements).
    """
    operation = OPERATIONS[where[0]]
    with np.errstate(all="ignore"):
        allowed = np.ldexp(bound, -ulp_exponent(expected, form))
        finite = np.isfinite(actual.astype(np.float64))
        sizes = (expected.exponent - 1).astype(np.float64)
        made = [*bins(where, MAGNITUDE, EXPONENTS, sizes, finite & (expected.hi != 0), ulp, allowed)]
        if lengths(operation, logits.shape[-1]) == (logits.shape[-1],) and not operation.weighted:
            wide = logits.astype(np.float64)
            distances = wide.max(axis=-1, keepdims=True) - wide
            made += bins(where, DISTANCE, DISTANCES, distances, finite & np.isfinite(distances), ulp, allowed)
    return tuple(made)


def bins(
    where: Where, by: str, edges: Floats, values: Floats, there: NDArray[np.bool_], ulp: Floats, allowed: Floats
) -> Iterator[Profile]:
    """Yield the bins that have elements, in increasing order. `there` marks the elements to count."""
    values, ulp, allowed = values[there], ulp[there], allowed[there]
    if not values.size:
        return
    number = np.searchsorted(edges, values, side="right") - 1
    order = np.argsort(number, kind="stable")
    found, starts, counts = np.unique(number[order], return_index=True, return_counts=True)
    ulp, allowed = ulp[order], allowed[order]
    share = np.where(ulp == 0, 0.0, ulp / allowed)
    ends = np.exp2(edges) if by == MAGNITUDE else edges
    figures = zip(
        found,
        counts,
        np.maximum.reduceat(ulp, starts),
        np.add.reduceat(ulp, starts) / counts,
        np.minimum.reduceat(allowed, starts),
        np.maximum.reduceat(allowed, starts),
        np.maximum.reduceat(share, starts),
        strict=True,
    )
    for bin_, count, *rest in figures:
        yield Profile(*where, by, float(ends[bin_]), float(ends[bin_ + 1]), int(count), *map(float, rest))
