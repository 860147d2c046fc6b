"""What a machine, a shell or a CI puts around a command: one sentence, or as if it were not there. Never our fault."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backends import find
from harness.commands.progress import Progress
from harness.judging import probes
from harness.records import Result
from harness.runs import plan
from harness.runs.cost import cost_tables
from harness.workers import inventory, process
from harness.workers.process import Limits
from harness.workers.watchdog import WorkerDiedError
from tests.command import ROOT, brought, harness

SMALL = ("--backend", "numpy", "--case", "seed001-123", "--operation", "softmax")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    assert harness("compare", *SMALL, "--out", out).returncode == 0
    return out


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m harness` as a shell runs it, with its redirections."""
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m harness {command}"], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, errors="replace", timeout=250, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0",
     "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii:strict"}],
)  # fmt: skip
def test_a_stream_that_is_not_utf8_gets_escapes(run: Path, environment: dict[str, str]) -> None:
    done = shell(f"report {run}; echo –", **environment)
    assert done.returncode == 0
    assert done.stderr == ""
    assert shell(f"report {run} --format markdown", **environment).returncode == 0


@pytest.mark.parametrize("command", ["--help", "--version", "report RUN", "backends --help", "compare --dry-run"])
@pytest.mark.parametrize(("place", "why"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")])
def test_a_stdout_that_takes_nothing_is_one_sentence(run: Path, command: str, place: str, why: str) -> None:
    done = shell(f"{command.replace('RUN', str(run))} {place}")
    assert (done.returncode, done.stderr) == (2, f"softmax-harness: cannot write to stdout: {why}\n")


@pytest.mark.parametrize("place", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_changes_no_exit_status(tmp_path: Path, place: str) -> None:
    assert shell(f"compare {' '.join(SMALL)} --out {tmp_path} {place}").returncode == 0
    assert (tmp_path / "run.json").exists()
    assert shell(f"report {tmp_path / 'none'} {place}").returncode == 2


def test_the_version_is_told() -> None:
    assert harness("--version").stdout.startswith("softmax-harness ")


def test_a_summary_that_is_a_pipe_is_refused(run: Path, tmp_path: Path) -> None:
    pipe, absent = tmp_path / "pipe", tmp_path / "absent"
    os.mkfifo(pipe)
    done = harness("report", run, "--format", "github", GITHUB_STEP_SUMMARY=pipe)
    assert done.returncode == 2
    assert done.stderr.endswith("it is not a regular file\n")
    assert harness("report", run, "--format", "github", GITHUB_STEP_SUMMARY=absent).returncode == 0
    assert absent.read_text()


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("baseline accept RUN --reason x --baselines", "--baselines"), ("baseline diff RUN --baselines", "--baselines"),
        ("baseline diff", "RUN"), ("compare --out", "--out"), ("atlas --out", "--out"), ("power --out", "--out"),
        ("judge RUN --out", "--out"), ("judge", "RUN"), ("report", "RUN"), ("findings", "RUN"), ("diff RUN", "RUN_B"),
        ("versions jax==0.9.2 jax==0.10.2 --out", "--out"),
    ],
)  # fmt: skip
def test_an_empty_path_is_refused(run: Path, tmp_path: Path, command: str, what: str) -> None:
    done = harness(*command.replace("RUN", str(run)).split(), "", cwd=tmp_path, PYTHONPATH=ROOT)
    assert (done.returncode, done.stderr) == (2, f"softmax-harness: {what} is empty\n")
    assert not list(tmp_path.iterdir())


def test_an_option_of_a_case_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    done = harness("compare", "--case", "normal:3x17;labels=last;labels=first", "--out", tmp_path)
    assert done.returncode == 2
    assert "labels is given twice, as last and as first" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["findings.md", "findings.csv", "journal.jsonl", "report.html", "run.json",
                                  "comparisons.csv", "pairs.parquet"])  # fmt: skip
