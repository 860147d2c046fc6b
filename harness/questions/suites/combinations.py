"""Combinations of a sweep's factors: all of them, or a covering array of every pair of choices that can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from harness.faults import sentence
from harness.operations import CLASSES, FULL_JACOBIAN_N, OPERATIONS, Operation
from harness.questions.cases import OPTIONS
from harness.questions.families import OVERFLOWING
from harness.questions.not_asked import nothing_beside
from harness.questions.targets import SAME
from harness.questions.variations import REPEATING

AXES = {
    "last": "{rows}x{width}", "first": "{width}x{rows}/0", "middle": "{rows}x{width}x3/1",
    "last, counted from the front": "{rows}x{width}/1", "first, counted from the end": "{width}x{rows}/-2",
    "middle, counted from the end": "{rows}x{width}x3/-2",
    "second of four": "2x{width}x{rows}x3/1", "last of five": "2x{rows}x2x1x{width}",
    "third of five": "2x{rows}x{width}x1x2/2", "fourth of six": "1x2x{rows}x{width}x2x1/3",
    "last of six": "1x2x{rows}x2x1x{width}",
}  # fmt: skip
"""The places where the axis may stand, with the shape and axis in the grammar of a case's name."""
USUAL = {"index": "middle", "classes": str(CLASSES)}
"""What such a factor is if a case's name does not say. Those not listed are `random`."""
FACTORS = (
    "operation", "family", "width", "rows", "axis", "variation", "upstream", "labels", "dtype", "distribution", "index",
    "weights", "classes",
)  # fmt: skip
ONE_SCALE = ("random", "onehot", "rounded")
"""Kinds of distributions whose rows are not scaled, so that rows with the same label are alike."""
EXTREME = ("large", "small", "subnormal")
"""Kinds of cotangents and tangents whose products leave the range of a format, so that theory allows anything."""
Chosen = Mapping[str, Any]


def given(chosen: Chosen) -> Iterator[str]:
    """Yield the options in a case's name, without those that are usual or make no difference to the operation."""
    options = OPERATIONS[chosen["operation"]].options
    for name in OPTIONS:
        if name in options and chosen[name] != USUAL.get(name, "random"):
            yield f"{name}={chosen[name]}"


def shape(axis: str, rows: int, width: int) -> tuple[int, ...]:
    """Return the shape of a case with so many rows (0 for one dimension) and its axis at that place."""
    sizes = AXES[axis].format(rows=rows, width=width).partition("/")[0]
    return tuple(int(size) for size in sizes.split("x")) if rows else (width,)


def choices(factors: Mapping[str, Sequence[Any]], choose: str) -> Iterator[dict[str, Any]]:
    """Yield combinations without a contradiction, in a fixed order: all, or a covering array if `choose` is `pairs`."""
    if choose == "pairs":
        yield from paired(factors)
        return
    for values in product(*factors.values()):
        chosen = dict(zip(factors, values, strict=True))
        if not contradiction(chosen):
            yield chosen


def paired(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return a covering array around a base: every pair of choices that some combination has occurs in one of these.

    First come the base, which has the first value of every factor, and the combinations that differ from it in one
    factor. Then, for each pair that is still missing, comes a combination with that pair, chosen greedily to bring many
    other missing pairs. (allpairspy, tried first, leaves out pairs that can be asked as soon as some contradict each
    other.)
    """
    base = {name: values[0] for name, values in factors.items()}
    star = [base, *({**base, name: value} for name, values in factors.items() for value in values[1:])]
    rows = [row for row in star if not contradiction(row)]
    there = {pair for row in rows for pair in pairs(row)}
    for one, other in combinations(factors, 2):
        for values in product(factors[one], factors[other]):
            pair = tuple(zip((one, other), values, strict=True))
            if pair in there or contradiction(dict(pair)):
                continue
            if row := completed(dict(pair), factors, there):
                rows.append({name: row[name] for name in factors})
                there.update(pairs(row))
    return rows


def pairs(chosen: Chosen) -> Iterator[tuple[Any, ...]]:
    """Return an iterator over the pairs of choices, in the factors' order, whatever order they were chosen in."""
    return combinations([(name, chosen[name]) for name in FACTORS if name in chosen], 2)


def completed(begun: dict[str, Any], factors: Chosen, there: set[tuple[Any, ...]]) -> dict[str, Any] | None:
    """Return `begun` with a value for every factor, or None if no combination has it without a contradiction.

    Of the values of a factor that can be completed, the one that brings the most pairs not yet in `there` is taken.
    """
    name = next((name for name in FACTORS if name in factors and name not in begun), None)
    if name is None:
        return begun
    tried = [{**begun, name: value} for value in factors[name]]
    for chosen in sorted(tried, key=lambda chosen: sum(pair in there for pair in pairs(chosen))):
        if not contradiction(chosen) and (row := completed(chosen, factors, there)):
            return row
    return None


def idle(factors: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, Any, str]]:
    """Yield each choice that goes with none of the others: its factor, its number within the factor, and the reason.

    Of the widths only the smallest and the largest are tried.
    """
    few = {name: sorted({min(values), max(values)}) if name == "width" else values for name, values in factors.items()}
    base = {name: values[0] for name, values in factors.items()}
    for name, values in factors.items():
        for number, value in enumerate(values):
            if value in few[name] and completed({name: value}, few, set()) is None:
                yield name, number, contradiction({**base, name: value}) or "the others contradict each other"


def contradiction(chosen: Chosen) -> str | None:
    """Return why these choices contradict each other, or None. Factors that are not chosen yet contradict nothing."""
    if "operation" not in chosen:
        return of_shape(chosen)
    operation = OPERATIONS[chosen["operation"]]
    return of_shape(chosen) or of_arguments(chosen, operation) or of_variation(chosen, operation)


def of_shape(chosen: Chosen) -> str | None:
    if chosen.get("rows") == 0 and chosen.get("axis", "last") != "last":
        return "an array of one dimension has one axis"
    return None


def of_arguments(chosen: Chosen, operation: Operation) -> str | None:
    if operation.square and chosen.get("width", 1) > FULL_JACOBIAN_N:
        return "whole Jacobians are held up to a width alone"
    if chosen.get("family") in OVERFLOWING and (operation.rows_together or operation.weighted):
        return "sums of such numbers overflow"
    if operation.kinds.count("vector") > 1 and chosen.get("upstream") in EXTREME:
        return "products of two such vectors leave the format's range"
    return None


def of_variation(chosen: Chosen, operation: Operation) -> str | None:
    variation, rows = chosen.get("variation", "plain"), chosen.get("rows", 2)
    if lacking := nothing_beside(variation, operation):
        return sentence(lacking)
    if variation in ("alone", "hostile", "broadcast", "upstream-broadcast") and rows < 2:
        return "there is one row alone"
    if variation in ("alone", "hostile") and (operation.rows_together or operation.weighted):
        return "its answer is of all rows together"
    if variation == "broadcast" and chosen.get("family", "repeated") not in REPEATING:
        return "its rows are not alike"
    if variation == "upstream-broadcast":
        labels = operation.takes("distribution")
        if chosen.get("labels" if labels else "upstream", "ones") not in ("ones", "same", *SAME):
            return "its rows are not alike"
        if labels and chosen.get("distribution", "random") not in ONE_SCALE:
            return "its rows are not alike"
    return None
