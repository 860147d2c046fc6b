"""The command line: bad input, interruption, saved runs, and what is written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from harness.faults import Fault, Kind, sentence
from harness.runs import store
from tests.command import ROOT, harness, harness_anew

PLANTED = str(ROOT / "tests" / "planted")

SMALL = ("--backend", "numpy,numpy:naive", "--case", "seed001-123,seed001-overflow", "--operation", "softmax")
COMPARISON_COLUMNS = (
    "operation", "case", "dtype", "axis", "backend", "outcome", "reason", "max_relative_error",
    "mean_relative_error_percent", "max_ulp_error", "max_absolute_error", "worst_index", "witness",
)  # fmt: skip
PAIR_COLUMNS = [
    "operation", "case", "dtype", "axis", "a", "b", "outcome", "mean_relative_error_percent", "zero_references",
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--backend", "torhc"], "unknown backend 'torhc': did you mean 'torch'?"),
        (["--backend", "numpy,torch:jacrv"], "unknown backend 'torch:jacrv': did you mean 'torch:jacrev'?"),
        (["--backend", "qqq*"], "unknown backend 'qqq*': valid names are: numpy, "),
        (["--backend", ","], "--backend is empty"),
        (["--operation", "jacobain"], "unknown operation 'jacobain': did you mean 'jacobian'?"),
        (["--dtype", "float46"], "unknown dtype 'float46': did you mean 'float64'?"),
        (["--case", "digit"], "unknown case 'digit': did you mean 'digits'?"),
        (["--format", "markdwon"], "unknown format 'markdwon': did you mean 'markdown'?"),
        (["--pairs", "al"], "unknown value of --pairs 'al': did you mean 'all'?"),
        (["--python", "jxa=python3"], "unknown framework 'jxa': did you mean 'jax'?"),
        (["--python", "jax"], "--python must be FRAMEWORK=PATH, such as jax=/opt/jax/bin/python; got 'jax'"),
        (["--python", "jax=/no/such"], "--python jax: there is no interpreter at '/no/such'"),
        (["--python", f"jax={sys.executable}", "--backend", "numpy"], "--python jax: no backend of jax is selected"),
        (["--python", f"jax={sys.executable}", "--python", f"jax={sys.executable}"], "--python names jax twice"),
        (["--out", ""], "--out is empty"),
        (["--out", "/proc/nowhere"], "cannot write to '/proc/nowhere': "),
        (["--backend", "torch:jacrev", "--operation", "vjp"], "nothing to run: none of torch:jacrev supports vjp"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = harness("compare", "--out", tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"softmax-harness: {sentence}")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    done = harness("compare", *SMALL, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_writes_the_promised_files_and_columns(run: Path) -> None:
    cells, pairs = pd.read_csv(run / "comparisons.csv"), pd.read_csv(run / "pairs.csv")
    assert set(COMPARISON_COLUMNS) <= set(cells.columns)
    assert list(pairs.columns)[: len(PAIR_COLUMNS)] == PAIR_COLUMNS
    assert len(cells) == 8
    assert cells.equals(pd.read_csv(run / "comparisons.csv"))
    parquet = pd.read_parquet(run / "comparisons.parquet")
    assert parquet.max_ulp_error.tolist() == pytest.approx(cells.max_ulp_error.tolist(), abs=0, nan_ok=True)
    about = json.loads((run / "run.json").read_text())
    assert about["partial"] is False
    assert len(about["inputs"]["seed001-123 float64"]["logits[0]"]) == 64
    assert about["frameworks"]["numpy"]["flush_to_zero"] is False


def test_a_run_of_known_wrong_formulas_is_as_it_should_be(run: Path) -> None:
    cells = pd.read_csv(run / "comparisons.csv")
    naive = cells[(cells.backend == "numpy:naive") & (cells.case == "seed001-overflow")]
    assert set(naive.verdict) == {"known limitation"}
    # float64: exp(1000) overflows in all three, inf/inf. float32 the same.
    assert naive.nan_count.tolist() == [3, 3]


def test_two_runs_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    assert harness_anew("compare", *SMALL, "--out", tmp_path).returncode == 0
    for name in ("comparisons.csv", "comparisons.parquet", "pairs.csv", "properties.csv", "profiles.csv", "report.md"):
        assert (tmp_path / name).read_bytes() == (run / name).read_bytes(), name


def test_report_renders_a_saved_run_again(run: Path) -> None:
    assert harness("report", run, "--format", "markdown").stdout == (run / "report.md").read_text()
    assert harness("report", run / "run.json", "--format", "csv").stdout == (run / "comparisons.csv").read_text()
    as_json = json.loads(harness("report", run, "--format", "json").stdout)
    assert len(as_json["comparisons"]) == 8
    assert "no failures" in harness("report", run).stdout


def damage(folder: Path, file: str, old: bytes, new: bytes) -> None:
    path = folder / file
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def about(folder: Path, without: str = "", **other: object) -> None:
    """Other entries of `run.json`, or one less."""
    said = json.loads((folder / "run.json").read_text()) | other
    said.pop(without, None)
    (folder / "run.json").write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "run.json").unlink(), "no run at"),
        (lambda d: damage(d, "run.json", b'"partial": false', b'"partial": flase'), "is damaged: it is not JSON"),
        (
            lambda d: damage(d, "run.json", b"softmax-harness run", b"another tool's run"),
            "is not a run of this harness",
        ),
        (
            lambda d: damage(d, "run.json", b'"version": %d' % store.VERSION, b'"version": 99'),
            "has format version 99; this harness reads",
        ),
        *((lambda d, key=key: about(d, without=key), f"is damaged: its {key!r} is missing") for key in store.ABOUT),
        (lambda d: about(d, environment=[]), "is damaged: its 'environment' is no object"),
        (lambda d: about(d, frameworks={"numpy": "2.4"}), "is damaged: an entry of its 'frameworks' is no object"),
        (lambda d: about(d, unanswered_probes=[1]), "is damaged: an entry of its 'unanswered_probes' is no object"),
        (
            lambda d: about(d, unanswered_probes=[{"outcome": []}]),
            "is damaged: an outcome of its 'unanswered_probes' is []",
        ),
        (lambda d: about(d, options={}), "is damaged: its options have no 'selection' of backends, "),
        (lambda d: about(d, options={"selection": {}}), "is damaged: its options have no 'selection' of backends, "),
        (lambda d: (d / "run.json").write_text("[1, 2]"), "is not a run of this harness"),
        (lambda d: (d / "run.json").write_bytes(b"\x80\x04\x95"), "is damaged: it is not JSON"),
        (lambda d: (d / "pairs.parquet").unlink(), "the run's pairs.parquet is missing"),
        (lambda d: (d / "pairs.parquet").write_bytes(b"PAR1"), "pairs.parquet is damaged: its SHA-256 is not the one"),
    ],
)
def test_a_damaged_or_foreign_run_is_refused(run: Path, tmp_path: Path, spoil, sentence: str) -> None:  # type: ignore[no-untyped-def]
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    spoil(copy)
    done = harness("report", copy)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_is_finished_survives_an_interruption(tmp_path: Path, how: signal.Signals) -> None:
    """Interrupted while one backend hangs: the others' answers are written, and the run says that it is partial."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "planted")}
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "compare", "--backend", "numpy,mortal,mortal:hangs", "--case", "seed001-*",
         "--operation", "softmax", "--out", str(tmp_path)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert any(line.startswith("numpy: all") for line in process.stderr)
    time.sleep(2)
    os.killpg(process.pid, how)  # as a terminal does: the workers get it too
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads((tmp_path / "run.json").read_text())["partial"] is True
    cells = pd.read_csv(tmp_path / "comparisons.csv")
    assert set(cells[cells.backend == "numpy"].outcome) == {"ok"}
    assert set(cells[cells.backend == "mortal:hangs"].outcome) == {"not run"}
    assert "Interrupted, so incomplete" in (tmp_path / "report.md").read_text()


