"""The distance between the answers of two runs, element by element, where both runs kept them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.baselines.cell_columns import KEY
from harness.faults import Outcome
from harness.judging.metrics import clamped
from harness.numbers.arrays import in_the_wider
from harness.numbers.formats import FORMATS, Format
from harness.records import Run
from harness.runs import archive
from harness.runs.store import folder_of

Array = NDArray[np.generic]
SavedBlocks = dict[tuple[Any, ...], list[dict[str, Any]]]
COLUMNS = ["difference_ulp", "difference_at", "difference_hex"]


def with_distances(rows: pd.DataFrame, runs: tuple[Run, Run], places: tuple[Path, Path]) -> pd.DataFrame:
    """Add three columns: the largest distance in ulp, the place of the first difference, and the two numbers there.

    They are NaN and empty for cells whose answers have the same bits, and unless both runs kept their answers.
    """
    rows = rows.assign(difference_ulp=np.nan, difference_at="", difference_hex="")
    if not all("arrays" in run.about for run in runs):
        return rows
    kept = [entries(folder_of(place), run) for place, run in zip(places, runs, strict=True)]
    answers = (rows.outcome == Outcome.OK) & (rows.outcome_accepted == Outcome.OK)
    differing = (rows.answer != rows.answer_accepted) & answers
    for index, *key in rows.loc[differing, KEY].itertuples():
        sides = (saved_answers(place, its[tuple(key)]) for place, its in zip(places, kept, strict=True))
        rows.loc[index, COLUMNS] = distance(zip(*sides, strict=True))
    return rows


def entries(folder: Path, run: Run) -> SavedBlocks:
    """Return the kept blocks of every cell, in order."""
    found: SavedBlocks = defaultdict(list)
    for entry in archive.entries(folder, run.about):
        if not entry["probe"]:
            key = (entry["operation"], entry["case"], entry["asked"], entry["axis"], entry["backend"])
            found[key].append(entry)
    return found


def saved_answers(place: Path, blocks: list[dict[str, Any]]) -> Iterator[Array]:
    """Yield the saved answers, block by block."""
    for entry in blocks:
        yield archive.answer(folder_of(place), entry)


def distance(blocks: Iterator[tuple[Array, Array]]) -> tuple[float, str, str]:
    """Return the largest distance over all blocks in ulp, the place of the first difference, and the numbers there.

    Answers in two dtypes are compared in the wider one. If an answer has an unknown dtype or the shapes differ, the
    distance is NaN and the texts are empty.
    """
    most, place, numbers = nan, "", ""
    for number, (a, b) in enumerate(blocks):
        if not {a.dtype.name, b.dtype.name} <= set(FORMATS) or a.shape != b.shape:
            return nan, "", ""
        wide = in_the_wider(a, b)
        form = FORMATS[wide[0].dtype.name]
        apart = ulps(wide[0].astype(np.float64), wide[1].astype(np.float64), form)
        most = float(np.nanmax([most, apart.max(initial=0.0)]))
        if not place and apart.any():
            at = np.unravel_index(int(np.flatnonzero(apart)[0]), a.shape)
            place = f"block {number}: " * bool(number) + ",".join(str(int(i)) for i in at)
            numbers = f"{float(a[at]).hex()} → {float(b[at]).hex()}"
    return most, place, numbers


def ulps(a: NDArray[np.float64], b: NDArray[np.float64], form: Format) -> NDArray[np.float64]:
    """Return |b − a| in ulp of a; infinite where they differ and one of them is not finite. Two NaN are equal."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.ldexp(np.abs(b - a), -np.where(a == 0, form.emin - (form.p - 1), clamped(np.frexp(a)[1], form)))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isfinite(a) & np.isfinite(b), apart, inf))
