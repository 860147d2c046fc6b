"""Distributions of errors: each framework's histogram over all cells of an operation, and its cumulative share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.judging.tally import EDGES
from harness.records import Run
from reports.html.cell_details import end
from reports.html.curves import styles
from reports.html.plots import Axis, Curve, Plot, steps
from reports.tables.text import answered_cells, native, questions

Counts = NDArray[np.int64]
SHARES = Axis("share of the elements", [(share, f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)], "shares")


@dataclass(frozen=True)
class Distribution:
    """A plot with its table. `heads`: the bins' upper ends in ulp; `rows`: a framework's counts.

    Beside each count is its ratio to the framework's largest count.
    """

    plot: Plot
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[int, float]]]]


def distributions(run: Run) -> Iterator[Distribution]:
    """Yield one distribution for each operation and dtype."""
    cells = answered_cells(run)
    cells = cells[native(cells.backend) & (cells.ulp_histogram != "")]
    counted = {key: total(its.ulp_histogram) for key, its in cells.groupby(["operation", "dtype", "backend"])}
    order = styles(run)
    for operation, dtype in questions(cells):
        its = {name: counted[operation, dtype, name] for name in order if (operation, dtype, name) in counted}
        bins = max(np.flatnonzero(counts).max(initial=0) for counts in its.values()) + 1
        yield distribution(f"{operation}, {dtype}", {name: c[: max(bins, 4)] for name, c in its.items()}, order)


def total(histograms: Sequence[str]) -> Counts:
    """Return the sum of the histograms of all cells."""
    counts = np.zeros(len(EDGES), dtype=np.int64)
    for text in histograms:
        one = np.array(json.loads(text), dtype=np.int64)  # none where every answer is NaN
        counts[: len(one)] += one
    return counts


def distribution(title: str, counts: dict[str, Counts], order: dict[str, int]) -> Distribution:
    bins = len(next(iter(counts.values())))
    shares = {name: np.cumsum(its) / max(1, its.sum()) for name, its in counts.items()}
    curves = [
        Curve(name, order[name], steps([(k / bins, (k + 1) / bins, float(share)) for k, share in enumerate(its)]))
        for name, its in shares.items()
    ]
    every = max(1, bins // 7)
    ticks = [((k + 0.5) / bins, end(EDGES[k])) for k in range(0, bins, every)]
    within = ", ".join(f"{name} {its[1]:.1%}" for name, its in shares.items())
    plot = Plot(
        title,
        f"{title}: share of elements within half an ulp: {within}.",
        Axis("error up to, ulp", ticks),
        SHARES,
        curves,
    )
    rows = [(name, [(int(n), n / max(1, its.max())) for n in its]) for name, its in counts.items()]
    return Distribution(plot, [end(edge) for edge in EDGES[:bins]], rows)
