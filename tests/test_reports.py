"""Reports of a literal run against expected files; `make golden` accepts today's. The store that holds runs."""

from __future__ import annotations

import dataclasses
import errno
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from harness.errors import UsageError
from harness.faults import Fault, Kind, columns
from harness.records import Comparison, Pair, Profile, Property, Run
from harness.runs import store
from harness.runs.plan import Selection
from reports import FORMATS, render
from reports.tables import summary
from reports.tables.text import figure

EXPECTED = Path(__file__).parent / "expected"
FILES = {
    "terminal": "report.txt", "json": "report.json", "csv": "report.csv", "markdown": "report.md",
    "junit": "report.xml", "github": "report.github.txt", "html": "report.html",
}  # fmt: skip
OTHERS = ("pairs", "properties", "profiles")
HOSTILE = "RuntimeError: <script>alert(1)</script> | a_b *c* `d` [e](f) \\ end"


def answered(backend: str, case: str = "seed001-123", dtype: str = "float64", **figures: object) -> Comparison:
    given = {"max_ulp_error": 0.75, "error_over_bound": 0.125, "verdict": "within bound", "grade": "A", **figures}
    for name in ("max_ulp_error_ftz", "worst_ulp_error"):
        given.setdefault(name, given["max_ulp_error"])
    given.setdefault("worst_error_over_bound", given["error_over_bound"])
    return Comparison(
        "softmax", case, dtype, -1, backend, "ok", **{  # type: ignore[arg-type]
            "max_relative_error": 1.2e-16, "mean_relative_error_percent": 8e-15, "mean_ulp_error": 0.25,
            "max_absolute_error": 5.5e-17, "mean_absolute_error": 2e-17, "nan_count": 0, "infinity_count": 0,
            "zero_references": 0, "missed_zeros": 0, "elements": 3, "worst_index": "0,2",
            "witness": json.dumps({"element": 2, "logits": ["0x1.0p+0", "0x1.8p+1"], "actual": "0x1.5p-1"}),
            **given,
        },
    )  # fmt: skip


@pytest.fixture
def run() -> Run:
    """Every outcome and verdict once, with hostile text."""
    comparisons = [
        answered("numpy"),
        answered("torch", max_ulp_error=1234567.0,
                  error_over_bound=29.0, grade="C", measured_chain=3131, measured_exp_error=1.3,
                  reason="a sum in chains of 3,131 additions",
                  cause="sum", cause_in_u='{"shift": -0.5, "sum": 1204.0, "exp": 0.25}'),
        answered("numpy:naive"),
        answered("numpy", dtype="float32", max_ulp_error=0.0, error_over_bound=0.0, lost_components=2,
                 lost_index="0,1", lost_witness='{"actual": "0x0.0p+0", "expected": "0x0.9cbp-57"}'),
        answered("numpy:naive", "seed001-overflow", verdict="known limitation", grade="F",
                 reason="exp overflows: inf/inf",
                 max_ulp_error=None, max_relative_error=None, mean_relative_error_percent=None, nan_count=3,
                 error_over_bound=float("inf")),
        answered("numpy:mended", "far-rows", verdict="unexpected pass", reason="said to fail"),
        answered("numpy:declares", error_over_bound=0.99, error_over_default_bound=1234.5),
        answered("torch:bad", verdict="fails", grade="F", error_over_bound=17.25,
                 max_ulp_error=23985.0, max_ulp_index="0,1", worst_ulp_error=99.5, bound=99.5 / 17.25),
        Comparison("softmax", "seed001-123", "float64", -1, "jax", "absent", "No module named 'jax'",
                   **columns(Fault(Kind.NOT_HERE))),
        Comparison("jacobian", "axes", "float64", 1, "torch:loop", "crashed", "killed by SIGSEGV, twice",
                   **columns(Fault(Kind.KILLED, signal="SIGSEGV", twice=True))),
        Comparison("jacobian", "axes", "float64", 1, "torch", "error", HOSTILE,
                   **columns(Fault(Kind.RAISED, type="RuntimeError"))),
        Comparison("jacobian", "wide", "float64", -1, "torch:loop", "skipped", "n = 1000",
                   **columns(Fault(Kind.TOO_LARGE))),
    ]  # fmt: skip
    pairs = [
        Pair(
            "softmax", "seed001-123", "float64", -1, "numpy", "torch", "ok", 4.7041769595653436e-15, 0, identical=False
        ),
        Pair("softmax", "seed001-123", "float64", -1, "numpy", "jax", "absent"),
        Pair("softmax", "seed001-overflow", "float64", -1, "numpy", "torch", "ok", float("nan"), 2, identical=True),
        Pair("softmax", "seed001-123", "float64", -1, "numpy", "numpy:naive", "ok", 0.0, 0, identical=True),
    ]
    laws = [Property("softmax", "seed001-123", "float64", -1, "numpy", "Σ s = 1", 0.5, 0.01, "within bound")]
    about = {
        "harness": "0.0.0",
        "partial": False,
        "faults": [],
        "environment": {},
        "options": {"selection": dataclasses.asdict(Selection())},
        "inputs": {},
        "unanswered_probes": [],
        "audit": {"values": 200000, "audited": 1234, "largest_deviation": 3.7e-9},
        "frameworks": {
            "numpy": {"version": "2.0", "python": "3.11.7", "numpy": "2.0", "flush_to_zero": False},
            "jax": {"outcome": "absent", "reason": "No module named 'jax'"},
        },
        "cases": {"seed001-123": {"source": "001: [1, 2, 3]", "shape": [1, 3], "recipe": "Printed(…)", "blocks": 1}},
    }
    where = ("softmax", "seed001-123", "float64", -1, "numpy", "distance")
    profiles = [Profile(*where, 0.0, 0.5, 1, 0.25, 0.25, 20.0, 20.0, 0.0125),
                Profile(*where, 1.0, 1.5, 2, 1.5, 1.0, 21.0, 22.5, 0.07)]  # fmt: skip
    frames = {"comparisons": comparisons, "pairs": pairs, "properties": laws, "profiles": profiles}
    return Run(about, **{name: store.frame(rows, store.TABLES[name]) for name, rows in frames.items()})


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_as_accepted(run: Run, form: str, request: pytest.FixtureRequest) -> None:
    file, shown = EXPECTED / FILES[form], render(run, form)
    if form == "html":
        shown = without_style_and_script(shown)
    if request.config.getoption("--accept"):
        file.write_text(shown)
    assert shown == file.read_text()


