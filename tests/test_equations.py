"""Laws between operations, and between rows that are twins: right answers obey, and each is broken by a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.equations import EQUATIONS, joined, sides
from harness.judging.laws import TWIN_LAWS, deviations
from harness.numbers.formats import FORMATS
from harness.numbers.sums import exact_dot, two_product
from harness.questions import blocks
from harness.records import Case, EquationSide, Judgement, Twins
from harness.runs.journal_units import merged_judgement
from harness.truth import expected
from harness.truth.bounds import blocked_tree, bound

RANDOM = np.random.Generator(np.random.Philox(key=21))
LOGITS = RANDOM.normal(scale=3, size=(20, 5))
ARGUMENTS = {"cotangent": RANDOM.uniform(-1, 1, (20, 5)), "tangent": RANDOM.uniform(-1, 1, (20, 5))}
LABELS = RANDOM.integers(0, 5, size=20)
BESIDE: dict[str, list[Any]] = {
    "vjp": [ARGUMENTS["cotangent"]],
    "jvp": [ARGUMENTS["tangent"]],
    "cross_entropy_hvp": [LABELS, ARGUMENTS["tangent"]],
}
Change = Callable[[Any], Any]


def side(operation: str, law: str, left: bool, dtype: str, change: Change = lambda a: a) -> EquationSide:
    """Of correctly rounded answers, changed."""
    given = [b if b.dtype.kind == "i" else b.astype(dtype) for b in BESIDE.get(operation, [])]
    x = LOGITS.astype(dtype)
    answer = expected(operation, x, given).rounded().astype(dtype).astype(np.float64)
    allowed = bound(operation, x, given, FORMATS[dtype], blocked_tree)
    arguments = {name: value.astype(dtype) for name, value in ARGUMENTS.items()}
    values = sides(operation, change(answer), allowed, arguments)[law, left]
    return EquationSide(law, left, operation, "case", dtype, -1, "numpy", False, dtype, *values)


def fraction(law: str, dtype: str, change: Change = lambda a: a) -> float:
    """The law's deviation over its bound, with the left side changed."""
    (left, _), (right, _) = EQUATIONS[law]
    [(_, _, share)] = joined([side(left, law, True, dtype, change), side(right, law, False, dtype)])
    return share


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("law", EQUATIONS)
def test_right_answers_obey(law: str, dtype: str) -> None:
    assert fraction(law, dtype) <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda a: -a, id="negated"),
        pytest.param(lambda a: a / 2, id="halved"),
        pytest.param(lambda a: 0 * a, id="zeros"),
        pytest.param(lambda a: a * (1 + 2.0**-30), id="a factor off by 2^-30"),
        pytest.param(lambda a: a * np.nan, id="NaN"),
    ],
)
@pytest.mark.parametrize("law", EQUATIONS)
def test_wrong_answers_break_them(law: str, wrong: Change) -> None:
    assert fraction(law, "float64", wrong) > 1


def test_a_flaw_declared_on_either_side_is_the_equation_s() -> None:
    law = "jvp = J·t"
    left, right = side("jvp", law, True, "float64", lambda a: -a), side("jacobian", law, False, "float64")
    [row] = merged_judgement([Judgement(sides=[left, replace(right, flawed=True)])]).properties
    assert row.verdict == "known limitation"


def test_one_side_alone_says_nothing() -> None:
    law = "jvp = J·t"
    assert joined([side("jvp", law, True, "float64")]) == []


def test_both_sides_make_a_row_of_the_table() -> None:
    law = "jvp = J·t"
    parts = [
        Judgement(sides=[side("jvp", law, True, "float64")]),
        Judgement(sides=[side("jacobian", law, False, "float64")]),
    ]
    [row] = merged_judgement(parts).properties
    assert (row.law, row.operation, row.backend, row.verdict) == (law, "jvp", "numpy", "within bound")
    assert row.error_over_bound <= 1


TWINS = blocks.array(Case("twins", "", Twins(), (12, 5)), "logits", "float64", (0, 12))


def twins(operation: str, change: Change = lambda a: a) -> dict[str, tuple[float, float]]:
    answer = expected(operation, TWINS, []).rounded()
    return deviations(operation, change(answer), bound(operation, TWINS, [], FORMATS["float64"], blocked_tree), 5, True)


@pytest.mark.parametrize("operation", TWIN_LAWS)
def test_right_answers_are_the_same_for_twins(operation: str) -> None:
    assert all(twins(operation)[law][1] <= 1 for law in TWIN_LAWS[operation])


@pytest.mark.parametrize("operation", TWIN_LAWS)
def test_what_depends_on_where_an_element_stands_is_seen(operation: str) -> None:
    by_place = twins(operation, lambda a: a * (1 + 1e-9 * np.arange(a.shape[1])))
    assert by_place["f(Px) = P·f(x)"][1] > 1
    by_size = twins(operation, lambda a: a * (1 + 1e-9 * TWINS.max(axis=1, keepdims=True)))
    assert by_size["f(x + c) = f(x)"][1] > 1


floats = st.floats(-1e100, 1e100, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-100)


@given(floats, floats)
def test_products_lose_nothing(a: float, b: float) -> None:
    product, lost = two_product(np.array([a]), np.array([b]))
    assert Fraction(float(product[0])) + Fraction(float(lost[0])) == Fraction(a) * Fraction(b)


def test_a_dot_product_that_cancels_is_good_to_twice_the_precision() -> None:
    a, b = np.array([[1e8 + 1, -(1e8), 1.0]]), np.array([[1e8 - 1, 1e8, 1.0]])
    assert exact_dot(a, b).tolist() == [0.0]
