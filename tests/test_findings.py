"""Findings: shrunk to the smallest witness, their kinds apart, each shown by a script that needs nothing of ours."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backends import add
from harness.commands.findings import limits, written
from harness.errors import UsageError
from harness.faults import Fault, Kind, columns
from harness.findings import Asker, csv_file, reproduce, survey
from harness.findings.classes import defect_class
from harness.findings.record import ACCURACY, DEFECT, POLICY, Finding
from harness.findings.scripts import one_cell
from harness.findings.scripts.one_cell import NO_ARRAY, Ran
from harness.findings.search import ONE_ANSWER, file_name, last_words, looked_into
from harness.findings.shrink import shrunk
from harness.findings.suspects import BITS_AGAIN, BITS_BESIDE, ORDER, Suspect, suspects
from harness.operations import OPERATIONS
from harness.power.classes import TITLES
from harness.questions.cases import named
from harness.questions.variations import CALLS, VARIATIONS
from harness.records import Comparison, Property, Run
from harness.runs import store
from harness.workers.process import Limits
from harness.workers.request import Reply, Request
from reports.pages import findings as page
from tests import fickle as fickle_backends
from tests.command import harness
from tests.quick import only

PLANTED = str(Path(__file__).parent / "planted")


@pytest.mark.parametrize(
    ("name", "needs", "smallest"),
    [
        ("normal:3x400", lambda case: case.shape[case.axes[0]] >= 129, "zeros:129"),
        ("normal:3x400", lambda case: case.shape[case.axes[0]] == 400, "zeros:400"),
        ("normal:8x17/0;upstream=ones@strided", lambda case: True, "zeros:1"),
        ("mixed:5x9", lambda case: len(case.shape) == 2 and case.shape[0] >= 2 and "mixed" in case.name, "mixed:2x1"),
        ("peak:3x4x5/1", lambda case: case.axes[0] % len(case.shape) != len(case.shape) - 1, "zeros:1x1/0"),
        ("repeated:4x5@flipped", lambda case: case.variation == "flipped", "zeros:1@flipped"),
        ("zeros:1x1", lambda case: len(case.shape) == 2, "zeros:1x1"),
        ("wide", lambda case: case.name.startswith("gap:"), "gap:1"),
        ("digits", lambda case: False, "digits"),
    ],
)
def test_a_case_is_shrunk_as_far_as_it_fails(name: str, needs, smallest: str) -> None:  # type: ignore[no-untyped-def]
    asked: list[str] = []

    def fails(case: str) -> bool:
        asked.append(case)
        return bool(needs(named(case)))

    assert shrunk(name, fails) == smallest
    assert len(asked) == len(set(asked)) <= 60


WITNESS = '{"element": 2, "actual": "0x1.8p-1", "expected": "0x0.bp+0"}'


def cell(**about: object) -> Comparison:
    row = Comparison("softmax", "normal:3x4", "float32", -1, "torch", "ok", verdict="within bound", grade="A")
    figures = {"nan_count": 0, "infinity_count": 0, "error_over_any_order_bound": 0.1, "witness": WITNESS}
    return replace(row, **(figures | about))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("about", "kind", "broken"),
    [
        ({"verdict": "fails", "grade": "F", "error_over_any_order_bound": 3.0}, DEFECT, "the bound holds"),
        ({"verdict": "fails", "grade": "F", "error_over_any_order_bound": 0.0}, ACCURACY, "B: a tree of additions"),
        ({"verdict": "fails", "grade": "F", "error_over_any_order_bound": None}, ACCURACY, "B: a tree of additions"),
        ({"verdict": "fails", "witness": WITNESS.replace("0.b", "1.8")}, DEFECT, "a digit is right"),
        ({"verdict": "fails", "max_scaled_error": 2.0**23}, DEFECT, "a digit is right"),
        ({"verdict": "fails", "max_scaled_error": 9.0, "max_relative_error": 7.0}, ACCURACY, ORDER),
        ({"grade": "C"}, ACCURACY, "B: a tree of additions"),
        ({"verdict": "fails", "grade": "F", **columns(Fault(Kind.NO_DIGIT))}, DEFECT, "a digit is right"),
        ({"lost_components": 2}, ACCURACY, "no component is lost"),
        ({"verdict": "fails", "nan_count": 1}, DEFECT, "a finite value has a finite answer"),
        (
            {"verdict": "", "outcome": "error", **columns(Fault(Kind.RAISED, "no", "ValueError"))},
            DEFECT,
            "it answers: ValueError",
        ),
        (
            {"verdict": "", "outcome": "error", **columns(Fault(Kind.ARGUMENT_CHANGED, argument="logits"))},
            DEFECT,
            "its arguments stay as they are",
        ),
        (
            {"verdict": "", "outcome": "crashed", **columns(Fault(Kind.KILLED, signal="SIGSEGV"))},
            DEFECT,
            "it answers: crashed",
        ),
        (
            {"verdict": "fails", **columns(Fault(Kind.OTHER_DTYPE, answered="float16", due="float32"))},
            DEFECT,
            "the answer's dtype is the one claimed",
        ),
        (
            {"verdict": "", "outcome": "error", **columns(Fault(Kind.NO_NUMBERS, answered="object"))},
            DEFECT,
            "the answer's dtype is the one claimed",
        ),
        ({"case": "normal:3x4@flipped", "same_bits": False}, POLICY, "the same bits when asked otherwise: flipped"),
    ],
)
def test_a_kind_for_everything_and_never_two(about: dict[str, object], kind: str, broken: str) -> None:
    cells = store.frame([cell(**about), cell(operation="vjp")], Comparison)
    [found] = suspects(cells, store.frame([], Property))
    assert (found.kind, found.property) == (kind, broken)


def test_what_is_right_is_no_suspect() -> None:
    cells = store.frame(
        [cell(), cell(outcome="unsupported"), cell(case="normal:3x4@flipped", same_bits=True)], Comparison
    )
    assert suspects(cells, store.frame([], Property)) == []


def test_a_broken_law_is_told_once() -> None:
    law = Property("softmax", "normal:3x4", "float32", -1, "torch", "Σ s = 1", 9.0, 3.0, "fails")
    alone = suspects(store.frame([cell()], Comparison), store.frame([law], Property))
    assert [(s.kind, s.property) for s in alone] == [(DEFECT, "Σ s = 1")]
    beside = suspects(
        store.frame([cell(verdict="fails", error_over_any_order_bound=3.0)], Comparison), store.frame([law], Property)
    )
    assert [s.property for s in beside] == ["the bound holds"]


def test_how_a_written_out_formula_adds_up_is_its_own_affair() -> None:
    cells = store.frame([cell(backend="torch:naive", grade="C"), cell(backend="jax:jit", grade="C")], Comparison)
    assert [s.backend for s in suspects(cells, store.frame([], Property))] == ["jax:jit"]


@pytest.mark.parametrize("variation", VARIATIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_finding_that_a_sign_points_from_has_a_class(operation: str, variation: str) -> None:
    for name in (f"repeated:4x5@{variation}", "above:3x4", "normal:3x4/0"):
        assert defect_class(name, operation, "float32", "the bound holds") in {f"C{n:02}" for n in range(1, 41)}


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if re.search("jacobian|vjp|jvp|hvp|gradient", name)])
def test_every_derivative_has_its_value_and_its_class(operation: str) -> None:
    about = OPERATIONS[operation]
    assert not OPERATIONS[about.derivative_of].derivative_of
    assert defect_class("normal:7", operation, "float32", "the bound holds") == about.defect
    assert about.defect in TITLES


@pytest.mark.parametrize(
    ("cause", "told"), [("", ""), ("unexplained", ""), ("shift", ""), ("sum", "C06"), ("exp", "C33"), ("flush", "C34")]
)
def test_a_softmax_that_no_sign_points_from_has_the_class_of_its_measured_cause(cause: str, told: str) -> None:
    assert defect_class("normal:7", "softmax", "float32", "the bound holds", cause) == told


@pytest.mark.parametrize(
    ("operation", "broken", "law"),
    [
        ("softmax", "the bound holds", False), ("softmax", "a digit is right", False),
        ("softmax", "B: a tree of additions", False), ("softmax", "the same bits beside other rows", False),
        ("softmax", "Σ s = 1", True), ("vjp", "⟨v, J·t⟩ = ⟨Jᵀ·v, t⟩", True),
    ],
)  # fmt: skip
def test_what_does_not_fail_when_it_is_asked_again_is_stale(
    operation: str, broken: str, law: bool, tmp_path: Path
) -> None:
    """NumPy's answers are right: no script shows the contrary."""
    case = "normal:3x17" + "@hostile" * (broken == BITS_BESIDE)
    suspect = Suspect(DEFECT, broken, "numpy", operation, "float32", -1, case, 1, law)
    with Asker() as asker:
        found = looked_into(suspect, asker, tmp_path, "it")
    assert (found.status, found.snippet) == ("stale: asked again, it does not fail", "")
    assert not (tmp_path / "findings").exists()


