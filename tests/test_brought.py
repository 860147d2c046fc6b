"""What a third party brings has what the frameworks have: findings of every kind, each shown by a script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.command import harness

BROUGHT = str(Path(__file__).parent / "brought")


def looked_into(out: Path, *asked: str) -> pd.DataFrame:
    """The findings of one run, by backend."""
    done = harness("compare", *asked, "--out", out, PYTHONPATH=BROUGHT)
    assert done.returncode in (0, 1, 5), done.stderr  # 5: no answer of them all could be compared
    done = harness("findings", out, PYTHONPATH=BROUGHT)
    assert done.returncode in (0, 1), done.stderr
    return pd.read_csv(out / "findings.csv", keep_default_na=False).set_index("backend")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("brought")


@pytest.fixture(scope="module")
def found(run: Path) -> pd.DataFrame:
    """`masked:1x8` has an exact value below 2^-14000, which is more digits than Python writes."""
    asked = ("--backend", "brought,brought:opaque,brought:helped,brought:floored", "--operation", "softmax")
    return looked_into(run, *asked, "--dtype", "float32", "--case", "lost:2x3000,masked:1x8")


def test_what_a_kernel_of_one_operation_costs_is_found(found: pd.DataFrame) -> None:
    """A sum that is added up one by one."""
    its = found.loc[["brought"]]
    assert {*its.kind} == {"accuracy grade"}
    assert {*its.property} == {"B: a tree of additions"}


def test_every_finding_is_shown_by_its_script(found: pd.DataFrame, run: Path) -> None:
    """In an interpreter of which no variable says where the kernel is: neither here nor at the reader's."""
    assert {*found.status} == {"shown"}
    for file in found.snippet:
        done = subprocess.run([sys.executable, "-I", run / file], cwd="/", capture_output=True, text=True, check=False)
        assert "\nshown: " in done.stdout, done.stderr


def test_calls_that_can_be_written_down_are(found: pd.DataFrame, run: Path) -> None:
    script = (run / found.loc[["brought:helped"]].snippet.iloc[0]).read_text()
    assert "answer = brought_kernels.softmax(x, -1)" in script
    assert f"sys.path[:0] = [{BROUGHT!r}]" in script
    assert "backends" not in script


def test_where_they_cannot_the_backend_is_imported_and_the_script_says_so(found: pd.DataFrame, run: Path) -> None:
    head, _, body = (run / found.loc[["brought:opaque"]].snippet.iloc[0]).read_text().partition("import os")
    assert "It cannot be written in the framework's own words: TypeError while it was recorded: an array is" in head
    assert "So it imports the backend itself, by brought.Opaque(), which needs what that needs" in head
    assert "import brought\nbackend_brought_opaque = brought.Opaque()\n" in body


def test_a_finding_that_no_sign_points_from_has_no_class(found: pd.DataFrame) -> None:
    its = found.loc[["brought:opaque"]]
    assert {*its[its.property == "the bound holds"].defect_class} <= {"", "C06", "C33"}


def test_reproduce_has_one_verdict() -> None:
    done = harness("reproduce", "brought", "softmax", "lost:2x3000", "float32", PYTHONPATH=BROUGHT)
    assert done.returncode == 0, done.stderr
    verdict = "within bound, grade C: more than a tree of additions explains, and no more than the measured chain does"
    assert f"brought: {verdict}; " in done.stderr
    assert done.stdout.splitlines()[-1].startswith("shown: the answer at [0, 0] is more than ")
    assert done.stdout.splitlines()[-1].endswith(verdict)


@pytest.mark.parametrize("variant", ["opaque", "pointer"])
def test_reproduce_shows_what_its_calls_do_not(variant: str) -> None:
    done = harness("reproduce", f"brought:{variant}", "softmax", "normal:3x17", "float32", PYTHONPATH=BROUGHT)
    assert done.returncode == 0, done.stderr
    assert "So it imports the backend itself" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("shown: ")


@pytest.fixture(scope="module")
def torch_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Cells and findings of torch functions that are made in `__init__`."""
    out = tmp_path_factory.mktemp("brought-torch")
    asked = (
        "--backend",
        "brought_torch*",
        "--operation",
        "softmax,vjp,hvp",
        "--dtype",
        "float64",
        "--case",
        "normal:3x17",
    )
    findings = looked_into(out, *asked, "--case", "normal:3x17")
    yield pd.read_csv(out / "comparisons.csv", keep_default_na=False).set_index("backend"), findings


BY_AUTOGRAD = "differentiated by torch.autograd.grad, since torch.func does not take the function"


@pytest.mark.parametrize("backend", ["brought_torch", "brought_torch:custom_op"])
def test_a_right_backward_that_torch_func_does_not_take_is_right(
    backend: str, torch_run: tuple[pd.DataFrame, ...]
) -> None:
    its = torch_run[0].loc[backend].set_index("operation")
    assert {*its.verdict} == {"within bound"}
    assert {*its.drop("softmax").reason} == {BY_AUTOGRAD}
    assert its.loc["softmax"].reason == ""


@pytest.mark.parametrize("backend", ["brought_torch:wrong", "brought_torch:wrong_op"])
def test_a_wrong_one_still_falls_short(backend: str, torch_run: tuple[pd.DataFrame, ...]) -> None:
    its = torch_run[0].loc[backend].set_index("operation")
    assert {*its.drop("softmax").verdict} == {"fails"}
    assert its.loc["softmax"].verdict == "within bound"


def test_another_exception_is_the_kernel_s_own(torch_run: tuple[pd.DataFrame, ...]) -> None:
    its = torch_run[0].loc["brought_torch:broken"].set_index("operation").drop("softmax")
    assert {*its.outcome} == {"error"}
    assert {*its.reason} == {"RuntimeError: there is no kernel for this device"}


def test_each_of_them_is_shown(torch_run: tuple[pd.DataFrame, ...]) -> None:
    """Also where the exact value is 0, of which every error is more ulp than a float64 counts."""
    assert len(torch_run[1]) == 6
    assert {*torch_run[1].status} == {"shown"}
