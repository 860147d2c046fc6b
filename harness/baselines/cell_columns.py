"""A run's cells as a baseline holds them: the answer, a hash of its inputs, and its distance from the exact value."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness import faults
from harness.faults import Fault, Kind, Outcome
from harness.operations import OPERATIONS
from harness.questions.blocks import stream
from harness.questions.suites import SUITES
from harness.records import Run
from harness.runs.exit_status import is_name

QUESTION = ["operation", "case", "dtype", "axis"]
KEY = [*QUESTION, "backend"]
PEAKS = ["max_ulp_error", "error_over_bound"]
FIGURES = ["max_ulp_error", "mean_ulp_error", "error_over_bound"]
COUNTS = ["nan_count", "infinity_count"]
ASKED = ["suites", "left_open"]
"""The columns that say what a cell was asked by. Each is a text of `words`."""
COLUMNS = [*KEY, *ASKED, "inputs", "outcome", "answered", "raised", "verdict", "grade", *FIGURES, *COUNTS, "answer"]
SEEN = ["max_ulp_index", "worst_index", "witness"]
"""Columns that only a run's cells have."""
KINDS = {
    **dict.fromkeys(COLUMNS, "str"), "axis": "int64",
    **dict.fromkeys(FIGURES, "float64"), **dict.fromkeys(COUNTS, "Int64"),
}  # fmt: skip
NO_WORD = (Outcome.ABSENT, Outcome.NOT_RUN)
"""Outcomes that say nothing about a backend. They are never accepted, and never count as an answer."""
PARTS = {"backend": "backends", "operation": "operations", "dtype": "dtypes", "case": "cases"}
"""Columns of a cell, and the names of the patterns for them in a selection."""
INPUTS_DIGITS = 16


def cells(run: Run) -> pd.DataFrame:
    """Return a run's cells with the columns `COLUMNS` and `SEEN`, sorted by key.

    Figures are missing where there is no answer.
    """
    rows = run.comparisons
    selection = run.about["options"]["selection"]
    found = rows[[*KEY, "outcome", "verdict", "grade", *FIGURES, *COUNTS, "answer", *SEEN]].assign(
        suites=words(asked_by(selection)),
        left_open=words(left_open(selection)),
        inputs=input_hashes(rows, run.about["inputs"]),
        answered=of_faults(rows, lambda fault: fault.answered if fault.kind == Kind.OTHER_DTYPE else ""),
        raised=of_faults(rows, lambda fault: faults.name(fault) if fault.outcome == Outcome.FAILED else ""),
    )
    return ordered(found[[*COLUMNS, *SEEN]].astype(KINDS))


def of_faults(rows: pd.DataFrame, say: Callable[[Fault], str]) -> list[str]:
    """Return what `say` makes of each row's fault; an empty text where there is none."""
    keys = list(zip(rows.fault, rows.fault_arguments, strict=True))
    said = {}
    for row in rows[["fault", "fault_arguments"]].drop_duplicates().itertuples(index=False):
        fault = faults.of(row)
        said[row.fault, row.fault_arguments] = say(fault) if fault else ""
    return [said[key] for key in keys]


def ordered(found: pd.DataFrame) -> pd.DataFrame:
    """Sort by key, in the order of code points."""
    return found.sort_values(KEY, kind="stable", ignore_index=True)


def words(some: Iterable[str]) -> str:
    """Join names to one text: sorted, each once, and quoted as in a shell, so that a name may contain a space."""
    return shlex.join(sorted(set(some)))


def among_words(name: str, texts: pd.Series) -> pd.Series:
    """Return a mask of the texts that have the name among their words."""
    return texts.isin([text for text in texts.unique() if name in shlex.split(text)])


def suite(selection: Mapping[str, Any]) -> str:
    """Return the suite whose cells a run asked, narrowed down or not; empty if the run named by itself what to ask."""
    if not selection["suite"] and any(selection[name] for name in ("operations", "dtypes", "cases")):
        return ""
    return PurePath(selection["suite"] or "quick").as_posix()


