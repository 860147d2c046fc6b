"""The text of a baseline, what it refuses, how runs merge into it, and the class of every move."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import errors
from harness.baselines import accepted, cell_columns, changes, gate, old_baselines, toml_head
from harness.baselines.distances import distance
from harness.baselines.platform import platform
from harness.errors import UsageError
from harness.faults import Fault, Kind, columns
from harness.judging.judged_cell import Cell
from harness.judging.probes import Measured
from harness.judging.rows import comparison, declared_flaw
from harness.questions.cases import CASES
from harness.records import Comparison, Group, Run
from harness.runs import plan, store
from reports.pages import changes as pages
from tests.command import ROOT

EXPECTED = Path(__file__).parent / "expected"
FIGURES = [0.0, 0.1, 5e-324, 1.7976931348623157e308, float("inf"), 2.0**-1074 * 3, 1 / 3, 123456789.123456789]
QUICK: dict[str, Any] = {"backends": (), "operations": (), "dtypes": (), "cases": (), "suite": ""}


def cell(case: str = "digits", backend: str = "numpy", **given: Any) -> Comparison:
    about = {
        "outcome": "ok", "verdict": "within bound", "grade": "A", "max_ulp_error": 4.0,
        "mean_ulp_error": 1.0, "error_over_bound": 0.25,
        "nan_count": 0, "infinity_count": 0, "answer": "a" * 64, "max_ulp_index": "0,2", "worst_index": "0,2",
        "witness": '{"element": 2, "actual": "0x1.8p-1", "expected": "0x0.bp+0"}',
    }  # fmt: skip
    about = about | given if given.get("outcome", "ok") == "ok" else given
    return Comparison("softmax", case, "float64", -1, backend, **about)


def run_of(*rows: Comparison, selection: dict[str, Any] | None = None, version: str = "2.4.6", **about: Any) -> Run:
    said: dict[str, Any] = {
        "partial": False, "faults": [],
        "environment": {
            "system": "Linux 6.1", "machine": "x86_64", "vendor": "AuthenticAMD", "cpu": ["AVX2", "SSE2"],
            "threads_per_worker": 1,
        },
        "frameworks": {"numpy": {"version": version, "flush_to_zero": False}},
        "options": {"selection": QUICK | (selection or {})},
        "inputs": {f"{row.case} float64": {"logits[0]": "1" * 64} for row in rows},
    }  # fmt: skip
    tables = {name: store.frame([], record) for name, record in store.TABLES.items()}
    return Run(said | about, **{**tables, "comparisons": store.frame(rows, Comparison)})


def baseline_of(*rows: Comparison, **about: Any) -> accepted.Baseline:
    run = run_of(*rows, **about)
    return accepted.accepted(accepted.empty(run), run, "as it was").baseline


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return accepted.write(
        tmp_path, baseline_of(cell("a"), cell("b"), cell("c", outcome="error", reason="ValueError: x"))
    )


def test_a_baseline_reads_back_to_the_bit(tmp_path: Path) -> None:
    rows = [cell(f"case{number}", max_ulp_error=figure) for number, figure in enumerate(FIGURES)]
    made = baseline_of(*rows, cell("x", outcome="unsupported"), cell('quoted, "so"'))
    file = accepted.write(tmp_path, made)
    read = accepted.read(file)
    pd.testing.assert_frame_equal(read.cells, made.cells, check_exact=True)
    assert [figure.hex() for figure in read.cells.max_ulp_error[: len(FIGURES)]] == [figure.hex() for figure in FIGURES]
    assert (read.platform, read.frameworks, read.reasons) == (made.platform, made.frameworks, made.reasons)
    before = contents(tmp_path)
    assert contents(accepted.write(tmp_path, read).parent) == before


def contents(folder: Path) -> dict[str, bytes]:
    """All files there."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_one_changed_cell_is_one_changed_line_and_its_hash_another(tmp_path: Path) -> None:
    file = accepted.write(tmp_path, baseline_of(cell("a"), cell("b"), cell("c")))
    head = accepted.head_of(file)
    before = [path.read_text().splitlines() for path in (file, head)]
    accepted.write(tmp_path, baseline_of(cell("a"), cell("b", max_ulp_error=4.5), cell("c")))
    after = [path.read_text().splitlines() for path in (file, head)]
    changed = [[b for a, b in zip(*pair, strict=True) if a != b] for pair in zip(before, after, strict=True)]
    assert [len(lines) for lines in changed] == [1, 1]
    assert changed[1][0].startswith("rows_sha256 = ")


def as_before(file: Path) -> Path:
    """The same baseline in the old form: one file, its head in comments."""
    made = accepted.read(file)
    file.write_text(old_baselines.written(toml_head.Head(made.platform, made.frameworks, made.reasons), made.cells))
    accepted.head_of(file).unlink()
    return file


def failed(text: str) -> str:
    """A field with the outcome of a question that raised, as in the form of that text."""
    return ",failed," if text.startswith("# softmax-harness baseline, version 2") else ",error,"


