"""Laws that need no expected value: right answers obey them, and each is broken by what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.laws import LAWS, deviations
from harness.numbers.formats import FORMATS
from harness.numbers.sums import exact_sum
from harness.truth import expected
from harness.truth.bounds import blocked_tree, bound

LOGITS = np.random.Generator(np.random.Philox(key=11)).normal(scale=3, size=(30, 6))


def right(operation: str, dtype: str) -> tuple[Any, Any]:
    """Correctly rounded answers, and their bounds."""
    x = LOGITS.astype(dtype)
    exact = expected(operation, x, []).rounded()
    return exact.astype(dtype), bound(operation, x, [], FORMATS[dtype], blocked_tree)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("operation", LAWS)
def test_right_answers_obey(operation: str, dtype: str) -> None:
    found = deviations(operation, *right(operation, dtype), n=6, twins=False)
    assert set(found) == set(LAWS[operation])
    assert all(share <= 1 for _, share in found.values()), found


def off_the_diagonal(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def spoil(answer: Any) -> Any:
        j = answer.reshape(-1, 6, 6).copy()
        j[:, 1, 4] = change(j[:, 1, 4])
        return j.reshape(len(j), -1)

    return spoil


@pytest.mark.parametrize(
    ("operation", "law", "spoil"),
    [
        ("softmax", "Σ s = 1", lambda s: s * (1 + 1e-13)),
        ("softmax", "s ≥ 0", lambda s: -s),
        ("log_softmax", "ln s ≤ 0", lambda y: y - y.min(axis=1, keepdims=True)),
        ("jacobian", "J·1 = 0", off_the_diagonal(lambda e: 0 * e)),
        ("jacobian", "1ᵀ·J = 0", off_the_diagonal(lambda e: 0 * e)),
        ("jacobian", "J = Jᵀ", off_the_diagonal(lambda e: 2 * e)),
        ("jacobian", "vᵀ·J·v ≥ 0", lambda j: -j),
        ("jacobian", "vᵀ·J·v ≥ 0", off_the_diagonal(lambda e: e + 1)),
    ],
)
def test_each_law_is_broken_by_what_it_is_there_for(operation: str, law: str, spoil: Callable[[Any], Any]) -> None:
    answer, allowed = right(operation, "float64")
    _, share = deviations(operation, spoil(answer), allowed, n=6, twins=False)[law]
    assert share > 1


@pytest.mark.parametrize("operation", LAWS)
def test_nan_breaks_every_law(operation: str) -> None:
    answer, allowed = right(operation, "float64")
    assert all(
        share == np.inf for _, share in deviations(operation, answer * np.nan, allowed, n=6, twins=False).values()
    )


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40))
def test_sums_are_good_to_twice_the_precision(values: list[float]) -> None:
    exact = sum(map(Fraction, values))
    size = sum(abs(Fraction(v)) for v in values)
    # One rounding of the result, and n² u² of the terms' sizes: Sum2's bound, for any tree.
    allowed = abs(exact) * Fraction(1, 2**53) + Fraction(len(values) ** 2, 2**106) * size
    assert abs(Fraction(float(exact_sum(np.array([values]))[0])) - exact) <= allowed
