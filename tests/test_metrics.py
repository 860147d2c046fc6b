"""Figures on numbers worked by hand, and laws of the tallies on numbers that nobody thought of."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from fractions import Fraction
from itertools import combinations
from math import inf, isfinite, isinf, isnan, nan
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.judging import metrics
from harness.judging.metrics import errors, measure
from harness.judging.pairs import Percent
from harness.judging.percents import mean_relative_error_percent, percents
from harness.judging.tally import EDGES, Counts, Peak, Tally
from harness.numbers import arrays
from harness.numbers.arrays import Floats
from harness.numbers.formats import FORMATS, Format
from harness.numbers.sums import Total
from harness.truth import Expected

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
    assert measured(float(np.float32(0.99999994)), exactly(1.0), "float32")[2] == 0.5


def test_infinity_counts_as_the_next_power_of_two_above_the_format() -> None:
    assert measured(inf, exactly(1.0), "float32")[2] == 2.0**128 / 2.0**-23


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


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_percent_is_the_documents_expression_to_the_bit_in_every_dtype(dtype: str) -> None:
    """Of 100 pairs, since the product in another dtype is the same one now and then."""
    random = np.random.Generator(np.random.Philox(key=10))
    for _ in range(100):
        a = random.uniform(0.1, 1, size=50).astype(dtype)
        b = a * random.uniform(1 - 1e-6, 1 + 1e-6, size=50).astype(dtype)
        found = percents(a, b, FORMATS[dtype])
        documented = float(np.mean(np.abs((a - b) / a)) * 100)
        assert found.percent == found.finite == documented
        assert found.swapped == float(np.mean(np.abs((b - a) / b)) * 100)


def test_percent_is_the_documents_expression_to_the_bit() -> None:
    a, b = np.array([1.0, 3.0, 7.0]), np.array([1.0, 3.0 + 2**-51, 7.0])
    assert mean_relative_error_percent(a, b) == np.mean(np.abs((a - b) / a)) * 100 > 0
    assert mean_relative_error_percent(np.array([0.0]), np.array([1.0])) == inf
    assert np.isnan(mean_relative_error_percent(np.array([0.0]), np.array([0.0])))


def counted(actual: list[float], expected: list[float], offset: int = 0, bound: float = 1.0) -> Tally:
    values = np.array([actual])
    limits = {name: np.full_like(values, bound) for name in ("A", "B")}
    return measure(values, exactly(*expected), limits, FORMATS["float64"], offset)


def test_nan_infinity_and_missed_zeros_are_counted_apart_and_in_no_mean() -> None:
    found = counted([nan, inf, -inf, 0.0, 0.5, 2.0], [1.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    counts = found.counts
    assert (counts.nan, counts.infinity, counts.zero_references, counts.missed_zeros, counts.elements) == (
        1,
        2,
        2,
        1,
        6,
    )
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


def test_a_signalling_nan_is_a_nan_like_others() -> None:
    answer = np.array([[0x7F800001]], np.uint32).view(np.float32)
    assert np.isnan(errors(answer, exactly(1.0), FORMATS["float32"]).rows).all()
    assert measure(answer, exactly(1.0), {"B": np.ones((1, 1))}, FORMATS["float32"]).counts.nan == 1


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


def test_an_infinity_is_right_where_the_value_rounds_to_it() -> None:
    """float16 ends at 65,504, and 65,520 is halfway to the next."""
    form, limits = FORMATS["float16"], {"B": np.ones((1, 1))}
    for value, sign, wrong in ((81600.0, 1, 0), (65520.0, 1, 0), (65519.0, 1, 1), (81600.0, -1, 1), (-1e6, -1, 0)):
        tally = measure(np.array([[sign * np.float16(inf)]]), exactly(value), limits, form)
        assert (tally.counts.infinity, tally.counts.misrounded) == (wrong, wrong)
        assert (tally.peak("ulp").value == 0) == (not wrong)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("dtype", "hi", "lo", "right"),
    [
        (
            "float64",
            1 - 2.0**-53,
            2.0**-54,
            True,
        ),  # halfway to 2^1024, which is even
        ("float64", 1 - 2.0**-53, 2.0**-55, False),
        ("float64", 1 - 2.0**-53, 2.0**-53 - 2.0**-105, True),
        ("float64", 1 - 2.0**-53, 0.0, False),
        ("float16", 1 - 2.0**-12, 0.0, True),
        ("float16", 1 - 2.0**-12, -(2.0**-60), False),  # just under 65,520
        ("float16", 1 - 2.0**-12 - 2.0**-53, 2.0**-54, False),
    ],
)
def test_an_infinity_is_right_from_the_very_half_on(dtype: str, hi: float, lo: float, right: bool, sign: int) -> None:
    form = FORMATS[dtype]
    exact = Expected(np.array([[sign * hi]]), np.array([[sign * lo]]), np.array([[form.emax + 1]], np.int32))
    found = measure(np.array([[sign * inf]]), exact, {"B": np.ones((1, 1))}, form)
    assert (found.counts.infinity, found.counts.misrounded) == ((0, 0) if right else (1, 1))


def test_halfway_between_two_numbers_the_even_one_is_right() -> None:
    """−511/512 lies between bfloat16's −255/256 and −1, and 1 + 3·2^-8 between 1 + 2^-7 and 1 + 2^-6."""
    for value, right, wrong in ((-511 / 512, -1.0, -255 / 256), (1 + 3 * 2**-8, 1 + 2**-6, 1 + 2**-7)):
        found = [
            measure(np.array([[answer]]), exactly(value), {"B": np.ones((1, 1))}, FORMATS["bfloat16"])
            for answer in (right, wrong)
        ]
        assert [tally.counts.misrounded for tally in found] == [0, 1]
        assert [tally.peak("ulp").value for tally in found] == [0.5, 0.5]


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("lowest", [True, False])
def test_next_to_halfway_the_exact_value_decides(dtype: str, sign: int, lowest: bool) -> None:
    """2^-25·(1 ± 2^-80) in float16 lies between 0 and 2^-24: by a float64 both are off by ½ ulp. Likewise above 1."""
    form = FORMATS[dtype]
    below = 0.0 if lowest else 1.0
    unit = form.quantum if lowest else 2 * form.u
    hi, exponent, lo = (0.5, form.emin - form.p + 1, 0.0) if lowest else (0.5, 1, unit / 4)
    for off, right in ((2.0**-81, below + unit), (-(2.0**-81), below), (0.0, below)):
        if form.p < 53:
            hi, lo = hi + lo, 0.0
        exact = Expected(np.array([[sign * hi]]), np.array([[sign * (lo + off)]]), np.array([[exponent]], np.int32))
        for answer in (below, below + unit):
            found = measure(np.array([[sign * answer]]), exact, {"B": np.ones((1, 1))}, form)
            assert found.counts.misrounded == (answer != right)