def asked_by(selection: Mapping[str, Any]) -> list[str]:
    """Return the suite of a run, in a list; an empty list if it named by itself what to ask.

    `BY_NAME` is appended if the run named a backend that may not be on the suite's lists.
    """
    its = suite(selection)
    off_the_list = any(is_name(name) and (":" in name or its not in SUITES) for name in selection["backends"])
    return [its + BY_NAME * off_the_list] if its else []


BY_NAME = ", by name"


def left_open(selection: Mapping[str, Any]) -> list[str]:
    """Return the parts for which a selection without a suite has no patterns. They are asked by their defaults."""
    return [] if suite(selection) else [name for name in PARTS.values() if not selection[name]]


def asks(selection: Mapping[str, Any], accepted: pd.DataFrame) -> pd.Series:
    """Return a mask of the accepted cells that a run must have.

    This depends on what they were accepted from, not on what would be asked today. If the run asked a suite, they are
    the cells of that suite that match what it was narrowed to: a suite's cells are the same however it is narrowed, and
    those asked only because a backend was named are marked (`BY_NAME`). If the run named by itself what to ask, they
    are all cells that match its patterns and were asked by default in each part that it left open.
    """
    its = suite(selection)
    must = pd.Series(not its, index=accepted.index)
    for name in {its, *asked_by(selection)} if its else ():
        must |= among_words(name, accepted.suites)
    for column, name in PARTS.items():
        if patterns := selection[name]:
            must &= matches(accepted[column], patterns, exact=column == "case" and not its)
        elif not its:
            must &= among_words(name, accepted.left_open)
    return must


def matches(names: pd.Series, patterns: Sequence[str], exact: bool = False) -> pd.Series:
    """Return a mask of the names that match any of the patterns.

    `exact`: whether a case that is not `listed` must be named itself, and not by a pattern.
    """
    good = [
        name
        for name in names.unique()
        if name in patterns or ((listed(name) or not exact) and any(fnmatchcase(name, pattern) for pattern in patterns))
    ]
    return names.isin(good)


def listed(case: str) -> bool:
    """Decide whether a case is a named one as it stands, neither generated from its name nor asked in another way."""
    return ":" not in case and "@" not in case


def input_hashes(rows: pd.DataFrame, inputs: Mapping[str, Mapping[str, str]]) -> NDArray[np.object_]:
    """Return one hash of all arguments of each cell's question; empty if no backend was asked."""
    number = rows.groupby(QUESTION, sort=False).ngroup()
    questions = rows.loc[~number.duplicated(), QUESTION].to_dict("list")
    made = [
        one_hash(inputs.get(f"{case} {dtype}", {}), operation, axis)
        for operation, case, dtype, axis in zip(*questions.values(), strict=True)
    ]
    return np.array(made, dtype=object)[number.to_numpy()]


def one_hash(hashes: Mapping[str, str], operation: str, axis: int) -> str:
    """Return one hash of an operation's arguments at one axis; empty if there are none.

    `hashes`: those of a case's inputs, by names as in `run.json`: `logits[0]`, or `tangent[0], axis 1`.
    """
    its = [
        f"{name} {digest}"
        for name, digest in sorted(hashes.items())
        if name.partition("[")[0] in streams(operation) and (", axis " not in name or name.endswith(f", axis {axis}"))
    ]
    return hashlib.sha256("\n".join(its).encode()).hexdigest()[:INPUTS_DIGITS] if its else ""


@cache
def streams(operation: str) -> frozenset[str]:
    """Return the names of the hashes of an operation's arguments.

    For an operation that only another version has, return the names for all operations.
    """
    known = [OPERATIONS[operation]] if operation in OPERATIONS else OPERATIONS.values()
    return frozenset(stream(name) for about in known for name in about.arguments)
