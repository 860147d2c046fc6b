"""Whatever cuts a run short, what is finished is kept, and nothing goes on behind it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import errors
from harness.errors import UsageError
from harness.faults import Fault, Kind
from harness.judging.pairs import natives_and_variants
from harness.records import Group
from harness.runs import comparing, exit_status, plan
from harness.runs.journal import FILE, Journal
from harness.runs.run import as_run
from harness.workers import signals
from harness.workers.engine import Engine, Settings
from harness.workers.process import Limits, Worker
from harness.workers.request import Reply, Request
from tests.command import ROOT, brought
from tests.quick import only

NUMBER = 10


def asked(backends: tuple[str, ...] = ("numpy",)) -> list[Group]:
    cases = tuple(f"normal:2x{n}" for n in range(2, 2 + NUMBER))
    return plan.groups(plan.Selection(backends, ("softmax",), ("float32",), cases))


PAIR = ("numpy", "numpy:shifted")


def quiet(groups: list[Group]) -> Any:
    return nullcontext(lambda result: None)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path, asked(), "")
    made.begin()
    return made


def carried_out(journal: Journal, tmp_path: Path, backends: tuple[str, ...] = ("numpy",)) -> comparing.Comparing:
    return comparing.carried_out(asked(backends), Settings(tmp_path), natives_and_variants, journal, quiet)


def at_the_third(journal: Journal, then: Callable[[], None]) -> None:
    """Something happens as the third unit is written."""
    real, written = journal.add, []

    def add(*given: Any, **named: Any) -> None:
        written.append(given)
        if len(written) == 3:
            then()
        real(*given, **named)

    journal.add = add  # type: ignore[method-assign]


@pytest.mark.parametrize("number", signals.INTERRUPTING)
def test_an_interruption_while_a_unit_is_written_loses_no_cell(
    journal: Journal, tmp_path: Path, number: signal.Signals
) -> None:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        at_the_third(journal, lambda: os.kill(os.getpid(), number))
        work = carried_out(journal, tmp_path)
    finally:
        signal.signal(signal.SIGTERM, before)
    cells = as_run(work, asked(), {}).comparisons
    assert work.partial
    assert sorted(cells.case) == sorted(group.case.name for group in asked())
    assert (cells.outcome == "ok").sum() >= 3


class CutOff(SimpleQueue[Any]):
    """Ctrl-C comes just as a result has been taken out, before anybody has seen it."""

    left = 0

    def get(self, *how: Any, **named: Any) -> Any:
        result = super().get(*how, **named)
        CutOff.left -= 1
        if not CutOff.left:
            os.kill(os.getpid(), signal.SIGINT)
        return result


@pytest.mark.parametrize("moment", only([1, 2, NUMBER, 2 * NUMBER, 2 * NUMBER + 2], range(1, 2 * NUMBER + 3)))
def test_whatever_the_moment_a_run_goes_on_to_its_whole_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    (journal := Journal(tmp_path, asked(PAIR), "")).begin()
    monkeypatch.setattr("harness.workers.engine.SimpleQueue", CutOff)
    CutOff.left = moment
    cut = carried_out(journal, tmp_path, PAIR)
    assert cut.partial == (CutOff.left <= 0)
    again = Journal(tmp_path, asked(PAIR), "")
    again.resume()
    done = [json.loads(line) for line in journal.file.read_bytes().splitlines()[1:]]
    for entry in done:
        assert entry["partial"] or all("not run" not in row for row in entry["comparisons"])
    run = as_run(carried_out(again, tmp_path, PAIR), asked(PAIR), {})
    assert set(run.comparisons.outcome) == {"ok"}
    assert exit_status.exit_code(run) == 0


def test_a_unit_whose_probe_was_cut_off_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = plan.groups(plan.Selection(("numpy",), ("softmax",), ("float32",), ("chain",)))
    journal = Journal(tmp_path, groups, "")
    journal.begin()
    [number] = [number for number, group in enumerate(groups) if not group.probe]
    work = comparing.Comparing(groups, Engine(groups, Settings(tmp_path)), natives_and_variants, journal)
    work._take(Reply(Fault(Kind.RAISED, "planted", "Error")).result(number, 0, "numpy"))
    work.partial = True
    for each in range(len(groups)):
        work._judge(each)
    assert not journal.done


def test_a_whole_run_with_a_cell_that_was_not_run_is_our_fault(journal: Journal, tmp_path: Path) -> None:
    run = as_run(carried_out(journal, tmp_path), asked(), {})
    assert exit_status.exit_code(run) == 0
    run.comparisons.loc[3, "outcome"] = "not run"
    assert exit_status.exit_code(run) == errors.OUR_FAULT


def test_workers_never_hear_of_ctrl_c(tmp_path: Path) -> None:
    """A terminal sends it to all of its processes: one that dies of it while it starts would be called crashed."""
    worker = Worker("numpy", sys.executable, Limits(), tmp_path / "own")
    worker.open()
    try:
        os.kill(worker._watchdog._pid, signal.SIGINT)
        reply = worker.ask(Request("numpy", "softmax", 0, {"logits": np.ones(2)}))
        assert reply.answer.tolist() == [0.5, 0.5]
    finally:
        worker.stop()


SLOW = """
import time
from backends.numpy import NumPy