ROW = "softmax,b,float64,-1,numpy,quick,,"
SPOILT: dict[str, tuple[Callable[[str], str], int, str]] = {
    "another format": (lambda t: t.replace("softmax-harness baseline", "shopping list"), 1, "not a baseline of this"),
    "a newer version": (lambda t: t.replace("version 2\n", "version 3\n", 1), 1, "format version 3; this harness"),
    "an empty file": (lambda t: "", 1, "not a baseline of this"),
    "a version of 5000 digits": (lambda t: t.replace("version 2\n", f"version {'2' * 5000}\n"), 1, "format version 22"),
    "a conflict in the head": (lambda t: t.replace("# framework", "=======\n# framework"), 8, "conflict is not res"),
    "a conflict in a cell": (lambda t: t.replace(ROW, f"<<<<<<< HEAD\n{ROW}"), 12, "conflict is not res"),
    "the end of a conflict": (lambda t: t.replace(ROW, f">>>>>>> theirs\n{ROW}"), 12, "conflict is not res"),
    "another platform": (lambda t: t.replace("AVX2 SSE2", "SSE2"), 2, "the lines below it, which give linux-"),
    "another maker": (lambda t: t.replace("AuthenticAMD", "GenuineIntel"), 2, "the lines below it, which give linux-"),
    "no threads": (lambda t: t.replace("# threads: 1\n", ""), 8, "the head has no lines '# threads: …'"),
    "threads in words": (lambda t: t.replace("# threads: 1", "# threads: one"), 7, "'one' is not a number of threads"),
    "a line of prose": (lambda t: t.replace("# threads", "# do not edit\n# threads"), 7, "edit' is not a line"),
    "a framework without a version": (lambda t: t.replace("numpy 2.4.6", "numpy"), 8, "'numpy' is not a framework"),
    "other columns": (lambda t: t.replace("operation,case", "operator,case"), 10, "expected the names of the columns"),
    "no table": (lambda t: f"{t[: t.index('operation,')]}# end\n", 10, "'# end' is not a line of a head"),
    "a line too many": (lambda t: t.replace("softmax,b,", "softmax,a,"), 12, "duplicate cell: softmax a float64"),
    "unsorted lines": (lambda t: t.replace("softmax,a,", "softmax,d,"), 12, "softmax b float64 axis -1 numpy belon"),
    "a field too few": (lambda t: t.replace(ROW, ROW.removesuffix("quick,,")), 12, "17 fields, not 19"),
    "a field too many": (lambda t: t.replace(ROW, f"{ROW}quick,"), 12, "20 fields, not 19"),
    "an empty line": (lambda t: t.replace(ROW, f"\n{ROW}"), 12, "1 fields, not 19"),
    "an open quote": (lambda t: t.replace("softmax,b,", 'softmax,"b,'), 12, "a quote is not closed"),
    "a word for a number": (lambda t: t.replace(",4.0,1.0,", ",four,1.0,"), 11, "max_ulp_error is 'four'"),
    "a negative error": (lambda t: t.replace(",4.0,1.0,", ",-4.0,1.0,"), 11, "max_ulp_error is '-4.0'"),
    "half a hash": (lambda t: t.replace("a" * 64, "a" * 32, 1), 11, "answer is 'aaaa"),
    "an open quote among suites": (lambda t: t.replace("quick,,", "'quick,,", 1), 11, "suites is \"'quick\""),
    "suites in another order": (lambda t: t.replace("quick,,", "quick deep,,", 1), 11, "suites is 'quick deep'"),
    "no such part": (lambda t: t.replace("quick,,", "quick,devices,", 1), 11, "left_open is 'devices'"),
    "no such outcome": (lambda t: t.replace(",ok,", ",okay,", 1), 11, "outcome is 'okay'"),
    "an outcome without a word": (lambda t: t.replace(failed(t), ",absent,"), 13, "outcome is 'absent'"),
    "an answer that failed": (lambda t: t.replace(",ok,", failed(t), 1), 11, "where the outcome is 'error'"),
    "no such dtype": (lambda t: t.replace("a,float64", "a,float46"), 11, "dtype is 'float46'"),
    "no such grade": (lambda t: t.replace(",A,", ",Z,", 1), 11, "grade is 'Z'"),
    "a cut": (lambda t: t[:-20], 13, "the file is truncated: its last line is not '# end'"),
    "a cut between lines": (lambda t: t[: t.index(ROW)], 11, "the file is truncated: its last line is not '# end'"),
    "a line after the end": (lambda t: f"{t}a\n", 15, "the file is truncated: its last line is not '# end'"),
    "threads of 5000 digits": (lambda t: t.replace("# threads: 1", f"# threads: {'1' * 5000}"), 7, "is not a number"),
    "threads in another script": (lambda t: t.replace("# threads: 1", "# threads: ١"), 7, "'١' is not a number"),
    "a count of 20 digits": (lambda t: t.replace(",0,0,", f",{'9' * 20},0,", 1), 11, "nan_count is '9999"),
    "a count in another script": (lambda t: t.replace(",0,0,", ",٣,0,", 1), 11, "nan_count is '٣'"),
    "an axis with a zero before it": (lambda t: t.replace(",-1,", ",-01,", 1), 11, "form, 'softmax,a,float64,-1,"),
    "an axis of 30 digits": (lambda t: t.replace(",-1,", f",{'9' * 30},", 1), 11, "axis is '9999"),
    "a number with a zero behind it": (lambda t: t.replace(",4.0,", ",4.00,", 1), 11, "is not in the written form"),
    "lines that end as on Windows": (lambda t: t.replace("\n", "\r\n"), 1, "a line has a carriage return; for git: "),
    "one line that ends so": (lambda t: t.replace(ROW, f"\r\n{ROW}"), 12, "a line has a carriage return; for git: "),
    "a tab in a reason": (lambda t: t.replace("as it was", "as\tit was"), 9, "is not in the written form, '# acc"),
    "spaces around a reason": (lambda t: t.replace("as it was", " as it was "), 9, "not in the written form, '# acc"),
    "a framework twice": (lambda t: t.replace("# ac", "# framework: numpy 2.4.6\n# ac"), 9, "not in the written form"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_nonsense_is_refused_with_its_line_and_left_alone(file: Path, kind: str) -> None:
    spoil, line, sentence = SPOILT[kind]
    refused(as_before(file), file, spoil, line, sentence)


def refused(file: Path, spoilt: Path, spoil: Callable[[str], str], line: int, sentence: str) -> None:
    """A baseline of which one file was spoilt: refused with that file's line, and left alone."""
    text = spoil(spoilt.read_text())
    assert text != spoilt.read_text()
    spoilt.write_bytes(text.encode())
    before = contents(file.parent)
    with pytest.raises(UsageError) as caught:
        accepted.read(file)
    assert str(caught.value).startswith(f"{spoilt}, line {line}: ")
    assert sentence in str(caught.value)
    assert contents(file.parent) == before


OLD_HEAD = 9
"""The lines above the rows in the old form."""
OF_ROWS = [
    kind
    for kind, (_, line, said) in SPOILT.items()
    if (line > OLD_HEAD and "# end" not in said) or kind.startswith("lines that end")
]


@pytest.mark.parametrize("kind", OF_ROWS)
def test_rows_are_refused_in_a_file_of_their_own_too(file: Path, kind: str) -> None:
    spoil, line, sentence = SPOILT[kind]
    refused(file, file, spoil, max(1, line - OLD_HEAD), sentence)


SPOILT_HEADS: dict[str, tuple[Callable[[str], str], int, str]] = {
    "another format": (lambda t: t.replace("softmax-harness baseline", "shopping list"), 1, "not a baseline of this"),
    "a newer version": (lambda t: t.replace("version = 3", "version = 4"), 2, "format version 4; this harness reads 3"),
    "an empty file": (lambda t: "", 1, "not a baseline of this"),
    "a version of 5000 digits": (lambda t: t.replace("version = 3", f"version = {'2' * 5000}"), 13, "it is not TOML"),
    "a conflict": (lambda t: t.replace("rows_sha", "=======\nrows_sha"), 13, "conflict is not res"),
    "a merge with both sides": (lambda t: t.replace("rows_sha", 'rows_sha256 = ""\nrows_sha'), 14, "it is not TOML"),
    "another platform": (lambda t: t.replace('"AVX2", "SSE2"', '"SSE2"'), 3, "the lines below it, which give linux-"),
    "another maker": (lambda t: t.replace("AuthenticAMD", "GenuineIntel"), 3, "the lines below it, which give linux-"),
    "no threads": (lambda t: t.replace("threads = 1\n", ""), 12, "threads: Field required"),
    "threads in words": (lambda t: t.replace("threads = 1", 'threads = "one"'), 8, "threads: Input should be a valid"),
    "negative threads": (lambda t: t.replace("threads = 1", "threads = -1"), 8, "threads: Input should be greater"),
    "too many threads": (lambda t: t.replace("threads = 1", f"threads = {10**9}"), 8, "threads: Input should be less"),
    "threads of 5000 digits": (lambda t: t.replace("threads = 1", f"threads = {'1' * 5000}"), 13, "it is not TOML"),
    "threads in another script": (lambda t: t.replace("threads = 1", "threads = ١"), 8, "it is not TOML"),
    "threads in hexadecimal": (lambda t: t.replace("threads = 1", "threads = 0x1"), 8, "is not in the written form"),
    "a line of prose": (lambda t: t.replace("threads", "do not edit\nthreads"), 8, "it is not TOML"),
    "a comment": (lambda t: t.replace("threads", "# do not edit\nthreads"), 8, "is not in the written form"),
    "an unknown key": (lambda t: t.replace("threads", "edit = false\nthreads"), 8, "edit: Extra inputs are not perm"),
    "a framework without a version": (lambda t: t.replace('["2.4.6"]', "[]"), 9, "versions: List should have"),
    "a version of two words": (lambda t: t.replace("2.4.6", "2.4 6"), 9, "versions.0: String should match"),
    "half a hash": (lambda t: t.replace('sha256 = "', 'sha256 = "ab'), 13, "rows_sha256: String should match"),
    "another hash": (lambda t: t.replace('sha256 = "', f'sha256 = "{"0" * 64}" #'), 13, "is not in the written form"),
    "a tab in a reason": (lambda t: t.replace("as it was", "as\tit was"), 11, "is not in the written form, '  \"as it"),
    "spaces around a reason": (lambda t: t.replace("as it was", " as it was "), 11, "is not in the written form"),
    "lines that end as on Windows": (lambda t: t.replace("\n", "\r\n"), 1, "carriage return; for git: `*.toml text"),
    "a cut": (lambda t: t[:-20], 13, "it is not TOML"),
    "a cut between lines": (lambda t: t[: t.index("rows_sha")], 12, "rows_sha256: Field required"),
    "a cut below the first lines": (lambda t: t[: t.index("system")], 3, "system: Field required"),
    "a framework twice": (lambda t: t.replace("acc", "frameworks.numpy = 1\nacc"), 10, "it is not TOML"),
    "no end of the last line": (lambda t: t[:-1], 14, "the last line has no end"),
    "lists without end": (lambda t: t.replace("cpu = ", f"cpu = {'[' * 5000}"), 13, "it is not TOML"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT_HEADS)
def test_a_head_that_is_nonsense_is_refused_with_its_line_and_left_alone(file: Path, kind: str) -> None:
    refused(file, accepted.head_of(file), *SPOILT_HEADS[kind])


@pytest.mark.parametrize("spoil", [
    lambda t: t.replace(",4.0,", ",5.0,", 1), lambda t: t[: t.index(ROW)], lambda t: t.replace("x,c,", "x,d,"),
], ids=["an edit", "a cut between lines", "another cell"])  # fmt: skip
def test_rows_that_the_head_does_not_name_are_refused(file: Path, spoil: Callable[[str], str]) -> None:
    """As after a merge of one of the two files, though every row is as it is written."""
    file.write_text(spoil(file.read_text()))
    before = contents(file.parent)
    with pytest.raises(UsageError) as caught:
        accepted.read(file)
    head = accepted.head_of(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert str(caught.value).startswith(f"{head}, line 13: it is not the SHA-256 of {file.name}, {digest}: ")
    assert contents(file.parent) == before
    head.write_text(re.sub('sha256 = "[0-9a-f]*"', f'sha256 = "{digest}"', head.read_text()))
    assert len(accepted.read(file).cells) >= 1


def test_a_cut_in_a_row_is_refused(file: Path) -> None:
    refused(file, file, lambda text: text[:-20], 4, "the file is truncated: its last line has no end")


@pytest.mark.parametrize("gone", [0, 1], ids=["rows", "head"])
def test_half_a_baseline_is_refused(file: Path, gone: int) -> None:
    (file, accepted.head_of(file))[gone].unlink()
    sentence = ("no baseline at '.*csv': No such file", r"csv, line 1: .* no linux-\S+\.toml beside it")[gone]
    with pytest.raises(UsageError, match=sentence):
        accepted.read(file)
    assert accepted.exists(file)


def test_the_old_form_reads_the_same_and_is_written_anew(file: Path) -> None:
    new, before = accepted.read(file), contents(file.parent)
    old = accepted.read(as_before(file))
    pd.testing.assert_frame_equal(old.cells, new.cells, check_exact=True)
    assert (old.platform, old.frameworks, old.reasons) == (new.platform, new.frameworks, new.reasons)
    beside = file.with_name("README.md")
    beside.write_text("mine")
    accepted.write(file.parent, old)
    assert contents(file.parent) == before | {"README.md": b"mine"}


@cache
def two_cells() -> str:
    made = baseline_of(cell("a"), cell("b"))
    return old_baselines.written(toml_head.Head(made.platform, made.frameworks, made.reasons), made.cells)


def test_any_text_reads_back_from_a_head() -> None:
    """All that TOML escapes, in a reason and in a name."""
    text = "".join(map(chr, range(0x21, 0x250))) + "\u2028\U0001f600\\u0041"
    made = baseline_of(cell(), environment=run_of().about["environment"] | {"vendor": text.replace("\x85", "")})
    head = toml_head.Head(made.platform, made.frameworks, (toml_head.in_one_line(text),))
    read = toml_head.understood(Path(f"{made.platform.name}.toml"), toml_head.written(head, b"").encode())
    assert read == head


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 2000),
    cut=st.integers(0, 100),
    put=st.text(st.sampled_from(',"#\n\r\x00\u2028x0-.{}'), max_size=4),
)
def test_any_edit_is_read_or_refused(file: Path, place: int, cut: int, put: str) -> None:
    """With its line; and nothing else is raised."""
    text = two_cells()
    accepted.head_of(file).unlink(missing_ok=True)
    file.write_text(text[:place] + put + text[place + cut :])
    try:
        accepted.read(file)
    except UsageError as error:
        assert f"{file}, line " in str(error)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    of_head=st.booleans(),
    place=st.integers(0, 700),
    cut=st.integers(0, 100),
    put=st.text(st.sampled_from(',"#\n\r\x00\u2028x0-.{}[]=\\'), max_size=4),
)
def test_any_edit_of_one_of_both_files_is_read_or_refused(
    file: Path, of_head: bool, place: int, cut: int, put: str
) -> None:
    made = accepted.write(file.parent, baseline_of(cell("a"), cell("b")))
    edited = accepted.head_of(made) if of_head else made
    text = edited.read_text()
    edited.write_text(text[:place] + put + text[place + cut :])
    try:
        read = accepted.read(made)
    except UsageError as error:
        assert re.search(rf"{re.escape(str(made.with_suffix('')))}\.(toml|csv), line ", str(error))
    else:
        assert of_head or edited.read_text() == text
        assert len(read.cells) == 2


def test_another_platform_s_file_under_this_name_is_refused(file: Path) -> None:
    other = as_before(file).rename(file.with_name("linux-x86_64-avx512f-1t-123456.csv"))
    with pytest.raises(
        UsageError, match=r"line 2: this is the baseline of another platform, linux-x86_64-amd-avx2-1t-"
    ):
        accepted.read(other)


def test_another_platform_s_head_under_this_name_is_refused(file: Path) -> None:
    other = file.with_name("linux-x86_64-avx512f-1t-123456.csv")
    for path in (file, accepted.head_of(file)):
        path.rename(other.with_suffix(path.suffix))
    with pytest.raises(
        UsageError, match=r"toml, line 3: this is the baseline of another platform, linux-x86_64-amd-avx2"
    ):
        accepted.read(other)


@pytest.mark.parametrize("form", ["rows", "head", "old"])
def test_bytes_that_are_no_text_are_refused(file: Path, form: str) -> None:
    spoilt = {"rows": file, "head": accepted.head_of(file), "old": file}[form]
    if form == "old":
        accepted.head_of(file).unlink()
    spoilt.write_bytes(b"\x89PNG\xff")
    with pytest.raises(UsageError, match=f"{spoilt.suffix} is damaged: it is not UTF-8 text"):
        accepted.read(file)


def test_a_platform_has_one_name_whatever_its_kernel_and_its_numpy_call_themselves() -> None:
    made = platform(run_of().about)
    environment = run_of().about["environment"] | {"system": "Linux 6.9", "cpu": ["AVX2", "SSE2", "X86_V3", "GFNI"]}
    assert platform({"environment": environment}) == made
    assert made.name.startswith("linux-x86_64-amd-avx2-1t-")
    names = {platform({"environment": environment | more}).name for more in ({"machine": "arm64"}, {"cpu": ["ASIMD"]},
             {"threads_per_worker": 2}, {"system": "Darwin 24"}, {"vendor": "GenuineIntel"})}  # fmt: skip
    assert len(names | {made.name}) == 6


def test_a_run_that_does_not_say_who_made_its_processor_is_of_a_platform_of_its_own() -> None:
    environment = {name: said for name, said in run_of().about["environment"].items() if name != "vendor"}
    assert platform({"environment": environment}).name.startswith("linux-x86_64-unknown-avx2-1t-")


OTHER = {"answer": "b" * 64}
FAILED = {"outcome": "error", **columns(Fault(Kind.RAISED, "no", "ValueError"))}
CLASSES: dict[str, tuple[dict[str, Any], str]] = {
    "the same": ({}, changes.SAME),
    "another place of the worst": ({"worst_index": "0,1"}, changes.SAME),
    "other bits": (OTHER, changes.WITHIN),
    "other bits, a little better": ({**OTHER, "max_ulp_error": 3.0}, changes.WITHIN),
    "less than errors are known to": ({**OTHER, "max_ulp_error": 4.0 + 2**-11}, changes.WITHIN),
    "more than errors are known to": ({**OTHER, "max_ulp_error": 4.0 + 2**-9}, changes.LARGER),
    "one ulp more": ({**OTHER, "max_ulp_error": 5.0}, changes.LARGER),
    "twice as much": ({**OTHER, "max_ulp_error": 8.0}, changes.LARGER),
    "more than twice as much": ({**OTHER, "max_ulp_error": 8.01}, changes.WORSE),
    "a larger share of its bound alone": ({**OTHER, "error_over_bound": 0.26}, changes.LARGER),
    "less than twice as much in the mean": ({**OTHER, "mean_ulp_error": 1.9}, changes.WITHIN),
    "more than twice as much in the mean": ({**OTHER, "mean_ulp_error": 2.1}, changes.WORSE),
    "less than half as much in the mean": ({**OTHER, "mean_ulp_error": 0.4}, changes.BETTER),
    "the same bits, another mean": ({"mean_ulp_error": 1.1}, changes.JUDGED),
    "infinite": ({**OTHER, "max_ulp_error": float("inf")}, changes.WORSE),
    "half as much": ({**OTHER, "max_ulp_error": 2.0}, changes.WITHIN),
    "less than half as much": ({**OTHER, "max_ulp_error": 1.9}, changes.BETTER),
    "better in ulp, worse beside its bound": ({**OTHER, "max_ulp_error": 1, "error_over_bound": 0.3}, changes.LARGER),
    "a NaN": ({**OTHER, "nan_count": 1}, changes.CHANGED),
    "an infinity": ({**OTHER, "infinity_count": 1, "max_ulp_error": 1.0}, changes.CHANGED),
    "another dtype": (
        {**OTHER, **columns(Fault(Kind.OTHER_DTYPE, answered="float32", due="float64"))}, changes.CHANGED,
    ),
    "an exception": ({"outcome": "error", **columns(Fault(Kind.RAISED, "no", "ValueError"))}, changes.CHANGED),
    "a crash": ({"outcome": "crashed", **columns(Fault(Kind.KILLED, signal="SIGSEGV", twice=True))}, changes.CHANGED),
    "unsupported": ({"outcome": "unsupported", "reason": "float64"}, changes.CHANGED),
    "absent": ({"outcome": "absent", "reason": "No module named 'numpy'"}, changes.UNANSWERED),
    "not run": ({"outcome": "not run", "reason": "interrupted"}, changes.UNANSWERED),
    "the same bits, another verdict": ({"verdict": "fails"}, changes.JUDGED),
    "the same bits, another error": ({"max_ulp_error": 4.01}, changes.JUDGED),
    "other bits, another grade": ({**OTHER, "grade": "B"}, changes.JUDGED),
}  # fmt: skip


def classified(before: accepted.Baseline, run: Run) -> changes.Changes:
    rows = changes.classified(before.cells, cell_columns.cells(run), run.about["options"]["selection"])
    partial, faulty, unjudged = gate.by_halves(run)
    return changes.Changes("accepted here", rows, partial=partial, faulty=faulty, unjudged=unjudged)


@pytest.mark.parametrize(
    ("grade", "fail_at", "expected"),
    [
        ("C", "", changes.SAME),
        ("C", "F", changes.SAME),
        ("C", "C", changes.POOR),
        ("A", "C", changes.SAME),
        ("F", "B", changes.POOR),
        ("", "C", changes.POOR),
        ("", "F", changes.SAME),
    ],
)
def test_a_grade_may_fail_though_it_was_accepted(grade: str, fail_at: str, expected: str) -> None:
    run = run_of(cell(grade=grade))
    selection = run.about["options"]["selection"]
    rows = changes.classified(baseline_of(cell(grade=grade)).cells, cell_columns.cells(run), selection, fail_at=fail_at)
    assert rows["class"].tolist() == [expected]
    declared = run_of(cell(grade="F", verdict="known limitation"))
    before = baseline_of(cell(grade="F", verdict="known limitation")).cells
    assert changes.classified(before, cell_columns.cells(declared), selection, fail_at="B")["class"].tolist() == [
        changes.SAME
    ]


@pytest.mark.parametrize("what", CLASSES)
def test_each_move_has_its_class(what: str) -> None:
    given, expected = CLASSES[what]
    found = classified(baseline_of(cell()), run_of(cell(**given)))
    assert found.cells["class"].tolist() == [expected]
    assert bool(changes.exit_code(found)) == (expected in changes.GATE)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (FAILED, {**FAILED, "reason": "ValueError: in other words"}, changes.AS_BEFORE),
        (FAILED, {**FAILED, **columns(Fault(Kind.RAISED, "no", "TypeError"))}, changes.CHANGED),
        ({"outcome": "crashed", "reason": "a"}, {"outcome": "crashed", "reason": "b"}, changes.AS_BEFORE),
        ({"outcome": "unsupported"}, {}, changes.CHANGED),
        ({"max_ulp_error": None, "nan_count": 3}, {"max_ulp_error": None, "nan_count": 3, **OTHER}, changes.WITHIN),
        ({"max_ulp_error": 0.0}, {"max_ulp_error": 0.3, **OTHER}, changes.WORSE),
        ({"max_ulp_error": float("inf")}, {"max_ulp_error": float("inf"), **OTHER}, changes.WITHIN),
        ({"max_ulp_error": float("inf")}, {"max_ulp_error": 1.0, **OTHER}, changes.BETTER),
    ],
)  # fmt: skip
def test_what_was_accepted_counts(before: dict[str, Any], now: dict[str, Any], expected: str) -> None:
    found = classified(baseline_of(cell(**before)), run_of(cell(**now)))
    assert found.cells["class"].tolist() == [expected]


