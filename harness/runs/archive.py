"""A run's answers, kept so that they can be judged again: `arrays/` beside its tables, listed in `arrays.json`.

The list has the SHA-256 of every answer; `run.json` has that of the list and those of all inputs. So nothing is judged
that is not what was asked and answered. Nothing is unpickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backends import NAMES
from harness.errors import UsageError
from harness.faults import Fault, Outcome, from_plain
from harness.judging import probes
from harness.judging.slices import block_answer
from harness.numbers import arrays
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.cases import named
from harness.records import Case, Group, Result
from harness.runs import old_runs, store
from harness.workers.input_files import described

LIST, FOLDER = "arrays.json", "arrays"
Results = dict[tuple[str, int], Result]


class Archive:
    """Writes answers into a run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[tuple[int, str, int], dict[str, Any]] = {}
        try:
            (folder / FOLDER).mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write to {str(folder / FOLDER)!r}: {error.strerror or error}") from None

    def keep(self, number: int, group: Group, result: Result) -> None:
        """Save an answer, or note why there is none. `number`: the group's number in the plan."""
        entry: dict[str, Any] = {
            "group": number,
            "operation": group.operation, "case": group.case.name, "axis": group.axis, "probe": group.probe,
            "asked": group.dtype, "n": group.case.shape[group.axis],
            "place": probes.place_of(group), "backend": result.backend, "block": result.block,
            "outcome": result.outcome, "reason": result.reason,
        }  # fmt: skip
        if result.fault:
            entry["fault"] = result.fault.plain()
        else:
            answer = result.array.read()
            entry |= {
                "file": f"{FOLDER}/{number}-{quote(result.backend, safe='')}-{result.block}.npy",
                "dtype": result.dtype,
                "sha256": arrays.sha256(answer),
            }
            arrays.save(self.folder / entry["file"], answer)
        self._entries[number, result.backend, result.block] = entry  # one entry, even if it is kept again

    def close(self) -> str:
        """Write the list, after all answers. Return its SHA-256."""
        ordered = sorted(self._entries.values(), key=lambda e: (e["group"], NAMES.index(e["backend"]), e["block"]))
        content = json.dumps(ordered, indent=1).encode()
        store.write(self.folder, LIST, content)
        return hashlib.sha256(content).hexdigest()


def read(folder: Path, about: Mapping[str, Any]) -> list[tuple[Group, Results]]:
    """Return the groups of a saved run with their results, probes first as they were asked. `about`: its `run.json`.

    Raise UsageError if the run has no saved arrays, if one is missing or damaged, or if this version asks otherwise.
    """
    asked: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries(folder, about):
        asked[entry["group"]].append(entry)
    return [saved(folder, about["inputs"], asked[number]) for number in sorted(asked)]


def entries(folder: Path, about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the list of saved answers. Raise UsageError if there is none, or if it is not the one that was saved."""
    if "arrays" not in about:
        raise UsageError(f"{folder} has no saved arrays; `compare --save-arrays` saves them")
    try:
        content = (folder / LIST).read_bytes()
    except OSError as error:
        raise UsageError(f"the run's {LIST} is missing: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() != about["arrays"]:
        raise UsageError(f"{folder / LIST} is damaged: its SHA-256 is not the one in run.json")
    listed: list[dict[str, Any]] = json.loads(content)
    return listed


def saved(folder: Path, inputs: dict[str, dict[str, str]], its: list[dict[str, Any]]) -> tuple[Group, Results]:
    """Return one group with its results, from its entries in the list. Raise UsageError if this version lacks it."""
    first = its[0]
    case = probes.case(first["probe"], first["n"], first["place"]) if first["probe"] else case_named(first["case"])
    answering = {entry["backend"] for entry in its}
    if missing := sorted(answering - set(NAMES)):
        raise UsageError(f"the run's backend {missing[0]!r} is not installed here, and its declarations are needed")
    if first["operation"] not in OPERATIONS:
        raise UsageError(f"this version has no operation {first['operation']!r}, which the run contains")
    backends = tuple(name for name in NAMES if name in answering)
    group = Group(first["operation"], case, first["asked"], first["axis"], backends, first["probe"])
    check_inputs(group, inputs)
    return group, {(entry["backend"], entry["block"]): result(folder, group, entry) for entry in its}


def case_named(name: str) -> Case:
    try:
        return named(name)
    except UsageError:
        raise UsageError(f"this version has no case {name!r}, which the run contains") from None


def check_inputs(group: Group, inputs: dict[str, dict[str, str]]) -> None:
    """Raise UsageError if this version's inputs have other bytes than those of the saved run."""
    promised = inputs.get(described(group), {})
    for number, rows in enumerate(blocks.boundaries(group.case)):
        for name in map(blocks.stream, OPERATIONS[group.operation].arguments):
            given = promised.get(f"{name}[{number}]") or promised.get(f"{name}[{number}], axis {group.axis}")
            if given and given != arrays.sha256(blocks.argument(group.case, name, group.dtype, group.axis, rows)):
                raise UsageError(
                    f"this version makes other {name} for {group.case.name} ({group.dtype}) than the run has"
                )


def result(folder: Path, group: Group, entry: dict[str, Any]) -> Result:
    """Return one saved result, with its array in a file. Raise UsageError if the array's hash is wrong."""
    outcome = old_runs.outcome(entry)
    head = Result(0, entry["block"], entry["backend"], outcome, entry["reason"])
    if outcome != Outcome.OK:
        return dataclasses.replace(head, fault=fault_of(entry))
    answer(folder, entry, block_answer(group, blocks.boundaries(group.case)[entry["block"]]))
    file = arrays.File(str(folder / entry["file"]), entry["dtype"])
    return dataclasses.replace(head, array=file, dtype=entry["dtype"], sha256=entry["sha256"])


def fault_of(entry: Mapping[str, Any]) -> Fault | None:
    """Return the fault of an entry without an answer, also of one from before faults were saved."""
    return from_plain(entry["fault"]) if "fault" in entry else old_runs.fault(old_runs.outcome(entry), entry["reason"])


def answer(folder: Path, entry: Mapping[str, Any], wanted: tuple[int, ...] | None = None) -> Any:
    """Return a saved array. Raise UsageError if it cannot be read or its hash is wrong.

    The error tells its shape too, if that is not the one `wanted`.
    """
    file = folder / entry["file"]
    try:
        found = arrays.load(file, entry["dtype"])
    except (OSError, ValueError) as error:
        raise UsageError(f"the saved array {file} cannot be read: {error}") from None
    if arrays.sha256(found) != entry["sha256"]:
        shape = "" if wanted in (None, found.shape) else f" and its shape {found.shape}, not {wanted}"
        raise UsageError(f"the saved array {file} is damaged: its SHA-256 is not the one in {LIST}{shape}")
    return found
