"""A run against its baseline, and two runs against each other: their cells are joined and classified."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pandas as pd

from harness.baselines import accepted
from harness.baselines.cell_columns import KEY, cells
from harness.baselines.changes import FACTOR, GONE, POOR, UNANSWERED, Changes, classified, other_inputs
from harness.baselines.distances import with_distances
from harness.baselines.platform import changes, frameworks, moved, platform
from harness.errors import UsageError
from harness.records import Run
from harness.runs.exit_status import unjudged_by_name

FOLDER = Path("baselines")


def against(run: Run, place: Path, folder: Path = FOLDER, factor: float = FACTOR, fail_at: str = "") -> Changes:
    """Compare a run with the baseline of its platform. Raise UsageError if there is none."""
    made_on = platform(run.about)
    file = accepted.file_of(folder, made_on)
    if not accepted.exists(file):
        others = ", ".join(sorted(other.name for other in folder.glob("*.csv"))) or "none"
        raise UsageError(
            f"there is no baseline for this platform: no file {file} (in that folder: {others}); "
            f"create it with: {command(place, folder)}"
        )
    baseline = accepted.read(file)
    rows = classified(baseline.cells, cells(run), run.about["options"]["selection"], factor, fail_at)
    facts = tuple(changes(baseline.frameworks, frameworks(run.about)))
    moves = Changes(f"accepted in {file}", rows, facts, factor, *by_halves(run))
    return replace(moves, accepting=accepting(moves, place, folder))


def accepting(moves: Changes, place: Path, folder: Path) -> str:
    """Return the command after which the same run passes; empty if there is nothing to accept, or if none can."""
    classes = set(moves.failing["class"]) - {UNANSWERED, POOR}
    return "" if moves.partial or moves.faulty or not classes else command(place, folder, drop_gone=GONE in classes)


def command(place: Path, folder: Path, drop_gone: bool = False) -> str:
    options = ["--drop-gone"] * drop_gone + (["--baselines", str(folder)] if folder != FOLDER else [])
    words = shlex.join(["python", "-m", "harness", "baseline", "accept", str(place), *options])
    return f'{words} --reason "…"'


def between(a: Run, b: Run, places: tuple[Path, Path], factor: float = FACTOR) -> Changes:
    """Compare two runs, with the first as the accepted side.

    Raise UsageError if they were not asked the same numbers.
    """
    sides = cells(a), cells(b)
    same_inputs(*sides, places)
    rows = classified(*sides, b.about["options"]["selection"], factor)
    rows = with_distances(rows, (a, b), places)
    facts = moved(platform(a.about), platform(b.about)) + changes(frameworks(a.about), frameworks(b.about))
    return Changes(f"in {places[0]}", rows, tuple(facts), factor, *by_halves(a, b))


def by_halves(*runs: Run) -> tuple[bool, bool, tuple[str, ...]]:
    """Return whether a run was interrupted, whether the judge failed in a run by our own fault, and who was not judged.

    The last is a sentence for each backend that a run named and of which it judged nothing.
    """
    unjudged = dict.fromkeys(sentence for run in runs for sentence in unjudged_by_name(run))
    return any(run.about["partial"] for run in runs), any(run.about.get("faults") for run in runs), tuple(unjudged)


def same_inputs(a: pd.DataFrame, b: pd.DataFrame, places: tuple[Path, Path]) -> None:
    both = a.merge(b, on=KEY, suffixes=("_accepted", ""))
    others = both[other_inputs(both)]
    if len(others):
        names = ", ".join(dict.fromkeys(others["case"] + " " + others["dtype"]))
        raise UsageError(f"{places[0]} and {places[1]} have different inputs, so they cannot be compared, for: {names}")
