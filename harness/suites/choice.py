"""Combinations of a sweep's factors: all of them, or a covering array in which every pair that can be asked is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from allpairspy import AllPairs

from harness.families import OVERFLOWING
from harness.operations import FULL_JACOBIAN_N, OPERATIONS, Operation
from harness.variations import REPEATING, UPSTREAM

FACTORS = ("operation", "family", "width", "rows", "axis", "variation", "upstream", "labels", "dtype")
Chosen = Mapping[str, Any]


def choices(factors: Mapping[str, Sequence[Any]], choose: str) -> Iterator[dict[str, Any]]:
    """Combinations that contradict nothing, in a fixed order.

    Of pairs: first the base, which has the first of everything, and what differs from it in one factor; then as many
    as it takes for every pair of choices that go together.
    """
    made = (
        paired(factors)
        if choose == "pairs"
        else (dict(zip(factors, row, strict=True)) for row in product(*factors.values()))
    )
    return (chosen for chosen in made if not contradiction(chosen))


def paired(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    base = {name: values[0] for name, values in factors.items()}
    rows = [base, *({**base, name: value} for name, values in factors.items() for value in values[1:])]
    varied = {name: list(values) for name, values in factors.items() if len(values) > 1}
    if len(varied) > 1:
        names = list(varied)
        fixed = {name: value for name, value in base.items() if name not in varied}

        def sensible(row: Sequence[Any]) -> bool:
            return not contradiction({**fixed, **dict(zip(names, row, strict=False))})

        rows += [
            {**base, **dict(zip(names, row, strict=True))}
            for row in AllPairs(list(varied.values()), filter_func=sensible)
        ]
    return list({tuple(row.items()): row for row in rows}.values())


def contradiction(chosen: Chosen) -> str | None:
    """Why these do not go together, or None; of what is not chosen yet nothing is said."""
    if "operation" not in chosen:
        return of_shape(chosen)
    operation = OPERATIONS[chosen["operation"]]
    return of_shape(chosen) or of_arguments(chosen, operation) or of_variation(chosen, operation)


def of_shape(chosen: Chosen) -> str | None:
    if chosen.get("rows") == 0 and chosen.get("axis", "last") != "last":
        return "an array of one dimension has one axis"
    return None


def of_arguments(chosen: Chosen, operation: Operation) -> str | None:
    arguments = set(operation.arguments)
    if chosen.get("upstream", "random") != "random" and not arguments & {"cotangent", "tangent"}:
        return f"{operation.name} has neither cotangent nor tangent"
    if chosen.get("labels", "random") != "random" and not arguments & {"labels", "classes", "distribution"}:
        return f"{operation.name} has no labels"
    if operation.answer == ("n", "n") and chosen.get("width", 1) > FULL_JACOBIAN_N:
        return "whole Jacobians are held up to a width alone"
    if chosen.get("family") in OVERFLOWING and (operation.rows_together or "weights" in arguments):
        return "sums of such numbers overflow"
    return None


def of_variation(chosen: Chosen, operation: Operation) -> str | None:
    variation, rows = chosen.get("variation", "plain"), chosen.get("rows", 2)
    if variation.startswith("upstream-") and not set(UPSTREAM) & set(operation.arguments):
        return f"{operation.name} has no argument beside the logits that has a layout"
    if variation in ("alone", "hostile", "broadcast", "upstream-broadcast") and rows < 2:
        return "there is one row alone"
    if variation in ("alone", "hostile") and (operation.rows_together or "weights" in operation.arguments):
        return "its answer is of all rows together"
    if variation == "broadcast" and chosen.get("family", "repeated") not in REPEATING:
        return "its rows are not alike"
    if variation == "upstream-broadcast":
        labels = "distribution" in operation.arguments
        if chosen.get("labels" if labels else "upstream", "ones") not in ("ones", "same", "first", "last"):
            return "its rows are not alike"
    return None