def test_a_lost_component_is_a_zero_or_the_other_sign_for_a_normal_number() -> None:
    form = FORMATS["float32"]
    normal, near = 4e-18, 8 * form.smallest_normal
    found = counted_in("float32", [0.0, -normal, normal, 0.0, 0.0, nan, 2e-18], [normal] * 3 + [near, 0.0, 1.0, normal])
    assert found.counts.lost == 2
    assert found.peak("lost").index == 1  # the other sign is further off
    assert counted_in("float32", [-0.0], [-normal]).counts.lost == 1


def counted_in(dtype: str, actual: list[float], expected: list[float]) -> Tally:
    values = np.array([actual], dtype)
    return measure(values, exactly(*expected), {"B": np.ones_like(values, np.float64)}, FORMATS[dtype])


@pytest.mark.parametrize(("a", "b"), list(combinations(FORMATS, 2)))
def test_answers_in_two_dtypes_are_compared_in_the_wider(a: str, b: str) -> None:
    """float16 and bfloat16 in float32: NumPy has no common dtype of theirs."""
    values = np.array([1.0, 2.0, 1.25]), np.array([1.0, 2.0, 1.5])
    sides = [side.astype(arrays.dtype(name)) for side, name in zip(values, (a, b), strict=True)]
    for left, right, figure in ((*sides, 20 / 3), (*sides[::-1], 50 / 9)):
        found = Percent().merged(left, right)
        assert found.parts[0].percent == pytest.approx(figure, rel=1e-6)
        assert not found.identical
    assert not Percent().merged(np.zeros(1, np.float32), np.zeros(2, np.float16)[:1]).identical


