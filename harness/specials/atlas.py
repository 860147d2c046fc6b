"""Make the atlas: ask every backend about every situation, in one worker process a framework, side by side.

A question that fails or ends its process is asked again situation by situation, so that each has its own fact. A
situation that crashes the process twice by itself, or reaches a limit of time or memory once, is not asked about any
more: that is a fact as well.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from backends import NAMES, Backend, claimed, find
from harness import errors
from harness.faults import DEATHS, Fault
from harness.questions.not_asked import not_its_own
from harness.specials.asking import Ask, AtWorker, NoWorkerError, in_process, one_situation
from harness.specials.coincidences import settled
from harness.specials.entries import Entry, Key, Seen, entries
from harness.specials.facts import Told, tell
from harness.specials.policies import DIFFERS, INCONSISTENT, Policy, declared, ours
from harness.specials.sheets import Sheet
from harness.specials.special_inputs import SITUATIONS, SPECIAL_OPERATIONS
from harness.specials.sweep import QUICK, WIDEST_JACOBIAN, Widths, is_mode, places, sweep_of
from harness.workers.driver import Driver
from harness.workers.machine import cores
from harness.workers.process import Limits
from harness.workers.scratch import temporary

SeenBy = dict[Key, list[Seen]]


@dataclass
class Atlas:
    """The result of a survey. `seen`: where each fact was seen. `missing`: why a framework has no entries."""

    entries: list[Entry] = field(default_factory=list)
    seen: SeenBy = field(default_factory=dict)
    missing: dict[str, NoWorkerError] = field(default_factory=dict)

    def exit_code(self, by_name: Sequence[str]) -> int:
        """Return the exit code, by `errors.PRECEDENCE`. `by_name`: backends that have to be there."""
        holds = {
            errors.BACKEND_DIED: any(not reason.absent for reason in self.missing.values()),
            errors.NOTHING_COMPARED: not self.entries or any(find(name).framework in self.missing for name in by_name),
            errors.FALLS_SHORT: any(entry.verdict in (DIFFERS, INCONSISTENT) for entry in self.entries),
        }
        return next((code for code in errors.PRECEDENCE if holds.get(code)), errors.AS_IT_SHOULD_BE)


def by_default() -> tuple[str, ...]:
    """Return the backends with a softmax and a loss of their own: frameworks, their compiled modes, and Keras."""
    both = {"softmax", "cross_entropy_gradient"}
    return tuple(name for name in NAMES if find(name).by_default and both <= set(claimed(name)))


def survey(
    backends: Sequence[str],
    interpreters: Mapping[str, str] | None = None,
    policies: Sequence[Policy] | None = None,
    sweep: Callable[[type[Backend]], Widths] = sweep_of,
    modules: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda line: None,
) -> Atlas:
    """Return the atlas of all these backends. Entries are in the order of backends, situations and operations."""
    frameworks = tuple(dict.fromkeys(find(name).framework for name in backends))
    atlas, seen, versions = Atlas(), SeenBy(), dict[str, str]()
    with temporary() as folder, ThreadPoolExecutor(cores()) as pool:

        def one(framework: str) -> SeenBy:
            path = (interpreters or {}).get(framework, sys.executable)
            at = AtWorker(Driver(framework, path, Path(folder), Limits(seconds=60.0), modules))
            own = [name for name in backends if find(name).framework == framework]
            try:
                return of_framework(at, own, sweep, say)
            except NoWorkerError as reason:
                atlas.missing[framework] = reason
                return {}
            finally:
                versions.update(dict.fromkeys(own, at.version))
                at.stop()

        for found in pool.map(one, sorted(frameworks, key=lambda name: -seconds(name, backends))):
            seen.update(found)
    known = ours() if policies is None else policies
    atlas.seen = in_order(seen, backends, known)
    atlas.entries = entries(atlas.seen, versions, natives(backends), known)
    return atlas


def facts_of(backend: Backend, sweep: Widths = QUICK, policies: Sequence[Policy] | None = None) -> list[Entry]:
    """Return the entries of a backend that is loaded and asked in this process: NumPy's, or one made of it."""
    name, seen = backend.title(), defaultdict[Key, list[Seen]](list)
    of_backend(in_process(backend), type(backend), sweep, seen)
    known = ours() if policies is None else policies
    return entries(in_order(seen, [name], known), {name: backend.version}, {}, known)


