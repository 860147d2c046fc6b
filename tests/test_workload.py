"""Who answers beside whom, and what waits for what: every question is put once, and no grade is given too early."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.judging import pairs
from harness.questions import blocks
from harness.records import Case, Chain, Group, Result
from harness.runs.archive import Archive
from harness.runs.comparing import Comparing
from harness.runs.journal import Journal
from harness.runs.plan import Selection, groups
from harness.workers.engine import Engine, Settings
from harness.workers.input_files import Inputs
from harness.workers.load_balancing import expected_seconds, parts
from harness.workers.spool import Spool

COSTS = {
    "numpy": 0.1,
    "torch": 0.5,
    "tensorflow": 9.0,
    "tensorflow:xla": 9.0,
    "jax": 60.0,
    "jax:jit": 30.0,
    "jax:naive": 25.0,
}


def test_the_longest_framework_gets_two_workers() -> None:
    dealt = parts(COSTS, jobs=4)
    assert dealt == [("jax",), ("jax:jit", "jax:naive"), ("tensorflow", "tensorflow:xla"), ("torch",), ("numpy",)]


def test_two_cores_are_busy_with_the_others_meanwhile() -> None:
    assert len(parts({**COSTS, "jax": 15.0, "jax:jit": 15.0, "jax:naive": 5.0}, jobs=2)) == 4


def test_alone_each_framework_has_one() -> None:
    assert parts(COSTS, jobs=1)[0] == ("jax", "jax:jit", "jax:naive")


def test_a_short_run_starts_no_second_worker() -> None:
    assert parts({"jax": 4.0, "jax:jit": 2.0}, jobs=4) == [("jax", "jax:jit")]


def test_every_backend_of_a_plan_is_dealt_once() -> None:
    costs = expected_seconds(groups(Selection()))
    dealt = [backend for part in parts(costs, jobs=2) for backend in part]
    assert sorted(dealt) == sorted(costs)


SHORT_CHAIN = Case("chain", "", Chain(), (2, 5000))
DEEP = Group("softmax", SHORT_CHAIN, "float64", -1, ("numpy",))
PROBE = Group("softmax", Case("height probe, n = 5000", "", Chain(), (8, 5000)), "float64", -1, ("numpy",), "height")


class Answered:
    """An engine that has its answers already, and gives them in any order."""

    def __init__(self, groups: list[Group], order: list[int], folder: Path) -> None:
        self.faults: list[str] = []
        self.about: dict[str, dict[str, str]] = {}
        self.inputs = Inputs(folder)
        self._given = [self._result(groups[number], number, folder) for number in order]

    def _result(self, group: Group, number: int, folder: Path) -> Result:
        x = blocks.array(group.case, "logits", group.dtype, (0, group.case.shape[0]))
        weights = np.exp(x - x.max(axis=-1, keepdims=True))
        kept = Spool(folder).keep(weights / np.cumsum(weights, axis=-1)[:, -1:])
        return Result(number, 0, "numpy", "ok", array=kept, dtype=group.dtype)

    def start(self) -> None: ...

    def judged(self, number: int, group: Group) -> None: ...

    def stop(self) -> None: ...

    def results(self, take: Callable[[Result], None]) -> Iterator[Result]:
        while self._given:
            take(result := self._given.pop(0))
            yield result


def begun(folder: Path, groups: list[Group]) -> Journal:
    journal = Journal(folder, groups, "all")
    journal.begin()
    return journal


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_grade_waits_for_the_probe_that_it_depends_on(order: list[int], tmp_path: Path) -> None:
    groups = [PROBE, DEEP]
    journal = begun(tmp_path, groups)
    work = Comparing(groups, Answered(groups, order, tmp_path), pairs.all_pairs, journal)  # type: ignore[arg-type]
    work.run(lambda result: None)
    assert list(journal.tables()["comparisons"].grade) == ["C"]


def test_an_interruption_while_answers_are_kept_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [DEEP, DEEP]
    archive, engine = Archive(tmp_path), Answered(groups, [0, 1], tmp_path)
    work = Comparing(groups, engine, pairs.all_pairs, begun(tmp_path, groups), archive)  # type: ignore[arg-type]
    keep, calls = Archive.keep, []

    def interrupted_once(self: Archive, *given: Any) -> None:
        calls.append(given)
        if len(calls) == 1:
            raise KeyboardInterrupt
        keep(self, *given)

    monkeypatch.setattr(Archive, "keep", interrupted_once)
    work.run(lambda result: None)
    archive.close()
    assert work.partial
    assert sorted(file.name for file in (tmp_path / "arrays").iterdir()) == ["0-numpy-0.npy", "1-numpy-0.npy"]
    shutil.rmtree(tmp_path / "arrays")


def test_a_framework_in_two_workers_answers_everything_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.workers.load_balancing.LONG", 0.0)
    asked = groups(Selection(("numpy*",), ("softmax",), ("float64",), ("seed003-uniform", "wide")))
    engine = Engine(asked, Settings(tmp_path, jobs=4))
    assert [part.name for part in engine.tasks] == ["numpy", "numpy"]
    engine.start()
    found = [(result.group, result.backend, result.block) for result in engine.results(lambda result: None)]
    assert len(found) == len(set(found)) == sum(len(g.backends) * len(blocks.boundaries(g.case)) for g in asked)
    assert engine.about["numpy"]["version"] == np.__version__