values = st.floats(min_value=-4, max_value=4, allow_subnormal=True)


@given(st.lists(st.tuples(values, values), min_size=2, max_size=30), st.data())
def test_tallies_of_blocks_merge_into_that_of_the_whole(pairs: list[tuple[float, float]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(pairs) - 1))
    actual, expected = [a for a, _ in pairs], [e for _, e in pairs]
    whole = counted(actual, expected)
    parts = counted(actual[:cut], expected[:cut]).merged(counted(actual[cut:], expected[cut:], offset=cut))
    assert repr(parts) == repr(whole)  # as NaN is not NaN


@given(st.floats(min_value=2.0**-1022, max_value=1e300), st.integers(1, 64))
def test_neighbours_are_whole_ulps_apart(value: float, steps: int) -> None:
    """Above a value, floats lie whole ulps of it apart up to the next power of two, and further from there on."""
    away = value + steps * np.spacing(value)
    below_next_power = np.frexp(away)[1] == np.frexp(value)[1]
    ulp = measured(away, exactly(value))[2]
    assert ulp == steps if below_next_power else ulp >= steps - 0.5


def test_a_relative_error_that_no_float64_holds_is_counted_apart_and_in_no_mean() -> None:
    """Of answers to values below every float; beside one that is twice what it should be."""
    values = Expected(np.array([[0.75, 0.75, 0.5]]), np.zeros((1, 3)), np.array([[-2885, -2885, 1]], dtype=np.int32))
    found = measure(np.array([[SMALLEST, -(2.0**-60), 2.0]]), values, {"B": np.ones((1, 3))}, FORMATS["float64"])
    assert (found.counts.relative_overflows, found.counts.missed_zeros) == (2, 0)
    assert found.means()[1:3] == (1.0, 1.0)
    assert found.peak("relative").value == 1.0
    assert found.peak("ulp").value == 2.0**1014  # of the second


@pytest.mark.parametrize(("actual", "limit"), [(1.0, 1.0), (nan, 1.0), (inf, inf)])
def test_a_limit_that_is_nan_is_refused(actual: float, limit: float) -> None:
    """Wherever it stands, beside an answer that is judged whatever the limit is too."""
    limits = {"B": np.array([[limit, limit]]), "scale": np.array([[limit, nan]])}
    with pytest.raises(ValueError, match="forgive anything"):
        measure(np.array([[1.0, actual]]), exactly(1.0, 1.0), limits, FORMATS["float64"])


def test_a_share_of_nothing_is_none_and_what_is_not_finite_infinitely_more_than_any_limit() -> None:
    limits = {"A": np.array([[0.0, 0.0, 2.0, inf]]), "B": np.array([[0.0, inf, inf, inf]])}
    found = measure(np.array([[1.0, 1.0, 2.0, nan]]), exactly(1.0, 1.0, 1.0, 1.0), limits, FORMATS["float64"])
    assert (found.peak("A"), found.counts.unbounded) == (Peak(inf, 3), 3)
    found = measure(np.array([[1.0, 1.0, 2.0]]), exactly(1.0, 1.0, 1.0), {"B": limits["A"][:, :3]}, FORMATS["float64"])
    assert found.peak("B") == Peak(0.5, 2)
    found = measure(np.array([[1.0]]), exactly(1.0), {"B": np.zeros((1, 1))}, FORMATS["float64"])
    assert found.peak("B").figure is None