def in_order(seen: SeenBy, backends: Sequence[str], policies: Sequence[Policy]) -> SeenBy:
    """Return each key's facts in the order of backends, situations and operations.

    Facts that are the same numbers become one (`harness.specials.coincidences`).
    """
    keys = sorted(seen, key=lambda key: order(key, backends))
    return {key: settled(seen[key], declared(policies, *key)) for key in keys}


def seconds(framework: str, backends: Sequence[str]) -> float:
    """Return about how long a framework takes beside the others. The longest starts first."""
    return sum(find(name).program_seconds for name in backends if find(name).framework == framework)


def order(key: Key, backends: Sequence[str]) -> tuple[int, int, int]:
    return backends.index(key[0]), list(SITUATIONS).index(key[2]), SPECIAL_OPERATIONS.index(key[1])


def natives(backends: Sequence[str]) -> dict[str, str]:
    """Return, for each compiled variant, the framework that it is compared with."""
    return {name: find(name).framework for name in backends if is_mode(find(name))}


def of_framework(
    at: AtWorker, backends: Sequence[str], sweep: Callable[[type[Backend]], Widths], say: Callable[[str], None]
) -> SeenBy:
    seen = defaultdict[Key, list[Seen]](list)
    at.open()
    for name in backends:
        of_backend(at.backend(name), find(name), sweep(find(name)), seen)
        say(f"{name}: all answers are in")
    return dict(seen)


def of_backend(
    ask: Ask, about: type[Backend], sweep: Widths, seen: dict[Key, list[Seen]], situation: str = "", operation: str = ""
) -> None:
    """Add all facts about one backend to `seen`.

    If a situation or an operation is named, only that is asked.
    """
    deadly: set[tuple[str, str]] = set()
    for sheet, layout in places(sweep, about.dtypes):
        if situation and situation not in sheet.situations:
            continue
        answers_in = about.answers_in.get(sheet.dtype, sheet.dtype)
        own = (name for name in about.operations if not_its_own(about, name) is None)
        for name in (operation,) if operation else own:
            if (asked := worth_asking(name, sheet, deadly)) is None:
                continue
            for told in facts(ask, name, asked, layout, answers_in, deadly):
                where = Seen(told.fact, sheet.dtype, layout, sheet.n, told.positions, told.also)
                seen[about.title(), name, told.situation].append(where)


def worth_asking(operation: str, sheet: Sheet, deadly: set[tuple[str, str]]) -> Sheet | None:
    """Return the sheet without situations that end the process, or None if there is nothing to ask."""
    if operation not in SPECIAL_OPERATIONS or (operation == "jacobian" and sheet.n > WIDEST_JACOBIAN):
        return None
    if not any(operation in SITUATIONS[situation].operations for situation in sheet.situations):
        return None
    left = [name for name in sheet.situations if (operation, name) not in deadly]
    if len(left) == len(sheet.situations):
        return sheet
    return sheet.of(left) if left else None


def facts(
    ask: Ask, operation: str, sheet: Sheet, layout: str, claimed: str, deadly: set[tuple[str, str]]
) -> Iterator[Told]:
    """Yield the facts of every situation in the sheet that the operation is asked about."""
    found = ask(operation, sheet, layout)
    if isinstance(found, Fault) and not one_situation(sheet):
        for situation in sheet.situations:
            yield from facts(ask, operation, sheet.of([situation]), layout, claimed, deadly)
        return
    if isinstance(found, Fault) and found.outcome in DEATHS:
        deadly.add((operation, sheet.situations[0]))
    for told in tell(operation, sheet, layout, claimed, found):
        if operation in SITUATIONS[told.situation].operations:
            yield told