@pytest.fixture
def fickle() -> Iterator[Asker]:
    add(fickle_backends.BACKENDS)
    with Asker(modules=("tests.fickle",)) as asker:
        yield asker


WHIM = Suspect(DEFECT, BITS_AGAIN, "fickle", "softmax", "float32", -1, "zeros:2@again", 1)


def test_a_whim_that_is_recorded_as_one_answer_is_shown_by_the_backend_itself(fickle: Asker, tmp_path: Path) -> None:
    """And is not stale while it goes on."""
    found = looked_into(WHIM, fickle, tmp_path, "it")
    assert (found.snippet, found.status) == ("findings/it.py", "shown")
    assert "backend_fickle = tests.fickle.Fickle()" in (tmp_path / "findings" / "it.py").read_text()
    assert csv_file.with_earlier([], [found], fickle, tmp_path) == [found]


def test_a_whim_that_no_process_repeats_has_no_script(
    fickle: Asker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_cell, "run_file", lambda *asked: Ran(1, "not shown: its words"))
    found = looked_into(WHIM, fickle, tmp_path, "it")
    assert (found.snippet, found.status) == ("", ONE_ANSWER)
    assert list((tmp_path / "findings").iterdir()) == []


@pytest.mark.parametrize("status", ["not shown: its words", "it has no script", "shown", "stale: asked again"])
@pytest.mark.parametrize(("backend", "fails"), [("fickle", True), ("numpy", False)])
def test_what_no_script_showed_is_stale_only_if_it_does_not_fail_any_more(
    fickle: Asker, tmp_path: Path, backend: str, fails: bool, status: str
) -> None:
    old = replace(OLD, backend=backend, property=BITS_AGAIN, witness="zeros:2@again", status=status)
    again = csv_file.again(old, fickle, tmp_path)
    was = status if status[0] in "ni" else "asked again, it fails, and its script is not there"
    assert again.status == (was if fails else "stale: asked again, it does not fail")


