"""Sums against fractions, on numbers of every size."""

from __future__ import annotations

from fractions import Fraction
from math import fsum, inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.numbers.sums import QUANTUM, Total, total, two_sum

finite = st.floats(allow_nan=False, allow_infinity=False)
SMALLEST, LARGEST = 2.0**QUANTUM, 1.7976931348623157e308


def added(terms: list[float], size: float | None = None) -> Total:
    """`size`: the largest of them, unless told otherwise."""
    largest = max((abs(term) for term in terms), default=0.0)
    return total(np.array(terms, np.float64), largest if size is None else size)


def exactly(terms: list[float]) -> int:
    return int(sum(map(Fraction, terms), Fraction(0)) * 2**-QUANTUM)


@given(finite, finite)
def test_two_sum_loses_nothing(a: float, b: float) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        high, low = two_sum(np.float64(a), np.float64(b))  # type: ignore[arg-type]
    if np.isfinite(high) and np.isfinite(low):
        assert Fraction(float(high)) + Fraction(float(low)) == Fraction(a) + Fraction(b)


@given(st.lists(finite, max_size=40))
def test_a_total_is_exact(terms: list[float]) -> None:
    assert added(terms) == added(terms, inf) == Total(exactly(terms))


@pytest.mark.parametrize("binades", [1, 60, 500, 1900])
@pytest.mark.parametrize("count", [1, 2, 1000, 20_000])
def test_a_total_of_many_terms_is_exact(binades: int, count: int) -> None:
    """However far apart: by rounds that leave fewer and fewer."""
    rng = np.random.Generator(np.random.Philox(key=binades))
    terms = np.ldexp(rng.uniform(-1, 1, size=count), rng.integers(890 - binades, 890, size=count))
    assert added(terms.tolist()) == Total(exactly(terms.tolist()))


@pytest.mark.parametrize("term", [1.0, -1.0, 1 - 2**-53, 0.5 + 2**-53, SMALLEST, 2.0**899, -LARGEST, 0.0, -0.0])
@pytest.mark.parametrize("count", [0, 1, 2**11 - 1, 2**11, 2**14])
def test_a_total_of_equal_terms_is_exact(term: float, count: int) -> None:
    """All of them at the end of what a round is made for."""
    assert added([term] * count) == Total(exactly([term]) * count)


@given(st.lists(st.one_of(finite, st.sampled_from([inf, -inf])), max_size=12), st.randoms())
def test_neither_order_nor_grouping_shows(terms: list[float], random: object) -> None:
    whole = added(terms)
    random.shuffle(terms)  # type: ignore[attr-defined]
    assert repr(added(terms[:5]) + (added(terms[5:8]) + added(terms[8:]))) == repr(whole)


@given(st.lists(st.floats(min_value=-1e300, max_value=1e300), max_size=20))
def test_a_total_is_rounded_once(terms: list[float]) -> None:
    assert added(terms).rounded() == fsum(terms)


def test_totals_overflow_late_and_only_if_they_must() -> None:
    assert added([LARGEST, LARGEST, -LARGEST]).rounded() == LARGEST
    assert (added([LARGEST, LARGEST]).rounded(), added([-LARGEST, -LARGEST]).rounded()) == (inf, -inf)


def test_infinities_add_as_float64_adds_them_and_nan_is_no_term() -> None:
    assert added([inf, -LARGEST, 1.0]).rounded() == inf
    assert added([-inf, 1.0]).rounded() == -inf
    assert isnan(added([inf, -inf]).rounded())
    assert isnan((added([inf]) + added([-inf])).rounded())
    assert added([nan, 1.0, 2.0, nan], nan) == added([1.0, 2.0])
    assert added([nan], inf) == Total()


def test_nan_that_the_size_conceals_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        added([nan, 1.0], 1.0)