@pytest.mark.parametrize(
    ("accepted_by", "asked", "expected"),
    [
        ({}, {}, changes.GONE),
        ({}, {"backends": ("numpy",)}, changes.GONE),
        ({}, {"backends": ("jax*",)}, changes.NOT_ASKED),
        ({}, {"suite": "standard"}, changes.NOT_ASKED),
        ({}, {"cases": ("digits",)}, changes.NOT_ASKED),
        ({"suite": "deep"}, {"suite": "deep", "cases": ("di*",)}, changes.GONE),
        ({"suite": "deep"}, {"suite": "deep", "cases": ("other",)}, changes.NOT_ASKED),
        ({"cases": ("digits",)}, {"cases": ("digits",)}, changes.GONE),
        ({"cases": ("digits", "other")}, {"cases": ("other", "digits")}, changes.GONE),
        ({"cases": ("digits",)}, {"cases": ("digits",), "backends": ("numpy", "jax")}, changes.GONE),
        (
            {"cases": ("digits",), "backends": ("num*",)},
            {"cases": ("digits",), "backends": ("jax", "numpy")},
            changes.GONE,
        ),
        ({"cases": ("digits",), "backends": ("numpy",)}, {"cases": ("digits",)}, changes.NOT_ASKED),
        ({"operations": ("softmax",)}, {"operations": ("soft*", "vjp")}, changes.GONE),
        ({"operations": ("softmax",)}, {"operations": ("vjp",)}, changes.NOT_ASKED),
        ({"operations": ("softmax",), "dtypes": ("float64",)}, {"operations": ("softmax",)}, changes.NOT_ASKED),
        ({"suite": "my suites/mine.toml"}, {"suite": "./my suites/mine.toml"}, changes.GONE),
        ({"suite": "my suites/mine.toml"}, {"suite": "suites/mine.toml"}, changes.NOT_ASKED),
    ],
)
def test_a_cell_is_gone_if_the_same_was_asked(
    accepted_by: dict[str, Any], asked: dict[str, Any], expected: str
) -> None:
    before = baseline_of(cell("digits"), cell("other"), selection=accepted_by)
    found = classified(before, run_of(cell("other"), selection=asked)).cells.set_index("case")["class"]
    assert found["digits"] == expected


