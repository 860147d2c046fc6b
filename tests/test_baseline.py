"""Baselines end to end: what drifts by one ulp fails, what does not passes, and nothing but `accept` writes."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.baselines.versions import environment_of
from harness.commands.versions import check_answered
from harness.errors import UsageError
from tests.command import ROOT, harness
from tests.test_ledger import run_of

PLANTED = str(ROOT / "tests" / "planted")
ASKED = (
    "--backend",
    "planted,planted:drifting",
    "--case",
    "seed001-123",
    "--operation",
    "softmax",
    "--dtype",
    "float64",
)


def compared(out: Path, drift: str, *more: str) -> Path:
    done = harness("compare", *ASKED, *more, "--out", out, PYTHONPATH=PLANTED, PLANTED_DRIFT=drift)
    assert done.returncode in (0, 1), done.stderr
    return out


def accept(run: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return harness("baseline", "accept", run, "--baselines", folder, "--reason", "as planted", *more)


def diff(run: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return harness("baseline", "diff", run, "--baselines", folder, *more)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 ulp off at one element, so that one ulp more is one ulp more whatever NumPy's own error there is."""
    return compared(tmp_path_factory.mktemp("four"), "4", "--save-arrays")


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compared(tmp_path_factory.mktemp("five"), "5", "--save-arrays")


@pytest.fixture
def baselines(run: Path, tmp_path: Path) -> Path:
    done = accept(run, tmp_path / "accepted")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "2 cells, 2 new, 0 changed, 0 removed, 0 unchanged" in done.stderr
    return tmp_path / "accepted"


def file_in(folder: Path) -> Path:
    """The rows of the only baseline there, beside its head."""
    file, head = sorted(folder.iterdir())
    assert (file.suffix, head) == (".csv", file.with_suffix(".toml"))
    return file


def test_a_rerun_passes_quietly(baselines: Path, tmp_path: Path) -> None:
    before = file_in(baselines).read_bytes()
    done = diff(compared(tmp_path / "again", "4"), baselines)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("Nothing changed. 2 cells")
    assert done.stdout.endswith("2 bit-identical.\n")
    assert file_in(baselines).read_bytes() == before


def test_one_ulp_more_than_accepted_fails_with_its_witness(baselines: Path, drifted: Path) -> None:
    before = file_in(baselines).read_bytes()
    done = diff(drifted, baselines)
    assert done.returncode == 1
    assert "1 LARGER ERROR; 1 bit-identical" in done.stdout
    assert "1 ulp more, at element 0,2" in done.stdout
    assert re.search(
        r"planted:drifting softmax seed001-123 float64 at 0,2: 0x1\.[0-9a-f]+p-1, expected 0x0\.", done.stdout
    )
    assert file_in(baselines).read_bytes() == before


def test_the_printed_command_accepts(baselines: Path, drifted: Path) -> None:
    said = diff(drifted, baselines).stdout.strip().splitlines()[-1].strip()
    command, done = shlex.split(said)[3:], diff(drifted, baselines, "--format", "json")
    assert json.loads(done.stdout)["accept"] == said
    before = file_in(baselines).read_text().splitlines()
    head = file_in(baselines).with_suffix(".toml").read_text().splitlines()
    assert harness(*command).returncode == 0
    after = file_in(baselines).read_text().splitlines()
    assert diff(drifted, baselines).returncode == 0
    assert len(set(after) - set(before)) == 1  # the cell
    assert len(set(before) - set(after)) == 1
    after = file_in(baselines).with_suffix(".toml").read_text().splitlines()
    assert len(set(after) - set(head)) == 2  # its hash, and the reason
    assert len(set(head) - set(after)) == 1


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        ("9", "1 MUCH LARGER ERROR; 1 bit-identical"),
        ("1", "1 SMALLER ERROR; 1 bit-identical"),
        ("nan", "NaN 0 → 1"),
        ("raise", "ok → error: ValueError"),
    ],
)
def test_every_other_drift_fails_too(baselines: Path, tmp_path: Path, drift: str, said: str) -> None:
    done = diff(compared(tmp_path / "run", drift), baselines)
    assert done.returncode == 1
    assert said in done.stdout


