"""Balls into numbers, against exact fractions: near powers of two, at float64's ends, and where none is decided."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.truth.exact.balls import LOWEST_EXPONENT, UndecidedError, as_expected, decided

Value = tuple[float, float, int]
LARGEST_LOW = float(np.nextafter(2.0**-53, 0))
FAR = (0, 1, -1, 52, -899, -900, -901, -1021, -1022, -1074, -1075, 999, 1000, 1023, 1024, -100_000, 100_000)
"""Powers of two: ordinary ones, where float64s give way to integers, float64's own ends, and far out of them."""
NEAR = (1, 2, 52, 53, 54, 55, 60, 105, 106, 107, 108, 120, 500, 3000)
"""How near to them, as powers of ½."""


def numbers(*balls: arb) -> list[Value]:
    found = as_expected([decided(lambda: list(balls))])
    return list(zip(found.hi[0].tolist(), found.lo[0].tolist(), found.exponent[0].tolist(), strict=True))


def value(found: Value) -> Fraction:
    hi, lo, exponent = found
    return (Fraction(hi) + Fraction(lo)) * Fraction(2) ** exponent


def fraction(exact: arb) -> Fraction:
    mantissa, exponent = map(int, exact.man_exp())
    return mantissa * Fraction(2) ** exponent


def beside(power: int, near: int, side: int, sign: int = 1) -> arb:
    """±2^power·(1 + side·2^-near), exactly."""
    return arb((sign * ((1 << near) + side), power - near))


def ball(middle: tuple[int, int], radius: tuple[int, int]) -> arb:
    """Both as mantissa and exponent: exact middle, radius rounded up to 30 bits."""
    return arb(arb(middle), arb(radius))


def assert_holds(found: Value, true: Fraction) -> None:
    """The invariants of `Expected`, for a value that is not 0."""
    hi, lo, exponent = found
    assert 0.5 <= abs(hi) < 1
    assert abs(lo) <= 2.0**-53
    assert (hi > 0) == (true > 0)
    assert abs(value(found) - true) <= abs(true) * Fraction(2) ** -105
    assert Fraction(2) ** (exponent - 1) <= abs(true) < Fraction(2) ** exponent


signs = pytest.mark.parametrize("sign", [1, -1])
powers = pytest.mark.parametrize("power", FAR)


@signs
@powers
def test_a_power_of_two_is_a_half_and_nothing(power: int, sign: int) -> None:
    assert numbers(arb((sign, power))) == [(sign * 0.5, 0, power + 1)]


@signs
@powers
@pytest.mark.parametrize("side", [1, -1])
def test_beside_a_power_of_two_the_exponent_is_the_value_s(side: int, power: int, sign: int) -> None:
    exact = [beside(power, near, side, sign) for near in NEAR]
    for found, true in zip(numbers(*exact), map(fraction, exact), strict=True):
        assert_holds(found, true)


@signs
@powers
@pytest.mark.parametrize("near", [108, 120, 500, 3000])
def test_just_below_a_power_of_two_the_low_half_stops_at_the_float_below(near: int, power: int, sign: int) -> None:
    found = numbers(beside(power, near, -1, sign))
    assert found == [(sign * (1 - 2.0**-53), sign * LARGEST_LOW, power)]


exponents = st.one_of(st.integers(-850, 1100), st.integers(-1400, -850), st.integers(-100_000, 100_000))
mantissas = st.integers(-(2**200), 2**200).filter(bool)


@given(mantissas, exponents)
def test_an_exact_ball_is_its_number(mantissa: int, exponent: int) -> None:
    assert_holds(numbers(arb((mantissa, exponent)))[0], mantissa * Fraction(2) ** exponent)


@given(mantissas, exponents, st.integers(109, 400))
def test_every_point_of_a_narrow_ball_is_the_number(mantissa: int, exponent: int, accuracy: int) -> None:
    """With a radius of 2^-accuracy of the value at most, and no power of two inside."""
    top = exponent + mantissa.bit_length()
    narrow = ball((mantissa, exponent), (1, top - 2 - accuracy))
    assume(not any(narrow.contains(arb((side, power))) for side in (1, -1) for power in (top - 1, top)))
    middle, radius = fraction(narrow.mid()), fraction(narrow.rad())
    found = numbers(narrow)[0]
    for true in (middle - radius, middle, middle + radius):
        assert_holds(found, true)


@given(st.lists(st.tuples(mantissas, exponents), min_size=1, max_size=9))
def test_company_changes_no_number(pairs: list[tuple[int, int]]) -> None:
    balls = [arb(pair) for pair in pairs]
    assert numbers(*balls) == [numbers(alone)[0] for alone in balls]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_a_float64_is_itself(floats: list[float]) -> None:
    for (hi, lo, exponent), true in zip(numbers(*map(arb, floats)), floats, strict=True):
        assert (hi, exponent) == np.frexp(true)
        assert lo == 0


def test_agrees_with_mpmath() -> None:
    points = [k / 7 for k in range(-6000, 6000, 37)]
    found = as_expected([decided(lambda: [arb(x).exp() / 3 for x in points])])
    with mpmath.workprec(400):
        for x, hi, lo, exponent in zip(points, found.hi[0], found.lo[0], found.exponent[0], strict=True):
            true = mpmath.exp(mpmath.mpf(x)) / 3
            number = (mpmath.mpf(float(hi)) + mpmath.mpf(float(lo))) * mpmath.mpf(2) ** int(exponent)
            assert abs(number - true) <= true * mpmath.mpf(2) ** -105