@pytest.mark.parametrize("inputs", [{"logits[0]": "2" * 64}, {"logits[1]": "1" * 64}, {}])
def test_answers_to_another_question_are_stale(inputs: dict[str, str]) -> None:
    found = classified(baseline_of(cell()), run_of(cell(), inputs={"digits float64": inputs}))
    assert found.cells["class"].tolist() == [changes.STALE]


def test_inputs_of_other_operations_and_axes_do_not_matter() -> None:
    more = {"digits float64": {"logits[0]": "1" * 64, "cotangent[0]": "3" * 64, "labels[0], axis 1": "4" * 64}}
    found = classified(baseline_of(cell()), run_of(cell(), inputs=more))
    assert found.cells["class"].tolist() == [changes.SAME]


def test_new_cells_fail_and_absent_ones_that_were_never_accepted_do_not() -> None:
    before = baseline_of(cell())
    found = classified(before, run_of(cell(), cell(backend="jax"), cell(backend="torch", outcome="absent")))
    assert found.cells.set_index("backend")["class"].to_dict() == {
        "numpy": changes.SAME, "jax": changes.NEW, "torch": changes.NEVER,
    }  # fmt: skip
    assert changes.exit_code(found) == errors.FALLS_SHORT


@pytest.mark.parametrize(
    ("rows", "about", "code"),
    [
        ([cell()], {}, errors.AS_IT_SHOULD_BE),
        ([cell()], {"partial": True}, errors.INTERRUPTED),
        ([cell()], {"faults": ["a group"], "partial": True}, errors.OUR_FAULT),
        ([cell(outcome="crashed")], {}, errors.BACKEND_DIED),
        ([cell(outcome="crashed")], {"inputs": {"digits float64": {"logits[0]": "2" * 64}}}, errors.BACKEND_DIED),
        ([cell("other", outcome="crashed")], {}, errors.BACKEND_DIED),
        ([cell("other")], {}, errors.NOTHING_COMPARED),
        ([cell("other")], {"selection": {"suite": "deep"}}, errors.NOTHING_COMPARED),
        ([cell()], {"inputs": {"digits float64": {"logits[0]": "2" * 64}}}, errors.FALLS_SHORT),
        ([cell(outcome="absent")], {}, errors.NOTHING_COMPARED),
        ([], {"selection": {"suite": "deep"}}, errors.NOTHING_COMPARED),
        ([cell(max_ulp_error=5.0, **OTHER)], {}, errors.FALLS_SHORT),
    ],
)
def test_nothing_that_was_not_compared_is_a_pass(rows: list[Comparison], about: dict[str, Any], code: int) -> None:
    assert changes.exit_code(classified(baseline_of(cell()), run_of(*rows, **about))) == code


