"""What CI shows, JUnit XML and GitHub's annotations and summary: whatever stands in a run, within what they take."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import INTERRUPTED
from harness.records import Comparison, Run
from harness.runs import store
from harness.runs.exit_status import exit_code
from harness.runs.plan import Selection
from reports import FORMATS, github, junit, render
from reports.tables import nearness
from reports.tables.text import legible
from tests.command import harness
from tests.test_reports import answered

EXPECTED = Path(__file__).parent / "expected"
HOSTILE = "E: <script>alert('1')</script> ]]> & \x1b[31mred\x00 \u202egnol\u202c שלום,\r\n::error::100%, a:b;c\u2028d"
WITNESS = json.dumps({"element": 1, "logits": ["0x1.0p+0", "</failure>\n::error::"], "actual": "nan", "expected": "1"})


ABOUT: dict[str, object] = {
    "harness": "0.0.0", "partial": False, "faults": [], "environment": {}, "frameworks": {},
    "options": {"selection": asdict(Selection())}, "cases": {}, "inputs": {}, "unanswered_probes": [],
}  # fmt: skip


def run_of(*cells: Comparison, **about: object) -> Run:
    frames = {name: store.frame(cells if name == "comparisons" else [], store.TABLES[name]) for name in store.TABLES}
    return Run(ABOUT | about, **frames)


def unanswered(outcome: str, reason: str = "", backend: str = "torch", case: str = "axes") -> Comparison:
    return Comparison("jacobian", case, "float64", 1, backend, outcome, reason)


def short(backend: str = "torch", case: str = "digits", **figures: object) -> Comparison:
    given = {"verdict": "fails", "grade": "F", "error_over_bound": 17.25, "witness": WITNESS, **figures}
    return answered(backend, case, **given)


def hostile() -> Run:
    return run_of(
        short(HOSTILE, HOSTILE, reason=HOSTILE),
        short(case="digits", error_over_bound=float("inf"), nan_count=2),
        short(case="wide", error_over_bound=3.0),
        unanswered("crashed", HOSTILE),
        unanswered("absent", HOSTILE, "jax"),
        faults=[HOSTILE],
        frameworks={"torch": {"version": HOSTILE}},
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_framework_that_is_nan_throughout_is_told_in_every_format(form: str) -> None:
    """It has no finite error, so its histogram is empty."""
    nothing = dict.fromkeys(("max_ulp_error", "worst_ulp_error", "worst_error_over_bound", "max_relative_error"))
    cell = short(error_over_bound=float("inf"), nan_count=3, ulp_histogram="[]", **nothing)
    assert "torch" in render(run_of(answered("numpy", ulp_histogram="[0, 3]"), cell), form)


def test_the_first_table_tells_of_sweeps_too() -> None:
    """Its grades are the worst of all that was asked, and the cell nearest to its bound is any."""
    run = run_of(answered("torch", "digits"), short("torch", "zeros:2x65520", dtype="float16", error_over_bound=29.0))
    [row] = nearness.overview(run).to_dict("records")
    assert (row["case"], row["error / bound"], row["grades"]) == ("zeros:2x65520, float16", "29", "all F")
    assert row["n"] == "10–65,520, median 32,765"


def test_an_answer_that_is_no_number_is_called_that_in_the_first_table() -> None:
    broken = short("torch", "wide", error_over_bound=float("inf"), infinity_count=1, worst_ulp_error=None)
    assert nearness.overview(run_of(broken)).at[0, "worst backend"] == "torch, infinite"


TEXTS = {"hostile.xml": junit.render, "hostile.github.txt": github.render, "hostile.summary.md": github.summary}


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_as_accepted(name: str, request: pytest.FixtureRequest) -> None:
    text, file = TEXTS[name](hostile()), EXPECTED / name
    if request.config.getoption("--accept"):
        file.write_text(text)
    assert text == file.read_text()


def results(text: str) -> list[str]:
    """Of each test case: passed, or what became of it, as the standard library reads it."""
    return [next((child.tag for child in case), "passed") for case in ET.fromstring(text.encode()).iter("testcase")]


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        (answered("numpy"), "passed"),
        (answered("numpy", verdict="known limitation", grade="F"), "passed"),
        (answered("numpy", verdict="no finite bound", grade=""), "skipped"),
        (answered("numpy", verdict="inconclusive", grade="", reason="crashed"), "skipped"),
        (answered("numpy", verdict="unexpected pass"), "failure"),
        (short("numpy"), "failure"),
        *((unanswered(outcome), "error") for outcome in ("error", "crashed", "timed out", "out of memory")),
        *((unanswered(outcome), "skipped") for outcome in ("absent", "unsupported", "skipped", "not run")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.verdict or value.outcome,
)
def test_each_verdict_and_outcome_is_one_result(cell: Comparison, result: str) -> None:
    found = results(render(run_of(answered("jax"), cell), "junit"))
    assert found == ["passed", "passed", result]


@pytest.mark.parametrize(
    "run",
    [
        run_of(short(), answered("numpy")),
        run_of(unanswered("error"), answered("numpy")),
        run_of(unanswered("timed out"), answered("numpy")),
        run_of(unanswered("absent")),
        run_of(answered("numpy"), unanswered("absent"), options={"selection": {"backends": ["numpy", "torch"]}}),
        run_of(answered("numpy"), partial=True),
        run_of(answered("numpy"), faults=["a thread"]),
        run_of(answered("numpy"), unanswered_probes=[{"backend": "torch", "outcome": "crashed", "reason": "SIGSEGV"}]),
    ],
)
def test_what_makes_the_exit_status_is_told(run: Run) -> None:
    assert exit_code(run) != 0
    assert {"failure", "error"} & set(results(render(run, "junit")))
    assert render(run, "github").startswith("::error ")


def test_what_goes_amiss_with_the_run_is_told_in_every_format() -> None:
    probes = [{"backend": "torch", "outcome": "crashed", "reason": "SIGSEGV"}]
    run = run_of(answered("numpy"), faults=["a thread died"], unanswered_probes=probes)
    for form in ("terminal", "markdown", "html", "junit", "github"):
        text = render(run, form)
        for part in ("a thread died", "1 probe of torch: crashed: SIGSEGV"):
            assert part in text, form


def test_no_control_character_reaches_a_terminal() -> None:
    text = render(hostile(), "terminal")
    assert "\x1b" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_a_run_that_is_as_it_should_be_annotates_nothing() -> None:
    run = run_of(answered("numpy"), unanswered("absent", "No module named 'torch'"))
    assert exit_code(run) == 0
    assert render(run, "github") == ""


TRICKY = st.sampled_from("\r\n\t%:,;<>&\"'\x00\x1b\x85\u2028\ufffe]")
FOREIGN = st.text(st.characters(exclude_categories=["Cs"]) | TRICKY, max_size=40)
"""Parquet holds no lone surrogates, JSON does."""


@settings(max_examples=200, deadline=None)
@given(backend=FOREIGN, case=FOREIGN, reason=FOREIGN, outcome=st.sampled_from(["ok", "error", "crashed", "absent"]))
def test_any_text_gives_xml_that_reads_back_and_commands_of_one_line(
    backend: str, case: str, reason: str, outcome: str
) -> None:
    cell = short(backend, case, reason=reason) if outcome == "ok" else unanswered(outcome, reason, backend, case)
    run = run_of(cell, faults=[f"\ud800{reason}"])
    cases = list(ET.fromstring(render(run, "junit").encode()).iter("testcase"))
    assert cases[1].attrib["classname"] == legible(backend)
    assert cases[1].attrib["name"].split("/", 1)[1].startswith(legible(case))
    text = render(run, "github")
    assert text.isprintable() or not set(text) - set(legible(text))
    lines = text.splitlines()
    assert text == "".join(f"{line}\n" for line in lines)
    assert len(lines) <= github.MOST_ANNOTATIONS
    assert all(re.fullmatch(r"::error title=[^:,]*::.*", line) for line in lines)


def undone(command: str) -> tuple[str, str]:
    """Title and message of a command, as GitHub's runner reads them."""
    title, message = re.fullmatch(r"::\w+ title=(.*?)::(.*)", command).groups()  # type: ignore[union-attr]
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        title = title.replace(code, character)
        message = message if character in ":," else message.replace(code, character)
    return title, message