@powers
@pytest.mark.parametrize("centre", [(0, 0), (1, 130), (-1, 130)], ids=["on it", "above it", "below it"])
@signs
def test_a_ball_on_both_sides_of_a_power_of_two_has_the_smaller_ulp(
    sign: int, centre: tuple[int, int], power: int
) -> None:
    side, near = centre
    astride = ball((sign * ((1 << near) + side), power - near), (1, power - 120))
    assert numbers(astride) == [(sign * (1 - 2.0**-53), sign * LARGEST_LOW, power)]


def test_a_subnormal_s_ball_with_a_power_of_two_off_its_midpoint_has_the_smaller_ulp() -> None:
    """Known to 17 bits, which is narrow enough there."""
    for side in (1, -1):
        found = numbers(ball(((1 << 18) + side, -1070 - 18), (1, -1087)))[0]
        assert found[2] == -1070
        assert Fraction(1, 2**1071) <= value(found) < Fraction(1, 2**1070)


def precisions(compute: Callable[[], list[arb]]) -> list[int]:
    """What a computation is run at."""
    seen: list[int] = []

    def watched() -> list[arb]:
        seen.append(ctx.prec)
        return compute()

    decided(watched)
    return seen


def one_and(near: int, side: int) -> arb:
    """1 + side·2^-near, as precision allows."""
    return arb(1) + arb((side, -near))


@pytest.mark.parametrize("side", [1, -1])
def test_precision_is_doubled_until_the_side_of_a_power_of_two_is_known(side: int) -> None:
    assert precisions(lambda: [one_and(400, side), arb(3)]) == [128, 256, 512]
    found = as_expected([decided(lambda: [one_and(400, side)])])
    assert found.exponent.tolist() == [[1 if side == 1 else 0]]


def test_precision_spent_on_a_side_ends() -> None:
    assert precisions(lambda: [one_and(100_000, 1)])[-1] == 8192
    assert as_expected([decided(lambda: [one_and(100_000, 1)])]).exponent.tolist() == [[0]]


def test_a_ball_that_is_known_to_thousands_of_bits_costs_no_further_precision() -> None:
    with ctx.workprec(8192):
        known = one_and(100_000, -1)
    assert precisions(lambda: [known]) == [128]
    assert numbers(known) == [(1 - 2.0**-53, LARGEST_LOW, 0)]


def test_precision_is_doubled_where_terms_cancel() -> None:
    assert precisions(lambda: [arb(1) + arb((3, -300)) - 1]) == [128, 256, 512]


@pytest.mark.parametrize("power", [-1090, -1200, -100_000])
def test_a_small_ball_about_zero_is_zero(power: int) -> None:
    assert numbers(ball((0, 0), (1, power)), ball((1, power), (1, power)), arb(0)) == [(0, 0, 0)] * 3


def test_a_ball_about_zero_that_reaches_a_subnormal_is_not_decided() -> None:
    with pytest.raises(UndecidedError, match="65536 bits"):
        decided(lambda: [ball((0, 0), (1, -1080))])


def test_a_value_beneath_every_format_is_known_to_2_to_the_minus_1086() -> None:
    """A radius of 2^-1090: no 20 bits of the value are sure, and its exponent is."""
    true, radius = Fraction(5, 2**1078), Fraction(1, 2**1090)
    hi, lo, exponent = numbers(ball((5, -1078), (1, -1090)))[0]
    assert abs(value((hi, lo, exponent)) - true) <= radius
    assert exponent == -1075


def test_what_is_smaller_than_any_exponent_stops_there() -> None:
    assert numbers(arb((-3, -(2**40))), arb((1, -(10**30)))) == [(-0.75, 0, LOWEST_EXPONENT), (0.5, 0, LOWEST_EXPONENT)]


@pytest.mark.parametrize("wide", [ball((3, 0), (1, -105)), arb("nan"), arb(0, 1)], ids=["wide", "nan", "about 0"])
def test_a_ball_that_never_narrows_is_undecided_and_precision_is_as_before(wide: arb) -> None:
    with ctx.workprec(77):
        with pytest.raises(UndecidedError, match=r"^softmax, row 3: not decided to 2\^-10 ulp at 65536 bits$"):
            decided(lambda: [arb(1), wide], "softmax, row 3")
        assert ctx.prec == 77


def test_precision_is_as_before_after_an_answer_and_after_an_error() -> None:
    with ctx.workprec(77):
        decided(lambda: [one_and(400, 1)])
        assert ctx.prec == 77
        with pytest.raises(ZeroDivisionError):
            decided(lambda: [arb(1 // 0)])
        assert ctx.prec == 77


def test_rows_stand_one_over_another() -> None:
    rows = [[arb(1), arb(3), arb(0)], [arb((1, -2000)), arb(-5), arb(0.75)]]
    found = as_expected([decided(lambda row=row: row) for row in rows])  # type: ignore[misc]
    assert found.hi.tolist() == [[0.5, 0.75, 0], [0.5, -0.625, 0.75]]
    assert found.exponent.tolist() == [[1, 2, 0], [-1999, 3, 0]]
    assert found.row(1).rounded().tolist() == [0, -5, 0.75]


@given(st.integers(2**52, 2**53 - 1), st.integers(0, 2**60 - 1))
def test_python_flint_rounds_midpoints_to_nearest(mantissa: int, rest: int) -> None:
    """By no word of its documentation (0.7 to 0.9): the search for powers of two relies on it."""
    above, half = rest > 2**59, rest == 2**59
    rounded = float(arb(((mantissa << 60) + rest, -60)))
    assert rounded == mantissa + above or (half and abs(rounded - mantissa) <= 1)
