"""The arguments of every question with their hashes: made once, the same bytes for everybody, out of all reach."""

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
    """In one spool. Threads share it."""

    def __init__(self, folder: Path) -> None:
        """`folder`: on whose file system they are kept."""
        self._spool = Spool(folder)
        self.hashes: dict[str, dict[str, str]] = {}
        self._made: dict[tuple[str, str], dict[tuple[str, int, int], Any]] = {}
        self._uses: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def expect(self, groups: list[Group]) -> None:
        """Who will ask: a case's arrays are kept until the last of them is through."""
        self._uses.update(uses(group) for group in groups)

    def through(self, group: Group) -> None:
        with self._lock:
            self._uses[uses(group)] -= 1
            if not self._uses[uses(group)]:
                for value in self._made.pop(uses(group), {}).values():
                    if not isinstance(value, int):
                        value[0].release()

    def of(self, group: Group) -> dict[str, dict[str, str]]:
        """The hashes of a group's case, and no longer ours to keep."""
        with self._lock:
            name = described(group)
            return {name: self.hashes.pop(name)} if name in self.hashes else {}

    def arguments(self, group: Group, block: int) -> dict[str, Any]:
        """A number for each number; an array with its hash for each array; and a reduction by its name."""
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
    """Which arrays a group needs: cases of one stream share them."""
    return blocks.key(group.case), group.dtype


def described(group: Group) -> str:
    return f"{group.case.name} {group.dtype}"
