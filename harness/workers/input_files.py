"""The arguments of every question, with their hashes: made once, the same bytes for all, out of backends' reach."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Any

from harness.numbers import arrays
from harness.numbers.arrays import Hashed
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.records import Group
from harness.workers.spool import Spool


class Inputs:
    """The arguments of a run's questions, in one spool. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Keep the arrays on the file system of `folder`."""
        self._spool = Spool(folder)
        self.hashes: dict[str, dict[str, str]] = {}
        self._made: dict[tuple[str, str], dict[tuple[str, int, int], Any]] = {}
        self._uses: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def expect(self, groups: list[Group]) -> None:
        """Note which groups will be asked: arrays are kept until the last group that needs them is done."""
        self._uses.update(uses(group) for group in groups)

    def through(self, group: Group) -> None:
        """Note that a group is done. If no other group needs its arrays, release them."""
        with self._lock:
            self._uses[uses(group)] -= 1
            if not self._uses[uses(group)]:
                for value in self._made.pop(uses(group), {}).values():
                    if not isinstance(value, int):
                        value[0].release()

    def of(self, group: Group) -> dict[str, dict[str, str]]:
        """Return the hashes of the inputs of a group's case, and forget them; empty if they were returned before."""
        with self._lock:
            name = described(group)
            return {name: self.hashes.pop(name)} if name in self.hashes else {}

    def arguments(self, group: Group, block: int) -> dict[str, Any]:
        """Return a block's arguments: numbers, arrays with their hashes, and the reduction's name if there is one."""
        operation = OPERATIONS[group.operation]
        made = {name: self._argument(group, name, block) for name in operation.arguments}
        return made | ({"reduction": operation.reduction} if operation.reduction else {})

    def _argument(self, group: Group, name: str, block: int) -> Any:
        rows = blocks.boundaries(group.case)[block]
        axis = 0 if blocks.same_for_every_axis(group.case, name) else group.axis
        key = (blocks.stream(name), axis, block)
        with self._lock:
            made = self._made.setdefault(uses(group), {})
            if key not in made:
                value = blocks.argument(group.case, name, group.dtype, group.axis, rows)
                made[key] = value if isinstance(value, int) else (self._spool.keep(value), arrays.sha256(value))
            if isinstance(made[key], int):
                return made[key]
            kept, digest = made[key]
            self._note(group, name, block, digest)
        return Hashed(kept.read(), digest)

    def _note(self, group: Group, name: str, block: int, digest: str) -> None:
        along = "" if blocks.same_for_every_axis(group.case, name) else f", axis {group.axis}"
        what = f"{blocks.stream(name)}[{block}]{along}"
        self.hashes.setdefault(described(group), {})[what] = digest


def uses(group: Group) -> tuple[str, str]:
    """Return a key for the arrays that a group needs. Cases with the same stream share them."""
    return blocks.key(group.case), group.dtype


def described(group: Group) -> str:
    return f"{group.case.name} {group.dtype}"