def test_another_interpreter_answers_when_named(tmp_path: Path) -> None:
    """A bare environment that has NumPy and nothing of ours: our two packages are brought along, and nothing else."""
    named = tmp_path / "python"
    named.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    named.chmod(0o755)
    done = harness("compare", *SMALL, "--python", f"numpy={named}", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "run.json").read_text())["options"]["interpreters"] == {"numpy": str(named)}


def test_an_interpreter_without_numpy_makes_the_framework_absent(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    bare = tmp_path / "bare" / "bin" / "python"
    done = harness("compare", *SMALL, "--python", f"numpy={bare}", "--out", tmp_path / "out")
    assert done.returncode == 5
    assert (
        "numpy was requested by name, but is absent: its interpreter cannot run a worker: No module named 'numpy'"
        in done.stderr
    )


def test_backends_lists_what_is_there_and_why_the_rest_is_not() -> None:
    done = harness("backends", PYTHONPATH=ROOT / "tests" / "planted")
    assert done.returncode == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[2:] if not line.startswith(" ")}
    assert pd.__name__ == "pandas"
    assert "naive, shifted" in rows["numpy"]
    assert "No module named 'missing'" in rows["missing"]
    assert "crashed while it was imported: killed by SIGILL" in rows["fatal"]
    assert "entry point 'unimportable'" in rows["unimportable"]


