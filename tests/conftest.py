"""Backends as fixtures, each answering from its own worker: the process that tests loads no framework."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import NAMES, claimed, find
from harness.faults import Kind, sentence
from harness.judging import judge, pairs
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.not_asked import refusal
from harness.records import Case, Comparison, Group, Judgement, Result
from harness.workers.driver import Driver, NotStartedError
from harness.workers.input_files import Inputs
from harness.workers.process import Limits
from harness.workers.request import request_of

REQUIRED = os.environ.get("SOFTMAX_HARNESS_REQUIRE", "").split()
"""The frameworks, and `chromium`, that must be there: CI names them, so that a broken install can't pass as a skip."""

JAX_CACHE = "JAX_COMPILATION_CACHE_DIR"
EVERY_PROGRAM = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="take today's reports as the expected ones")


def pytest_configure(config: pytest.Config) -> None:
    """What JAX compiles is kept in a folder for all processes of this run, and no longer."""
    if JAX_CACHE not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="jax-")
        config.add_cleanup(folder.cleanup)
        os.environ |= {JAX_CACHE: folder.name} | EVERY_PROGRAM


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much room each bound leaves above the largest error that a right implementation was seen to make."""
    reports = terminalreporter.stats.get("passed", [])
    ratios = [text for report in reports for name, text in report.user_properties if name == "bound"]
    if ratios:
        terminalreporter.section("bounds over the largest errors seen")
        for text in sorted(ratios):
            terminalreporter.line(text)


@dataclass
class Workers:
    """One worker a framework for the whole session, started when first asked for."""

    folder: Path
    there: dict[str, Driver] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def of(self, framework: str) -> Driver:
        if framework not in self.there and framework not in self.absent:
            driver = Driver(framework, sys.executable, self.folder, Limits())
            try:
                driver.start()
                self.there[framework] = driver
            except NotStartedError as failed:
                assert failed.fault.kind == Kind.NOT_HERE, failed
                self.absent[framework] = sentence(failed.fault)
        if reason := self.absent.get(framework):
            assert framework not in REQUIRED, f"{framework} must be there and is absent: {reason}"
            pytest.skip(f"{framework} is absent: {reason}")
        return self.there[framework]


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    started = Workers(tmp_path_factory.mktemp("workers"))
    yield started
    for driver in started.there.values():
        driver.stop()


@dataclass
class Asked:
    """A backend that answers whole groups."""

    name: str
    driver: Driver
    folder: Path

    def answer(
        self, operation: str, case: Case, dtype: str = "float64", axis: int | None = None
    ) -> np.ndarray[Any, Any]:
        """Its answer on the case's first block."""
        group = Group(operation, case, dtype, case.axes[0] if axis is None else axis, (self.name,))
        result = self._result(group, 0, Inputs(self.folder))
        assert result.outcome == "ok", result.reason
        return np.asarray(result.array)

    def judged(self, operation: str, case: Case, dtype: str, axis: int) -> tuple[Comparison, Judgement]:
        """Its cell, judged as a run would."""
        group, inputs = Group(operation, case, dtype, axis, (self.name,)), Inputs(self.folder)
        assert refusal(self.name, group) is None
        results = {(self.name, b): self._result(group, b, inputs) for b in range(len(blocks.boundaries(case)))}
        judgement = judge.judge(group, results, lambda r: r.array, pairs.all_pairs, {})
        return judgement.comparisons[0], judgement

    def _result(self, group: Group, block: int, inputs: Inputs) -> Result:
        return self.driver.ask(request_of(group, inputs.arguments(group, block))).result(0, block, self.name)


def at_worker(name: str, *rest: str) -> Any:
    """A backend, and what else a test takes, as one parameter with an id that says so.

    Variants of the frameworks that compile for each shape are slow; the frameworks themselves are not.
    """
    slow = find(name).framework in COMPILING and ":" in name
    return pytest.param((name, *rest), id="-".join((name, *rest)), marks=[pytest.mark.slow] * slow)


COMPILING = ("jax", "tensorflow")
BACKENDS = [name for name in NAMES if find(name).by_default]


@pytest.fixture
def ask(workers: Workers, tmp_path: Path) -> Any:
    """A backend by its name."""
    return lambda name: Asked(name, workers.of(find(name).framework), tmp_path)


@pytest.fixture(params=[at_worker(name) for name in BACKENDS])
def backend(request: pytest.FixtureRequest, ask: Any) -> Any:
    """Every backend, each as its framework's worker answers for it."""
    return ask(request.param[0])


@pytest.fixture(params=[at_worker(name) for name in BACKENDS if find(name).flaws])
def flawed_backend(request: pytest.FixtureRequest, ask: Any) -> Any:
    return ask(request.param[0])


@pytest.fixture(params=[at_worker(name) for name in BACKENDS if len(find(name).operations) == len(OPERATIONS)])
def whole_backend(request: pytest.FixtureRequest, ask: Any) -> Any:
    """Those that compute every operation."""
    return ask(request.param[0])


@pytest.fixture(params=[at_worker(name, operation) for name in BACKENDS for operation in claimed(name)])
def question(request: pytest.FixtureRequest, ask: Any) -> Any:
    """Every backend with every operation that it claims."""
    name, operation = request.param
    return ask(name), operation


@pytest.fixture(params=list(OPERATIONS))
def operation(request: pytest.FixtureRequest) -> str:
    return str(request.param)
