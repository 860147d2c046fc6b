"""Arrays as Python expressions: the same bytes, whatever they are."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from harness.numbers.arrays import dtype
from harness.numbers.formats import FORMATS
from harness.transcript.literals import RUNS, SHORT, literal

BITS = {"float64": "u8", "float32": "u4", "float16": "u2", "bfloat16": "u2"}
SPECIAL = (0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1 / 3)


def read(text: str) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = eval(text, {"np": np, "ml_dtypes": ml_dtypes, "base64": base64, "zlib": zlib})
    return array


def assert_same(array: np.ndarray[Any, Any]) -> str:
    text = literal(array)
    again = read(text)
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes()), text
    return text


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_every_number_of_16_bits(name: str) -> None:
    """But the NaN with another sign or payload than NumPy's own, all of them in type."""
    numbers = np.arange(2**16, dtype=np.uint16).view(dtype(name))
    with np.errstate(invalid="ignore"):  # ml_dtypes sets the flag
        others = np.isnan(numbers) & (numbers.view(np.uint16) != np.array(np.nan, dtype(name)).view(np.uint16))
    for part in np.array_split(numbers[~others], 1100):
        assert assert_same(part).startswith("np.array(")
    assert_same(numbers[others])


@given(st.data(), st.sampled_from(list(FORMATS)), array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
def test_any_bits_in_any_shape(data: st.DataObject, name: str, shape: tuple[int, ...]) -> None:
    assert_same(data.draw(arrays(BITS[name], shape)).view(dtype(name)))


@pytest.mark.parametrize("name", FORMATS)
def test_special_values_are_typed_out(name: str) -> None:
    form = FORMATS[name]
    edges = (form.quantum, -form.quantum, form.smallest_normal, form.smallest_normal - form.quantum)
    text = assert_same(np.array([*SPECIAL, *edges, 2.0**form.emax * (2 - 2 * form.u)], dtype=dtype(name)))
    assert "0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 0.33" in text


def test_another_nan_is_not_typed_out() -> None:
    assert "b64decode" in assert_same(np.array([0x7FC00001], np.uint32).view(np.float32))


@pytest.mark.parametrize("text", ["0.1", "1e-45", "3.4028235e+38", "16777216.0"])
def test_the_shortest_digits_of_the_format(text: str) -> None:
    assert assert_same(np.array(text, dtype=np.float32)) == f"np.array({text}, dtype=np.float32)"


def test_integers_keep_every_digit() -> None:
    assert assert_same(np.array([2**63 - 1, -(2**63)])) == (
        "np.array([9223372036854775807, -9223372036854775808], dtype=np.int64)"
    )


@given(st.lists(st.tuples(st.sampled_from(SPECIAL), st.integers(1, 200)), min_size=1, max_size=2 * RUNS))
def test_long_arrays_of_few_runs(runs: list[tuple[float, int]]) -> None:
    values, times = zip(*runs, strict=True)
    array = np.repeat(np.array(values, np.float32), times)
    text = assert_same(array)
    assert len(runs) > RUNS or array.size <= SHORT or text.startswith(("np.full(", "np.repeat("))


def test_long_arrays_of_all_sorts() -> None:
    array = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)
    assert "b64decode" in assert_same(array)


@given(
    arrays("f4", (4, 6), elements=st.floats(-9, 9, width=32)),
    st.sampled_from(
        [np.s_[::2], np.s_[:, ::3], np.s_[::-1, ::-1], np.s_[1:3, 2:5], np.s_[2], np.s_[:, 1], np.s_[None, ::-2]]
    ),
    st.booleans(),
)
def test_views_keep_their_place_in_memory(array: np.ndarray[Any, Any], key: Any, turned: bool) -> None:
    view = (array.T if turned else array)[key]
    assert_same(view)
    assert read(literal(view)).strides == view.strides


def test_an_array_that_is_broadcast_is_given_once() -> None:
    view = np.broadcast_to(np.array([1.5, 2.5]), (1000, 2))
    assert len(assert_same(view)) < 200
    assert read(literal(view)).strides == (0, 8)