def test_a_fault_of_ours_is_said_and_costs_its_own_group_alone(tmp_path: Path) -> None:
    """The judge is made to fail on one group: the others are written, and the exit code is 3."""
    script = """
import sys
from harness.judging import judge
from harness.__main__ import main
real = judge.judge
def broken(group, *rest):
    if group.case.name == "seed001-123":
        raise AssertionError("planted")
    return real(group, *rest)
judge.judge = broken
sys.argv = ["harness", *sys.argv[1:]]
main()
"""
    command = [sys.executable, "-c", script, "compare", *SMALL, "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "internal error: softmax seed001-123 float64: the judge failed: AssertionError: planted" in done.stderr
    cells = pd.read_csv(tmp_path / "comparisons.csv").set_index("case")
    assert set(cells.loc["seed001-overflow"].outcome) == {"ok"}
    assert set(cells.loc["seed001-123"].outcome) == {"not run"}


def test_all_pairs_on_request(tmp_path: Path) -> None:
    few = ("--backend", "numpy,numpy:naive,numpy:shifted", "--case", "seed001-123", "--operation", "softmax")
    assert harness("compare", *few, "--pairs", "all", "--out", tmp_path).returncode == 0
    pairs = pd.read_csv(tmp_path / "pairs.csv")
    assert set(zip(pairs.a, pairs.b, strict=True)) == {
        ("numpy", "numpy:naive"), ("numpy", "numpy:shifted"), ("numpy:naive", "numpy:shifted"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its arrays: several blocks, a probe, 16 bits, an answer in another dtype, one that failed."""
    out = tmp_path_factory.mktemp("archived")
    done = harness(
        "compare", "--backend", "numpy,numpy:naive,planted,planted:raises,planted:answers_in_float32",
        "--case", "seed001-*,chain,sixteen", "--operation", "softmax,vjp", "--dtype", "float64,float16",
        "--save-arrays", "--out", out, PYTHONPATH=PLANTED,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return out


def test_saved_arrays_are_judged_again_to_the_same_bytes(archived: Path, tmp_path: Path) -> None:
    done = harness_anew("judge", archived, "--out", tmp_path, PYTHONPATH=PLANTED)
    assert done.returncode == 1, done.stderr
    for name in ("comparisons.csv", "pairs.csv", "properties.csv", "profiles.csv"):
        lines, again = ((folder / name).read_text().splitlines() for folder in (archived, tmp_path))
        assert lines == again, name


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: damage(d, "arrays/0-numpy-0.npy", b"NUMPY", b"PICKL"), "cannot be read"),
        (lambda d: (d / "arrays" / "0-numpy-0.npy").unlink(), "cannot be read"),
        (
            lambda d: shutil.copy(max((d / "arrays").glob("*-numpy-0.npy")), d / "arrays" / "0-numpy-0.npy"),
            "0-numpy-0.npy is damaged",
        ),
        (lambda d: (d / "arrays.json").unlink(), "the run's arrays.json is missing"),
        (lambda d: damage(d, "arrays.json", b'"ok"', b'"OK"'), "arrays.json is damaged: its SHA-256"),
        (lambda d: damage(d, "run.json", b'"arrays"', b'"errors"'), "has no saved arrays; `compare --save-arrays`"),
        (lambda d: damage(d, "run.json", b'"logits[0]": "', b'"logits[0]": "0'), "this version makes other logits for"),
    ],
)
def test_damaged_arrays_are_refused(archived: Path, tmp_path: Path, spoil, sentence: str) -> None:  # type: ignore[no-untyped-def]
    copy = tmp_path / "copy"
    shutil.copytree(archived, copy)
    spoil(copy)
    done = harness("judge", copy, "--out", tmp_path / "out", PYTHONPATH=PLANTED)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_process_that_is_not_forked_ends_in_silence(run: Path) -> None:
    """Forked ones end before Python takes its modules apart, where a library may still abort or warn."""
    done = harness_anew("report", run, "--format", "markdown")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_report_can_demand_more_of_a_saved_run(run: Path) -> None:
    assert harness("report", run, "--fail-at", "C").returncode == 0
    strict = harness("report", run, "--fail-at", "A")
    assert strict.returncode == 1
    assert "numpy" in strict.stdout.split("Failures:")[1]
    wrong = harness("report", run, "--fail-at", "D")
    assert (wrong.returncode, wrong.stderr[:32]) == (2, "softmax-harness: unknown grade '")


def test_what_fails_is_the_users_choice_and_stays_with_the_run(tmp_path: Path) -> None:
    """A float32 sum one by one is a C, shown with its reason: an error only where that is asked for."""
    asked = (
        "compare", "--backend", "planted:one_by_one", "--operation", "softmax", "--dtype", "float32",
        "--case", "lost:4x4096", "--out", tmp_path,
    )  # fmt: skip
    as_it_is = harness(*asked, PYTHONPATH=PLANTED)
    assert as_it_is.returncode == 0
    told = as_it_is.stdout.split("explained by a measured summation chain:")[1]
    assert "a sum in chains of 4,095 additions" in told
    strict = harness(*asked, "--fail-at", "C", PYTHONPATH=PLANTED)
    assert strict.returncode == 1
    assert "1 FAILS" in strict.stdout
    assert "1 FAILS" in harness("report", tmp_path).stdout
    assert harness("report", tmp_path, "--fail-at", "F").returncode == 0
    wrong = harness(*asked, "--fail-at", "A+", PYTHONPATH=PLANTED)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(("dtype", "case"), [("float16", "zeros:1x4096"), ("float16", "lost:4x4096")])
def test_a_sum_that_stands_still_falls_short_as_a_users_kernel(dtype: str, case: str, tmp_path: Path) -> None:
    done = harness(
        "compare", "--backend", "planted:one_by_one,planted", "--operation", "softmax", "--dtype", dtype,
        "--case", case, "--out", tmp_path, PYTHONPATH=PLANTED,
    )  # fmt: skip
    cells = pd.read_csv(tmp_path / "comparisons.csv", keep_default_na=False).set_index("backend")
    assert done.returncode == 1
    assert sentence(Fault(Kind.NO_DIGIT)) in done.stdout
    assert cells.loc["planted:one_by_one"].grade == "F"
    assert cells.loc["planted"].grade in ("A+", "A")
    laws = pd.read_csv(tmp_path / "properties.csv")
    assert laws[(laws.law == "Σ s = 1") & (laws.verdict == "fails")].backend.tolist() == ["planted:one_by_one"]


def test_judging_into_the_run_itself_is_refused(archived: Path) -> None:
    done = harness("judge", archived, "--out", archived, PYTHONPATH=PLANTED)
    assert done.returncode == 2
    assert "--out is the folder of the saved run" in done.stderr


def test_a_backend_that_is_not_known_any_more_does_not_vanish(archived: Path, tmp_path: Path) -> None:
    done = harness("judge", archived, "--out", tmp_path)
    assert done.returncode == 2
    assert "the run's backend 'planted' is not installed here" in done.stderr


def test_arrays_that_cannot_be_kept_are_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "arrays").touch()
    done = harness("compare", *SMALL, "--save-arrays", "--out", tmp_path)
    assert done.returncode == 2
    assert "cannot write to" in done.stderr


def test_a_reader_who_stops_reading_changes_no_exit_status(run: Path) -> None:
    command = f"{sys.executable} -m harness report {run} --format json | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", command], cwd=ROOT, check=False).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "command",
    [
        "report RUN", "report RUN --format json", "diff RUN RUN", "compare --dry-run --case seed001-123",
        "versions --dry-run numpy==2.2.6 numpy==2.4.6",
    ],
)  # fmt: skip
def test_a_full_disk_behind_stdout_is_one_sentence(run: Path, command: str) -> None:
    words = command.replace("RUN", str(run)).split()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "softmax-harness: cannot write to stdout: No space left on device\n"
