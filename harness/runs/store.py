"""A run's folder: every file is written whole or not at all, and is checked when it is read.

`run.json` is written last and holds the SHA-256 of the tables, so an incomplete or edited folder is noticed. Nothing is
unpickled: the formats are JSON, Parquet and CSV.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import UsageError
from harness.faults import Outcome
from harness.records import Comparison, Pair, Profile, Property, Run
from harness.runs import old_runs

FORMAT, VERSION = "softmax-harness run", 5
TABLES: dict[str, type] = {"comparisons": Comparison, "pairs": Pair, "properties": Property, "profiles": Profile}
ABOUT: dict[str, type] = {
    "partial": bool, "faults": list, "environment": dict, "frameworks": dict, "options": dict,
    "cases": dict, "inputs": dict, "unanswered_probes": list, "files": dict,
}  # fmt: skip
"""The keys that `run.json` must have, with the types of their values."""
WORDS = {bool: "yes or no", list: "list", dict: "object"}
DEEPER: dict[str, type] = {"frameworks": dict, "cases": dict, "inputs": dict, "unanswered_probes": dict}
"""The types of all entries of these values."""
WRITTEN = (
    *(f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")), "run.json", "arrays.json", "journal.jsonl",
    "report.html", "report.md", "findings.csv", "findings-before.csv", "findings.md", "atlas.csv", "atlas.md",
    "power.md",
)  # fmt: skip
"""The files that commands write into their output folder, or remove from it."""
SELECTION = ("backends", "operations", "dtypes", "cases", "suite")
KINDS = {"int": "Int64", "float": "float64", "str": "str", "bool": "boolean", "Outcome": "str", "Verdict": "str"}


def frame(rows: Sequence[Any], record: type) -> pd.DataFrame:
    """Return rows as a table with the columns and dtypes of `record`. A figure that is None is a missing value."""
    fields = dataclasses.fields(record)
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields}
    return pd.DataFrame(columns).astype({field.name: KINDS[str(field.type).split(" ")[0]] for field in fields})


def writable(folder: Path) -> None:
    """Make the folder if need be. Raise UsageError if nothing can be written there. Call it before computing."""
    if taken := next((name for name in WRITTEN if (folder / name).is_dir()), ""):
        raise UsageError(f"cannot write {folder / taken}: it is a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"cannot write to {str(folder)!r}: {error.strerror or error}") from None


def write(folder: Path, name: str, content: bytes) -> None:
    """Write one file, whole or not at all. Raise UsageError if it cannot be written, as on a full disk."""
    try:
        write_whole(folder, name, content)
    except OSError as error:
        raise UsageError(f"cannot write {folder / name}: {error.strerror or error}") from None


def write_whole(folder: Path, name: str, content: bytes) -> None:
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).chmod(0o644)
        Path(draft).replace(folder / name)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def save(run: Run, folder: Path) -> Run:
    """Write the tables, then `run.json`. Return the run as it is saved, with its files' hashes."""
    hashes = {}
    for name in TABLES:
        table: pd.DataFrame = getattr(run, name)
        parquet = io.BytesIO()
        table.to_parquet(parquet, index=False)
        files = {f"{name}.parquet": parquet.getvalue(), f"{name}.csv": csv(table).encode()}
        for file, content in files.items():
            write(folder, file, content)
            hashes[file] = hashlib.sha256(content).hexdigest()
    saved = dataclasses.replace(run, about={"format": FORMAT, "version": VERSION, **run.about, "files": hashes})
    write(folder, "run.json", (json.dumps(saved.about, indent=1, ensure_ascii=False) + "\n").encode())
    return saved


def csv(table: pd.DataFrame) -> str:
    """Return a table as CSV: floats in the fewest digits that read back as the same number, missing figures as nan."""
    text: str = table.to_csv(index=False, lineterminator="\n", na_rep="nan")
    return text


def folder_of(place: Path) -> Path:
    """Return the folder of a run that is named by its folder or by its `run.json`."""
    return place if place.is_dir() else place.parent


def read(place: Path) -> Run:
    """Read a saved run from its folder or its `run.json`. Raise UsageError if it is missing, damaged or foreign."""
    file = place / "run.json" if place.is_dir() else place
    folder = file.parent
    about = _about(file)
    old, tables = about["version"] < VERSION, {}
    for name, record in TABLES.items():
        content = _content(folder / f"{name}.parquet", about)
        try:
            # No threads: pyarrow 26 was once seen to abort at an early exit, with one of its threads still running.
            tables[name] = pd.read_parquet(io.BytesIO(content), use_threads=False, pre_buffer=False)
        except Exception as error:
            raise UsageError(f"{folder / name}.parquet is not a Parquet file: {error}") from None
        if old:
            tables[name] = old_runs.renewed(tables[name])
        if missing := {field.name for field in dataclasses.fields(record)} - set(tables[name].columns):
            raise UsageError(f"{folder / name}.parquet has no columns {', '.join(sorted(missing))}")
    return Run(old_runs.renewed_about(about) | {"version": VERSION} if old else about, **tables)


def _about(file: Path) -> dict[str, Any]:
    try:
        about = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"no run at {str(file)!r}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"{file} is damaged: it is not JSON ({error})") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise UsageError(f"{file} is not a run of this harness: its format is not {FORMAT!r}")
    if about.get("version") not in (old_runs.VERSION, VERSION):
        versions = f"{old_runs.VERSION} and {VERSION}"
        raise UsageError(f"{file} has format version {about.get('version')!r}; this harness reads {versions}")
    if wrong := next(amiss(about), ""):
        raise UsageError(f"{file} is damaged: {wrong}")
    return about


def amiss(about: Mapping[str, Any]) -> Iterator[str]:
    """Yield a clause for each thing that is missing or of the wrong type in a `run.json`."""
    for key, kind in ABOUT.items():
        if not isinstance(about.get(key), kind):
            yield f"its {key!r} is {'missing' if key not in about else f'no {WORDS[kind]}'}"
    for key, kind in DEEPER.items():
        entries = about[key].values() if isinstance(about[key], dict) else about[key]
        if not all(isinstance(entry, kind) for entry in entries):
            yield f"an entry of its {key!r} is no {WORDS[kind]}"
    for probe in about["unanswered_probes"]:
        if isinstance(probe, dict) and probe.get("outcome") not in (*Outcome, *old_runs.OUTCOMES):
            yield f"an outcome of its 'unanswered_probes' is {probe.get('outcome')!r}"
    selection = about["options"].get("selection")
    if not isinstance(selection, dict) or set(SELECTION) - set(selection):
        yield f"its options have no 'selection' of {', '.join(SELECTION)}"


def _content(file: Path, about: dict[str, Any]) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the run's {file.name} is missing: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() != about["files"].get(file.name):
        raise UsageError(f"{file} is damaged: its SHA-256 is not the one in run.json")
    return content
