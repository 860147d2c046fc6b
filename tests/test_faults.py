"""Faults as data: whatever is decided by them, no wording of a sentence changes it; runs of before say the same."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from backends import add
from harness import faults
from harness.baselines import cell_columns, changes
from harness.errors import BACKEND_DIED
from harness.faults import Fault, Kind, Outcome, Verdict
from harness.findings.suspects import suspects
from harness.power.mutant_kills import kills
from harness.records import Comparison, Run
from harness.runs import old_runs, store
from harness.runs.archive import LIST
from harness.runs.exit_status import exit_code
from reports.tables import nearness
from tests import fickle
from tests.command import ROOT, brought
from tests.planted import planted

ALL = (
    Fault(Kind.NOT_CLAIMED, "float16: not claimed"), Fault(Kind.TOO_LARGE, "n = 1000"),
    Fault(Kind.NOT_ITS_OWN), Fault(Kind.NOT_IN_THIS_WAY, "it has one thread"),
    Fault(Kind.NOT_HERE, "No module named 'jax'"), Fault(Kind.NO_INTERPRETER, "not found: /python"),
    Fault(Kind.INTERRUPTED),
    Fault(Kind.JUDGE_FAILED, "no", "ValueError"), Fault(Kind.RAISED, "{braces}: and a colon", "ValueError"),
    Fault(Kind.UNREPEATABLE, number=3, of=5), Fault(Kind.ARGUMENT_CHANGED, argument="logits"),
    Fault(Kind.MEMORY_CHANGED, argument="labels"), Fault(Kind.NO_ARRAY, answered="None"),
    Fault(Kind.NO_NUMBERS, answered="object"), Fault(Kind.UNREADABLE, "no dtype"),
    Fault(Kind.OTHER_SHAPE, answered="(1, 5)", due="(10, 5)"),
    Fault(Kind.UNKNOWN_DTYPE, answered="longdouble", due="float64"),
    Fault(Kind.KILLED, signal="SIGSEGV", twice=True), Fault(Kind.KILLED, signal="SIGILL", importing=True),
    Fault(Kind.EXITED, code=0), Fault(Kind.STOPPED), Fault(Kind.WORKER_FAILED, "EOFError: no", twice=True),
    Fault(Kind.NO_ANSWER_IN_TIME, allowed=10.0), Fault(Kind.MEMORY_LIMIT, used=4.5, allowed=4.0),
    Fault(Kind.RAISED_FOR_MEMORY, "can't allocate", "RuntimeError"),
    Fault(Kind.OTHER_DTYPE, answered="float32 and float64", due="float64"), Fault(Kind.NO_DIGIT),
    Fault(Kind.OTHER_BITS_AGAIN), Fault(Kind.OTHER_BITS_BESIDE),
)  # fmt: skip


def test_every_kind_is_here() -> None:
    assert {fault.kind for fault in ALL} == set(Kind)
    assert {fault.outcome for fault in ALL} == set(Outcome)


@pytest.mark.parametrize("fault", ALL, ids=str)
def test_a_fault_goes_over_the_wire_and_into_a_table_and_comes_back(fault: Fault) -> None:
    assert faults.from_plain(json.loads(json.dumps(fault.plain()))) == fault
    assert all(type(value) in (str, int, float, bool) for value in fault.plain().values())
    assert faults.of(SimpleNamespace(**faults.columns(fault))) == dataclasses.replace(fault, message="")
    assert faults.of(SimpleNamespace(**faults.columns(None))) is None


OF_VERSION_4 = (
    ("unsupported", "float16: not claimed"), ("skipped", "n = 1000"), ("absent", "No module named 'jax'"),
    ("absent", "its interpreter does not start: not found: /python"), ("not run", "interrupted"),
    ("not run", "the judge failed: ValueError: no"), ("failed", "ValueError: {braces}: and a colon"),
    ("failed", "UnrepeatableError: answer 3 of 5 has other bits than the one before"),
    ("failed", "InputChangedError: it wrote into its logits"),
    ("failed", "InputChangedError: it wrote beside its labels, in the buffer of which that is a view"),
    ("failed", "answered with None, not an array"), ("failed", "answered in object, which is no number"),
    ("failed", "answered with what does not read as an array: no dtype"),
    ("failed", "answered with shape (1, 5), not (10, 5)"), ("failed", "answered in longdouble, not float64"),
    ("crashed", "killed by SIGSEGV, twice"), ("crashed", "while it was imported: killed by SIGILL"),
    ("crashed", "exit code 0"), ("crashed", "stopped by us"),
    ("crashed", "the worker itself failed: EOFError: no, twice"), ("timed out", "no answer in 10 s"),
    ("out of memory", "4.5 GiB in use, 4 allowed"), ("out of memory", "RuntimeError: can't allocate"),
    ("ok", "answered in float32 and float64, not float64"),
    ("ok", "no digit right: off by more than a tenth, which no chain of additions excuses"),
    ("ok", "the same question was answered by other bits when it was asked again"),
    ("ok", "its bits depend on what stands in other rows"),
)  # fmt: skip
"""An outcome and a reason for each of `ALL` that makes a cell, as runs of version 4 have them."""
IN_CELLS = [fault for fault in ALL if fault.kind not in faults.WITHOUT_CELL]


@pytest.mark.parametrize(("said", "fault"), list(zip(OF_VERSION_4, IN_CELLS, strict=True)), ids=str)
def test_a_sentence_of_version_4_is_read_as_its_fault(said: tuple[str, str], fault: Fault) -> None:
    outcome = old_runs.outcome({"outcome": said[0]})
    assert outcome == fault.outcome
    assert old_runs.fault(outcome, said[1]) == fault


def test_the_columns_and_words_of_version_4() -> None:
    """They are spelt here as version 4 wrote them, and not taken from the reader."""
    old = pd.DataFrame(
        {
            "outcome": ["ok", "ok", "ok", "ok", "ok", "failed"],
            "reason": ["", "", "", "", "", "ValueError: no"],
            "verdict": [
                "falls short", "flaw as declared", "flaw gone", "bound is vacuous", "chain not measured", "",
            ],
            **dict.fromkeys(
                [
                    "bound_fraction", "ulp_error_there", "bound_fraction_there", "allowed_there", "any_order_fraction",
                    "simulated_fraction", "undeclared_fraction", "measured_height", "measured_exp", "max_scale_error",
                    "zero_misses",
                ],
                0.5,
            ),
        }
    )  # fmt: skip
    new = old_runs.renewed(old)
    assert list(new.columns) == [
        "outcome", "reason", "verdict", "error_over_bound", "worst_ulp_error", "worst_error_over_bound",
        "worst_allowed_ulp", "error_over_any_order_bound", "error_over_simulated_limit", "error_over_default_bound",
        "measured_chain", "measured_exp_error", "max_scaled_error", "missed_zeros", "fault", "fault_arguments",
    ]  # fmt: skip
    assert list(new.outcome) == ["ok", "ok", "ok", "ok", "ok", "error"]
    assert list(new.verdict) == [
        "fails", "known limitation", "unexpected pass", "no finite bound", "inconclusive", "",
    ]  # fmt: skip
    assert list(new.fault) == ["", "", "", "", "", "raised"]
    assert set(new.columns) <= {field.name for field in dataclasses.fields(Comparison)}


WRONG = ("wrong_shape", "wrong_dtype", "objects", "nothing", "raises", "answers_in_float32")
NAMES = [*(f"planted:{name}" for name in WRONG), "planted", "mortal:segfault", "missing", "fickle"]
CASES = "normal:3x17,zeros:2,zeros:2@again"
REWORDED = "from harness import faults; faults.SENTENCES = dict.fromkeys(faults.Kind, 'in other words'); "


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., int]:
    """The command line with backends that are wrong by more than their size, after any other code. Its exit code."""
    folder = brought(tmp_path_factory.mktemp("brought"), "fickle", Path(str(fickle.__file__)).read_text())
    settings = {"PYTHONPATH": f"{ROOT / 'tests' / 'planted'}:{folder}"}
    add((*planted.BACKENDS, *fickle.BACKENDS))

    def call(*words: object, before: str = "") -> int:
        code = f"{before}from harness.__main__ import main; main()"
        asked = [sys.executable, "-c", code, *map(str, words)]
        return subprocess.run(asked, cwd=ROOT, env=os.environ | settings, capture_output=True, check=False).returncode

    return call


def recorded(called: Callable[..., int], folder: Path, before: str = "") -> Path:
    asked = ("--backend", ",".join(NAMES), "--case", CASES, "--operation", "softmax", "--dtype", "float64")
    assert called("compare", *asked, "--save-arrays", "--out", folder, before=before) == BACKEND_DIED
    return folder


@pytest.fixture(scope="module")
def run(called: Callable[..., int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(called, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def reworded(called: Callable[..., int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, recorded while every sentence is another."""
    return recorded(called, tmp_path_factory.mktemp("reworded"), REWORDED)


