"""Grades: what earns which, and that changing a formula changes the grade where theory says that it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.faults import Kind
from harness.judging import judge, pairs
from harness.judging.grades import with_height
from harness.judging.probes import Measured, Probed, chain, measured_chain
from harness.numbers.formats import FORMATS
from harness.questions import blocks
from harness.questions.cases import CASES
from harness.records import Case, Comparison, Group, Normal, Printed, Result, Uniform
from harness.runs.plan import Selection, groups
from harness.truth import expected
from tests.formulas import pairwise, sequential

Function = Callable[[Any], Any]


def lanes(count: int) -> Function:
    """Sums in so many chains, added up at the end."""

    def softmax(x: Any) -> Any:
        weights = np.exp(x - x.max(axis=-1, keepdims=True))
        parts = np.cumsum(weights.reshape(len(x), -1, count), axis=1)[:, -1]
        return weights / parts.sum(axis=-1, keepdims=True)

    return softmax


def wider_inside(x: Any) -> Any:
    return pairwise(x.astype(np.float64)).astype(x.dtype)


def rounded_once(operation: str = "softmax", *beside: Any) -> Function:
    return lambda x: expected(operation, x, list(beside)).rounded().astype(x.dtype)


def height(function: Function, n: int, dtype: str) -> int | None:
    logits = blocks.array(chain(n), "logits", dtype, (0, 8))
    return measured_chain(logits, function(logits), FORMATS[dtype])


def graded(function: Function, case: Case, dtype: str, operation: str = "softmax") -> Comparison:
    """A cell as a run would judge it, with the height that the function's own probe shows."""
    group = Group(operation, case, dtype, -1, ("numpy",))
    rows = blocks.boundaries(case)
    answers = [function(blocks.array(case, "logits", dtype, block)) for block in rows]
    results = {("numpy", number): Result(0, number, "numpy", "ok", array=str(number)) for number in range(len(rows))}
    known = {"numpy": Measured(height(function, case.shape[-1], dtype) if operation == "softmax" else None)}
    found = judge.judge(group, results, lambda result: answers[int(result.array)], pairs.all_pairs, known)
    return found.comparisons[0]


ORDINARY = Case("ordinary", "", Normal(3), (20, 100))


@pytest.mark.parametrize("dtype", FORMATS)
def test_correct_rounding_earns_a_plus(dtype: str) -> None:
    assert graded(rounded_once(), ORDINARY, dtype).grade == "A+"


def test_float64_inside_of_float32_is_free_of_the_range() -> None:
    far = Case("far", "", Uniform(-80, 80), (200, 10))
    assert graded(wider_inside, far, "float32").grade in ("A+", "A")
    assert graded(pairwise, far, "float32").grade == "B"


def test_a_rounded_shift_at_a_spread_of_160_is_many_ulp_and_b() -> None:
    cell = graded(pairwise, CASES["spread"], "float64")
    assert cell.worst_ulp_error is not None
    assert cell.bound is not None
    assert 60 < cell.worst_ulp_error <= cell.bound
    assert (cell.grade, cell.verdict) == ("B", "within bound")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("function", "chain_length"), [(sequential, 5000), (lanes(8), 625)], ids=["one", "eight"])
def test_a_long_chain_is_measured_and_earns_c(dtype: str, function: Function, chain_length: int) -> None:
    case = Case("chain", "", CASES["chain"].recipe, (8, 5000))
    found = height(function, 5000, dtype)
    assert found is not None
    assert chain_length - 2 <= found <= chain_length + 8
    cell = graded(function, case, dtype)
    assert (cell.grade, cell.verdict) == ("C", "within bound")
    assert cell.error_over_bound is not None
    assert cell.error_over_bound > 2
    assert graded(pairwise, case, dtype).grade in ("A", "B")


def test_c_is_for_a_common_factor_alone() -> None:
    """One element wrong by as much as the chain explains is no chain: F."""

    def one_wrong(x: Any) -> Any:
        s = sequential(x)
        s[:, 17] *= 1 + 400 * 2.0**-53
        return s

    case = Case("chain", "", CASES["chain"].recipe, (8, 5000))
    assert graded(one_wrong, case, "float64").grade == "F"


