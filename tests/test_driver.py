"""A death has one outcome and one reason, whichever command asked the question; and the next question is answered."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Timer
from typing import Any, ClassVar

import numpy as np
import pytest

from backends import add
from harness.faults import INTERRUPTED, Fault, Kind, sentence
from harness.findings import Asker
from harness.power import trial
from harness.questions.cases import named
from harness.records import Group
from harness.specials.asking import AtWorker, NoWorkerError
from harness.specials.sheets import Sheet
from harness.specials.sweep import side_by_side
from harness.workers.driver import Driver
from harness.workers.engine import Engine, Settings
from harness.workers.process import Limits
from harness.workers.request import Reply, Request
from harness.workers.watchdog import WorkerDiedError
from tests import deadly
from tests.command import ROOT

MODULES = (deadly.__name__,)
Said = list[tuple[str, str]]
"""The outcome and the reason of each question, in turn."""
Door = Callable[[tuple[str, ...], Limits, Path], Said]


@pytest.fixture(autouse=True)
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    add(deadly.BACKENDS)


def group(name: str) -> Group:
    return Group("softmax", named("normal:2x3"), "float32", -1, (name,))


def driver(framework: str, limits: Limits, folder: Path, **more: Any) -> Driver:
    return Driver(framework, sys.executable, folder, limits, MODULES, **more)


def one_situation() -> Sheet:
    return side_by_side(3, "float32").of(["one -inf"])


def by_compare(names: tuple[str, ...], limits: Limits, folder: Path) -> Said:
    engine = Engine([group(name) for name in names], Settings(folder, limits, modules=MODULES))
    engine.start()
    return [(result.outcome, result.reason) for result in engine.results(lambda result: None)]


def by_power(names: tuple[str, ...], limits: Limits, folder: Path) -> Said:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "Settings", partial(Settings, limits=limits))
        run = trial.compared([group(name) for name in names], *MODULES, lambda groups: nullcontext(print), once=True)
    return [*zip(run.comparisons.outcome, run.comparisons.reason, strict=True)]


def by_specials(names: tuple[str, ...], limits: Limits, folder: Path) -> Said:
    at = AtWorker(driver("deadly", limits, folder))
    outcomes = [at.backend(name)("softmax", one_situation(), "last") for name in names]
    at.stop()
    return [(one.outcome, sentence(one)) if isinstance(one, Fault) else ("ok", "") for one in outcomes]


def by_findings(names: tuple[str, ...], limits: Limits, folder: Path) -> Said:
    with Asker(limits=limits, modules=MODULES) as asker:
        cells = [asker.judged(group(name)).comparisons[0] for name in names]
    return [(cell.outcome, cell.reason) for cell in cells]


DEATHS = {
    "segfault": ("crashed", "killed by SIGSEGV", Limits()),
    "leaves": ("crashed", "exit code 7", Limits()),
    "hangs": ("timed out", "no answer in 2 s", Limits(seconds=2.0)),
    "hoards": ("out of memory", r"0\.\d GiB in use, 0\.25 allowed", Limits(gigabytes=0.25)),
}
"""What each way to die is called, and the limits under which it is asked."""


@pytest.mark.parametrize("way", DEATHS)
@pytest.mark.parametrize("door", [by_compare, by_power, by_specials, by_findings])
def test_a_death_is_the_same_for_whoever_asks(door: Door, way: str, tmp_path: Path) -> None:
    """A look into a finding asks it once, and so does not say "twice"."""
    outcome, reason, limits = DEATHS[way]
    twice = ", twice" if outcome == "crashed" and door is not by_findings else ""
    died, after = door((f"deadly:{way}", "deadly"), limits, tmp_path)
    assert died[0] == outcome
    assert re.fullmatch(f"{reason}{twice}", died[1]), died
    assert after == ("ok", "")


@pytest.mark.parametrize("door", [by_compare, by_power, by_specials])
def test_a_crash_that_does_not_come_again_is_none(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(deadly.MARKER, str(tmp_path / "died-once"))
    assert door(("deadly:once",), Limits(), tmp_path) == [("ok", "")]
    assert (tmp_path / "died-once").exists()


def test_several_situations_are_asked_one_by_one_and_not_again(tmp_path: Path) -> None:
    at = AtWorker(driver("deadly", Limits(), tmp_path))
    fault = at.backend("deadly:segfault")("softmax", one_situation().of(["one -inf", "one NaN"]), "last")
    at.stop()
    assert fault == Fault(Kind.KILLED, signal="SIGSEGV")


STILLBORN, GONE = "killed by SIGILL", "there is no such library"


def test_an_import_that_ends_the_process(tmp_path: Path) -> None:
    imported = ("crashed", f"while it was imported: {STILLBORN}")
    assert by_compare(("stillborn",), Limits(), tmp_path) == [imported]
    assert by_findings(("stillborn",), Limits(), tmp_path) == [("crashed", STILLBORN)]
    with pytest.raises(NoWorkerError, match=f"its worker does not start: {STILLBORN}") as atlas:
        AtWorker(driver("stillborn", Limits(), tmp_path)).open()
    assert not atlas.value.absent
    with Asker(modules=MODULES) as asker:
        assert asker.absence("stillborn") == ""


def test_a_framework_that_is_absent(tmp_path: Path) -> None:
    assert by_compare(("gone",), Limits(), tmp_path) == [("absent", GONE)]
    assert by_findings(("gone",), Limits(), tmp_path) == [("absent", GONE)]
    with pytest.raises(NoWorkerError, match=f"^{GONE}$") as atlas:
        AtWorker(driver("gone", Limits(), tmp_path)).open()
    assert atlas.value.absent
    with Asker(modules=MODULES) as asker:
        assert asker.absence("gone") == GONE


def test_an_interpreter_that_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "python").touch()  # it may not be executed
    python = {"deadly": str(tmp_path / "python")}
    with Asker(python, modules=MODULES) as asker:
        assert asker.absence("deadly").startswith("its interpreter does not start: ")
        cell = asker.judged(group("deadly")).comparisons[0]
    engine = Engine([group("deadly")], Settings(tmp_path, Limits(), python, modules=MODULES))
    engine.start()
    [result] = engine.results(lambda result: None)
    assert (result.outcome, result.reason) == (cell.outcome, cell.reason)
    assert (cell.outcome, cell.reason.split(": ")[0]) == ("absent", "its interpreter does not start")


LEFT, LATE = Fault(Kind.EXITED, code=7), Fault(Kind.NO_ANSWER_IN_TIME, allowed=2.0)
TWICE, ILL = replace(LEFT, twice=True), Fault(Kind.KILLED, signal="SIGILL")
OK = Reply()


class Scripted:
    """A worker whose starts and replies are set beforehand."""

    said: ClassVar[list[Any]] = []
    starts: ClassVar[list[Any]] = []
    started: ClassVar[int] = 0

    def __init__(self, *how: Any) -> None: ...

    def open(self) -> dict[str, Any]:
        Scripted.started += 1
        return {"version": "1"} | next_of(self.starts, {})

    def ask(self, request: Request) -> Any:
        return next_of(self.said, OK)

    def stop(self) -> None: ...


def next_of(given: list[Any], otherwise: Any) -> Any:
    one = given.pop(0) if given else otherwise
    if isinstance(one, Fault):
        raise WorkerDiedError(one)
    return one


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr("harness.workers.driver.Worker", Scripted)
    Scripted.said, Scripted.starts, Scripted.started = [], [], 0
    return Scripted


REQUEST = Request("deadly", "softmax", -1, {"logits": np.zeros(3)})


@pytest.mark.parametrize(
    ("said", "again", "reply", "started"),
    [
        ([OK], True, OK, 1),
        ([LEFT], False, Reply(LEFT), 1),
        ([LEFT, LEFT, OK], True, Reply(TWICE), 2),
        ([LEFT, OK], True, OK, 2),
        ([LEFT, LATE, OK], True, Reply(LATE), 2),
        ([LATE, OK], True, Reply(LATE), 1),
    ],
)
def test_a_crash_alone_is_asked_again_and_once(
    scripted: type[Scripted], tmp_path: Path, said: list[Any], again: bool, reply: Reply, started: int
) -> None:
    scripted.said = list(said)
    assert driver("deadly", Limits(), tmp_path).ask(REQUEST, again) == reply
    assert scripted.started == started


def test_a_start_that_fails_is_tried_again_at_the_next_question(scripted: type[Scripted], tmp_path: Path) -> None:
    scripted.said, scripted.starts = [LEFT], [{}, ILL]
    asked = driver("deadly", Limits(), tmp_path)
    reply = asked.ask(REQUEST, again=True)
    assert reply == Reply(replace(ILL, importing=True, twice=True))
    assert (reply.outcome, reply.reason) == ("crashed", f"while it was imported: {STILLBORN}, twice")
    assert asked.ask(REQUEST) == OK


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
def test_a_worker_that_a_stop_of_the_run_ends_has_not_crashed(
    scripted: type[Scripted], tmp_path: Path, signal: str
) -> None:
    stopping = Event()

    def died(request: Request) -> Reply:
        if signal == "SIGKILL":
            stopping.set()
        else:  # our own process hears of it later than the worker does
            Timer(0.2, stopping.set).start()
        raise WorkerDiedError(Fault(Kind.KILLED, signal=signal))

    asked = driver("deadly", Limits(), tmp_path, stopping=stopping)
    asked.start()
    asked._worker.ask = died  # type: ignore[union-attr, method-assign]
    assert asked.ask(REQUEST, again=True) == Reply(INTERRUPTED)
    assert asked.ask(REQUEST, again=True) == Reply(INTERRUPTED)
