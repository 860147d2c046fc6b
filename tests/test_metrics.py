"""Figures on numbers worked by hand, and laws of the tallies on numbers that nobody thought of."""

from __future__ import annotations

from math import fsum, inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats import FORMATS
from harness.metrics import Errors, Tally, errors, mean_relative_error_percent, tally
from harness.reference import Expected

SMALLEST = 2.0**-1074


def exactly(*values: float) -> Expected:
    """Expected values that are floats."""
    hi, exponent = np.frexp(np.array([values], dtype=np.float64))
    return Expected(hi, np.zeros_like(hi), exponent.astype(np.int32))


def between(high: float, low: float) -> Expected:
    """high + low, low far below high."""
    hi, exponent = np.frexp(np.array([[high]]))
    return Expected(hi, np.ldexp(np.array([[low]]), -exponent), exponent.astype(np.int32))


def measured(actual: float, expected: Expected, dtype: str = "float64") -> tuple[float, float, float]:
    found = errors(np.array([[actual]], dtype=dtype), expected, FORMATS[dtype])
    return float(found.absolute[0, 0]), float(found.relative[0, 0]), float(found.ulp[0, 0])


@pytest.mark.parametrize(
    ("actual", "expected", "absolute", "relative", "ulp"),
    [
        (1.0, 1.0, 0, 0, 0),
        (1 + 2**-52, 1.0, 2**-52, 2**-52, 1),  # the neighbour above a power of two is one ulp away,
        (1 - 2**-53, 1.0, 2**-53, 2**-53, 0.5),  # the one below half an ulp of 1: the exact value's ulp counts
        (1.0, 1 - 2**-53, 2**-53, 2**-53 / (1 - 2**-53), 1),
        (-1.5, 1.5, 3, 2, 3 * 2**52),
        (0.0, 0.0, 0, 0, 0),
        (-0.0, 0.0, 0, 0, 0),
        (SMALLEST, SMALLEST, 0, 0, 0),
        (0.0, SMALLEST, SMALLEST, 1, 1),  # one quantum: the exponent is clamped below
        (3 * SMALLEST, SMALLEST, 2 * SMALLEST, 2, 2),
        (0.0, 2.0**-1022, 2.0**-1022, 1, 2**52),
        (SMALLEST, 0.0, SMALLEST, inf, 1),
        (inf, 1.0, inf, inf, inf),  # 2^1024 / 2^-52, above what a float64 can say
    ],
)
def test_errors_in_float64(actual: float, expected: float, absolute: float, relative: float, ulp: float) -> None:
    assert measured(actual, exactly(expected)) == (absolute, relative, ulp)


def test_tensorflow_s_softmax_of_zeros_is_half_an_ulp_off() -> None:
    """0.99999994 for 1: an error of exactly ½ ulp that is no correct rounding."""
    assert measured(np.float32(0.99999994), exactly(1.0), "float32")[2] == 0.5


def test_infinity_counts_as_the_next_power_of_two_above_the_format() -> None:
    assert measured(np.float32(inf), exactly(1.0), "float32")[2] == 2.0**128 / 2.0**-23


def test_nan_has_no_error() -> None:
    assert all(np.isnan(e) for e in measured(nan, exactly(1.0)))


def test_a_value_between_two_floats_is_seen_to_the_bit() -> None:
    third = between(1 / 3, 2.0**-54 / 3)  # 1/3 = 0.333…33 (float) + 2^-54/3
    absolute, relative, ulp = measured(1 / 3, third)
    assert (absolute, relative, ulp) == (2.0**-54 / 3, 2.0**-54, 1 / 3)


def test_an_expected_value_below_every_float_underflows_to_zero() -> None:
    tiny = Expected(np.array([[0.75]]), np.array([[0.0]]), np.array([[-2885]], dtype=np.int32))
    assert measured(0.0, tiny) == (0.0, 1.0, 0.0)  # all of it lost, and yet correctly rounded
    absolute, relative, ulp = measured(3 * SMALLEST, tiny)
    assert (absolute, relative, ulp) == (3 * SMALLEST, inf, 3)


def test_percent_is_the_documents_expression_to_the_bit() -> None:
    a, b = np.array([1.0, 3.0, 7.0]), np.array([1.0, 3.0 + 2**-51, 7.0])
    assert mean_relative_error_percent(a, b) == np.mean(np.abs((a - b) / a)) * 100 > 0
    assert mean_relative_error_percent(np.array([0.0]), np.array([1.0])) == inf
    assert np.isnan(mean_relative_error_percent(np.array([0.0]), np.array([0.0])))


def counted(actual: list[float], expected: list[float], offset: int = 0, bound: float = 1.0) -> Tally:
    values, exact = np.array([actual]), exactly(*expected)
    found = errors(values, exact, FORMATS["float64"])
    bounds = {name: np.full_like(values, bound) for name in ("A", "B")}
    return tally(values, exact, found, bounds, FORMATS["float64"], offset)


