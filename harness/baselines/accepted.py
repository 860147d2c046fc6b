"""A baseline: the accepted cells of one platform, as text that a person can review and git can merge.

The rows are a CSV file, one line per cell, sorted by key: one changed cell is one changed line. Floats are written in
the fewest digits that read back as the same number. The head is a TOML file beside it (`harness.baselines.toml_head`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.baselines import old_baselines, toml_head
from harness.baselines.cell_columns import ASKED, COLUMNS, KEY, NO_WORD, asks, cells, ordered, words
from harness.baselines.parsing import body, decoded, table, written_otherwise
from harness.baselines.platform import FrameworkVersions, Platform, frameworks, platform
from harness.baselines.toml_head import Head, in_one_line
from harness.errors import UsageError
from harness.records import Run
from harness.runs import store


@dataclass(frozen=True)
class Baseline:
    """The content of a baseline."""

    platform: Platform
    frameworks: Mapping[str, FrameworkVersions]
    reasons: tuple[str, ...]
    """The reasons given for all that was accepted, the newest last."""
    cells: pd.DataFrame
    """The accepted cells, with the columns `COLUMNS`, sorted by key."""


@dataclass(frozen=True)
class Acceptance:
    """A baseline that includes a run, and how many lines that changes."""

    baseline: Baseline
    new: int
    changed: int
    dropped: int
    kept: int
    """The number of lines that stay as they were."""


def file_of(folder: Path, made_on: Platform) -> Path:
    """Return the file of a platform's rows."""
    return folder / f"{made_on.name}.csv"


def head_of(file: Path) -> Path:
    """Return the head that belongs to a baseline's rows."""
    return file.with_suffix(".toml")


def pending(file: Path) -> Path:
    """Return where new rows wait until their head is written: an interrupted `accept` may leave them there."""
    return file.with_name(f".{file.name}.next")


def exists(file: Path) -> bool:
    """Decide whether there is a baseline: its head, or a file in the old form."""
    return head_of(file).exists() or file.exists()


def read(file: Path) -> Baseline:
    """Read a baseline. Raise UsageError, with the line, for anything that this version would not have written."""
    if not head_of(file).exists():
        found, rows = old_baselines.understood(file, content_of(file))
        return Baseline(found.platform, found.frameworks, found.reasons, rows)
    rows_at = pending(file) if left_waiting(file) else file
    return understood(file, content_of(head_of(file)), content_of(rows_at))


def left_waiting(file: Path) -> bool:
    """Decide whether an `accept` was interrupted after its head was written: the rows that it names still wait."""
    there = head_of(file).exists() and pending(file).exists()
    return there and toml_head.names(content_of(head_of(file)), content_of(pending(file)))


def put_in_place(file: Path) -> None:
    """Let the rows that wait take the place of the old ones."""
    try:
        pending(file).replace(file)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}") from None


def content_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"no baseline at {str(file)!r}: {error.strerror or error}") from None


def understood(file: Path, about: bytes, content: bytes) -> Baseline:
    """Parse the contents of a head and of the rows that should belong to it. `file`: the name of the rows' file.

    Raise UsageError if one is damaged, or if they do not belong together.
    """
    found = toml_head.understood(head_of(file), about)
    text = decoded(file, content)
    baseline = Baseline(found.platform, found.frameworks, found.reasons, body(file, text))
    if (anew := table(baseline.cells)) != text:
        raise written_otherwise(file, text, anew)
    if not toml_head.names(about, content):
        raise toml_head.of_other_rows(head_of(file), about, file, content)
    return baseline


def write(folder: Path, baseline: Baseline) -> Path:
    """Write the head and the rows, both or neither, and return the rows' path.

    The new rows first wait beside the old ones. Once the head names them, they are the baseline, wherever they are.
    Raise UsageError for content that would not read back: names and versions come from a run.
    """
    file = file_of(folder, baseline.platform)
    try:
        content = table(baseline.cells).encode()
        about = toml_head.written(Head(baseline.platform, baseline.frameworks, baseline.reasons), content).encode()
        understood(file, about, content)
    except (UsageError, UnicodeEncodeError) as error:
        raise UsageError(f"the run cannot be accepted, because its baseline could not be read back: {error}") from None
    store.writable(folder)
    if left_waiting(file):
        put_in_place(file)
    store.write(folder, pending(file).name, content)
    store.write(folder, head_of(file).name, about)
    put_in_place(file)
    return file


def spoken(run: Run) -> pd.DataFrame:
    """Return the cells in which a run's backends gave an answer or said that there is none."""
    found = cells(run)
    return found[~found.outcome.isin(NO_WORD)][COLUMNS]


def empty(run: Run) -> Baseline:
    """Return a baseline for a run's platform, with nothing accepted yet."""
    return Baseline(platform(run.about), {}, (), spoken(run).iloc[:0])


def accepted(before: Baseline, run: Run, reason: str, drop_gone: bool = False) -> Acceptance:
    """Replace the accepted cells that a run has by the run's own, and keep the others.

    `drop_gone`: whether cells that the run must have and does not have are dropped.
    """
    asked, known = spoken(run), before.cells
    if drop_gone:
        gone = ~among(known, cells(run)) & asks(run.about["options"]["selection"], known).to_numpy()
        known = known[~gone]
    taken = with_earlier(asked, known)
    others = known[~among(known, taken)]
    after = ordered(pd.concat([others, taken]))
    fresh, same = int((~among(taken, known)).sum()), len(known.merge(after, how="inner", on=COLUMNS))
    said = {**before.frameworks, **answering(before, frameworks(run.about), others)}
    baseline = Baseline(before.platform, said, (*before.reasons, in_one_line(reason)), after)
    return Acceptance(baseline, fresh, len(known) - same, len(before.cells) - len(known), same)


def among(cells_: pd.DataFrame, others: pd.DataFrame) -> NDArray[np.bool_]:
    """Return a mask of the cells whose key is among the others too."""
    return pd.MultiIndex.from_frame(cells_[KEY]).isin(pd.MultiIndex.from_frame(others[KEY]))


def with_earlier(taken: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Add to each cell's `ASKED` columns the words under which it was accepted before."""
    earlier = taken[KEY].merge(known[[*KEY, *ASKED]], how="left", on=KEY).fillna("")
    return taken.assign(**{name: united(earlier[name], taken[name]) for name in ASKED})


def united(a: pd.Series, b: pd.Series) -> list[str]:
    """Return the words of both texts, row by row."""
    pairs = list(zip(a, b, strict=True))
    of = {pair: words([*shlex.split(pair[0]), *shlex.split(pair[1])]) for pair in set(pairs)}
    return [of[pair] for pair in pairs]


def answering(
    before: Baseline, now: Mapping[str, FrameworkVersions], others: pd.DataFrame
) -> dict[str, FrameworkVersions]:
    """Return the frameworks of a run.

    The versions accepted before are added for a framework that keeps accepted cells which the run does not have.
    """
    staying = {framework_of(name) for name in others.backend.unique()}
    return {
        name: FrameworkVersions(tuple(sorted({*before.frameworks[name].versions, *said.versions})), said.flushes)
        if name in staying and name in before.frameworks
        else said
        for name, said in now.items()
    }


def framework_of(backend: str) -> str:
    return re.split("[:@]", backend)[0]
