"""Cells of a run that may be findings. Cells that fail alike are one suspect."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import pandas as pd

from backends import find
from harness.faults import DEATHS, OF_ARGUMENTS, OF_DTYPE, Kind, Outcome, Verdict, name, of
from harness.findings.record import ACCURACY, DEFECT, KINDS, POLICY
from harness.judging.probes import answer_dtype
from harness.judging.rows import explained_in_some_order
from harness.judging.same_bits import STRICT
from harness.numbers.formats import DIGIT, FORMATS
from harness.questions.cases import named
from harness.records import Comparison

BOUND, BITS, ORDER = "the bound holds", "the same bits when asked otherwise", "B: a tree of additions"
LOST = "no component is lost"
BITS_AGAIN, BITS_BESIDE = "the same bits when asked again", "the same bits beside other rows"
UNTOUCHED = "its arguments stay as they are"
BROKEN: dict[str, str] = {
    Kind.UNREPEATABLE: BITS_AGAIN,
    Kind.OTHER_BITS_AGAIN: BITS_AGAIN,
    Kind.OTHER_BITS_BESIDE: BITS_BESIDE,
    **dict.fromkeys(OF_ARGUMENTS, UNTOUCHED),
    **dict.fromkeys(OF_DTYPE, "the answer's dtype is the one claimed"),
}
"""The property that is broken by each kind of fault that breaks one by itself."""


@dataclass(frozen=True)
class Suspect:
    """Cells in which one backend fails one operation in one dtype in the same way. `case` is the smallest of them."""

    kind: str
    property: str
    backend: str
    operation: str
    dtype: str
    axis: int
    case: str
    cells: int
    law: bool = False
    """Whether a law between answers is broken, instead of an answer by itself."""


def suspects(comparisons: pd.DataFrame, properties: pd.DataFrame, kinds: Collection[str] = KINDS) -> list[Suspect]:
    """Return one suspect for each way in which a backend fails an operation in a dtype, defects first.

    A policy difference is one suspect whatever the operation and the dtype.
    """
    seen: dict[tuple[str, ...], list[Any]] = {}
    broken_laws: dict[tuple[str, ...], list[Any]] = {}
    explained = set()
    for kind, law, row in of_cells(comparisons):
        if kind == DEFECT:
            explained.add((row.backend, row.case, row.dtype))
        if kind in kinds and (kind == DEFECT or not find(row.backend).written_out):
            what = (row.operation, row.dtype) if kind != POLICY else ()
            seen.setdefault((kind, law, row.backend, *what), []).append(row)
    for kind, law, row in of_laws(properties):
        if (row.backend, row.case, row.dtype) not in explained:  # an element beyond its bound breaks laws with it
            broken_laws.setdefault((kind, law, row.backend, row.operation, row.dtype), []).append(row)
    found = [together(key[0], key[1], rows) for key, rows in seen.items()]
    found += [replace(together(key[0], key[1], rows), law=True) for key, rows in broken_laws.items()]
    return sorted(found, key=lambda suspect: KINDS.index(suspect.kind))


def together(kind: str, law: str, rows: list[Any]) -> Suspect:
    row = min(rows, key=lambda row: prod(named(row.case).shape))
    return Suspect(kind, law, row.backend, row.operation, row.dtype, int(row.axis), row.case, len(rows))


def of_cells(comparisons: pd.DataFrame) -> Iterator[tuple[str, str, Any]]:
    wanted = (
        (comparisons.verdict == Verdict.SHORT)
        | (comparisons.grade == "C")
        | (comparisons.lost_components > 0)
        | comparisons.outcome.isin((Outcome.FAILED, *DEATHS))
        | (comparisons.same_bits == False)  # noqa: E712  # it may be missing
    )
    for row in comparisons[wanted.fillna(False)].itertuples():
        if row.verdict == Verdict.SHORT or row.outcome != Outcome.OK:
            yield *broken(row), row
        elif row.grade == "C":
            yield ACCURACY, ORDER, row
        if row.verdict != Verdict.SHORT and loses(row):
            yield ACCURACY, LOST, row
        if not pd.isna(row.same_bits) and not row.same_bits and row.fault not in STRICT.values():
            yield POLICY, f"{BITS}: {row.case.partition('@')[2]}", row


def broken(row: Any) -> tuple[str, str]:
    """Return the kind and the broken property of a cell that fails."""
    if row.outcome in DEATHS:
        return DEFECT, f"it answers: {row.outcome}"
    if row.fault in BROKEN:
        return DEFECT, BROKEN[row.fault]
    if row.outcome == Outcome.FAILED:
        fault = of(row)
        return DEFECT, f"it answers: {name(fault) if fault else row.outcome}"
    if row.nan_count or row.infinity_count:
        return DEFECT, "a finite value has a finite answer"
    if no_digit(row):
        return DEFECT, "a digit is right"
    if explained_in_some_order(row.error_over_any_order_bound):
        return ACCURACY, ORDER
    return DEFECT, BOUND


def no_digit(row: Any) -> bool:
    """Decide whether no digit of the worst element is right. Where terms cancel, its error is compared with their size.

    Such an answer is a defect and no loss of accuracy, even where theory cannot exclude it.
    """
    if row.fault == Kind.NO_DIGIT:
        return True
    if not pd.isna(row.max_scaled_error):
        return bool(row.max_scaled_error * FORMATS[answer_dtype(row.backend, row.dtype)].u > DIGIT)
    said = json.loads(row.witness)
    actual, expected = float.fromhex(said["actual"]), float.fromhex(said["expected"])
    return abs(actual - expected) > DIGIT * abs(expected)


def loses(row: Any) -> bool:
    """Decide whether a value well inside of the normal numbers is answered by 0 or with the other sign."""
    return not pd.isna(row.lost_components) and row.lost_components > 0


def at_the_lost(cell: Comparison) -> Comparison:
    """Return the cell with its lost component as its worst element, which is off by at least 2^(p−1) ulp."""
    least = 2.0 ** (FORMATS[answer_dtype(cell.backend, cell.dtype)].p - 1)
    return replace(
        cell, witness=cell.lost_witness, worst_index=cell.lost_index, worst_ulp_error=least, bound=None,
        worst_error_over_bound=None,
    )  # fmt: skip


def of_bits(suspect: Suspect) -> bool:
    """Decide whether the suspect is that an answer has other bits than the plain one."""
    return suspect.property in (BITS_AGAIN, BITS_BESIDE) or suspect.property.startswith(f"{BITS}:")


def of_laws(properties: pd.DataFrame) -> Iterator[tuple[str, str, Any]]:
    for row in properties[properties.verdict == Verdict.SHORT].itertuples():
        yield DEFECT, row.law, row