@pytest.mark.parametrize(("operation", "most"), [("softmax", 2), ("vjp", 3)])
@pytest.mark.parametrize("case", only(["normal:3x17"], ["normal:3x17", "normal:9x16384"]))
def test_a_hang_is_looked_into_by_few_hanging_questions(
    operation: str, most: int, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many blocks it has."""
    add(fickle_backends.BACKENDS)
    outcomes: list[str] = []
    answered = Asker.answered

    def counted(asker: Asker, request: Request) -> Reply:
        reply = answered(asker, request)
        outcomes.append(reply.outcome)
        return reply

    monkeypatch.setattr(Asker, "answered", counted)
    suspect = Suspect(DEFECT, "it answers: timed out", "fickle:hangs", operation, "float32", -1, case, 1)
    with Asker(limits=Limits(seconds=1), modules=("tests.fickle",)) as asker:
        found = looked_into(suspect, asker, tmp_path, "it")
    assert (found.status, found.snippet) == ("no script shows an outcome of timed out", "")
    assert found.actual == "timed out: no answer in 1 s"
    assert outcomes.count("timed out") <= most


def test_a_run_s_own_limits_are_those_of_a_look_into_it(found: tuple[Path, list[Finding]]) -> None:
    run = store.read(found[0])
    assert dataclasses.asdict(limits(run, None, None)) == run.about["options"]["limits"]
    assert limits(run, 7.0, None) == replace(limits(run, None, None), seconds=7.0)


def test_a_run_of_a_backend_that_is_not_known_here_is_one_sentence(found: tuple[Path, list[Finding]]) -> None:
    before = {file: file.read_bytes() for file in found[0].glob("findings*.*")}
    done = harness("findings", found[0])
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "the run's backend 'planted:beside_infinity' is not installed here" in done.stderr
    assert {file: file.read_bytes() for file in before} == before


def test_a_suspect_whose_framework_is_absent_is_one_sentence(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    cells = store.frame([cell(backend="numpy", verdict="fails", error_over_any_order_bound=3.0)], Comparison)
    run = Run({}, cells, *[store.frame([], Property)] * 3)
    with (
        Asker({"numpy": str(tmp_path / "bare" / "bin" / "python")}) as asker,
        pytest.raises(UsageError, match=r"the run's backend 'numpy' is absent, .*: its interpreter cannot run"),
    ):
        survey(run, asker, tmp_path, print)


def test_what_was_written_is_said_and_nothing_else(found: tuple[Path, list[Finding]]) -> None:
    assert written([]) == "findings.csv, findings.md"
    assert written(found[1]) == "findings.csv, findings.md, findings/"


@pytest.mark.parametrize(
    "about", [{"witness": "atlas:one_NaN [nan, 0]"}, {"witness": "zeros:2x3@threads"}, {"backend": "nobody"}]
)
def test_what_nobody_can_ask_again_is_as_it_was(about: dict[str, Any], tmp_path: Path) -> None:
    with Asker() as asker:
        old = replace(OLD, **{"status": "it has no script", **about})
        assert csv_file.again(old, asker, tmp_path) == old


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\nnot shown: it is right\n", "not shown: it is right"),
        ("Traceback\nKeyError: 'x'\n\n", "not shown: KeyError: 'x'"), ("", "not shown: it said nothing"),
    ],
)  # fmt: skip
def test_what_a_script_said_that_did_not_show_it_is_said_once(text: str, words: str) -> None:
    assert last_words(Ran(1, text)) == words


def test_a_law_is_told_beside_an_accuracy_grade_of_another_case() -> None:
    law = Property("softmax", "normal:3x4", "float32", -1, "torch", "Σ s = 1", 9.0, 3.0, "fails")
    found = suspects(store.frame([cell(case="lost:4x5", grade="C")], Comparison), store.frame([law], Property))
    assert [(suspect.kind, suspect.law) for suspect in found] == [(DEFECT, True), (ACCURACY, False)]


@pytest.mark.parametrize(
    "snippet", ["../outside.py", "/tmp/outside.py", "findings/../../outside.py", "findings/a b.py"]
)
def test_no_script_runs_but_those_beside_the_table(snippet: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "findings").mkdir(parents=True)
    for file in (tmp_path / "outside.py", folder / "findings" / "a b.py"):
        file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nprint('shown: it ran')\n")
    with Asker() as asker:
        again = csv_file.again(replace(OLD, snippet=snippet), asker, folder)
    assert again.status.startswith("stale: ")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("case", only(["lost:2x3000"], ["zeros:65503x2/0", "zeros:2x65520", "lost:2x3000"]))
def test_what_is_asked_again_is_judged_as_the_run_judged_it(case: str, tmp_path: Path) -> None:
    """Long float16 chains, in any order of which theory excludes nothing: both measure their height, or say why not."""
    done = harness(
        "compare", "--backend", "numpy", "--operation", "softmax,vjp", "--dtype", "float16", "--case", case,
        "--out", tmp_path,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    told = ("verdict", "grade", "measured_chain", "worst_error_over_bound", "reason")
    with Asker() as asker:
        for row in store.read(tmp_path).comparisons.itertuples():
            again = asker.cell(row.backend, row.operation, row.case, row.dtype)
            assert [getattr(again, name) for name in told] == [
                None if pd.isna(value) else value for value in (getattr(row, name) for name in told)
            ]


def test_a_finding_of_a_backend_that_is_not_here_is_stale(tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    (tmp_path / "findings" / "it.py").write_text("print('shown: it ran')\n")
    csv_file.write(tmp_path, [replace(OLD, backend="nobody", snippet="findings/it.py", of_bound=None)])
    with Asker() as asker:
        [again] = csv_file.with_earlier([], csv_file.read(tmp_path / csv_file.FILE), asker, tmp_path)
    assert again.status == "stale: there is no backend nobody here"


OLD = Finding(DEFECT, "C01", "value wrong", "numpy", "2.0", "softmax", "float32", -1, "the bound holds", "zeros:3", 3,
              "1", "0x1p+0", "0x1p-1", 9.0, 1, "zeros:9", "", "shown")  # fmt: skip
WRONG = [
    f"planted:{name}"
    for name in (
        "unnormalised", "one_element_off", "nan_in_a_corner", "halved", "wrong_shape", "raises", "beside_infinity",
        "whimsical", "scribbles", "objects", "wrong_dtype", "nothing",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Finding]]:
    """Findings of a run of backends that are wrong."""
    out = tmp_path_factory.mktemp("found")
    done = harness(
        "compare", "--backend", ",".join([*WRONG, "numpy"]), "--dtype", "float64", "--operation", "softmax,vjp",
        "--case", "normal:3x17,ties:2x40,normal:3x17@again,normal:3x17@hostile", "--out", out, PYTHONPATH=PLANTED,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    done = harness("findings", out, PYTHONPATH=PLANTED)
    assert done.returncode == 1, done.stderr
    assert "in a fresh interpreter" in done.stdout
    return out, csv_file.read(out / csv_file.FILE)


def test_each_wrong_backend_is_found_and_shown_by_its_script(found: tuple[Path, list[Finding]]) -> None:
    out, its = found
    assert {finding.backend for finding in its} == set(WRONG)
    for finding in its:
        if (finding.backend, finding.property) == ("planted:whimsical", BITS_BESIDE):
            continue  # its whims may fall beside other rows, or not
        if finding.backend == "planted:nothing":
            assert (finding.snippet, finding.status) == ("", NO_ARRAY)
            assert finding.actual == "error: answered with None, not an array"
            continue
        assert (finding.kind, finding.status) == (DEFECT, "shown"), finding
        script = (out / finding.snippet).read_text()
        its_own = finding.backend in ("planted:raises", "planted:whimsical")  # its own code does it, no call of NumPy's
        assert "import harness" not in script
        assert its_own or "import backends" not in script
        done = subprocess.run(
            [sys.executable, "-I", out / finding.snippet], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith("shown:")


def test_witnesses_are_as_small_as_can_be(found: tuple[Path, list[Finding]]) -> None:
    its = {finding.backend: finding for finding in found[1]}
    assert its["planted:beside_infinity"].witness == "zeros:2x1@hostile"
    whims = [finding for finding in found[1] if finding.backend == "planted:whimsical"]
    assert min(finding.elements for finding in whims) == 1  # of a simpler family or not, as its whims have it
    assert its["planted:nan_in_a_corner"].witness == "zeros:1"
    assert its["planted:unnormalised"].witness == "zeros:2"
    assert its["planted:one_element_off"].elements <= 5  # it touches the fourth element


def test_what_writes_into_its_arguments_is_shown_by_what_they_were_before(found: tuple[Path, list[Finding]]) -> None:
    out, its = found
    [one] = [finding for finding in its if finding.backend == "planted:scribbles"]
    assert (one.property, one.defect_class) == ("its arguments stay as they are", "C27")
    assert (one.verdict, one.expected) == ("arguments changed", "arguments as they were")
    assert (one.witness, one.status) == ("zeros:1", "shown")
    done = subprocess.run([sys.executable, "-I", out / one.snippet], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "shown: it wrote into its logits"


def test_a_derivative_that_is_wrong_of_a_value_that_is_right_is_said_apart(found: tuple[Path, list[Finding]]) -> None:
    verdicts = {finding.backend: finding.verdict for finding in found[1]}
    assert verdicts["planted:unnormalised"] == "value wrong"
    assert verdicts["planted:halved"] == "derivative wrong"


def test_a_finding_that_is_gone_is_stale_and_not_dropped(found: tuple[Path, list[Finding]], tmp_path: Path) -> None:
    before, its = found
    shutil.copytree(before, tmp_path / "now")
    old = next(finding for finding in its if finding.backend == "planted:unnormalised")
    gone = replace(old, operation="logsumexp", snippet="findings/mended.py")
    (tmp_path / "now" / "findings" / "mended.py").write_text("print('not shown: it is right')\nraise SystemExit(1)\n")
    csv_file.write(tmp_path / "now", [gone])
    harness("findings", tmp_path / "now", PYTHONPATH=PLANTED)
    again = csv_file.read(tmp_path / "now" / csv_file.FILE)
    assert [f.status for f in again if f.operation == "logsumexp"] == ["stale: not shown: it is right"]
    assert len(again) == len(its) + 1


def test_another_run_in_the_same_folder_has_no_findings_until_it_is_looked_into(
    found: tuple[Path, list[Finding]], tmp_path: Path
) -> None:
    """Those of the run before wait: the next look says what became of them."""
    folder = tmp_path / "run"
    shutil.copytree(found[0], folder)
    selection = ("compare", "--backend", "numpy", "--operation", "softmax", "--case", "zeros:3", "--out", folder)
    for _ in range(2):  # they wait through any number of runs
        assert harness(*selection).returncode == 0
        assert not (folder / csv_file.FILE).exists()
        assert "This run was not searched for findings." in (folder / "report.html").read_text()
    assert csv_file.earlier(folder) == found[1]


def test_findings_survive_the_table(found: tuple[Path, list[Finding]], tmp_path: Path) -> None:
    csv_file.write(tmp_path, found[1])
    assert csv_file.read(tmp_path / csv_file.FILE) == found[1]
    (tmp_path / "findings.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="does not read as a table of findings"):
        csv_file.read(tmp_path / csv_file.FILE)


def test_the_page_keeps_the_kinds_apart_and_escapes() -> None:
    assert page.render([]) == "# Findings\n\n**Nothing was found.**\n"
    one = Finding(DEFECT, "C07", "value wrong", "torch", "2<b>|", "softmax", "float32", -1, "the bound holds",
                  "zeros:3", 3, "1", "0x1.8p+1", "nan", 3.0, 2, "zeros:9", "", "stale: no")  # fmt: skip
    text = page.render([one, replace(one, kind=ACCURACY), replace(one, kind=POLICY)])
    assert "## 1 defect\n" in text and "## 1 accuracy loss\n" in text and "## 1 behaviour difference\n" in text
    assert "2\\<b\\>\\|" in text
    assert "| 3 " in text


@pytest.mark.parametrize("words", [("numpy", "softmax", "normal:2x3", "float32"), ("numpy vjp wide float64",)])
def test_any_cell_is_reproduced(words: tuple[str, ...]) -> None:
    done = harness("reproduce", *words)
    assert done.returncode == 0, done.stderr
    assert "import numpy as np" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("shown:")
    assert "of its bound" in done.stderr


@pytest.mark.parametrize("variation", only(["again", "strided"], [*CALLS, "strided", "offset"]))
def test_a_right_cell_is_reproduced_however_it_was_asked(variation: str) -> None:
    done = harness("reproduce", "numpy", "softmax", f"normal:3x17@{variation}", "float32")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("shown: ")
    assert ("it answers as if asked plainly" in done.stderr) == (variation in CALLS)


@pytest.mark.parametrize("case", ["zeros:1", "zeros:2x4@hostile"])
def test_a_cell_that_is_right_to_the_last_bit_is_shown_to_be(case: str) -> None:
    done = harness("reproduce", "numpy", "softmax", case, "float32")
    assert (done.returncode, done.stdout.splitlines()[-1][:6]) == (0, "shown:"), done.stderr
    assert done.stdout.splitlines()[-1].endswith("is its exact value")


def asked_of(asker: Asker, backend: str, case: str) -> str:
    return reproduce.script_and_verdict(asker, backend, "softmax", case, "float32")[0]


def test_of_a_whim_that_is_recorded_as_one_answer_the_backend_itself_is_asked(fickle: Asker) -> None:
    assert "So it imports the backend itself" in asked_of(fickle, "fickle", "zeros:2@again")


def test_of_a_whim_that_no_process_repeats_nothing_is_printed(fickle: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduce, "run", lambda *asked: Ran(1, "not shown: its words"))
    with pytest.raises(UsageError, match=ONE_ANSWER):
        asked_of(fickle, "fickle", "zeros:2@again")


def test_bits_that_depend_on_earlier_questions_are_one_sentence(fickle: Asker) -> None:
    with pytest.raises(UsageError, match="its bits depend on what was asked before it"):
        asked_of(fickle, "fickle:minding", "zeros:2@dtypes")


def test_of_two_threads_no_script_is_made(fickle: Asker) -> None:
    with pytest.raises(UsageError, match="it takes two processes, of one thread and of two"):
        asked_of(fickle, "fickle:minding", "zeros:2@threads")


def test_a_cell_is_reproduced_along_another_axis() -> None:
    first, second = (harness("reproduce", "numpy", "softmax", "axes", "float64", f"--axis={axis}") for axis in (0, 1))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "axis=0" in first.stdout and "axis=1" in second.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("numpy", "softmax", "axes", "float64", "--axis=7"), "axes has 3 dimensions: its axes are -3 to 2"),
        (("jax", "softmax", "atlas:uint8_logits", "uint8", "--axis=0"), "--axis does not go with it"),
        (("numpy", "softmax"), "a cell is BACKEND OPERATION CASE DTYPE, as in: reproduce torch"),
        (("my numpy", "softmax", "wide", "float32"), "unknown backend 'my numpy': did you mean 'numpy'?"),
        (("'my numpy' softmax wide float32",), "unknown backend 'my numpy': did you mean 'numpy'?"),
        (("'my numpy softmax wide float32",), "does not read as a shell reads words: No closing quotation"),
        (("nunpy", "softmax", "wide", "float32"), "unknown backend 'nunpy': did you mean 'numpy'?"),
        (("numpy", "sofmax", "wide", "float32"), "unknown operation 'sofmax': did you mean 'softmax'?"),
        (("numpy", "softmax", "wied", "float32"), "unknown case 'wied': did you mean 'wide'?"),
        (("numpy", "softmax", "wide", "flaot32"), "unknown dtype 'flaot32': did you mean 'float32'?"),
        (("numpy", "softmax", "wide", "bfloat16"), "is not asked: numpy does not claim bfloat16"),
        (("numpy:naive", "vjp", "wide", "float32"), "is not asked: it does not compute that by itself"),
        (("numpy", "softmax", "normal:3x4@threads", "float32"), "is not asked: numpy has one thread"),
    ],
)
def test_a_cell_that_is_none_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    done = harness("reproduce", *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert sentence in done.stderr


def test_the_quick_suite_finds_no_defect(tmp_path: Path) -> None:
    """As `make compare` runs it, on NumPy alone here: nothing found, and a page that says so."""
    done = harness("compare", "--backend", "numpy", "--suite", "quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(tmp_path / "findings.csv")) == 0
    assert "Nothing was found" in (tmp_path / "findings.md").read_text()


def test_two_long_names_of_scripts_are_two() -> None:
    """A brought backend may have any name: what is cut off would let one script overwrite another."""
    one, other = (file_name("mine:" + "x" * 300, "softmax", "float32", broken) for broken in ("J·1 = 0", "s ≥ 0"))
    assert one != other
    assert len(one) == len(other) <= 200
