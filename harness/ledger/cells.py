"""A run's cells as a baseline holds them: what came, by which hashes, and how far from the exact value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.blocks import stream
from harness.operations import OPERATIONS
from harness.records import Run

QUESTION = ["operation", "case", "dtype", "axis"]
KEY = [*QUESTION, "backend"]
FIGURES = ["max_ulp_error", "bound_fraction"]
COUNTS = ["nan_count", "infinity_count"]
COLUMNS = [*KEY, "asked", "inputs", "outcome", "answered", "raised", "verdict", "grade", *FIGURES, *COUNTS, "answer"]
SEEN = ["max_ulp_index", "worst_index", "witness"]
"""Of a run's cells alone."""
KINDS = {
    **dict.fromkeys(COLUMNS, "str"), "axis": "int64",
    **dict.fromkeys(FIGURES, "float64"), **dict.fromkeys(COUNTS, "Int64"),
}  # fmt: skip
NO_WORD = ("absent", "not run")
"""Outcomes that say nothing of a backend: they are never accepted, and never as good as an answer."""
OWN = ("operations", "dtypes", "cases")
INPUTS_DIGITS = 16


def cells(run: Run) -> pd.DataFrame:
    """`COLUMNS` and `SEEN`, sorted by key, with gaps for figures where there is no answer."""
    rows = run.comparisons
    other_dtype = rows.reason[(rows.outcome == "ok") & rows.reason.str.startswith("answered in ")]
    failed = rows.reason[rows.outcome == "failed"]
    found = rows[[*KEY, "outcome", "verdict", "grade", *FIGURES, *COUNTS, "answer", *SEEN]].assign(
        asked=asked(run.about["options"]["selection"]),
        inputs=input_hashes(rows, run.about["inputs"]),
        answered=other_dtype.str.extract(r"^answered in (.+), not ", expand=False),
        raised=failed.str.extract(r"^([^:]*)", expand=False),
    )
    found[["answered", "raised"]] = found[["answered", "raised"]].fillna("")
    return ordered(found[[*COLUMNS, *SEEN]].astype(KINDS))


def ordered(found: pd.DataFrame) -> pd.DataFrame:
    """By key, in the order of code points."""
    return found.sort_values(KEY, kind="stable", ignore_index=True)


def asked(selection: Mapping[str, Any]) -> str:
    """What a run asked: its suite, whose cells it may have narrowed down, or its own selection in full."""
    if selection["suite"] or not any(selection[name] for name in OWN):
        return selection["suite"] or "quick"
    given = {name: selection[name] for name in ("backends", *OWN) if selection[name]}
    return "; ".join(f"{name} {' '.join(names)}" for name, names in given.items())


def asks(selection: Mapping[str, Any], accepted: pd.DataFrame) -> pd.Series:
    """Which accepted cells a run must have: its suite's that match what it was narrowed to; or the same selection's."""
    mine = asked(selection)
    same = [label for label in accepted.asked.unique() if label == mine or mine in label.split("+")]
    alike = accepted.asked.isin(same)
    for column, name in (("backend", "backends"), ("operation", "operations"), ("dtype", "dtypes"), ("case", "cases")):
        if patterns := selection[name]:
            alike &= matches(accepted[column], patterns)
    return alike


def matches(names: pd.Series, patterns: Sequence[str]) -> pd.Series:
    """Whether each name matches any of the patterns."""
    good = [name for name in names.unique() if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return names.isin(good)


def input_hashes(rows: pd.DataFrame, inputs: Mapping[str, Mapping[str, str]]) -> NDArray[np.object_]:
    """Of all arguments of each cell's question, in one; empty where nobody was asked."""
    number = rows.groupby(QUESTION, sort=False).ngroup()
    questions = rows.loc[~number.duplicated(), QUESTION].to_dict("list")
    made = [
        one_hash(inputs.get(f"{case} {dtype}", {}), operation, axis)
        for operation, case, dtype, axis in zip(*questions.values(), strict=True)
    ]
    return np.array(made, dtype=object)[number.to_numpy()]


def one_hash(hashes: Mapping[str, str], operation: str, axis: int) -> str:
    """`hashes`: of a case's inputs, as `run.json` has them: `logits[0]`, or `tangent[0], axis 1`."""
    its = [
        f"{name} {digest}"
        for name, digest in sorted(hashes.items())
        if name.partition("[")[0] in streams(operation) and (", axis " not in name or name.endswith(f", axis {axis}"))
    ]
    return hashlib.sha256("\n".join(its).encode()).hexdigest()[:INPUTS_DIGITS] if its else ""


@cache
def streams(operation: str) -> frozenset[str]:
    """What the hashes of an operation's arguments stand under; of one that another version had, all that there are."""
    known = [OPERATIONS[operation]] if operation in OPERATIONS else OPERATIONS.values()
    return frozenset(stream(name) for about in known for name in about.arguments)