def test_what_crashed_when_it_was_accepted_crashed_before() -> None:
    inputs = {"digits float64": {"logits[0]": "2" * 64}}
    found = classified(baseline_of(cell(outcome="crashed")), run_of(cell(outcome="crashed"), inputs=inputs))
    assert (found.cells["class"].tolist(), changes.exit_code(found)) == ([changes.STALE], errors.FALLS_SHORT)


def test_a_declared_flaw_does_not_hide_another_dtype() -> None:
    group = Group("softmax", CASES["seed001-overflow"], "float64", -1, ("numpy:naive",))
    assert declared_flaw("numpy:naive", group)
    row = comparison(group, "numpy:naive", Cell(dtype="float32", answers=("a" * 64,)), Measured())
    assert cell_columns.cells(run_of(row)).answered.tolist() == ["float32"]


def test_accepting_keeps_what_was_not_asked_and_what_is_absent() -> None:
    before = baseline_of(cell("a"), cell("b"), cell("c"))
    made = accepted.accepted(before, run_of(cell("b", **OTHER), cell("c", outcome="absent"), cell("d")), "narrower")
    assert made.baseline.cells["case"].tolist() == ["a", "b", "c", "d"]
    assert made.baseline.cells.answer.str[0].tolist() == ["a", "b", "a", "a"]
    assert (made.new, made.changed, made.dropped, made.kept) == (1, 1, 0, 2)
    assert made.baseline.reasons == ("as it was", "narrower")


