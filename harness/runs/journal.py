"""The journal of a run: what is judged is written to disk at once, so that an interrupted run can be resumed.

It has one JSON line for each unit. A unit is all that is asked about one case in one dtype along one axis. Its rows are
not kept in memory. A later line about a unit replaces earlier ones; an unreadable line counts as not written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from harness import __version__
from harness.errors import UsageError
from harness.records import Audit, Group, Judgement
from harness.runs import store

FILE = "journal.jsonl"
ROWS = 4096
"""Number of rows held as Python objects from which on they become a part of a table."""


def identity(groups: Sequence[Group], pairs: str) -> str:
    """Return a hash of a plan: what is asked of which backends, which pairs are compared, and in which format."""
    digest = hashlib.sha256(f"{__version__} {store.VERSION} {pairs}".encode())
    for group in groups:
        digest.update(repr(group).encode())
    return digest.hexdigest()


def unit_of(group: Group) -> str:
    """Return the name of a group's unit: its case, dtype and axis."""
    return f"{group.case.name} {group.dtype} {group.axis}"


class Journal:
    """The judged units of one plan. `done` has those that need not be asked again."""

    def __init__(self, folder: Path, groups: Sequence[Group], pairs: str) -> None:
        self.file = folder / FILE
        self.plan = identity(groups, pairs)
        self.order = {unit: number for number, unit in enumerate(dict.fromkeys(map(unit_of, groups)))}
        self.done: set[str] = set()
        self.inputs: dict[str, dict[str, str]] = {}
        self.versions: dict[str, str] = {}
        self._places: dict[str, int] = {}

    def begin(self) -> None:
        """Begin a new file in place of any other. Raise UsageError if it cannot be written."""
        try:
            self.file.write_text(json.dumps({"plan": self.plan}) + "\n")
        except OSError as error:
            raise UsageError(f"cannot write to {self.file}: {error.strerror or error}") from None

    def resume(self) -> None:
        """Continue the file that is there. Raise UsageError if there is none, or it is damaged or of another plan."""
        try:
            with self.file.open("rb") as stream:
                plan = json.loads(stream.readline())["plan"]
                whole = self._take_up(stream)
        except FileNotFoundError:
            raise UsageError(f"nothing to resume: there is no {self.file}") from None
        except OSError as error:
            raise UsageError(f"cannot read {self.file}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{self.file} is damaged; without --resume the run starts again") from None
        if plan != self.plan:
            raise UsageError(f"{self.file} belongs to another plan or version; without --resume the run starts again")
        with self.file.open("r+b") as stream:
            stream.truncate(whole)

    def _take_up(self, stream: Any) -> int:
        """Note every readable line, and return where the last whole line ends. Units without one are asked again."""
        place = stream.tell()
        while (line := stream.readline()).endswith(b"\n"):
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                self._note(json.loads(line), place)
            place = stream.tell()
        return int(place)

    def _note(self, entry: dict[str, Any], place: int) -> None:
        unit, versions, inputs, partial = (entry[name] for name in ("unit", "versions", "inputs", "partial"))
        if unit not in self.order or not all(isinstance(entry[name], list) for name in store.TABLES):
            raise ValueError(f"{unit} is no unit of this plan")
        self.versions |= versions
        for name, hashes in inputs.items():
            self.inputs.setdefault(name, {}).update(hashes)
        self._places[unit] = place
        (self.done.discard if partial else self.done.add)(unit)

    def add(
        self, unit: str, judgement: Judgement, inputs: Mapping[str, Any], versions: Mapping[str, str], partial: bool
    ) -> None:
        """Append a unit's rows. `partial`: the unit is not done, as some of its answers are missing or asked again.

        Raise UsageError if they cannot be written.
        """
        entry = {
            "unit": unit, "partial": partial, "inputs": dict(inputs), "versions": dict(versions),
            "audit": dataclasses.astuple(judgement.audit),
            **{name: [dataclasses.astuple(row) for row in getattr(judgement, name)] for name in store.TABLES},
        }  # fmt: skip
        try:
            with self.file.open("ab") as stream:
                place = stream.tell()
                stream.write(json.dumps(entry).encode() + b"\n")
        except OSError as error:
            raise UsageError(f"cannot write to {self.file}: {error.strerror or error}; --resume continues") from None
        self._note(entry, place)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the last line of each unit, in the plan's order."""
        with self.file.open("rb") as stream:
            for unit in sorted(self._places, key=self.order.__getitem__):
                stream.seek(self._places[unit])
                yield json.loads(stream.readline())

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all rows, as tables by name."""
        return {name: self._table(name, record) for name, record in store.TABLES.items()}

    def _table(self, name: str, record: type) -> pd.DataFrame:
        parts, rows = [], []
        for entry in self.entries():
            rows += [record(*values) for values in entry[name]]
            if len(rows) >= ROWS:
                parts.append(store.frame(rows, record))
                rows = []
        parts.append(store.frame(rows, record))
        return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)

    def audit(self) -> Audit:
        return sum((Audit(*entry["audit"]) for entry in self.entries()), start=Audit())

    def close(self) -> None:
        """Delete the file: all of it stands in a saved run by now."""
        self.file.unlink(missing_ok=True)
