"""Curves as SVG paths: where a number lies on an axis, and steps through points. The page sets the colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 190, 38, 6, 8, 30
"""The size of a plot and of its margins, in units of its own."""
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """An axis of a plot.

    `ticks`: positions, from 0 to 1, with their labels. `shared`: the axis's name, if several plots share it.
    """

    label: str
    ticks: Sequence[tuple[float, str]]
    shared: str = ""


@dataclass(frozen=True)
class Curve:
    """A curve of a plot.

    `number`: which of the page's line styles; `values`: the saved numbers that it is drawn through.
    """

    name: str
    number: int
    path: str
    values: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot. `said`: the same in words, for readers who cannot see it."""

    title: str
    said: str
    across: Axis
    up: Axis
    curves: Sequence[Curve]
    bound: str = ""
    """The path of the bound. `band`: the path of the area between its smallest and largest value."""
    band: str = ""


def x(position: float) -> float:
    """Return the horizontal coordinate of a position from 0 to 1."""
    return LEFT + position * (WIDTH - LEFT - RIGHT)


def y(position: float) -> float:
    return HEIGHT - BOTTOM - position * (HEIGHT - TOP - BOTTOM)


def path(points: Points) -> str:
    """Return the path of a line through points with coordinates from 0 to 1."""
    return "M" + "L".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points) if points else ""


def steps(points: Sequence[tuple[float, float, float]]) -> str:
    """Return the path of steps, level from each point's first number to its second."""
    runs = []
    last = None
    for start, stop, height in points:
        runs.append(f"{'M' if start != last else 'L'}{x(start):.1f},{y(height):.1f}H{x(stop):.1f}")
        last = stop
    return "".join(runs)


@dataclass(frozen=True)
class Decades:
    """A logarithmic axis, from one power of ten to another. Values outside are drawn at its ends."""

    low: int
    high: int

    def __call__(self, value: float) -> float:
        if not value > 0:
            return 0.0
        return 1.0 if value == inf else min(1.0, max(0.0, (log10(value) - self.low) / (self.high - self.low)))

    def axis(self, label: str) -> Axis:
        every = max(1, ceil((self.high - self.low) / 5))
        ticks = range(self.low, self.high + 1, every)
        return Axis(label, [((k - self.low) / (self.high - self.low), power(k)) for k in ticks])


def decades(values: Sequence[float], floor_at: float = 0.1) -> Decades:
    """Return the decades that hold all finite numbers from `floor_at` on."""
    inside = [value for value in values if value >= floor_at and isfinite(value)] or [1.0]
    low, high = floor(log10(min(inside))), ceil(log10(max(inside)))
    return Decades(low, max(high, low + 1))


def power(exponent: int) -> str:
    return f"{10.0**exponent:g}" if -2 <= exponent <= 3 else f"1e{exponent}"
