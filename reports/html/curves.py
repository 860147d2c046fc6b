"""Plots of the error against the distance from the maximum, with the bound drawn in, and against n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor, inf, isfinite

import numpy as np
import pandas as pd

from harness.judging.profiles import DISTANCE, DISTANCES
from harness.records import Run
from reports.html.plots import Axis, Curve, Decades, Plot, decades, path, steps
from reports.tables.text import answered_cells, figure, native, questions

BINS = {float(start): number for number, start in enumerate(DISTANCES[:-1])}
ERROR = "largest error, ulp"
MOST_LENGTHS, TO_AN_OCTAVE = 32, 2
"""The largest number of lengths on a curve, and the number of marks from n to 2n if a sweep has more."""
BEYOND = 100
"""A bound that exceeds all else by this factor does not stretch the axis: that of answers that underflow."""


def styles(run: Run) -> dict[str, int]:
    """Return the line style of each framework."""
    names = run.comparisons.backend[native(run.comparisons.backend)]
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def by_distance(run: Run) -> Iterator[Plot]:
    """Yield a plot for each operation and dtype, with each framework's largest error per bin over all named cases."""
    rows = run.profiles[(run.profiles.by == DISTANCE) & native(run.profiles.backend)]
    rows = rows[rows.at_least.isin(list(BINS))]
    at = ["operation", "dtype", "backend", "at_least"]
    errors = rows.groupby(at, sort=True).max_ulp_error.max()
    bounds = rows.groupby(["operation", "dtype", "at_least"], sort=True).agg(
        smallest=("smallest_bound", "min"), largest=("largest_bound", "max")
    )
    order = styles(run)
    for operation, dtype in questions(rows):
        yield distance_plot(operation, dtype, errors.loc[operation, dtype], bounds.loc[operation, dtype], order)


def distance_plot(
    operation: str, dtype: str, errors: pd.Series, bounds: pd.DataFrame, order: Mapping[str, int]
) -> Plot:
    last = max(BINS[start] for start in bounds.index) + 1
    up = decades([*errors, *bounds.largest[bounds.largest < BEYOND * max(errors.max(), bounds.largest.median())]])
    spans = {start: (BINS[start] / last, (BINS[start] + 1) / last) for start in bounds.index}
    curves = [
        Curve(name, order[name], steps([(*spans[d], up(v)) for d, v in its.items()]), exactly(its))
        for name, its in ((name, errors.loc[name]) for name in dict.fromkeys(errors.index.get_level_values(0)))
    ]
    ticks = [(BINS[d] / last, f"{d:g}") for d in (0.0, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0) if BINS[d] < last]
    return Plot(
        f"{operation}, {dtype}",
        spoken(operation, dtype, curves, errors, bounds.largest.max()),
        Axis("distance from the row maximum", ticks),
        up.axis(ERROR),
        curves,
        steps([(*spans[d], up(v)) for d, v in bounds.largest.items()]),
        band(bounds, spans, up),
    )


def band(bounds: pd.DataFrame, spans: Mapping[float, tuple[float, float]], up: Decades) -> str:
    """Return the path of rectangles from the smallest to the largest bound of each bin."""
    corners = (
        [(left, up(low)), (right, up(low)), (right, up(high)), (left, up(high))]
        for (left, right), low, high in ((spans[d], b.smallest, b.largest) for d, b in bounds.iterrows())
    )
    return "".join(path(four) + "Z" for four in corners)


def exactly(values: pd.Series) -> str:
    return " ".join(repr(float(value)) for value in values)


def spoken(operation: str, dtype: str, curves: Sequence[Curve], errors: pd.Series, bound: float) -> str:
    most = ", ".join(f"{curve.name} {figure(errors.loc[curve.name].max())}" for curve in curves)
    return f"{operation} in {dtype}: largest errors in ulp: {most}; the largest bound is {figure(bound)} ulp."


def by_length(run: Run) -> Iterator[Plot]:
    """Yield a plot for each operation and dtype that was asked at several n.

    It shows, at each n, the largest error at a cell's worst element.
    """
    cells = with_length(run)
    errors = cells.groupby(["operation", "dtype", "backend", "n"], sort=True).worst_ulp_error.max()
    bounds = cells.groupby(["operation", "dtype", "n"], sort=True).bound.max()
    order = styles(run)
    for operation, dtype in questions(cells):
        bound = bounds.loc[operation, dtype]
        if len(bound) > 1:
            yield length_plot(operation, dtype, errors.loc[operation, dtype], bound, order)


def with_length(run: Run) -> pd.DataFrame:
    """Return frameworks' cells with figures, and n, the length of the case's axis."""
    cells = answered_cells(run)
    cells = cells[native(cells.backend) & cells.worst_ulp_error.notna()]
    shapes = {name: about["shape"] for name, about in run.about.get("cases", {}).items()}
    places = {(case, axis) for case, axis in zip(cells["case"], cells["axis"], strict=True) if case in shapes}
    lengths = {(case, axis): shapes[case][axis] for case, axis in places if shapes[case]}
    n = [lengths.get(place) for place in zip(cells["case"], cells["axis"], strict=True)]
    return together(cells.assign(n=n).dropna(subset=["n"]))


def together(cells: pd.DataFrame) -> pd.DataFrame:
    """Replace lengths between two marks by the longest of them, if there are more than a plot can show."""
    of_all = cells.groupby(["operation", "dtype"]).n.transform("nunique")
    marks = (TO_AN_OCTAVE * np.log2(cells.n.astype(float).clip(lower=1))).apply(floor)
    longest = cells.n.groupby([cells.operation, cells.dtype, marks]).transform("max")
    return cells.assign(n=longest.where(of_all > MOST_LENGTHS, cells.n))


def length_plot(operation: str, dtype: str, errors: pd.Series, bounds: pd.Series, order: Mapping[str, int]) -> Plot:
    finite = bounds[bounds < inf]
    up, across = decades([*errors, *finite]), decades(list(bounds.index), 1.0)
    curves = [
        Curve(name, order[name], path([(across(n), up(v)) for n, v in its.items() if isfinite(v)]), exactly(its))
        for name, its in ((name, errors.loc[name]) for name in dict.fromkeys(errors.index.get_level_values(0)))
    ]
    return Plot(
        f"{operation}, {dtype}",
        spoken(operation, dtype, curves, errors, finite.max()),
        across.axis("length of the axis, n"),
        up.axis(ERROR),
        curves,
        path([(across(n), up(v)) for n, v in finite.items()]),
    )
