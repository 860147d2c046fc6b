"""The 20 rows of the documents' table (docs/seeds.md), each by its number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import FRAMEWORKS, find
from harness.judging import slices
from harness.judging.pairs import natives_and_variants
from harness.judging.percents import mean_relative_error_percent
from harness.questions import blocks
from harness.questions.cases import CASES
from harness.records import Pair, Run
from harness.runs.store import frame
from harness.truth import expected
from reports.tables.agreement import percents
from tests.command import ROOT, harness
from tests.conftest import Asked, at_worker

TEXTBOOK = [
    (1, "naive", "seed000-example"),
    (2, "naive", "seed000-matrix"),
    (4, "hadamard", "seed000-derivative"),
    (7, "naive", "seed001-123"),
    (8, "shifted", "seed001-overflow"),
    (10, "chain", "layer"),
    (10, "closed", "layer"),
    (11, "loss_chain", "layer"),
    (11, "loss_closed", "layer"),
    (12, "factored", "seed002-column"),
    (13, "by_columns", "seed003-uniform"),
    (14, "delta", "seed003-uniform"),
    (15, "central_differences", "seed003-uniform"),
    (16, "probabilities", "seed003-uniform"),
    (17, "double_loop", "seed003-pair"),
    (17, "diagflat", "seed003-pair"),
    (17, "einsum", "seed003-normal"),
    (18, "batch_max", "seed003-normal"),
    (20, "through_jacobian", "seed003-uniform"),
]


@pytest.mark.parametrize(
    "where",
    [
        at_worker(f"{framework}:{formula}", f"row {row}", case)
        for framework in FRAMEWORKS
        for row, formula, case in TEXTBOOK
    ],
)
def test_written_out_formulas_hold_on_their_document_s_numbers(where: tuple[str, str, str], ask: Any) -> None:
    name, row, case = where
    about = find(name)
    assert row.removeprefix("row ") in str(about.__doc__)
    for operation in about.operations:
        comparison, _ = ask(name).judged(operation, CASES[case], "float64", CASES[case].axes[0])
        assert comparison.verdict == "within bound", comparison


@pytest.mark.parametrize("where", [at_worker(name) for name in FRAMEWORKS])
@pytest.mark.parametrize("operation", ["layer", "layer_jacobian", "layer_cross_entropy_gradient"])
def test_rows_10_and_11_are_what_frameworks_differentiate_themselves(
    operation: str, where: tuple[str], ask: Any
) -> None:
    comparison, _ = ask(where[0]).judged(operation, CASES["layer"], "float64", -1)
    assert comparison.verdict == "within bound", comparison


@pytest.mark.parametrize("where", [at_worker(f"{name}:central_differences") for name in FRAMEWORKS])
def test_row_15_is_right_to_six_digits_as_its_truncation_says(where: tuple[str], ask: Any) -> None:
    """h²/6 at h = 1e-3 is 1.7e-7: far more than rounding, and that much is seen."""
    comparison, _ = ask(where[0]).judged("jacobian", CASES["seed003-uniform"], "float64", -1)
    assert 1e-8 < comparison.max_relative_error < 1.8e-7


@pytest.mark.parametrize("where", [at_worker(name) for name in FRAMEWORKS])
@pytest.mark.parametrize("operation", ["mean_squared_error", "cross_entropy_mean"])
@pytest.mark.parametrize("gradient", ["", "_gradient"])
def test_row_16_is_what_frameworks_compute_themselves(
    operation: str, gradient: str, where: tuple[str], ask: Any
) -> None:
    comparison, _ = ask(where[0]).judged(operation + gradient, CASES["seed003-uniform"], "float64", -1)
    assert comparison.verdict == "within bound", comparison


@pytest.mark.parametrize("where", [at_worker(f"{name}:naive") for name in FRAMEWORKS])
def test_row_7_gives_nan_on_1000_2000_3000(where: tuple[str], ask: Any) -> None:
    assert np.isnan(ask(where[0]).answer("softmax", CASES["seed001-overflow"])).all()


@pytest.mark.parametrize("where", [at_worker(f"{name}:shifted") for name in FRAMEWORKS])
def test_row_8_gives_0_0_1_there(where: tuple[str], ask: Any) -> None:
    assert ask(where[0]).answer("softmax", CASES["seed001-overflow"]).tolist() == [[0.0, 0.0, 1.0]]


@pytest.mark.parametrize("where", [at_worker(f"{name}:batch_max") for name in FRAMEWORKS])
def test_row_18_fails_far_below_the_batch_s_maximum(where: tuple[str], ask: Any) -> None:
    answer = ask(where[0]).answer("softmax", CASES["far-rows"])
    assert np.isfinite(answer[0]).all()  # the row that holds the maximum is right,
    assert np.isnan(answer[-1]).all()  # the one 1,080 below it is 0/0
    flushed = bool(find(where[0]).flushes_below)  # and so is the row 720 below where subnormal numbers are 0
    assert np.isnan(answer).sum() == (20 if flushed else 15)


def exactly(operation: str, case: str, *beside: Any) -> Any:
    arguments = blocks.array(CASES[case], "logits", "float64", blocks.boundaries(CASES[case])[0])
    rows = slices.moved("logits", arguments, CASES[case].axes[0])
    return expected(operation, rows, list(beside)).rounded()[0]


PRINTED = {
    "000, In [4]": ("softmax", "seed000-example", [0.16691024, 0.24588245, 0.29219741, 0.2950099]),
    "001, In [146]": ("softmax", "seed001-123", [0.09003057, 0.24472847, 0.66524096]),
    "002, In [8]": ("softmax", "seed002-column", [0.08468093, 0.02426149, 0.6577931, 0.05399495, 0.17926953]),
    "002, In [9]": (
        "jacobian",
        "seed002-column",
        [
            0.07751007, -0.00205449, -0.05570253, -0.00457234, -0.01518071,
            -0.00205449, 0.02367287, -0.01595904, -0.00131, -0.00434935,
            -0.05570253, -0.01595904, 0.22510134, -0.0355175, -0.11792226,
            -0.00457234, -0.00131, -0.0355175, 0.05107949, -0.00967965,
            -0.01518071, -0.00434935, -0.11792226, -0.00967965, 0.14713197,
        ],
    ),
    "003, In [96]": ("softmax", "seed003-pair", [0.26894142, 0.73105858]),
    "003, In [97]": ("jacobian", "seed003-pair", [0.19661193, -0.19661193, -0.19661193, 0.19661193]),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "case", "printed"), PRINTED.values(), ids=PRINTED)
def test_the_exact_values_are_what_the_documents_print(operation: str, case: str, printed: list[float]) -> None:
    # Printed to 8 decimals; the logits of 000 too, and softmax moves at most half as far as its logits.
    assert np.abs(exactly(operation, case) - printed).max() <= 0.5e-8 + 0.25e-8


def test_row_3_is_keras_s_layer(ask: Any) -> None:
    comparison, _ = ask("tensorflow:keras").judged("softmax", CASES["seed000-example"], "float64", -1)
    assert comparison.verdict == "within bound"


def test_row_19_is_batch_jacobian(ask: Any) -> None:
    for name in ("tensorflow", "tensorflow:batch_jacobian"):
        comparison, _ = ask(name).judged("jacobian", CASES["seed003-normal"], "float32", -1)
        assert comparison.verdict == "within bound"


@pytest.mark.parametrize("where", [at_worker(name) for name in FRAMEWORKS])
def test_rows_5_and_9_the_jacobian_and_why_summing_first_gives_nothing(where: tuple[str], ask: Any) -> None:
    comparison, judgement = ask(where[0]).judged("jacobian", CASES["seed000-derivative"], "float64", -1)
    assert comparison.verdict == "within bound"
    assert {(law.law, law.verdict) for law in judgement.properties} == {
        ("J·1 = 0", "within bound"),
        ("1ᵀ·J = 0", "within bound"),
        ("J = Jᵀ", "within bound"),
        ("vᵀ·J·v ≥ 0", "within bound"),
    }


@pytest.mark.parametrize("where", [at_worker(name) for name in FRAMEWORKS])
def test_row_5_backward_of_ones_is_next_to_nothing(where: tuple[str], ask: Any) -> None:
    comparison, _ = ask(where[0]).judged("vjp", CASES["seed000-summed"], "float64", -1)
    assert comparison.verdict == "within bound"
    assert np.abs(ask(where[0]).answer("vjp", CASES["seed000-summed"])).max() <= 1e-15


def test_row_6_the_notebook_s_own_pair_stands_in_the_default_tables() -> None:
    pair = ("tensorflow:keras", "torch:naive")
    found = natives_and_variants(["torch", "torch:naive", "tensorflow", "tensorflow:keras"])
    assert found.count(pair) == 1
    rows = [Pair("softmax", "seed000-example", "float64", -1, *names, "ok", 7.5e-15, 0) for names in found]
    run = Run({}, pd.DataFrame(), frame(rows, Pair), pd.DataFrame(), pd.DataFrame())
    assert " – ".join(pair) in percents(run, "softmax", "float64")


def test_the_page_of_printed_numbers_is_what_the_command_writes_but_for_last_digits(tmp_path: Path) -> None:
    done = harness("printed", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "printed.md").read_text()
    if "absent" in page:
        pytest.skip("a framework is absent")
    committed = (ROOT / "docs/printed.md").read_text()
    assert without_numbers(page) == without_numbers(committed)
    there, here = (np.array([float(n) for n in NUMBER.findall(text)]) for text in (committed, page))
    assert (np.abs(here - there) <= 1e-13 * np.maximum(np.abs(there), 1)).all()


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def without_numbers(page: str) -> list[str]:
    """Its words: how wide a column is, follows from how many digits its numbers have."""
    return re.sub("-+", "-", NUMBER.sub("#", page)).split()


@pytest.mark.parametrize("where", [at_worker(name) for name in FRAMEWORKS])
def test_row_6_percents_are_1e_13_or_below(where: tuple[str], ask: Any) -> None:
    """The notebook found 5e-15, 1e-14 and 5e-15 between Keras and a formula: so far from the rounded truth, at most."""
    backend: Asked = ask(where[0])
    for operation, case in (("softmax", "seed000-example"), ("jacobian_row", "seed000-derivative")):
        true = exactly(operation, case, *([2] if operation == "jacobian_row" else []))
        assert mean_relative_error_percent(true, backend.answer(operation, CASES[case])[0]) <= 1e-13


def test_every_row_is_named() -> None:
    named = {row for row, _, _ in TEXTBOOK}
    for name in globals():
        if name.startswith("test_row"):
            found = re.match(r"test_rows?_(\d+)(?:_and_(\d+))?_", name)
            named |= {int(number) for number in found.groups() if number} if found else set()
    assert named == set(range(1, 21))
