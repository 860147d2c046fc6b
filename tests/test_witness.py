"""The worst element of a cell is the one that its verdict hangs on, and all that is told beside it is of that one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.findings.scripts.claims import Value, reproduction
from harness.findings.scripts.one_cell import BY_ITS_ROW, finding, run, snippet
from harness.findings.suspects import suspects
from harness.judging import judge, pairs
from harness.judging.probes import TOO_LONG, Measured
from harness.numbers import arrays
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.cases import named
from harness.records import Comparison, Group, Property, Result
from harness.runs import store
from harness.transcript.script import Transcript
from tests.formulas import pairwise, sequential

Answers = NDArray[Any]


def cell(operation: str, case: str, dtype: str, make: Callable[..., Answers], measured: Measured) -> Comparison:
    """As a run has it, of a backend that answers by that function of the operation's arguments."""
    group, asked = Group(operation, named(case), dtype, -1, ("numpy",)), blocks.boundaries(named(case))
    answers = [
        make(*blocks.arguments(group.case, OPERATIONS[operation], dtype, -1, rows).values()).astype(arrays.dtype(dtype))
        for rows in asked
    ]
    results = {("numpy", number): Result(0, number, "numpy", "ok") for number in range(len(asked))}
    judgement = judge.judge(group, results, lambda r: answers[r.block], pairs.all_pairs, {"numpy": measured})
    return judgement.comparisons[0]


def product(logits: Answers, cotangent: Answers) -> Answers:
    s = pairwise(logits)
    answer: Answers = s * (cotangent - (s * cotangent).sum(axis=-1, keepdims=True))
    return answer


def planted(logits: Answers, cotangent: Answers) -> Answers:
    """At an element that is as large as its terms, on a case where others cancel to almost nothing."""
    answer = product(logits, cotangent)
    answer[146, 5] *= 1 + 2.0**-44
    return answer


@pytest.fixture(scope="module")
def short() -> Comparison:
    return cell("vjp", "digits", "float64", planted, Measured())


def test_a_defect_at_one_element_is_its_cell_s_witness(short: Comparison) -> None:
    assert (short.verdict, short.worst_index) == ("fails", "146,5")
    said = json.loads(short.witness)
    assert float.fromhex(said["actual"]) / float.fromhex(said["expected"]) == pytest.approx(1 + 2.0**-44, abs=2.0**-49)


def test_its_error_and_bound_are_of_that_element_and_the_largest_error_of_another(short: Comparison) -> None:
    assert short.worst_ulp_error is not None and short.bound is not None and short.max_ulp_error is not None
    assert short.worst_ulp_error / short.bound == short.worst_error_over_bound == short.error_over_bound
    assert short.worst_allowed_ulp == short.bound < short.worst_ulp_error < 2.0**10
    assert short.max_ulp_error > 2.0**14
    assert short.max_ulp_index not in ("", short.worst_index)


def test_a_cell_whose_other_elements_cancel_is_not_said_to_have_no_digit_right(short: Comparison) -> None:
    assert short.max_relative_error is not None
    [found] = suspects(store.frame([short], Comparison), store.frame([], Property))
    assert found.property == "the bound holds"


def script(folder: Path, what: Comparison, answer: Answers) -> str:
    """The one that shows the cell, of a framework that now answers so."""
    np.save(folder / "answer.npy", answer)
    asked = Transcript("import sys\nimport numpy as np", f"actual = np.load({str(folder / 'answer.npy')!r})", "")
    value = finding(what)
    assert isinstance(value, Value)
    return run(reproduction("a cell", asked, value), sys.executable, folder).text.splitlines()[-1]


def test_its_script_shows_it_and_no_longer_once_it_is_mended(short: Comparison, tmp_path: Path) -> None:
    arguments = blocks.arguments(named("digits"), OPERATIONS["vjp"], "float64", -1, (0, 1797)).values()
    assert script(tmp_path, short, planted(*arguments)).startswith("shown: the answer at [146, 5] is more than")
    assert script(tmp_path, short, product(*arguments)).startswith("not shown:")


LONG = "normal:2x20000"


def chained(logits: Answers) -> Answers:
    return sequential(logits)


def one_row_apart(logits: Answers) -> Answers:
    """An element without the factor that its row has in common, so nearer to its exact value than the others are."""
    answer = sequential(logits)
    answer[1, 77] = pairwise(logits.astype(np.float64))[1, 77]
    return answer


def test_what_only_the_row_s_common_factor_tells_is_the_witness_and_has_no_script() -> None:
    """A long chain is off by one factor: whoever is not is wrong, and inside of his own bound."""
    height = Measured(20000 - 1)
    explained = cell("softmax", LONG, "float32", chained, height)
    assert explained.grade == "C"
    assert explained.worst_allowed_ulp > explained.worst_ulp_error > explained.bound  # type: ignore[operator]
    found = cell("softmax", LONG, "float32", one_row_apart, height)
    assert (found.grade, found.verdict, found.worst_index) == ("F", "fails", "1,77")
    assert found.worst_error_over_bound == found.worst_ulp_error / found.bound < 1 < found.error_over_bound  # type: ignore[operator]
    assert finding(found) is None
    assert snippet(None, None, found) == (None, BY_ITS_ROW)  # type: ignore[arg-type]


def test_a_defect_in_a_long_chain_is_held_against_what_the_chain_may_cost(tmp_path: Path) -> None:
    """Once it is mended its element is above B still, as all of the chain's are, and the script says so."""

    def off(logits: Answers) -> Answers:
        answer = sequential(logits)
        answer[1, 77] *= 1.5
        return answer

    found = cell("softmax", LONG, "float32", off, Measured(20000 - 1))
    assert (found.grade, found.worst_index) == ("F", "1,77")
    logits = blocks.array(named(LONG), "logits", "float32", (0, 2))
    assert script(tmp_path, found, off(logits)).startswith("shown:")
    assert script(tmp_path, found, chained(logits)).startswith("not shown:")


@pytest.mark.parametrize(
    ("operation", "case", "answer", "said"),
    [("softmax", "zeros:65510", 0.0, "more than"), ("log_softmax", "zeros:65520", -np.inf, "-inf, and not")],
)
def test_what_no_height_was_measured_for_is_shown_against_a_tree_or_as_no_number(
    operation: str, case: str, answer: float, said: str, tmp_path: Path
) -> None:
    """In float16 rows so long that any order of additions may give anything: that bound is infinite."""
    found = cell(operation, case, "float16", lambda logits: np.full_like(logits, answer), Measured(missing=TOO_LONG))
    assert found.grade == "F"
    [rows] = blocks.boundaries(named(case))
    logits = blocks.array(named(case), "logits", "float16", rows)
    assert script(tmp_path, found, np.full_like(logits, answer)).startswith(f"shown: the answer at [0] is {said}")
    right = pairwise(logits.astype(np.float64)) if operation == "softmax" else np.full(logits.shape, -np.log(65520))
    assert script(tmp_path, found, right.astype(np.float16)).startswith("not shown:")