def test_gone_cells_are_dropped_on_request_alone() -> None:
    before, run = baseline_of(cell("a"), cell("b")), run_of(cell("a"))
    assert len(accepted.accepted(before, run, "kept").baseline.cells) == 2
    made = accepted.accepted(before, run, "dropped", drop_gone=True)
    assert (made.baseline.cells["case"].tolist(), made.dropped) == (["a"], 1)


def test_a_cell_keeps_all_that_it_was_asked_by(tmp_path: Path) -> None:
    selections: list[dict[str, Any]] = [
        {"suite": "my suites/mine.toml"},
        {},
        {"operations": ("softmax",), "dtypes": ("float64",)},
        {"operations": ("softmax",), "cases": ("a", "b")},
        {"backends": ("numpy",)},
    ]
    made = baseline_of(cell("a"), cell("b"), selection={"suite": "standard"})
    for selection in selections:
        made = accepted.accepted(made, run_of(cell("a"), cell("b"), selection=selection), "more").baseline
    made = accepted.read(accepted.write(tmp_path, made))
    assert set(made.cells.suites) == {"'my suites/mine.toml' quick standard"}
    assert set(made.cells.left_open) == {"backends cases dtypes"}
    for selection in ({"suite": "standard"}, *selections):
        found = classified(made, run_of(cell("b"), selection=selection)).cells.set_index("case")["class"]
        assert found["a"] == changes.GONE, selection


