"""Probes and splits: what is planted in a softmax is what they find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.judging.causes import causes, main_cause
from harness.judging.metrics import errors
from harness.judging.probes import EXPONENTIALS, exp_shows, measured_exp_error
from harness.numbers.formats import FORMATS
from harness.questions import blocks
from harness.truth import expected
from tests.formulas import pairwise, sequential

Function = Callable[[Any], Any]


def worst_cause(function: Function, logits: Any) -> tuple[str, dict[str, float]]:
    """Of the worst element of the first row."""
    dtype = logits.dtype.name
    exact, form = expected("softmax", logits, []), FORMATS[dtype]
    found = errors(function(logits), exact, form)
    element = int(found.ulp[0].argmax())
    parts = causes(logits[0], found.signed[0], exact.rounded()[0], element, form)
    return main_cause(parts), parts


def far(dtype: str, spread: float, n: int = 200) -> Any:
    return np.random.Generator(np.random.Philox(key=8)).uniform(0, spread, size=(1, n)).astype(dtype)


def with_exp(factor: Function) -> Function:
    """A softmax in float64 inside, whose exponentials are off by a factor of their argument."""

    def softmax(x: Any) -> Any:
        shifted = x.astype(np.float64) - x.max()
        weights = np.exp(shifted) * factor(shifted)
        return (weights / weights.sum(axis=-1, keepdims=True)).astype(x.dtype)

    return softmax


@pytest.mark.parametrize(("dtype", "spread"), [("float64", 300.0), ("float32", 60.0)])
def test_a_rounded_shift_is_blamed_for_what_it_costs(dtype: str, spread: float) -> None:
    cause, parts = worst_cause(pairwise, far(dtype, spread))
    assert cause == "shift"
    # What the shift does not explain: exp's, the sum's and the quotient's few u.
    assert abs(sum(parts.values()) - parts["shift"]) < 6


def test_a_chain_of_additions_is_the_sum_s() -> None:
    u = FORMATS["float32"].u
    logits = np.full((1, 5000), np.log(0.47 * u), dtype=np.float32)
    logits[0, 0] = 0
    cause, parts = worst_cause(sequential, logits)
    assert cause == "sum"
    # All 4,999 additions of 0.47 u to 1 are lost, so the sum is too small and every element too large.
    assert parts["sum"] == pytest.approx(4999 * 0.47, rel=0.01)


def test_an_exp_that_is_off_is_exp_s() -> None:
    u = FORMATS["float32"].u
    cause, parts = worst_cause(with_exp(lambda t: np.where(t < -3, 1 + 6 * u, 1)), far("float32", 4, 40))
    assert cause == "exp"
    assert 3 < parts["exp"] < 7


def test_one_element_off_by_more_than_all_of_them_is_unexplained() -> None:
    def spoilt(x: Any) -> Any:
        s = pairwise(x)
        s[0, 3] *= 1 + 40 * np.finfo(x.dtype).eps
        return s

    cause, parts = worst_cause(spoilt, far("float64", 2, 20))
    assert cause == "unexplained"
    assert parts["unexplained"] == pytest.approx(80 - 11, abs=4)


def test_exps_that_err_against_each_other_are_explained() -> None:
    """Each within the 8 u that theory allows in float32: the one element is 16 u off the median of the others."""
    u = FORMATS["float32"].u
    logits = np.array([[0, -0.3, -0.7, -1.1, -1.9]], dtype=np.float32)
    weights = np.exp(logits.astype(np.float64)) * (1 + np.array([-8, 8, -8, -8, -8]) * u)
    answer = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
    exact = expected("softmax", logits, [])
    signed = errors(answer, exact, FORMATS["float32"]).signed[0]
    parts = causes(logits[0], signed, exact.rounded()[0], 1, FORMATS["float32"])
    assert 14 < parts["exp"] < 17
    assert main_cause(parts) == "exp"


def test_a_zero_for_a_number_is_a_flush() -> None:
    logits = np.array([[0.0, -100.0]], dtype=np.float32)  # exp(-100) is subnormal in float32
    cause, _ = worst_cause(lambda x: np.where(pairwise(x) < 2.0**-126, 0, pairwise(x)).astype(x.dtype), logits)
    assert cause == "flush"


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_right_exp_is_measured_as_within_half_an_ulp(dtype: str) -> None:
    logits = blocks.array(EXPONENTIALS, "logits", dtype, (0, 1797))
    answer = expected("softmax", logits, []).rounded().astype(logits.dtype)
    found = measured_exp_error(expected("softmax", logits, []), answer, FORMATS[dtype])
    assert found is not None
    assert 0.5 < found <= 1.02  # half an ulp is up to 1 u


def test_a_bad_exp_is_measured() -> None:
    logits = blocks.array(EXPONENTIALS, "logits", "float32", (0, 1797))
    u = FORMATS["float32"].u
    answer = with_exp(lambda t: 1 + 20 * u * (t < -80))(logits)
    found = measured_exp_error(expected("softmax", logits, []), answer, FORMATS["float32"])
    assert found == pytest.approx(20, abs=1.1)


@pytest.mark.parametrize("bad", [np.zeros_like, lambda x: np.full_like(x, np.nan)])
def test_what_is_no_exponential_measures_nothing(bad: Function) -> None:
    logits = blocks.array(EXPONENTIALS, "logits", "float64", (0, 1797))
    found = measured_exp_error(expected("softmax", logits, []), bad(logits), FORMATS["float64"])
    assert found is None or found == 2.0**53  # all of the number, if it was flushed


def test_float16_has_no_room_for_the_probe() -> None:
    assert [name for name, form in FORMATS.items() if not exp_shows(form)] == ["float16"]


def test_the_probe_s_exponentials_are_normal_and_lost_in_the_sum() -> None:
    for dtype in ("float64", "float32", "bfloat16"):
        form = FORMATS[dtype]
        exponentials = np.exp(blocks.array(EXPONENTIALS, "logits", dtype, (0, 1797)).astype(np.float64)[:, 1:])
        assert exponentials.min() >= 2 * form.smallest_normal
        assert exponentials.sum(axis=1).max() < form.u / 40
