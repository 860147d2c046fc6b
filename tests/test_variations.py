"""One question put in other ways: layouts hold the same numbers, side effects and whims are seen."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.numpy import NumPy
from harness.faults import Fault, Verdict, sentence
from harness.judging.same_bits import STRICT, with_same_bits
from harness.numbers import arrays
from harness.operations import OPERATIONS
from harness.questions.variations import CALLS, HOSTILE, LAYOUTS, UnrepeatableError, disturbances, laid_out
from harness.records import Comparison
from harness.runs import store
from harness.workers.scheduling import AHEAD, Scheduler
from harness.workers.worker import InputChangedError, NoNumbersError, unspoilt

Array = np.ndarray[Any, Any]
SHAPES = [(5,), (3, 4), (4, 3, 5), (2, 3, 4, 5), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "broadcast"])
def test_a_layout_holds_the_same_numbers_and_nan_beside_them(layout: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    view = LAYOUTS[layout](array, -1)
    assert view.shape == array.shape
    assert (view == array).all()
    buffer = np.asarray(root(view))
    assert buffer is not array
    assert np.isnan(buffer).sum() == buffer.size - array.size
    if array.ndim > 1 and array.size > 1 and layout != "offset":
        assert view.strides != array.strides


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64"])
def test_what_is_broadcast_is_one_row_with_nothing_behind_it(dtype: str) -> None:
    rows = np.broadcast_to(np.arange(5), (4, 5)).astype(dtype)
    view = LAYOUTS["broadcast"](rows, -1)
    assert view.strides[0] == 0
    assert (view == rows).all()
    behind = np.asarray(root(view))[5:]
    assert len(behind) == 15
    assert (np.isnan(behind) if dtype != "int64" else behind == 1).all()
    ones = LAYOUTS["broadcast"](np.ones((3, 4)), 0)
    assert ones.strides == (0, 0)
    with pytest.raises(ValueError, match="nothing to broadcast"):
        LAYOUTS["broadcast"](np.arange(6.0).reshape(2, 3), -1)


def test_a_layout_is_the_logits_or_what_comes_from_upstream() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert laid_out("strided", "logits", array, -1, "logits") is not array
    assert laid_out("strided", "cotangent", array, -1, "logits") is array
    assert laid_out("upstream-strided", "logits", array, -1, "logits") is array
    assert laid_out("upstream-strided", "cotangent", array, -1, "logits") is not array
    assert laid_out("again", "logits", array, -1, "logits") is array


def root(view: Any) -> Any:
    while getattr(view, "base", None) is not None:
        view = view.base
    return view


def asked(method: Callable[..., Array], variation: str, shape: tuple[int, ...], axis: int) -> tuple[Array, Array]:
    """The plain answer and the other."""
    backend, x = NumPy(), np.random.default_rng(1).normal(size=shape)

    def call(arguments: Any) -> Array:
        return np.array(method(**arguments, axis=axis))

    return call({"logits": x}), CALLS[variation](call, {"logits": x}, axis, OPERATIONS["softmax"], backend)


@pytest.mark.parametrize(("shape", "axis"), [((4, 5), -1), ((5, 4), 0), ((3, 4, 5), 1), ((2, 3, 4, 5), 1)])
@pytest.mark.parametrize("variation", CALLS)
def test_what_is_right_is_the_same_however_it_is_asked(variation: str, shape: tuple[int, ...], axis: int) -> None:
    with np.errstate(all="ignore"):
        plain, other = asked(NumPy().softmax, variation, shape, axis)
    assert other.shape == plain.shape
    np.testing.assert_array_max_ulp(other, plain, 4)  # alone, NumPy may add in another order
    if variation != "alone":
        assert other.tobytes() == plain.tobytes()


def by_the_batch(logits: Array, axis: int) -> Array:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize("variation", ["alone", "hostile"])
def test_a_row_that_depends_on_others_is_seen(variation: str) -> None:
    with np.errstate(all="ignore"):
        plain, other = asked(by_the_batch, variation, (4, 5), -1)
    assert plain.tobytes() != other.tobytes()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_row_that_depends_on_one_hostile_value_is_seen_whichever_it_is(value: float) -> None:
    """Also in a batch of two, which has room for one at a time."""

    def touchy(logits: Array, axis: int) -> Array:
        answer = np.zeros_like(logits)
        return answer + np.any(np.isnan(logits) if np.isnan(value) else logits == value)

    plain, other = asked(touchy, "hostile", (2, 3), -1)
    assert plain.tobytes() != other.tobytes()


@pytest.mark.parametrize("count", range(2, 13))
def test_each_row_is_kept_beside_every_hostile_value(count: int) -> None:
    seen: dict[int, set[str]] = {0: set(), 1: set()}
    for kept, disturbed in disturbances(np.zeros((count, 3)), 0):
        assert (disturbed[kept::2] == 0).all()
        seen[kept] |= {str(number) for number in np.unique(disturbed[1 - kept :: 2])}
    assert seen[0] == seen[1] == {str(np.float64(value)) for value in HOSTILE}


def test_a_whim_is_seen() -> None:
    drawn = iter([0.0, 0.0, 0.0, 1e-16, 0.0, 0.0])
    with pytest.raises(UnrepeatableError, match="answer 3 of 5 has other bits"):
        asked(lambda logits, axis: np.full(3, 1e-3) + next(drawn), "again", (3,), -1)


@pytest.mark.parametrize("layout", ["", "strided", "offset", "flipped"])
def test_what_writes_into_its_input_or_beside_it_is_seen(layout: str) -> None:
    backend, array = NumPy(), np.arange(6.0).reshape(2, 3)
    view = laid_out(layout, "logits", array, -1, "logits")

    def in_place(logits: Array, axis: int) -> Array:
        logits[...] = 0
        return logits

    def beside(logits: Array, axis: int) -> Array:
        np.asarray(root(logits)).flat[-1] = 7.0
        return logits

    for spoils, where in ((in_place, "into"), (beside, "beside" if layout in ("strided", "offset") else "into")):
        with pytest.raises(InputChangedError, match=f"it wrote {where} its logits"):
            unspoilt(backend, spoils, {"logits": view}, -1)
    assert (unspoilt(backend, lambda logits, axis: logits + 1, {"logits": view}, -1) == view + 1).all()


class Converting(NumPy):
    """As frameworks do whose arrays are no NumPy arrays."""

    def to_numpy(self, array: Any) -> Any:
        return np.array(array.tolist())


@pytest.mark.parametrize(
    ("backend", "answer", "reason"),
    [
        (NumPy(), None, "answered with None, not an array"), (Converting(), None, "answered with None, not an array"),
        (NumPy(), "words", "answered with str, not an array"), (NumPy(), {1: 2}, "answered with dict, not an array"),
        (NumPy(), np.array([None]), "answered in object, which is no number"),
        (Converting(), np.array(["a"]), "answered in str32, which is no number"),
    ],
)  # fmt: skip
def test_what_is_no_array_of_numbers_is_said_to_be_none(backend: NumPy, answer: Any, reason: str) -> None:
    with pytest.raises(NoNumbersError, match=re.escape(reason)):
        unspoilt(backend, lambda logits, axis: answer, {"logits": np.zeros(3)}, -1)


@pytest.mark.parametrize("answer", [np.zeros(3, arrays.dtype("bfloat16")), np.float32(1), 2.0, np.ones(2, bool)])
def test_numbers_of_every_kind_are_answers(answer: Any) -> None:
    found = unspoilt(NumPy(), lambda logits, axis: answer, {"logits": np.zeros(3)}, -1)
    assert found.tolist() == np.array(answer).tolist()


def cells(*rows: tuple[str, str]) -> Any:
    made = [
        Comparison("softmax", case, "float32", -1, "torch", "ok", verdict=Verdict.WITHIN, answer=answer)
        for case, answer in rows
    ]
    return with_same_bits(store.frame(made, Comparison))


def test_same_bits_are_those_of_the_plain_question() -> None:
    found = cells(("zeros:3", "a"), ("zeros:3@strided", "a"), ("zeros:3@flipped", "b"), ("zeros:4@flipped", "b"))
    same = found.same_bits.astype("object").where(found.same_bits.notna(), None)
    assert list(same) == [None, True, False, None]
    assert set(found.verdict) == {Verdict.WITHIN}


@pytest.mark.parametrize("way", STRICT)
def test_some_ways_must_not_change_a_bit(way: str) -> None:
    found = cells(("zeros:3", "a"), (f"zeros:3@{way}", "b"))
    assert list(found.verdict) == [Verdict.WITHIN, Verdict.SHORT]
    assert (found.reason[1], found.fault[1]) == (sentence(Fault(STRICT[way])), STRICT[way])
    assert list(cells(("zeros:3", "a"), (f"zeros:3@{way}", "a")).verdict) == [Verdict.WITHIN, Verdict.WITHIN]


def test_nobody_runs_far_ahead_of_the_judge() -> None:
    turns, reached = Scheduler(1), threading.Event()

    def far() -> None:
        turns.wait_near(AHEAD + 1)
        reached.set()

    threading.Thread(target=far, daemon=True).start()
    turns.judged(1)
    assert not reached.wait(0.05)  # group 0 is not judged
    turns.judged(0)
    assert reached.wait(5)


def test_nobody_waits_once_all_are_released() -> None:
    turns = Scheduler(1)
    turns.release()
    turns.wait_near(10 * AHEAD)


@settings(max_examples=20, deadline=None)
@given(st.permutations([0, 1, 2, 3]))
def test_the_longest_comes_first_whoever_asked_first(order: list[int]) -> None:
    turns, served, threads = Scheduler(1), [], []

    def serve(rank: int) -> None:
        with turns.turn(rank):
            served.append(rank)

    with turns.turn(9):
        for rank in order:
            threads.append(threading.Thread(target=serve, args=(rank,)))
            threads[-1].start()
        while len(turns._waiting) < len(order):
            pass
    for thread in threads:
        thread.join(5)
    assert served == sorted(order)