def test_a_synthetic_case_is_asked_by_its_name_alone() -> None:
    before = baseline_of(cell("normal:3x5"), cell("other"), selection={"cases": ("normal:3x5", "other")})
    for cases, expected in ((("*",), changes.NOT_ASKED), (("normal:3x5",), changes.GONE)):
        found = classified(before, run_of(cell("other"), selection={"cases": cases})).cells.set_index("case")["class"]
        assert found["normal:3x5"] == expected


def wished(backends: tuple[str, ...]) -> set[tuple[Any, ...]]:
    asked = plan.wishes(plan.Selection(backends=backends))
    return {(wish.operation, wish.case.name, wish.dtype, wish.axis, name) for wish in asked for name in wish.backends}


@pytest.mark.parametrize("backends", [("torch*",), ("torch", "numpy"), ("*",), ("jax", "tensorflow:k*")])
def test_a_suite_that_is_narrowed_asks_no_more_than_it_does(backends: tuple[str, ...]) -> None:
    """So what was accepted from a suite is asked by it."""
    assert wished(backends)
    assert wished(backends) <= wished(())


@pytest.mark.parametrize("backend", ["torch:compile", "numpy:naive"])
def test_what_is_asked_for_a_variant_s_name_s_sake_is_asked_by_name(backend: str) -> None:
    """It takes the lists' place, and a run that does not name it need not have what it was asked."""
    assert wished((backend, "numpy")) - wished(())
    before = baseline_of(cell("a", backend=backend), selection={"backends": (backend,)})
    for names, expected in (((), changes.NOT_ASKED), (("numpy:*",), changes.NOT_ASKED), ((backend,), changes.GONE)):
        asked = run_of(cell("b", backend=backend), selection={"backends": names})
        assert classified(before, asked).cells.set_index("case")["class"]["a"] == expected


def test_versions_stand_in_the_head_with_those_of_cells_that_were_not_asked() -> None:
    before = baseline_of(cell("a"), cell("b"))
    part = accepted.accepted(before, run_of(cell("a"), version="2.5"), "a part").baseline
    whole = accepted.accepted(before, run_of(cell("a"), cell("b"), version="2.5"), "all").baseline
    assert str(part.frameworks["numpy"]) == "2.4.6 and 2.5"
    assert str(whole.frameworks["numpy"]) == "2.5"


@pytest.mark.parametrize("flushes", [False, True])
def test_a_framework_s_habits_stand_in_the_head(tmp_path: Path, flushes: bool) -> None:
    said = {"jax": {"version": "0.10.2", "flush_to_zero": flushes}}
    made = baseline_of(cell(backend="jax"), frameworks=said)
    assert accepted.read(accepted.write(tmp_path, made)).frameworks == made.frameworks
    assert made.frameworks["jax"].flushes is flushes


def test_a_reason_stays_in_its_line(tmp_path: Path) -> None:
    run = run_of(cell())
    made = accepted.accepted(accepted.empty(run), run, 'first\nplatform = "another"\n').baseline
    head = accepted.head_of(accepted.write(tmp_path, made)).read_text()
    assert '\n  "first platform = \\"another\\"",\n' in head


UNREADABLE: dict[str, dict[str, Any]] = {
    "a version of two words": {"frameworks": {"numpy": {"version": "1.0 dev"}}},
    "no version": {"frameworks": {"numpy": {"version": ""}}},
    "a version of two lines": {"frameworks": {"numpy": {"version": "1\n2"}}},
    "a framework of two words": {"frameworks": {"num py": {"version": "1"}}},
    "a maker of two lines": {"environment": run_of().about["environment"] | {"vendor": "Authentic\nAMD"}},
    "a maker that is no text": {"environment": run_of().about["environment"] | {"vendor": "\udcff"}},
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_would_not_read_back_is_not_written(tmp_path: Path, kind: str) -> None:
    made = baseline_of(cell(), **UNREADABLE[kind])
    with pytest.raises(UsageError, match="the run cannot be accepted, because its baseline could not be read back: "):
        accepted.write(tmp_path, made)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("machine", ["a/b", "a\\b", "..", "Ünix 3"])
def test_a_machine_of_any_name_has_its_file_in_the_folder(tmp_path: Path, machine: str) -> None:
    made = baseline_of(cell(), environment=run_of().about["environment"] | {"machine": machine})
    assert accepted.write(tmp_path, made).parent == tmp_path
    assert accepted.read(accepted.file_of(tmp_path, made.platform)).platform.machine == machine


WRITER = """
import sys
from pathlib import Path
from harness.baselines import accepted
file = Path(sys.argv[1])
baseline = accepted.read(file)
print("ready", flush=True)
while True:
    accepted.write(file.parent, baseline)
"""


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    file = accepted.write(tmp_path, baseline_of(*(cell(f"case{number}") for number in range(2000))))
    before, head = file.read_bytes(), accepted.head_of(file).read_bytes()
    for wait in np.linspace(0.0, 0.05, 5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, file], cwd=ROOT, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert (file.read_bytes(), accepted.head_of(file).read_bytes()) == (before, head)


class Killed(BaseException):
    """As if the process had ended there."""


def interrupted(monkeypatch: pytest.MonkeyPatch, steps: int, work: Callable[[], Any]) -> None:
    """Do some work up to so many renames."""
    done, replace = [], Path.replace

    def killed(path: Path, target: Path) -> Path:
        if len(done) == steps:
            raise Killed
        done.append(target)
        return replace(path, target)

    with monkeypatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(Path, "replace", killed)
        work()


def same(found: accepted.Baseline, due: accepted.Baseline) -> None:
    pd.testing.assert_frame_equal(found.cells, due.cells, check_exact=True)
    assert (found.platform, found.frameworks, found.reasons) == (due.platform, due.frameworks, due.reasons)


@pytest.mark.parametrize("old", ["none", "old form", "new form"])
@pytest.mark.parametrize("steps", range(4))
def test_an_accept_that_ends_between_two_files_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, steps: int
) -> None:
    """It takes three renames: rows that wait, the head, and the rows. The second decides."""
    before, after = baseline_of(cell("a"), cell("b")), baseline_of(cell("a", max_ulp_error=3.0), version="2.5")
    file = accepted.file_of(tmp_path, before.platform)
    if old != "none":
        accepted.write(tmp_path, before)
    if old == "old form":
        as_before(file)
    interrupted(monkeypatch, steps, lambda: accepted.write(tmp_path, after))
    due = before if steps < 2 else after
    assert accepted.exists(file) == (old != "none" or steps >= 2)
    if accepted.exists(file):
        same(accepted.read(file), due)
    accepted.write(tmp_path, after)
    assert set(contents(tmp_path)) == {file.name, accepted.head_of(file).name}


