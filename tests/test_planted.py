"""The harness must be able to fail: every planted wrong backend is caught, by name, through the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.faults import Fault, Kind
from harness.operations import OPERATIONS as HARNESS_OPERATIONS
from harness.workers import worker
from harness.workers.request import Recording, Reply, Request
from tests.command import harness, harness_anew

PLANTED = str(Path(__file__).parent / "planted")

WRONG = {
    "zeros", "uniform", "unnormalised", "no_shift", "float32_inside", "other_axis", "one_element_off",
    "nan_in_a_corner", "log_of_softmax", "maximum_alone", "diagonal_alone", "without_identity", "next_row", "halved",
    "from_clipped_probabilities", "without_label", "negated", "zero_gradient", "without_mean", "diagonal_product",
    "without_covariance", "softmax_s_own_vjp", "tangent_alone", "transposed", "summed_and_not_averaged",
    "last_row_left_out", "gradient_of_the_sum", "hessian_at_the_label_alone", "hardened", "averaged_over_entries",
    "entropy_of_labels_taken_off", "forgets_the_distribution", "over_all_classes", "through_the_diagonal_alone",
    "one_input_left_out", "column_by_column", "without_the_inputs",
}  # fmt: skip
CASES = "seed001-overflow,seed003-uniform,seed003-normal,far-rows,axes"
OPERATIONS = "*"


@pytest.fixture(scope="module")
def planted_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, int, str]:
    """Comparisons, exit code and page of one run of all that answer wrongly."""
    out = tmp_path_factory.mktemp("planted")
    done = harness(
        "compare", "--backend", "planted*", "--case", CASES, "--operation", OPERATIONS, "--dtype", "float64",
        "--out", out, PYTHONPATH=PLANTED,
    )  # fmt: skip
    return pd.read_csv(out / "comparisons.csv", keep_default_na=False), done.returncode, (out / "report.md").read_text()


@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_answers_fall_short(planted_run: tuple[pd.DataFrame, int, str], name: str) -> None:
    cells, _, page = planted_run
    verdicts = cells[cells.backend == f"planted:{name}"].verdict
    assert "fails" in set(verdicts)
    assert name.replace("_", "\\_") in page


def test_every_operation_has_a_wrong_answer_that_is_caught(planted_run: tuple[pd.DataFrame, int, str]) -> None:
    cells, _, _ = planted_run
    caught = cells[(cells.verdict == "fails") & cells.backend.isin([f"planted:{name}" for name in WRONG])]
    assert set(caught.operation) == set(HARNESS_OPERATIONS)


def test_what_is_right_beside_them_is_not_blamed(planted_run: tuple[pd.DataFrame, int, str]) -> None:
    cells, _, _ = planted_run
    right = cells[cells.backend == "planted"]
    assert len(right) > 20
    assert set(right.verdict) == {"within bound"}


def test_a_declared_flaw_that_is_gone_is_an_error(planted_run: tuple[pd.DataFrame, int, str]) -> None:
    cells, code, _ = planted_run
    mended = cells[cells.backend == "planted:mended"].set_index("case").verdict
    assert mended["seed003-uniform"] == "unexpected pass"
    assert mended["far-rows"] == "within bound"
    assert code == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong_shape", r"answered with shape \(1, 5\), not \(10, 5\)"),
        ("wrong_dtype", "answered in (longdouble|float128|float96), not float64"),
        ("objects", "answered in object, which is no number"),
        ("nothing", "answered with None, not an array"),
        ("raises", r"RuntimeError: first line \| with a bar"),
        ("names_a_file_that_is_no_text", r"OSError: no kernel in '\\ud800\.cubin'"),
    ],
)
def test_what_is_no_answer_failed(planted_run: tuple[pd.DataFrame, int, str], name: str, reason: str) -> None:
    cells, _, _ = planted_run
    cell = cells[(cells.backend == f"planted:{name}") & (cells.case == "seed003-uniform")].iloc[0]
    assert cell.outcome == "error"
    assert pd.Series([cell.reason]).str.fullmatch(reason).all(), cell.reason
    assert cell.max_ulp_error == "nan"


class Channel(list[dict[str, Any]]):
    """Of a worker: the requests that come, and what is sent back."""

    def __init__(self, *requests: dict[str, Any]) -> None:
        super().__init__(requests)
        self.sent: list[dict[str, Any]] = []

    def send(self, reply: dict[str, Any]) -> None:
        self.sent.append(reply)

    def receive(self) -> bytes:
        raise AssertionError("no array was sent")


@pytest.mark.parametrize("surrogate", ["\ud800", "\udcff"])
def test_no_reply_has_what_cannot_be_sent(monkeypatch: pytest.MonkeyPatch, surrogate: str) -> None:
    """Of an import, of an answer, and of a script."""
    monkeypatch.setattr(worker, "opened", lambda framework: {"opened": f"no {surrogate}"})
    monkeypatch.setattr(worker, "computed", lambda request: Reply(Fault(Kind.RAISED, f"no {surrogate}", "Error")))
    monkeypatch.setattr(worker, "transcribed", lambda *asked: Reply(script={"setup": f"no {surrogate}"}))
    request = Request("planted", "softmax", -1, {})
    channel = Channel(request.plain(), replace(request, recording=Recording()).plain())
    worker.serve(channel, "planted")
    said = f"no \\u{ord(surrogate):x}"
    assert channel.sent[0] == {"opened": said}
    assert Reply.received(channel.sent[1]) == Reply(Fault(Kind.RAISED, said, "Error"))
    assert Reply.received(channel.sent[2]) == Reply(script={"setup": said})


def test_the_witness_is_the_element_that_was_touched(planted_run: tuple[pd.DataFrame, int, str]) -> None:
    cells, _, _ = planted_run
    mine = cells[cells.backend == "planted:one_element_off"].set_index("case")
    assert mine.loc["seed003-uniform"].worst_index == "0,3"
    corner = cells[cells.backend == "planted:nan_in_a_corner"].set_index("case")
    assert corner.loc["seed003-uniform"].worst_index == "9,4"
    assert '"actual": "nan"' in corner.loc["seed003-uniform"].witness


def test_another_dtype_than_asked_for_is_judged_in_its_own_and_falls_short(
    planted_run: tuple[pd.DataFrame, int, str],
) -> None:
    cells, _, _ = planted_run
    cell = cells[(cells.backend == "planted:answers_in_float32") & (cells.case == "seed003-uniform")].iloc[0]
    assert (cell.verdict, cell.reason) == ("fails", "answered in float32, not float64")
    assert float(cell.max_ulp_error) < 1  # of float32


def test_memory_stays_flat_whatever_a_framework_keeps_of_earlier_questions(tmp_path: Path) -> None:
    done = harness(
        "compare", "--backend", "mortal:keeps", "--case", "seed00*", "--operation", "softmax", "--dtype", "float64",
        "--memory-limit", "0.5", "--out", tmp_path, PYTHONPATH=PLANTED,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cells = pd.read_csv(tmp_path / "comparisons.csv")
    assert len(cells) > 8  # as many as would not fit together
    assert set(cells.outcome) == {"ok"}


@pytest.fixture(scope="module")
def mortal_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, int, str]:
    """Comparisons, exit code and stderr of one run in which processes die."""
    out = tmp_path_factory.mktemp("mortal")
    done = harness(
        "compare", "--backend", "numpy,mortal*,fatal,missing", "--case", "seed001-123,seed001-125",
        "--operation", "softmax", "--dtype", "float32", "--time-limit", "10", "--memory-limit", "0.5", "--out", out,
        PYTHONPATH=PLANTED, PLANTED_MARKER=out / "died-once",
    )  # fmt: skip
    return pd.read_csv(out / "comparisons.csv", keep_default_na=False), done.returncode, done.stderr


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("mortal:segfault", "crashed", "killed by SIGSEGV, twice"),
        ("mortal:leaves", "crashed", "exit code 7, twice"),
        ("mortal:hangs", "timed out", "no answer in 10 s"),
        ("mortal:hoards", "out of memory", r"0\.\d GiB in use, 0.5 allowed"),
        ("mortal:says_no_memory", "out of memory", "RuntimeError: DefaultCPUAllocator: can't allocate memory.*"),
        ("fatal", "crashed", "while it was imported: killed by SIGILL"),
        ("missing", "absent", "No module named 'missing'"),
    ],
)
def test_a_death_is_one_outcome_with_its_reason(
    mortal_run: tuple[pd.DataFrame, int, str], name: str, outcome: str, reason: str
) -> None:
    cells = mortal_run[0]
    mine = cells[cells.backend == name]
    assert len(mine) == 2
    assert set(mine.outcome) == {outcome}
    assert mine.reason.str.fullmatch(reason).all(), set(mine.reason)


def test_nothing_else_is_lost(mortal_run: tuple[pd.DataFrame, int, str]) -> None:
    cells = mortal_run[0]
    for name in ("numpy", "mortal", "mortal:dies_once"):
        assert set(cells[cells.backend == name].verdict) == {"within bound"}, name


def test_a_probe_that_kills_is_told_and_blames_no_rounding(tmp_path: Path) -> None:
    """Its chain explains its error, and who asked for that was killed: no grade, no "fails", exit code 4."""
    done = harness(
        "compare", "--backend", "mortal:dies_of_probes", "--case", "chain", "--operation", "softmax",
        "--dtype", "float64", "--out", tmp_path, PYTHONPATH=PLANTED,
    )  # fmt: skip
    [cell] = pd.read_csv(tmp_path / "comparisons.csv", keep_default_na=False).itertuples()
    assert (cell.outcome, cell.grade, cell.verdict) == ("ok", "", "inconclusive")
    assert cell.reason == "its height probe: crashed, exit code 9, twice"
    assert done.returncode == 4
    [probe] = json.loads((tmp_path / "run.json").read_text())["unanswered_probes"]
    assert (probe["backend"], probe["n"], probe["outcome"]) == ("mortal:dies_of_probes", 50_000, "crashed")
    assert "1 inconclusive" in done.stdout


def test_a_death_outranks_an_absence_in_the_exit_code(mortal_run: tuple[pd.DataFrame, int, str]) -> None:
    _, code, stderr = mortal_run
    assert code == 4
    assert "missing was requested by name, but is absent: No module named 'missing'" in stderr


def test_a_backend_that_does_not_import_is_absent(tmp_path: Path) -> None:
    done = harness("compare", "--backend", "unimportable,numpy", "--case", "seed001-123", "--operation", "softmax",
                   "--out", tmp_path, PYTHONPATH=PLANTED)  # fmt: skip
    assert done.returncode == 5
    assert "entry point 'unimportable' (not_a_module_at_all) failed: ModuleNotFoundError" in done.stderr


ALIKE = """
from backends.numpy import NumPy