DTYPES = {"float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def references(form: Format) -> st.SearchStrategy[tuple[float, float, int]]:
    """hi, lo and exponent: around both ends of the format, of float64, and of what is next to nothing; and zeros."""
    ends = (form.emin - form.p, form.emin, form.emax, -1200, -1073, metrics.LOWEST, metrics.HIGHEST)
    near = st.sampled_from(ends).flatmap(lambda end: st.integers(end - 3, end + 3))
    high = st.one_of(st.sampled_from([2**52, 2**52 + 1, 2**53 - 1]), st.integers(2**52, 2**53 - 1))
    low = st.one_of(st.sampled_from([0, 1, -1, 2**53 - 1]), st.integers(1 - 2**53, 2**53 - 1))
    exponent = st.one_of(near, st.integers(-3, 3), st.just(-(2**30)))
    parts = st.tuples(st.sampled_from([1, -1]), high, low, exponent).map(lambda part: reference(*part))
    return st.one_of(st.sampled_from([(0.0, 0.0, 0), (0.0, 0.0, form.emin - 2)]), parts)


def reference(sign: int, high: int, low: int, exponent: int) -> tuple[float, float, int]:
    """Nothing below a power of two counts to it."""
    return sign * high * 2.0**-53, sign * (abs(low) if high == 2**52 else low) * 2.0**-106, exponent


@st.composite
def questions(draw: st.DrawFn, dtype: str) -> tuple[NDArray[Any], Expected, dict[str, Floats]]:
    """Answers: some steps from the right one, or any float at all. Limits: any, zero and infinity among them."""
    shape = draw(st.sampled_from([(0, 3), (1, 1), (1, 7), (3, 5), (2, 16)]))
    count, kind = shape[0] * shape[1], np.dtype(DTYPES[dtype])
    bits = np.dtype(f"uint{8 * kind.itemsize}")

    def drawn(strategy: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(strategy, min_size=count, max_size=count))

    parts = np.array(drawn(references(FORMATS[dtype]))).reshape(*shape, 3)
    hi, lo, exponent = parts[..., 0], parts[..., 1], parts[..., 2].astype(np.int32)
    with np.errstate(all="ignore"):
        right = np.ldexp(hi, exponent).astype(kind).view(bits)
    steps = np.array(drawn(st.integers(-5, 5)), np.int64).reshape(shape).astype(bits)
    anything = np.array(drawn(st.integers(0, 2 ** (8 * kind.itemsize) - 1)), bits).reshape(shape)
    near = np.array(drawn(st.sampled_from([True, True, False])), np.bool_).reshape(shape)
    limit = st.one_of(st.sampled_from([0.0, SMALLEST, 1.0, inf]), st.floats(min_value=0.0))
    limits = {name: np.array(drawn(limit), np.float64).reshape(shape) for name in ("A", "B")}
    return np.where(near, right + steps, anything).view(kind), Expected(hi, lo, exponent), limits


def doubles(actual: NDArray[Any]) -> list[float]:
    with np.errstate(invalid="ignore"):  # of signalling NaN
        return actual.astype(np.float64).reshape(-1).tolist()


@pytest.mark.parametrize("dtype", FORMATS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_errors_are_right_to_a_few_roundings(dtype: str, data: st.DataObject) -> None:
    """The difference takes 2 roundings, as it cancels only where it is exact; the size 1, and the quotient 1."""
    form = FORMATS[dtype]
    actual, expected, _ = data.draw(questions(dtype))
    rows = errors(actual, expected, form).rows.reshape(4, -1).T.tolist()
    parts = zip(*(part.reshape(-1).tolist() for part in (expected.hi, expected.lo, expected.exponent)), strict=True)
    for answer, (hi, lo, exponent), figures in zip(doubles(actual), parts, rows, strict=True):
        if not isfinite(answer) or exponent < metrics.FAR_BELOW:  # those are as good as 0
            continue
        value = (Fraction(hi) + Fraction(lo)) * Fraction(2) ** exponent
        difference = Fraction(answer) - value
        top = min(max(exponent - 1, form.emin), form.emax) if value else form.emin
        relative = difference / abs(value) if value else None
        ulp = abs(difference) / Fraction(2) ** (top - form.p + 1)
        for figure, exact in zip(figures, (abs(difference), relative and abs(relative), relative, ulp), strict=True):
            if exact is None:
                assert figure == 0 if answer == 0 else isinf(figure)
            elif isinf(figure):
                assert abs(exact) >= Fraction(2) ** 1024 * (1 - Fraction(2) ** -50)
            else:
                assert abs(Fraction(figure) - exact) <= 5 * Fraction(2) ** -53 * abs(exact) + Fraction(2) ** -1000


def plain(actual: NDArray[Any], expected: Expected, limits: dict[str, Floats], form: Format, offset: int) -> Tally:
    """Element after element."""
    figures = "absolute", "relative", "ulp", "ulp, flushed forgiven", "not finite", "lost", *limits
    counts, peaks = dict.fromkeys((f.name for f in fields(Counts)), 0), dict.fromkeys(figures, Peak())
    sums, bins = [Total()] * 4, [0] * len(EDGES)
    rows = errors(actual, expected, form).rows.reshape(4, -1).T.tolist()
    allowed = {name: limit.reshape(-1).tolist() for name, limit in limits.items()}

    def seen(name: str, value: float) -> None:
        if not isnan(value) and value > peaks[name].value:
            peaks[name] = Peak(value, offset + i)

    for i, (answer, (absolute, relative, signed, ulp)) in enumerate(zip(doubles(actual), rows, strict=True)):
        hi, lo = float(expected.hi.flat[i]), float(expected.lo.flat[i])
        finite = isfinite(answer) or overflows(answer, (hi, lo), int(expected.exponent.flat[i]), form)
        missed = hi == 0 and answer != 0
        below = bool(hi != 0 and expected.exponent.flat[i] <= form.emin)
        counts["elements"] += 1
        counts["nan"] += isnan(answer)
        counts["infinity"] += isinf(answer) and not finite
        counts["zero_references"] += hi == 0
        counts["missed_zeros"] += finite and missed
        beyond = finite and not missed and isinf(relative)
        counts["relative_overflows"] += beyond
        counts["subnormal_references"] += below
        counts["flushed"] += below and answer == 0
        counts["misrounded"] += not nearest(answer, (hi, lo), int(expected.exponent.flat[i]), ulp, form)
        away = isfinite(answer) and hi != 0 and (answer == 0 or (answer > 0) != (hi > 0))
        if lost := away and int(expected.exponent.flat[i]) > form.emin + 4:
            seen("lost", ulp)
        counts["lost"] += lost
        counts["unbounded"] += isinf(allowed["B"][i])
        if not finite:
            seen("not finite", inf)
        else:
            seen("absolute", absolute)
            sums[0] += term(absolute)
            sums[3] += term(ulp)
            if not (missed or beyond):
                seen("relative", relative)
                sums[1] += term(relative)
                sums[2] += term(signed)
        seen("ulp", ulp)
        seen("ulp, flushed forgiven", 0.0 if below and answer == 0 else ulp)
        for name, limit in allowed.items():
            seen(name, share(absolute, limit[i]) if finite else inf)
        if not isnan(ulp):
            bins[next(bin_ for bin_, edge in enumerate(EDGES) if ulp <= edge)] += 1
    return Tally(Counts(**counts), peaks, tuple(sums), tuple(bins))


def overflows(answer: float, parts: tuple[float, float], exponent: int, form: Format) -> bool:
    """Whether an infinite answer is what the value rounds to."""
    half_above = (2 - Fraction(2) ** -form.p) * Fraction(2) ** form.emax
    if not isinf(answer) or (answer > 0) != (parts[0] > 0):
        return False
    return abs(Fraction(parts[0]) + Fraction(parts[1])) >= half_above / Fraction(2) ** exponent


def nearest(answer: float, parts: tuple[float, float], exponent: int, ulp: float, form: Format) -> bool:
    """Whether no number of the format is nearer, or as near and even."""
    if not abs(ulp - 0.5) < 1e-6:
        return ulp < 0.5
    unit = Fraction(2) ** (min(max(exponent - 1, form.emin), form.emax) - form.p + 1)
    error = abs(Fraction(answer) - (Fraction(parts[0]) + Fraction(parts[1])) * Fraction(2) ** exponent) / unit
    return error < Fraction(1, 2) or (error == Fraction(1, 2) and even(answer, exponent, form))


def even(answer: float, exponent: int, form: Format) -> bool:
    """Whether it is an even number of the expected value's ulp; of ½ ulp more than a whole number, no."""
    unit = min(max(exponent - 1, form.emin), form.emax) - form.p + 1
    return Fraction(answer) / Fraction(2) ** unit % 2 == 0


def term(value: float) -> Total:
    return Total(0, value) if isinf(value) else Total(int(Fraction(value) * 2**1074))


def share(error: float, limit: float) -> float:
    """As IEEE 754 divides."""
    if limit == 0:
        return nan if error == 0 else inf
    return nan if isinf(error) and isinf(limit) else error / limit


@contextmanager
def chunks_of(elements: int) -> Iterator[None]:
    before, metrics.CHUNK = metrics.CHUNK, elements
    try:
        yield
    finally:
        metrics.CHUNK = before


@pytest.mark.parametrize("dtype", FORMATS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_figures_are_those_of_element_after_element_whatever_the_chunk(dtype: str, data: st.DataObject) -> None:
    actual, expected, limits = data.draw(questions(dtype))
    whole = repr(plain(actual, expected, limits, FORMATS[dtype], 7))
    for elements in (1, 3, 16, metrics.CHUNK):
        with chunks_of(elements):
            assert repr(measure(actual, expected, limits, FORMATS[dtype], 7)) == whole


@given(st.lists(st.one_of(st.sampled_from(EDGES.tolist()), st.floats(min_value=0.0), st.just(nan)), max_size=20))
def test_a_bin_holds_its_upper_end(ulp: list[float]) -> None:
    bins = np.searchsorted(EDGES, [value for value in ulp if not isnan(value)])
    found = metrics.histogram(metrics.octaves(np.array(ulp, np.float64)))
    assert found == tuple(np.bincount(bins, minlength=len(EDGES)).tolist())


def block(dtype: str, rows: int = 100, n: int = 1000) -> tuple[NDArray[Any], Expected, dict[str, Floats]]:
    """Answers up to 3 ulp off, with every kind of exception in every chunk."""
    rng, kind = np.random.Generator(np.random.Philox(key=3)), DTYPES[dtype]
    values = np.exp(rng.normal(scale=20, size=(rows, n)))
    hi, exponent = np.frexp(values)
    lo = rng.uniform(0, 2**-53, size=values.shape)
    hi[:, ::50], lo[:, ::50], exponent[:, ::50], exponent[:, 1::40] = 0, 0, 0, -(2**30)
    expected = Expected(hi, lo, exponent.astype(np.int32))
    with np.errstate(over="ignore"):
        actual = (expected.rounded() * (1 + rng.integers(-3, 4, size=values.shape) * FORMATS[dtype].u)).astype(kind)
    actual[:, 3::60], actual[:, 4::60], actual[:, 5::60], actual[:, 6::60] = nan, inf, -0.0, 1.0
    return actual, expected, {name: np.full(values.shape, bound) for name, bound in (("A", 1.0), ("B", inf))}


@pytest.mark.parametrize("dtype", FORMATS)
def test_measuring_takes_less_than_a_megabyte_beside_the_arrays(dtype: str, tmp_path: Path) -> None:
    """Of answers in a read-only file, in another order than they are told in."""
    actual, expected, limits = block(dtype)
    np.save(tmp_path / "answer.npy", np.asfortranarray(actual.view(f"uint{8 * actual.itemsize}")))
    stored = np.load(tmp_path / "answer.npy", mmap_mode="r").view(actual.dtype)
    assert not stored.flags.c_contiguous
    tracemalloc.start()
    found = measure(stored, expected, limits, FORMATS[dtype])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6
    assert repr(found) == repr(measure(actual, expected, limits, FORMATS[dtype]))
    with chunks_of(1000):
        assert repr(found) == repr(measure(actual, expected, limits, FORMATS[dtype]))


def test_percents_of_sixteen_bits_are_averaged_in_float64() -> None:
    for dtype in (np.float16, ml_dtypes.bfloat16):
        a = np.ones(20_000, dtype=dtype)
        assert mean_relative_error_percent(a, a * dtype(0.5)) == 50.0