def test_nan_infinity_and_missed_zeros_are_counted_apart_and_in_no_mean() -> None:
    found = counted([nan, inf, -inf, 0.0, 0.5, 2.0], [1.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    counts = found.counts
    assert (counts.nan, counts.infinity, counts.zero_references, counts.zero_misses, counts.elements) == (1, 2, 2, 1, 6)
    assert found.peak("absolute").figure == 1.0
    assert found.peak("relative").figure == 1.0
    assert found.means() == (1.5 / 3, 1.0 / 2, 1.0 / 2, inf)  # ½ is 2^1073 quanta from 0
    assert found.peak("B").figure == inf
    assert found.worst == 0  # the first that is not finite


def test_a_cell_of_nothing_but_nan_has_no_figures() -> None:
    found = counted([nan, nan], [1.0, 1.0])
    assert found.peak("relative").figure is None
    assert found.means() == (None, None, None, None)
    assert found.quantile(0.5) is None
    assert found.worst == 0


def test_the_first_of_equal_maxima_is_the_witness() -> None:
    assert counted([2.0, 3.0, 3.0], [1.0, 1.0, 1.0], offset=10).peak("ulp").index == 11


def test_the_mean_signed_error_is_the_bias() -> None:
    assert counted([1.5, 0.75], [1.0, 1.0]).means()[1:3] == (0.375, 0.125)


def test_quantiles_are_bins_of_the_histogram() -> None:
    ulp = 2.0**-52
    found = counted([1.0, 1.0, 1 - ulp / 2, 1 + ulp, 1 + 2 * ulp, 1 + 3 * ulp, 1 + 40 * ulp, 1.0], [1.0] * 8)
    assert found.histogram[:9] == (3, 1, 1, 1, 1, 0, 0, 0, 1)  # 0 · ≤ ½ · ≤ 1 · ≤ 2 · ≤ 4 · ≤ 8 · ≤ 16 · ≤ 32 · ≤ 64
    assert [found.quantile(q) for q in (0.1, 0.5, 0.6, 0.99)] == [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (32.0, 64.0)]


def test_flushed_values_have_a_figure_of_their_own() -> None:
    found = counted([0.0, 1 + 2**-52], [2.0**-1030, 1.0])
    assert found.peak("ulp").figure == 2.0**44  # quanta lost
    assert found.peak("ulp, flushed forgiven").figure == 1.0
    assert (found.counts.flushed, found.counts.subnormal_references) == (1, 1)


def test_correct_rounding_is_an_error_under_half_an_ulp() -> None:
    assert counted([1.0, 2.0], [1.0, 2.0]).counts.misrounded == 0
    assert counted([1 - 2**-53, 2.0, nan], [1.0, 2.0, 1.0]).counts.misrounded == 2


values = st.floats(min_value=-4, max_value=4, allow_subnormal=True)


@given(st.lists(st.tuples(values, values), min_size=2, max_size=30), st.data())
def test_tallies_of_blocks_merge_into_that_of_the_whole(pairs: list[tuple[float, float]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(pairs) - 1))
    actual, expected = [a for a, _ in pairs], [e for _, e in pairs]
    whole = counted(actual, expected)
    parts = counted(actual[:cut], expected[:cut]).merged(counted(actual[cut:], expected[cut:], offset=cut))
    assert (parts.counts, parts.peaks, parts.histogram) == (whole.counts, whole.peaks, whole.histogram)
    absolute, relative, _, ulp = zip(parts.means(), whole.means(), strict=True)
    for merged, once in (absolute, relative, ulp):
        # Terms ≥ 0: a rounding a block, one of their sum, one of the quotient, against two of the whole: 5 u.
        assert merged == once or abs(merged - once) <= 5 * 2.0**-53 * abs(once)  # type: ignore[operator,arg-type]


@given(st.floats(min_value=2.0**-1022, max_value=1e300), st.integers(1, 64))
def test_neighbours_are_whole_ulps_apart(value: float, steps: int) -> None:
    """Above a value, floats lie whole ulps of it apart up to the next power of two, and further from there on."""
    away = value + steps * np.spacing(value)
    below_next_power = np.frexp(away)[1] == np.frexp(value)[1]
    ulp = measured(away, exactly(value))[2]
    assert ulp == steps if below_next_power else ulp >= steps - 0.5


def test_sums_are_exactly_rounded() -> None:
    actual = [1.0 + 2**-30 * k for k in range(100)]
    found = counted(actual, [1.0] * 100)
    assert found.sums[0][0] == fsum(a - 1.0 for a in actual)
    assert isinstance(errors(np.array([actual]), exactly(*[1.0] * 100), FORMATS["float64"]), Errors)


def test_sums_that_overflow_cost_no_other_cell() -> None:
    """Answers of both signs for values below every float: relative errors of both infinities."""
    tiny = Expected(np.array([[0.75, 0.75]]), np.zeros((1, 2)), np.array([[-2885, -2885]], dtype=np.int32))
    answer = np.array([[1.0, -1.0]])
    bounds = {"A": np.ones((1, 2)), "B": np.ones((1, 2))}
    found = tally(answer, tiny, errors(answer, tiny, FORMATS["float64"]), bounds, FORMATS["float64"])
    assert found.means()[1] == inf
    assert np.isnan(found.means()[2])  # type: ignore[arg-type]


def test_percents_of_sixteen_bits_are_averaged_in_float64() -> None:
    import ml_dtypes

    for dtype in (np.float16, ml_dtypes.bfloat16):
        a = np.ones(20_000, dtype=dtype)
        assert mean_relative_error_percent(a, a * dtype(0.5)) == 50.0
