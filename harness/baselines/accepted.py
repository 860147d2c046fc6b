"""A baseline: the accepted cells of one platform, as text that a person can review and git can merge.

The file has a head of `# key: value` lines, the names of the columns, and one line per cell, sorted by key. So one
changed cell is one changed line. Floats are written in the fewest digits that read back as the same number.
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

from harness.baselines.cells import ASKED, COLUMNS, KEY, NO_WORD, asks, cells, ordered, words
from harness.baselines.file import END, HEAD, Head, body, damaged, head, written_otherwise
from harness.baselines.platform import Framework, Platform, frameworks, platform
from harness.errors import UsageError
from harness.records import Run
from harness.runs import store

FRAMEWORK = re.compile(r"(\S+) (\S+(?: and \S+)*?)(, flushes to zero)?")


@dataclass(frozen=True)
class Baseline:
    """The content of a baseline file."""

    platform: Platform
    frameworks: Mapping[str, Framework]
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
    return folder / f"{made_on.name}.csv"


def read(file: Path) -> Baseline:
    """Read a baseline. Raise UsageError, with the line, for anything that this version would not have written."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"no baseline at {str(file)!r}: {error.strerror or error}") from None
    return understood(file, content)


def understood(file: Path, content: bytes) -> Baseline:
    """Parse a file of that name and content into a baseline. Raise UsageError if it is damaged."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is damaged: it is not UTF-8 text ({error})") from None
    found = head(file, text)
    made_on = platform_of(file, found)
    if made_on.name != file.stem:
        raise damaged(file, found.place("platform"), f"this is the baseline of another platform, {made_on.name}")
    rows = body(file, text, found.lines)
    baseline = Baseline(made_on, frameworks_of(file, found), tuple(map(in_one_line, found.all("accepted"))), rows)
    if (anew := written(baseline)) != text:
        raise written_otherwise(file, text, anew)
    return baseline


def in_one_line(reason: str) -> str:
    """Return a reason as the head holds it, with one space between words."""
    return " ".join(reason.split())


def platform_of(file: Path, found: Head) -> Platform:
    system, machine, vendor, cpu, threads = (
        found.one(file, key) for key in ("system", "machine", "vendor", "cpu", "threads")
    )
    if not re.fullmatch("[0-9]{1,9}", threads):
        raise damaged(file, found.place("threads"), f"{threads!r} is not a number of threads")
    made_on = Platform(system, machine, vendor, tuple(cpu.split()), int(threads))
    if found.one(file, "platform") != made_on.name:
        raise damaged(
            file, found.place("platform"), f"the platform does not match the lines below it, which give {made_on.name}"
        )
    return made_on


def frameworks_of(file: Path, found: Head) -> dict[str, Framework]:
    said = {}
    for key, value, line in found.entries:
        if key == "framework":
            about = FRAMEWORK.fullmatch(value)
            if not about:
                raise damaged(file, line, f"{value!r} is not a framework with its version")
            said[about[1]] = Framework(tuple(about[2].split(" and ")), bool(about[3]))
    return said


def written(baseline: Baseline) -> str:
    """Return the text of the whole file."""
    made_on = baseline.platform
    lines = [
        HEAD,
        f"# platform: {made_on.name}",
        f"# system: {made_on.system}",
        f"# machine: {made_on.machine}",
        f"# vendor: {made_on.vendor}",
        f"# cpu: {' '.join(made_on.cpu)}",
        f"# threads: {made_on.threads}",
        *(f"# framework: {name} {about}" for name, about in sorted(baseline.frameworks.items())),
        *(f"# accepted: {reason}" for reason in baseline.reasons),
    ]
    table: str = baseline.cells[COLUMNS].to_csv(index=False, lineterminator="\n")
    return "\n".join(lines) + f"\n{table}{END}\n"


def write(folder: Path, baseline: Baseline) -> Path:
    """Write the file, whole or not at all, and return its path.

    Raise UsageError for content that would not read back: names and versions come from a run.
    """
    file = file_of(folder, baseline.platform)
    try:
        content = written(baseline).encode()
        understood(file, content)
    except (UsageError, UnicodeEncodeError) as error:
        raise UsageError(f"the run cannot be accepted, because its baseline could not be read back: {error}") from None
    store.writable(folder)
    store.write(folder, file.name, content)
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


def answering(before: Baseline, now: Mapping[str, Framework], others: pd.DataFrame) -> dict[str, Framework]:
    """Return the frameworks of a run.

    The versions accepted before are added for a framework that keeps accepted cells which the run does not have.
    """
    staying = {framework_of(name) for name in others.backend.unique()}
    return {
        name: Framework(tuple(sorted({*before.frameworks[name].versions, *said.versions})), said.flushes)
        if name in staying and name in before.frameworks
        else said
        for name, said in now.items()
    }


def framework_of(backend: str) -> str:
    return re.split("[:@]", backend)[0]