def decided(run: Run) -> tuple[Any, ...]:
    """All that is decided by faults."""
    its = run.comparisons
    ranked = nearness.ranked_by_error(its[its.outcome == Outcome.OK])
    return (
        suspects(its, run.properties),
        exit_code(run),
        list(kills(run, [])),
        list(its.verdict),
        list(zip(ranked.backend, ranked.case, ranked["rank"].fillna(-1.0), strict=True)),
        cell_columns.cells(run).to_csv(),
    )


def test_no_wording_decides_anything(run: Path, reworded: Path) -> None:
    one, other = store.read(run), store.read(reworded)
    said = set(other.comparisons.reason)
    assert "in other words" in said
    assert not said & {faults.sentence(fault) for fault in ALL}
    assert decided(one) == decided(other)
    assert {"raised", "another shape", "no numbers", "another dtype", "unrepeatable", "killed by a signal"} <= set(
        other.comparisons.fault
    )
    assert len(suspects(other.comparisons, other.properties)) > len(WRONG)
    accepted = cell_columns.cells(one)
    classes = changes.classified(accepted, cell_columns.cells(other), other.about["options"]["selection"])["class"]
    assert set(classes) <= {changes.SAME, changes.AS_BEFORE, changes.NEVER, changes.WITHIN, changes.NOT_ASKED}