def test_a_folder_where_a_file_is_to_be_written_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    done = harness("compare", *SMALL, "--out", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"softmax-harness: cannot write {tmp_path / name}: it is a folder\n"


def test_a_folder_where_a_journal_is_to_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    done = harness("compare", *SMALL, "--resume", "--out", tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["it's", 'say "hi"', "back\\slash", "a space", "two//slashes"])
def test_an_interpreter_may_have_any_path(tmp_path: Path, name: str) -> None:
    named = tmp_path / name / "python"
    named.parent.mkdir(parents=True)
    named.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    named.chmod(0o755)
    done = harness("compare", *SMALL, "--python", f"numpy={tmp_path}/{name}/python", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["/no/such/folder", "/proc"])
def test_a_temporary_folder_that_is_not_there_is_another_one(tmp_path: Path, place: str) -> None:
    assert harness("compare", *SMALL, "--out", tmp_path, TMPDIR=place).returncode == 0


def test_no_temporary_folder_at_all_is_one_sentence(tmp_path: Path) -> None:
    script = (
        "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc'];"
        "from harness.__main__ import main; main()"
    )
    command = [sys.executable, "-c", script, "compare", *SMALL, "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "TMPDIR" in done.stderr or "/proc" in done.stderr


FULL = """
import harness.workers.spool, sys
real, left = harness.workers.spool.write, [int(sys.argv.pop(1))]
def write(stream, array):
    left[0] -= 1
    if left[0] < 0:
        raise OSError(28, "No space left on device")
    return real(stream, array)
harness.workers.spool.write = write
from harness.__main__ import main
main()
"""


@pytest.mark.parametrize("room", [0, 3])
def test_a_full_temporary_folder_is_one_sentence_and_the_run_goes_on_later(tmp_path: Path, room: int) -> None:
    several = ("--backend", "numpy", "--case", "seed00*", "--operation", "softmax", "--dtype", "float64")
    command = [sys.executable, "-c", FULL, str(room), "compare", *several, "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    [sentence] = filter(None, done.stderr.splitlines())
    assert sentence.startswith("softmax-harness: cannot write to '")
    assert sentence.endswith("No space left on device; --resume continues")
    again = harness("compare", *several, "--resume", "--out", tmp_path)
    assert again.returncode == 0, again.stderr
    assert set(pd.read_csv(tmp_path / "comparisons.csv").outcome) == {"ok"}


def test_a_current_folder_that_was_removed_is_one_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"cd {gone}; rmdir {gone}; PYTHONPATH={ROOT} {sys.executable} -m harness backends"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "softmax-harness: the current folder no longer exists\n")


def test_no_home_is_needed(tmp_path: Path) -> None:
    assert shell(f"compare {' '.join(SMALL)} --out {tmp_path}", HOME="").returncode == 0


RAISING = """
from backends.numpy import NumPy

class Meta(type(NumPy)):
    @property
    def operations(cls):
        raise RuntimeError("no operations today")

class Raising(NumPy, metaclass=Meta):
    framework = "raising"

BACKENDS = (Raising,)
"""


@pytest.mark.parametrize("source", [RAISING, "raise SystemExit(9)", RAISING.replace("operations", "framework"),
                                    RAISING.replace("operations", "flaws")])  # fmt: skip
def test_a_class_that_raises_is_an_absent_backend(tmp_path: Path, source: str) -> None:
    path = brought(tmp_path / "brought", "raising", source)
    done = harness("compare", "--backend", "raising,numpy", *SMALL[2:], "--out", tmp_path / "out", PYTHONPATH=path)
    assert done.returncode == 5
    assert "raising was requested by name, but is absent: entry point 'raising' (raising) failed: " in done.stderr
    cells = pd.read_csv(tmp_path / "out" / "comparisons.csv").set_index("backend")
    assert set(cells.loc["numpy"].outcome) == {"ok"}


def test_a_start_that_takes_long_is_told_of_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "import time\nfrom backends.numpy import NumPy\nclass Sleepy(NumPy):\n    framework = 'numpy'\n"
    source += "    def __init__(self):\n        time.sleep(3600)\nBACKENDS = (Sleepy,)\n"
    (tmp_path / "sleepy.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "WONDERED_AFTER", 0.2)
    worker = process.Worker("numpy", sys.executable, Limits(start_seconds=2.0), tmp_path / "own", ("sleepy",))
    with pytest.raises(WorkerDiedError, match="no answer in 2 s"):
        worker.open()
    assert "waiting for numpy to start, up to 2 s" in capsys.readouterr().err
    assert Limits().start_seconds <= 90
    assert inventory.Limits is Limits


def test_the_dry_run_counts_no_probe_as_a_cell() -> None:
    selection = plan.Selection(("numpy",), ("softmax",), ("float64",), ("chain", "seed001-123"))
    groups = plan.groups(selection)
    assert any(group.probe for group in groups)
    assert "\n2 cells, and 0 that are skipped or not supported" in cost_tables(groups, "", iter, iter)


def test_an_absent_backend_has_no_answers(capsys: pytest.CaptureFixture[str]) -> None:
    groups = plan.groups(plan.Selection(("numpy",), ("softmax",), ("float64",), ("seed001-123", "seed001-125")))
    progress = Progress(groups)
    for number in range(len(groups)):
        progress(Result(number, 0, "numpy", "absent", "no module"))
    assert capsys.readouterr().err == "numpy: absent\n"


@pytest.mark.parametrize("answer", [0.0, np.nan, np.inf, -np.inf, 1e300, 0.75])
@pytest.mark.parametrize("kind", [probes.HEIGHT, probes.EXP])
def test_no_answer_to_a_probe_warns(kind: str, answer: float) -> None:
    assert find("numpy")
    groups = plan.groups(plan.Selection(("numpy",), ("softmax",), ("float16", "float32", "float64"), ("chain",)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for group in (group for group in groups if group.probe == kind):
            logits = np.full(group.case.shape, -30.0, np.float32)
            probes.measure(probes.Probe(group, logits), np.full(group.case.shape, answer))
