"""Findings as `findings.csv` beside their run. Those of an earlier run are shown again, or marked as stale."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from harness.errors import UsageError
from harness.findings.asker import Asker
from harness.findings.record import SHOWN, STALE, Finding, key
from harness.findings.scripts.one_cell import run_file
from harness.findings.search import FOLDER, GONE, last_words, still_fails
from harness.runs import store

FILE, PAGE, BEFORE = "findings.csv", "findings.md", "findings-before.csv"
SCRIPT = re.compile(rf"{FOLDER}/[\w.~%-]+\.py")


def write(folder: Path, findings: Sequence[Finding]) -> None:
    store.write(folder, FILE, store.csv(store.frame(findings, Finding)).encode())


def put_aside(folder: Path) -> None:
    """Rename the table of an earlier run's findings, and remove its page.

    The next look into this run reads the table and tells what became of these findings.
    """
    with suppress(FileNotFoundError):
        (folder / FILE).replace(folder / BEFORE)
    (folder / PAGE).unlink(missing_ok=True)


def earlier(folder: Path) -> list[Finding]:
    """Return the findings of the last look, into this run or into one before it."""
    return read(folder / FILE) if (folder / FILE).exists() else read(folder / BEFORE)


def read(file: Path) -> list[Finding]:
    """Return the findings in a file, or none if there is no file.

    Raise UsageError if it is not a table of findings.
    """
    if not file.exists():
        return []
    try:
        table = pd.read_csv(io.BytesIO(file.read_bytes()), keep_default_na=False, dtype=str)
        return [finding(row) for row in table.to_dict("records")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} does not read as a table of findings: {error}") from None


def finding(row: dict[str, str]) -> Finding:
    kinds = {field.name: str(field.type) for field in dataclasses.fields(Finding)}
    made = {
        name: int(row[name]) if kind == "int" else as_float(row[name]) if kind.startswith("float") else row[name]
        for name, kind in kinds.items()
    }
    return Finding(**made)  # type: ignore[arg-type]


def as_float(text: str) -> float | None:
    return None if text in ("nan", "") else float(text)


def with_earlier(found: Sequence[Finding], before: Sequence[Finding], asker: Asker, folder: Path) -> list[Finding]:
    """Return today's findings, and after them those that an earlier run had and this one has not.

    None is dropped.
    """
    known = {key(finding) for finding in found}
    return [*found, *(again(old, asker, folder) for old in before if key(old) not in known)]


def script(folder: Path, found: Finding) -> Path | None:
    """Return the file of a finding's own script beside the table, or None if it is not there.

    A file from elsewhere is never returned, whatever the table says.
    """
    file = folder / found.snippet
    return file if SCRIPT.fullmatch(found.snippet) and file.is_file() else None


def again(old: Finding, asker: Asker, folder: Path) -> Finding:
    """Return an earlier finding with its status of today.

    Its script is run once more if that has shown it before. If not, the finding's witness is asked again.
    """
    try:
        interpreter = asker.interpreter(old.backend)
    except KeyError:
        gone = dataclasses.replace(old, status=f"{STALE}: there is no backend {old.backend} here")
        return gone if was_shown(old) else old
    file = script(folder, old)
    if file is None or not was_shown(old):
        return asked_again(old, asker)
    ran = run_file(file, interpreter)
    return dataclasses.replace(old, status=SHOWN if ran.shown else f"{STALE}: {last_words(ran)}")


def was_shown(old: Finding) -> bool:
    """Decide whether the finding's status is shown or stale."""
    return old.status.startswith((SHOWN, STALE))


def asked_again(old: Finding, asker: Asker) -> Finding:
    """Return an earlier finding after its witness was asked again.

    It is stale if it does not fail any more. It stays as it was if it fails or cannot be asked; if it had been shown,
    the status says that its script is not there.
    """
    fails = still_fails(old, asker)
    if fails is None or (fails and not was_shown(old)):
        return old
    return dataclasses.replace(old, status=NO_SCRIPT if fails else GONE)


NO_SCRIPT = "asked again, it fails, and its script is not there"