def test_judging_again_finds_the_same_faults(run: Path, called: Callable[..., int], tmp_path: Path) -> None:
    assert called("judge", run, "--out", tmp_path) == BACKEND_DIED
    assert (tmp_path / "comparisons.csv").read_bytes() == (run / "comparisons.csv").read_bytes()


def old_file(table: pd.DataFrame) -> bytes:
    """A table as version 4 saved it, as Parquet."""
    then = {now: old for old, now in old_runs.COLUMNS.items()}
    table = table.drop(columns=["fault", "fault_arguments"], errors="ignore").rename(columns=then)
    for name, words in old_runs.VALUES.items():
        if name in table:
            table[name] = table[name].replace({now: old for old, now in words.items()})
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()


def as_version_4(run: Path, folder: Path) -> Path:
    """The same run as version 4 saved it: with its columns and values, and with no faults as data."""
    old, read_run = shutil.copytree(run, folder), store.read(run)
    about = json.loads(read(old, "run.json"))
    for name in store.TABLES:
        content = old_file(getattr(read_run, name))
        (old / f"{name}.parquet").write_bytes(content)
        about["files"][f"{name}.parquet"] = hashlib.sha256(content).hexdigest()
    words = {now: then for then, now in old_runs.OUTCOMES.items()}
    listed = [
        {key: words.get(its, its) if key == "outcome" else its for key, its in entry.items() if key != "fault"}
        for entry in json.loads(read(old, LIST))
    ]
    (old / LIST).write_text(json.dumps(listed))
    about |= {"version": 4, "arrays": hashlib.sha256((old / LIST).read_bytes()).hexdigest()}
    about["unanswered_probes"] = [
        {**probe, "outcome": words.get(probe["outcome"], probe["outcome"])} for probe in about["unanswered_probes"]
    ]
    (old / "run.json").write_text(json.dumps(about))
    return old


def test_a_run_of_version_4_is_read_as_today_s(run: Path, tmp_path: Path) -> None:
    new, old = store.read(run), store.read(as_version_4(run, tmp_path / "old"))
    for name in store.TABLES:
        pd.testing.assert_frame_equal(getattr(old, name), getattr(new, name))
    assert {*new.comparisons.outcome} & {*old_runs.OUTCOMES.values()}
    assert {*new.comparisons.verdict} & {*old_runs.VERDICTS.values()}
    assert old.about["version"] == store.VERSION
    assert old.about["unanswered_probes"] == new.about["unanswered_probes"]
    assert decided(old) == decided(new)


def test_a_run_of_version_4_is_judged_again_as_today_s(run: Path, called: Callable[..., int], tmp_path: Path) -> None:
    old = as_version_4(run, tmp_path / "old")
    assert called("judge", old, "--out", tmp_path / "again") == BACKEND_DIED
    assert read(tmp_path / "again", "comparisons.csv") == read(run, "comparisons.csv")
    assert json.loads(read(tmp_path / "again", "run.json"))["version"] == store.VERSION


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text()


SAME_WORD = {("changes.py", Verdict.SHORT), ("headline.py", Verdict.SHORT), ("github.py", Outcome.FAILED)}
"""Files that use a word for something else: a key of JSON, a verb, and a level of GitHub's annotations."""


def test_no_word_of_an_outcome_or_a_verdict_is_typed_twice() -> None:
    words = [word for word in (*Outcome, *Verdict) if word != Outcome.ABSENT]  # a worker's message has that as a key
    for package in ("harness", "reports"):
        for file in (ROOT / package).rglob("*.*"):
            if file.suffix not in (".py", ".jinja", ".js"):
                continue
            text = "\n".join(line for line in file.read_text().splitlines() if '"""' not in line)
            found = {word for word in words if f'"{word}"' in text or f"'{word}'" in text}
            allowed = (
                set(words) if file.name == "faults.py" else {word for name, word in SAME_WORD if name == file.name}
            )
            assert found <= allowed, file