def test_what_another_run_accepted_stays(baselines: Path, tmp_path: Path) -> None:
    """A narrower run takes its own cells' places, leaves the others, and its diff says how many it did not ask."""
    alone = tmp_path / "alone"
    asked = ("--backend", "planted", "--case", "seed001-123", "--operation", "softmax")
    assert harness("compare", *asked, "--out", alone, PYTHONPATH=PLANTED).returncode == 0
    done = accept(alone, baselines)
    assert "3 cells, 1 new, 0 changed" in done.stderr or "3 cells, 1 new, 1 changed" in done.stderr
    quiet = diff(alone, baselines)
    assert quiet.returncode == 0
    assert "1 others were not requested" in quiet.stdout


def test_accepting_twice_changes_nothing(run: Path, baselines: Path) -> None:
    before = file_in(baselines).read_bytes()
    done = accept(run, baselines)
    assert (done.returncode, file_in(baselines).read_bytes()) == (0, before)
    assert "all 2 cells are already accepted" in done.stderr


def edited(run: Path, copy: Path, **about: object) -> Path:
    shutil.copytree(run, copy)
    file = copy / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | about))
    return copy


def test_an_interrupted_run_is_neither_accepted_nor_a_pass(run: Path, baselines: Path, tmp_path: Path) -> None:
    partial = edited(run, tmp_path / "partial", partial=True)
    assert accept(partial, baselines).returncode == 2
    done = diff(partial, baselines)
    assert done.returncode == 130
    assert done.stdout.startswith("Interrupted, so incomplete. ")


def test_a_run_that_the_judge_failed_on_is_neither_accepted_nor_a_pass(
    run: Path, baselines: Path, tmp_path: Path
) -> None:
    faulty = edited(run, tmp_path / "faulty", faults=["softmax seed001-123: ValueError"])
    assert accept(faulty, baselines).returncode == 2
    for done in (diff(faulty, baselines), harness("diff", run, faulty)):
        assert done.returncode == 3
        assert done.stdout.startswith("The judge failed on some cells. ")