class Right(NumPy):
    framework = "alike-zeros"
    softmax = NumPy.softmax

class Zeros(NumPy):
    framework = "alike"
    variant = "zeros"
    operations = ("softmax",)
    def softmax(self, logits, axis):
        return super().softmax(logits, axis) * 0

class Slash(Zeros):
    variant = "fast/v2"
    def softmax(self, logits, axis):
        return NumPy.softmax(self, logits, axis)

class Native(NumPy):
    framework = "alike"
    softmax = NumPy.softmax

BACKENDS = (Native, Right, Zeros, Slash)
"""


def test_names_that_are_alike_share_no_answer(tmp_path: Path) -> None:
    """A file is named by them, and a name may have in it whatever a file's may not."""
    about = tmp_path / "alike-0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: alike\nVersion: 0.0\n")
    (about / "entry_points.txt").write_text("[softmax_harness.backends]\nalike = alike\n")
    (tmp_path / "alike.py").write_text(ALIKE)
    out = tmp_path / "out"
    done = harness("compare", "--backend", "alike*", "--case", "seed00*", "--operation", "softmax", "--dtype",
                   "float32", "--save-arrays", "--out", out, PYTHONPATH=tmp_path)  # fmt: skip
    assert done.returncode == 1, done.stderr
    told = set(pd.read_csv(out / "comparisons.csv")[["backend", "verdict"]].itertuples(index=False, name=None))
    right = {(name, "within bound") for name in ("alike", "alike-zeros", "alike:fast/v2")}
    assert told == right | {("alike:zeros", "fails")}
    again = harness_anew("judge", out, "--out", tmp_path / "again", PYTHONPATH=tmp_path)
    assert again.returncode == 1, again.stderr
    assert (tmp_path / "again" / "comparisons.csv").read_bytes() == (out / "comparisons.csv").read_bytes()