def online(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """In blocks of 16, each added to a running sum: 16 terms of 0.47 u round up to 8 u, and not down to 6 u."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    sums = weights.reshape(len(x), -1, 16).sum(axis=-1, dtype=x.dtype)
    return weights / np.cumsum(sums, axis=-1)[:, -1:]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_chain_of_blocks_that_round_up_is_seen_and_is_a_c(dtype: str) -> None:
    assert height(online, 48_000, dtype) > 2_900  # 3,000 blocks, less what the 0's own has before it
    case = Case("chain", "", CASES["chain"].recipe, (8, 48_000))
    assert graded(online, case, dtype).grade == "C"


def test_without_a_probe_nothing_is_blamed_on_a_chain() -> None:
    case = Case("chain", "", CASES["chain"].recipe, (8, 5000))
    group = Group("softmax", case, "float64", -1, ("numpy",))
    answer = sequential(blocks.array(case, "logits", "float64", (0, 8)))
    results = {("numpy", 0): Result(0, 0, "numpy", "ok")}
    assert judge.judge(group, results, lambda _: answer, pairs.all_pairs, {}).comparisons[0].grade == "F"


def test_a_compensated_sum_shows_no_chain() -> None:
    assert height(rounded_once(), 1000, "float64") == 4  # the probe's own resolution
    assert with_height(4).height(1000) == 26  # as B has it


@pytest.mark.parametrize("bad", [np.zeros_like, lambda x: np.full_like(x, np.nan), np.ones_like])
def test_a_probe_that_is_not_answered_measures_nothing(bad: Function) -> None:
    assert height(bad, 1000, "float64") in (None, 999)


def test_probes_are_asked_where_a_grade_may_depend_on_them() -> None:
    planned = groups(Selection(("numpy", "torch:jacrev"), ("softmax", "jacobian"), (), ("wide", "digits")))
    probes = [(g.probe, g.case.shape, g.dtype, g.backends) for g in planned if g.probe]
    assert sorted(probes) == [
        ("exp", (1797, 10), "float32", ("numpy",)),
        ("exp", (1797, 10), "float64", ("numpy",)),
        ("height", (8, 1000), "float32", ("numpy",)),
        ("height", (8, 1000), "float32", ("torch:jacrev",)),
        ("height", (8, 1000), "float64", ("numpy",)),
        ("height", (8, 1000), "float64", ("torch:jacrev",)),
    ]
    assert all(g.probe for g in planned[: len(probes)])


def test_what_answers_in_a_wider_format_is_measured_in_it() -> None:
    planned = groups(Selection(("torch:dtype",), ("softmax",), ("float32",), ("wide",)))
    assert {(g.probe, g.dtype) for g in planned if g.probe} == {("height", "float64"), ("exp", "float64")}
    assert {g.backends for g in planned if g.probe} == {("torch:dtype",)}
    half = groups(Selection(("torch:dtype",), ("softmax",), ("float16",), ("wide",)))
    assert {(g.probe, g.dtype, g.backends) for g in half if g.probe} == {
        ("height", "float32", ("torch",)),
        ("exp", "float32", ("torch",)),
    }


TAIL = Case("tail", "one logit far above the rest", Uniform(-30, 30), (50, 6))


def jacobian_with(diagonal: Callable[[Any], Any]) -> Function:
    def jacobian(x: Any) -> Any:
        s = pairwise(x)
        j = -s[:, :, None] * s[:, None, :]
        i = np.arange(x.shape[1])
        j[:, i, i] = diagonal(s)
        return j

    return jacobian


def tail_sum(s: Any) -> Any:
    rest = np.stack([np.delete(s, k, axis=1).sum(axis=1) for k in range(s.shape[1])], axis=1)
    return s * rest


@pytest.mark.parametrize(
    ("right", "wrong", "operation"),
    [
        pytest.param(
            pairwise, lambda x: pairwise(x.astype(np.float32)).astype(x.dtype), "softmax", id="float32 inside"
        ),
        pytest.param(pairwise, lambda x: pairwise(x) * (1 + 2.0**-45), "softmax", id="a factor 256 u off"),
        pytest.param(jacobian_with(tail_sum), jacobian_with(lambda s: s), "jacobian", id="a dropped factor 1 − s"),
    ],
)
def test_changing_a_formula_changes_the_grade(right: Function, wrong: Function, operation: str) -> None:
    assert graded(right, TAIL, "float64", operation).grade in ("A", "B")
    assert graded(wrong, TAIL, "float64", operation).grade == "F"


def in_float64(function: Function) -> Function:
    return lambda x: function(x.astype(np.float64)).astype(x.dtype)


def test_s_minus_s_squared_for_the_tail_costs_the_plus() -> None:
    """Where s is near 1, 1 − s has lost its digits even in float64: A, which is what theory allows the formula."""
    saturated = Case("saturated", "one logit 24 to 30 above the other", Printed(((0.0, -24.0), (0.0, -30.0))), (2, 2))
    by_tail, by_square = (in_float64(jacobian_with(diagonal)) for diagonal in (tail_sum, lambda s: s - s * s))
    assert graded(by_tail, saturated, "float32", "jacobian").grade == "A+"
    assert graded(by_square, saturated, "float32", "jacobian").grade == "A"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bits_computed_in_wider_ones_are_correctly_rounded(dtype: str) -> None:
    assert graded(wider_inside, ORDINARY, dtype).grade == "A+"


@pytest.mark.parametrize(("operation", "answer"), [("softmax", 1000), ("softmax", 0), ("vjp", -7), ("vjp", 0)])
def test_a_wrong_answer_in_bfloat16_is_an_f_at_any_length(operation: str, answer: float) -> None:
    """Where E is above 1/8 throughout: once that made every bound infinite from n = 22 on."""
    wide = Case("wide", "", Normal(3), (4, 1000))
    assert graded(lambda x: np.full_like(x, answer), wide, "bfloat16", operation).grade == "F"
    assert graded(rounded_once(), wide, "bfloat16").grade == "A+"
    assert graded(lambda x: (pairwise(x.astype(np.float64)) * 1.01).astype(x.dtype), wide, "bfloat16").grade == "A"


def test_an_infinite_bound_earns_no_a() -> None:
    assert judge.earned(np.array([1.0, np.inf])).tolist() == [1.0, 0.0]


def one_chain(x: Any) -> Any:
    """In the format itself: NumPy adds 16 bits up in 32."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    total = np.zeros_like(weights[:, :1])
    for k in range(x.shape[1]):
        total = total + weights[:, k : k + 1]
    return weights / total


@pytest.mark.parametrize("recipe", [CASES["chain"].recipe, Normal(0.1)], ids=["chain", "normal"])
@pytest.mark.parametrize("n", [150, 240, 2000, 4300])
def test_a_chain_in_float16_is_a_c_while_a_digit_is_right(n: int, recipe: Any) -> None:
    cell = graded(one_chain, Case("chain", "", recipe, (2, n)), "float16")
    assert cell.max_relative_error is not None
    assert (cell.grade == "F") == (cell.max_relative_error > 0.1) == (n > 4000 or (n == 2000 and recipe != Normal(0.1)))
    assert cell.grade in ("A", "B", "C") or cell.fault == Kind.NO_DIGIT


@pytest.mark.parametrize(("dtype", "n"), [("float16", 4400), ("float16", 9000)])
def test_a_chain_too_long_for_its_probe_is_not_measured_while_a_digit_is_right(dtype: str, n: int) -> None:
    """The probe's own answers are below ½, so no height is known; a wrong element, and zeros, are an F all the same."""

    def moved(x: Any, factor: float) -> Any:
        return (pairwise(x.astype(np.float64)) * factor).astype(x.dtype)

    def one_wrong(x: Any) -> Any:
        s = moved(x, 1.07)
        s[0, 17] *= 3
        return s

    assert height(rounded_once(), n, dtype) is None
    probed = Probed()
    probe = Group("softmax", chain(n), dtype, -1, ("numpy",), "height")
    probed.add(probe, {"numpy": None}, {})
    group = Group("softmax", Case("long", "", Normal(0.1), (2, n)), dtype, -1, ("numpy",))
    known = probed.of(group)
    assert "more than the 1 among them" in known["numpy"].missing
    for function, found in (
        (lambda x: moved(x, 1.07), ("inconclusive", "")),
        (one_chain, ("fails", "F")),
        (one_wrong, ("fails", "F")),
        (np.zeros_like, ("fails", "F")),
        (rounded_once(), ("within bound", "A+")),
    ):
        answer = function(blocks.array(group.case, "logits", dtype, (0, 2)))
        results = {("numpy", 0): Result(0, 0, "numpy", "ok")}
        cell = judge.judge(group, results, lambda _, answer=answer: answer, pairs.all_pairs, known).comparisons[0]
        assert (cell.verdict, cell.grade) == found


def test_a_chain_of_which_no_digit_is_right_falls_short_in_bfloat16() -> None:
    """600 terms of bfloat16 near 1: from 256 on one is lost or doubled. Off by 74 %, and honest."""
    cell = graded(one_chain, Case("long", "", Normal(0.1), (2, 600)), "bfloat16")
    assert (cell.verdict, cell.grade) == ("fails", "F")
    assert cell.fault == Kind.NO_DIGIT
    assert cell.error_over_simulated_limit is not None and cell.error_over_simulated_limit > 1


def test_a_long_chain_in_sixteen_bits_explains_no_nonsense() -> None:
    group = Group("vjp", Case("wide", "", Normal(3), (4, 1000)), "float16", -1, ("numpy",))
    answer = blocks.array(group.case, "cotangent", "float16", (0, 4)) * np.float16(-37)
    results = {("numpy", 0): Result(0, 0, "numpy", "ok")}
    cell = judge.judge(group, results, lambda _: answer, pairs.all_pairs, {"numpy": Measured(999)}).comparisons[0]
    assert cell.grade == "F"


def test_what_a_declaration_alone_explains_is_said() -> None:
    """e^-90 is subnormal in float32: JAX, which declares that it flushes, may answer 0 as well."""
    case = Case("flushed", "", Printed(((0.0, -90.0),)), (1, 2))
    group = Group("softmax", case, "float32", -1, ("numpy", "jax"))
    answer = np.array([[1.0, 0.0]], dtype=np.float32)
    results = {(name, 0): Result(0, 0, name, "ok") for name in group.backends}
    own, declares = judge.judge(group, results, lambda _: answer, pairs.all_pairs, {}).comparisons
    assert (own.grade, own.error_over_default_bound) == ("F", None)
    assert declares.grade == "A" and declares.error_over_bound is not None and declares.error_over_bound <= 1
    assert declares.error_over_default_bound is not None and declares.error_over_default_bound > 1000