def test_what_is_absent_is_no_pass(baselines: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run(["python3", "-m", "venv", "--without-pip", bare], check=True)
    done = harness(
        "compare", *ASKED, "--python", f"planted={bare}/bin/python", "--out", tmp_path / "run", PYTHONPATH=PLANTED
    )
    assert done.returncode == 5
    done = diff(tmp_path / "run", baselines)
    assert done.returncode == 5
    assert "2 NO LONGER ANSWERED" in done.stdout
    assert "baseline accept" not in done.stdout


def test_two_runs_tell_how_far_their_answers_are_apart(run: Path, drifted: Path) -> None:
    done = harness("diff", run, drifted)
    assert done.returncode == 1
    assert "1 LARGER ERROR; 1 bit-identical" in done.stdout
    assert re.search(r"largest difference 1 ulp, first at 0,2: 0x1\.[0-9a-f]+p-1 → 0x1\.[0-9a-f]+p-1", done.stdout)
    assert harness("diff", run, run).stdout.startswith("Nothing changed. 2 cells")


def test_runs_of_other_numbers_are_refused(run: Path, tmp_path: Path) -> None:
    inputs = {"seed001-123 float64": {"logits[0]": "0" * 64}}
    done = harness("diff", run, edited(run, tmp_path / "other", inputs=inputs))
    assert done.returncode == 2
    assert "have different inputs, so they cannot be compared, for: seed001-123 float64" in done.stderr


def test_other_inputs_make_what_was_accepted_stale(run: Path, baselines: Path, tmp_path: Path) -> None:
    inputs = {"seed001-123 float64": {"logits[0]": "0" * 64}}
    done = diff(edited(run, tmp_path / "other", inputs=inputs), baselines)
    assert done.returncode == 1
    assert "2 INPUTS CHANGED" in done.stdout


@pytest.mark.parametrize("verb", ["accept", "diff"])
def test_a_damaged_baseline_is_refused_and_not_rewritten(run: Path, baselines: Path, verb: str) -> None:
    file = file_in(baselines)
    file.write_text(file.read_text().replace("ok,", "<<<<<<< HEAD\nok,", 1))
    before = file.read_bytes()
    done = {"accept": accept, "diff": diff}[verb](run, baselines)
    assert done.returncode == 2
    assert done.stderr.startswith(f"softmax-harness: {file}, line ")
    assert len(done.stderr.splitlines()) == 1
    assert file.read_bytes() == before


def test_a_head_of_other_rows_is_one_sentence_and_exit_code_2(run: Path, baselines: Path) -> None:
    file = file_in(baselines)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    for done in (accept(run, baselines), diff(run, baselines)):
        assert done.returncode == 2
        head = re.escape(str(file.with_suffix(".toml")))
        assert re.match(f"softmax-harness: {head}, line [0-9]+: it is not the SHA-256 of ", done.stderr)
        assert len(done.stderr.splitlines()) == 1
    assert file.read_text() == "".join(lines[:-1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["baseline", "diff", "RUN", "--baselines", "/no"], "there is no baseline for this platform: no file /no/"),
        (["baseline", "accept", "RUN", "--reason", " "], "--reason is empty"),
        (["baseline", "diff", "RUN", "--format", "markdwon"], "unknown format 'markdwon': did you mean 'markdown'?"),
        (["diff", "RUN", "/no/such"], "no run at '/no/such'"),
        (["versions", "numpy==2.2.6", "numpy==2.4.6", "--out", ""], "--out is empty"),
        (["versions", "numpy==2.2.6"], "give two versions of one framework, such as "),
        (["versions", "numpy==2.2.6", "jax==0.9.2"], "give two versions of one framework, such as "),
        (["versions", "numpy==2.2.6", "numpy==2.2.6"], "give two versions of one framework, such as "),
        (["versions", "jax==0.9.2", "jax==0.10.2", "--backend", "jax*,torch"],
         "--backend: torch: not a backend of jax, whose versions are compared"),
        (["versions", "numpy>=2", "numpy==2.4.6"], "a version must look like jax==0.9.2; got 'numpy>=2'"),
        (["versions", "jxa==0.9.2", "jax==0.9.1"], "unknown framework package 'jxa': did you mean 'jax'?"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_code_2(run: Path, arguments: list[str], sentence: str) -> None:
    done = harness(*(str(run) if word == "RUN" else word for word in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith(f"softmax-harness: {sentence}"), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reason_that_is_no_text_is_refused_and_nothing_is_written(run: Path, tmp_path: Path) -> None:
    done = harness("baseline", "accept", run, "--baselines", tmp_path, "--reason", "x\udcff")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "softmax-harness: the run cannot be accepted, because its baseline could not be read back: 'utf-8'"
    )
    assert not list(tmp_path.iterdir())


def test_a_version_that_does_not_install_says_what_pip_said(tmp_path: Path) -> None:
    done = harness("versions", "numpy==2.2.6", "numpy==2.4.6", "--out", tmp_path, PIP_NO_INDEX=1)
    assert done.returncode == 2
    assert "numpy==2.2.6 cannot be installed: " in done.stderr.splitlines()[-1]
    assert "No matching distribution found for numpy==2.2.6" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "env" / "numpy-2.2.6" / "packages.txt").exists()


def test_versions_asks_both_interpreters_and_tells_what_moved(tmp_path: Path) -> None:
    """Here one and the same twice: nothing moves, and both runs are there."""
    python = ROOT / ".venv" / "bin" / "python"
    done = harness(
        "versions", "--python", f"numpy={python}", "--python", f"numpy={python}", "--out", tmp_path,
        "--backend", "numpy", "--case", "seed001-123", "--operation", "softmax",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Nothing changed. 2 cells")
    assert {path.name for path in tmp_path.iterdir()} == {"numpy-python1", "numpy-python2"}


def test_versions_that_say_nothing_are_no_pass(tmp_path: Path) -> None:
    """A framework that dies in its import, under both interpreters alike."""
    python = ROOT / ".venv" / "bin" / "python"
    done = harness(
        "versions", "--python", f"fatal={python}", "--python", f"fatal={python}", "--out", tmp_path,
        "--backend", "fatal", "--case", "seed001-123", "--operation", "softmax", PYTHONPATH=PLANTED,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.splitlines()[-1].startswith("fatal-python1: fatal did not report its version")


def test_two_names_of_one_version_are_refused() -> None:
    sides = (environment_of("jax==0.10"), environment_of("jax==0.10.0"))
    run = run_of(frameworks={"jax": {"version": "0.10.0"}})
    with pytest.raises(
        UsageError, match=r"jax==0\.10 and jax==0\.10\.0 are the same version: both report jax 0\.10\.0"
    ):
        check_answered(sides, (run, run))


def test_a_dry_run_prints_commands_and_makes_nothing(tmp_path: Path) -> None:
    done = harness("versions", "jax==0.9.2", "jax==0.10.2", "--out", tmp_path / "out", "--dry-run")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 6
    assert "pip install --quiet --disable-pip-version-check jax==0.9.2 numpy==" in done.stdout
    assert not (tmp_path / "out").exists()