def test_a_command_reads_back() -> None:
    title, message = "a:b, 100% ;%3A", "c:d, 50%\ne %0A;"
    assert undone(github.annotation("error", title, message)) == (title, message)


def test_the_worst_come_first_and_the_rest_is_counted() -> None:
    cells = [short(f"torch:{number}", error_over_bound=2.0 + number) for number in range(30)]
    lines = render(run_of(*cells, *cells), "github").splitlines()
    told = [undone(line) for line in lines]
    assert len(told) == github.MOST_ANNOTATIONS
    assert [title.split(",")[0] for title, _ in told[:-1]] == [f"torch:{number}" for number in range(29, 20, -1)]
    assert "error / bound 31," in told[0][1]
    assert "and 1 similar cell)" in told[0][1]
    assert lines[-1].startswith("::notice ")
    assert "21 more annotations were omitted" in told[-1][1]


def test_a_hundred_failures_alone_bring_their_witness() -> None:
    cells = [short(case=f"zeros:1x{number}", error_over_bound=float(number)) for number in range(2, 160)]
    text = render(run_of(*cells), "junit")
    assert text.count("logits: ") == junit.MOST_WITNESSES
    assert text.count("<failure") == len(cells)


def test_a_summary_is_the_page_or_says_what_it_leaves_out() -> None:
    run = run_of(*(short(case=f"case{number}", reason="x" * 9000 + str(number)) for number in range(12)))
    page = render(run, "markdown")
    assert github.summary(run) == page
    cut = github.summary(run, len(page.encode()) // 2)
    assert len(cut.encode()) <= len(page.encode()) // 2
    assert cut.startswith("# Softmax across frameworks")
    assert cut.endswith("in `report.md`: Failures.\n")
    assert len(github.summary(run, 1000).encode()) <= 1000


def test_a_summary_of_more_than_github_takes_is_cut() -> None:
    run = run_of(*(unanswered("error", "x" * 12_000 + str(number)) for number in range(100)))
    assert len(render(run, "markdown").encode()) > github.MOST_BYTES
    text = github.summary(run)
    assert 1000 < len(text.encode()) < github.MOST_BYTES
    assert text.endswith("in `report.md`: Failures, Cells without a result.\n")


def test_the_command_appends_to_the_step_s_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    store.save(run_of(short(), partial=True), tmp_path)
    done = harness("report", tmp_path, "--format", "github", GITHUB_STEP_SUMMARY=summary)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("::error title=softmax-harness::interrupted")
    assert summary.read_text().startswith("before\n# Softmax across frameworks\n")
    done = harness("report", tmp_path, "--format", "junit", GITHUB_STEP_SUMMARY=tmp_path / "other.md")
    assert done.stdout.startswith("<?xml")
    assert not (tmp_path / "other.md").exists()
    done = harness("report", tmp_path, "--format", "github", GITHUB_STEP_SUMMARY=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("softmax-harness: cannot write to GITHUB_STEP_SUMMARY")


@pytest.mark.parametrize("command", ["compare", "judge", "report"])
def test_help_names_every_format(command: str) -> None:
    told = harness(command, "--help", COLUMNS=200).stdout
    assert not [form for form in FORMATS if form not in told]


def test_an_interrupted_run_keeps_its_exit_status() -> None:
    assert exit_code(run_of(short(), partial=True)) == INTERRUPTED