@pytest.mark.parametrize("again", range(5))
def test_a_second_interrupted_accept_loses_nothing_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: int
) -> None:
    """It first puts the rows that still wait in their place, which takes one more rename."""
    first, second, third = (baseline_of(cell("a", max_ulp_error=float(number)), cell("b")) for number in range(3))
    file = accepted.write(tmp_path, first)
    interrupted(monkeypatch, 2, lambda: accepted.write(tmp_path, second))
    interrupted(monkeypatch, again, lambda: accepted.write(tmp_path, third))
    same(accepted.read(file), second if again < 3 else third)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 2**-51], (1.0, "1")),
        ([0.0, 1.0], [5e-324, 1.0 - 2**-53], (1.0, "0")),
        ([1.0, 1.0], [np.nan, 1.0], (np.inf, "0")),
        ([np.nan, 1.0], [np.nan, 1.0], (0.0, "")),
    ],
)
def test_answers_are_apart_in_ulp_of_the_first(a: list[float], b: list[float], expected: tuple[float, str]) -> None:
    assert distance(iter([(np.array(a), np.array(b))]))[:2] == expected


def test_answers_of_two_dtypes_are_apart_in_ulp_of_the_wider() -> None:
    one = np.array([1.0, 1.5], np.float32)
    assert distance(iter([(one.astype(np.float16), one + np.float32(2**-22))]))[:2] == (2.0, "0")


def test_the_first_difference_of_several_blocks_is_told() -> None:
    one, two = np.array([1.0, 2.0]), np.array([1.0, 2.0 + 2**-50])
    assert distance(iter([(one, one), (one, two)]))[:2] == (2.0, "block 1: 1")


@pytest.fixture
def told() -> changes.Changes:
    """Every class once, with hostile text."""
    names = [f"{number:02} <b>|`x`" for number in range(len(CLASSES))]
    before = baseline_of(*map(cell, names), cell("gone"))
    now = [cell(name, **given) for name, (given, _) in zip(names, CLASSES.values(), strict=True)]
    found = classified(before, run_of(*now, cell("new")))
    return replace(
        found, facts=("numpy 2.2.6 → 2.4.6",), accepting='python -m harness baseline accept out/x --reason "…"'
    )


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_the_page_is_as_accepted(told: changes.Changes, form: str, request: pytest.FixtureRequest) -> None:
    file = EXPECTED / {"terminal": "moves.txt", "markdown": "moves.md"}[form]
    if request.config.getoption("--accept"):
        file.write_text(pages.render(told, form))
    assert pages.render(told, form) == file.read_text()


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [(4.0, 5.0, "4 → 5"), (3.41094, 3.42387, "3.41 → 3.42"), (12345678.25, 12345678.5, "12345678.2 → 12345678.5")],
)
def test_figures_read_apart_where_they_are(before: float, now: float, told: str) -> None:
    found = classified(baseline_of(cell(max_ulp_error=before)), run_of(cell(max_ulp_error=now, **OTHER)))
    assert f"  {told}  " in pages.render(found, "terminal")


def test_a_table_says_what_it_leaves_out() -> None:
    rows = [cell(backend=f"numpy:{number:02}") for number in range(15)]
    found = classified(baseline_of(*rows), run_of(cell()))
    assert "numpy:11" in pages.render(found, "terminal")
    assert "numpy:14" not in pages.render(found, "terminal")
    assert "… and 4 more; --format csv lists all." in pages.render(found, "terminal")


@pytest.mark.parametrize(
    ("given", "sentence"), [({}, "Nothing changed. 1 cells "), (OTHER, "No error is above the accepted one. 1 cells ")]
)
def test_nothing_moved_where_all_is_bit_for_bit(given: dict[str, Any], sentence: str) -> None:
    assert pages.render(classified(baseline_of(cell()), run_of(cell(**given))), "terminal").startswith(sentence)


def test_every_cell_stands_in_the_csv_and_json_reads() -> None:
    found = classified(baseline_of(cell("a"), cell("b")), run_of(cell("a"), cell("b", **OTHER)))
    assert len(pages.render(found, "csv").splitlines()) == 3
    assert '"within the accepted error": 1' in pages.render(found, "json")


@pytest.mark.parametrize("own", sorted((ROOT / "baselines").glob("*.csv")), ids=lambda file: file.stem)
def test_this_project_s_own_baselines_read(own: Path) -> None:
    found = accepted.read(own)
    assert {"numpy", "torch", "tensorflow", "jax"} <= set(found.frameworks)
    assert (found.cells.suites == "quick").all()


def test_a_file_that_version_2_wrote_is_read_in_today_s_words(tmp_path: Path) -> None:
    """It is kept as it was written, so that the reader is not tested by its own words."""
    kept = next((Path(__file__).parent / "expected" / "baseline-2").iterdir())
    file = Path(shutil.copy(kept, tmp_path))
    found = accepted.read(file)
    assert sorted(zip(found.cells.outcome, found.cells.verdict, strict=True)) == [
        ("error", ""), ("ok", "fails"), ("ok", "known limitation"), ("ok", "within bound"), ("skipped", ""),
    ]  # fmt: skip
    assert {*found.cells[found.cells.outcome == "error"].raised} == {"ValueError"}
    assert found.cells.error_over_bound.notna().sum() == 3
    same(accepted.read(accepted.write(tmp_path, found)), found)


def test_an_exception_named_as_an_outcome_is_read_in_the_old_form_too(file: Path) -> None:
    """`re.error` and `struct.error` are named so."""
    raised = {"outcome": "error", **columns(Fault(Kind.RAISED, "no", "error"))}
    made = accepted.write(file.parent, baseline_of(cell("a"), cell("b", **raised)))
    due = accepted.read(made)
    assert "error" in set(due.cells.raised)
    same(accepted.read(as_before(made)), due)