class Slow(NumPy):
    framework, operations = "slow", ("softmax", "vjp", "jvp")

    def softmax(self, logits, axis):
        time.sleep(0.05)
        return super().softmax(logits, axis)

    def vjp(self, logits, cotangent, axis):
        time.sleep(0.05)
        return super().vjp(logits, cotangent, axis)

BACKENDS = (Slow,)
"""
QUESTIONS = ("--backend", "slow,numpy", "--case", ",".join(f"normal:2x{n}" for n in range(2, 14)),
             "--operation", "softmax,vjp,jvp", "--dtype", "float32")  # fmt: skip


@pytest.mark.parametrize("seed", only([0], range(5)))
def test_killed_again_and_again_a_run_still_ends_whole(tmp_path: Path, seed: int) -> None:
    """At random moments, by what a terminal sends to all of its processes; then it goes on, and lacks nothing."""
    path, random = brought(tmp_path / "brought", "slow", SLOW), Random(seed)
    command, codes = [sys.executable, "-m", "harness", "compare", *QUESTIONS, "--out", str(tmp_path / "out")], []
    while len(codes) < 12:
        resumes = ["--resume"] if (tmp_path / "out" / FILE).exists() else []
        process = subprocess.Popen(
            [*command, *resumes], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(path)}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            said = process.communicate(timeout=random.uniform(0.5, 4.0) if len(codes) < 3 else None)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, random.choice(signals.INTERRUPTING))
            said = process.communicate()[1]
        codes.append(process.returncode)
        assert codes[-1] in (0, errors.INTERRUPTED), said
        assert codes[-1] == 0 or "interrupted" in said or "--resume continues" in said
        if codes[-1] == 0:
            break
    cells = pd.read_csv(tmp_path / "out" / "comparisons.csv", keep_default_na=False)
    assert len(cells) == 2 * 3 * 12
    assert set(cells.verdict) == {"within bound"}, codes


def test_a_disk_that_is_full_ends_the_run_in_one_sentence(journal: Journal, tmp_path: Path) -> None:
    journal.file.unlink()
    journal.file.mkdir()  # what stands there takes no line
    with pytest.raises(UsageError, match="cannot write to"):
        carried_out(journal, tmp_path)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPool")] == []


def test_signals_are_as_they_were_after_a_run(journal: Journal, tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in signals.INTERRUPTING]
    carried_out(journal, tmp_path)
    assert [signal.getsignal(number) for number in signals.INTERRUPTING] == before


@pytest.mark.parametrize("torn", [b'{"unit": "normal:2x3 float32 -1", "part\n', b"{}\n", b"[]\n", b"\xff\n", b"1\n"])
def test_a_line_that_does_not_read_is_asked_again_and_no_other(journal: Journal, tmp_path: Path, torn: bytes) -> None:
    carried_out(journal, tmp_path)
    head, *lines = journal.file.read_bytes().splitlines(keepends=True)
    journal.file.write_bytes(b"".join([head, *lines[:4], torn, *lines[5:]]))
    again = Journal(tmp_path, asked(), "")
    again.resume()
    assert again.done == {json.loads(line)["unit"] for line in [*lines[:4], *lines[5:]]}


def test_held_signals_have_their_effect_at_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals.held():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("what must be whole")
    assert done


class Swallowing:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_that_python_has_to_ignore_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a callback of an import."""
    monkeypatch.setattr(sys, "unraisablehook", signals.heard_again)
    with pytest.raises(KeyboardInterrupt):
        Swallowing()
        time.sleep(5)


INTERRUPTED_IMPORTS = """
import os, signal, sys
class Counting:
    left = int(sys.argv.pop(1))
    def find_spec(self, name, path=None, target=None):
        Counting.left -= 1
        if not Counting.left:
            os.kill(os.getpid(), signal.SIGINT)
import harness.__main__
sys.meta_path.insert(0, Counting())
harness.__main__.main()
"""


@pytest.mark.parametrize("number", only([1, 50, 500], [1, 2, 10, 50, 150, 300, 500]))
def test_ctrl_c_while_it_imports_is_one_sentence(tmp_path: Path, number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORTS, str(number), "compare", "--backend", "numpy", "--case", "digits",
         "--out", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == errors.INTERRUPTED
    assert done.stderr == "softmax-harness: interrupted\n"


def test_ignored_signals_have_none() -> None:
    with signals.ignored():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_plan_of_another_version_is_not_resumed(journal: Journal, tmp_path: Path) -> None:
    other = [dataclasses.replace(group, dtype="float64") for group in asked()]
    with pytest.raises(UsageError, match="another plan"):
        Journal(tmp_path, other, "").resume()


def test_a_signal_after_the_end_changes_no_exit_status() -> None:
    """Python takes its handlers back in its last moments: one that came then ended a finished run by -15."""
    script = """
import atexit, signal, sys
from harness.__main__ import main
atexit.register(lambda: print({signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}))
sys.argv = ["harness", "--version"]
main()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str({signal.SIG_IGN})