@pytest.mark.parametrize("form", ["terminal", "junit", "github"])
def test_the_error_beside_a_share_is_of_the_same_element(run: Run, form: str) -> None:
    """A larger one of an element that cancels stands in the tables alone."""
    shown = render(run, form)
    assert figure(99.5) in shown
    assert figure(23985.0) not in shown


def without_style_and_script(page: str) -> str:
    """They are files of their own."""
    text = re.sub(r"sha256-[^']+", "sha256-…", page)
    return re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", text, flags=re.DOTALL)


@pytest.mark.parametrize("form", FORMATS)
def test_a_saved_run_renders_the_same_bytes(run: Run, form: str, tmp_path: Path) -> None:
    saved = store.save(run, tmp_path)
    assert render(store.read(tmp_path), form) == render(saved, form)


def test_nothing_in_a_cell_of_markdown_is_markup(run: Run) -> None:
    page = render(run, "markdown")
    assert "<script>" not in page
    assert "\\<script\\>alert(1)\\</script\\> \\| a\\_b \\*c\\* \\`d\\` \\[e\\](f) \\\\ end" in page


def test_a_run_without_any_answer_renders(run: Run) -> None:
    cells = run.comparisons[run.comparisons.outcome != "ok"]
    empty = dataclasses.replace(run, comparisons=cells, **{name: getattr(run, name).iloc[:0] for name in OTHERS})
    for form in FORMATS:
        assert render(empty, form)
    assert "4 cells" in summary.headline(empty)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (1.0, "1"), (0.123456, "0.12"), (4.7e-15, "4.7e-15"), (99.6, "100"), (123.4, "123"),
        (1234567.0, "1.2e+06"), (0.996, "0.996"), (1.004, "1.004"), (-1.0, "-1"),
        (1 + 2**-40, "1.000000000001"), (1 - 2**-53, "0.9999999999999999"),
        (54321.0, "54,321"), (float("inf"), "inf"), (None, "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_figures_have_two_digits(value: float | None, shown: str) -> None:
    assert summary.figure(value) == shown


def test_numbers_survive_csv_and_parquet_to_the_bit(run: Run, tmp_path: Path) -> None:
    store.save(run, tmp_path)
    exact = run.pairs.mean_relative_error_percent.tolist()
    for read in (pd.read_csv(tmp_path / "pairs.csv"), pd.read_parquet(tmp_path / "pairs.parquet")):
        assert [v.hex() for v in read.mean_relative_error_percent] == [v.hex() for v in exact]


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(tmp_path, "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(UsageError, match=f"^cannot write {tmp_path / 'file'}: No space left on device$"):
        store.write(tmp_path, "file", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_run_whose_table_lacks_columns_is_refused(run: Run, tmp_path: Path) -> None:
    store.save(dataclasses.replace(run, pairs=run.pairs.drop(columns=["a"])), tmp_path)
    with pytest.raises(UsageError, match="has no columns a"):
        store.read(tmp_path)
