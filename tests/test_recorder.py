"""What is written down of adapters that nobody here has written yet, on NumPy's arrays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import reduce
from typing import Any

import numpy as np
import pytest

from backends.numpy import NumPy
from harness.transcript import Transcript, TranscriptError, in_words

X = np.array([[0.5, 1.5, -2.0], [3.0, 0.0, 1.0]])


def backend(softmax: Callable[..., Any], **members: Any) -> NumPy:
    """One with that method, which is given the backend, the logits and the axis."""
    return type("Brought", (NumPy,), {"softmax": softmax, **members})()


def recorded(softmax: Callable[..., Any], logits: Any = X, **members: Any) -> Transcript:
    """Its transcript, after the script was seen to give what the method gives."""
    made = backend(softmax, **members)
    found = in_words(made, "softmax", {"logits": logits, "axis": -1})
    names: dict[str, Any] = {}
    exec(found.whole, names)
    assert names["actual"].tobytes() == np.asarray(made.softmax(logits.copy(), -1)).tobytes(), found.whole
    return found


def lines(found: Transcript) -> list[str]:
    """After the input."""
    text = found.computation
    return text[text.index("dtype=np.float64)") :].splitlines()[1:]


def test_a_module_that_the_file_imports_is_recorded_too() -> None:
    """`np` is this file's own, as in an adapter that a third party brings."""
    found = recorded(lambda self, logits, axis: np.exp(logits) / np.exp(logits).sum(axis, keepdims=True))
    assert lines(found) == ["answer = np.exp(x) / np.exp(x).sum(-1, keepdims=True)"]
    assert type(np).__name__ == "module"


def test_writing_into_arrays() -> None:
    def softmax(self: Any, logits: Any, axis: int) -> Any:
        weights = np.exp(logits)
        total = weights.sum(axis, keepdims=True)
        weights /= total
        weights[0, :2] = weights[1, 1]
        return weights

    assert lines(recorded(softmax)) == [
        "weights = np.exp(x)",
        "weights /= weights.sum(-1, keepdims=True)",
        "weights[0, :2] = weights[1, 1]",
        "answer = weights",
    ]


def test_a_value_is_not_moved_behind_a_change_of_what_it_was_made_of() -> None:
    def softmax(self: Any, logits: Any, axis: int) -> Any:
        copied = logits.copy()
        before = copied * 2
        copied += 1
        copied[0] = 7
        return before + copied

    recorded(softmax)


def test_calls_stay_in_their_order() -> None:
    """The second changes what the first was made of: `second + first` must not be written in one line."""

    def softmax(self: Any, logits: Any, axis: int) -> Any:
        copied = logits.copy()
        first = np.exp(copied)
        second = np.multiply(copied, 2, out=copied)
        third = np.exp(copied)
        return second + first - third

    recorded(softmax)


def test_every_operator() -> None:
    def softmax(self: Any, x: Any, axis: int) -> Any:
        y = (2 - x) * (x + 1) / (3 + x**2) - (-x) // 2 + (7 % (abs(x) + 1)) ** (+x)
        chosen = ((x < 1) & (y >= 0)) | ~(x == y) | (x > 9) | (y <= -9) | (x != y)
        return np.where(chosen, y @ x.T @ y, 1 / (1 + x.T).T)

    def named(self: Any, logits: Any, axis: int) -> Any:
        return softmax(self, logits, axis)

    recorded(named)


def test_loops_conditions_and_plain_values() -> None:
    def softmax(self: Any, logits: Any, axis: int) -> Any:
        rows = [row - row.max() if row.ndim == 1 else None for row in logits]
        assert isinstance(logits, np.ndarray)
        assert len(logits) == logits.shape[0]
        return np.stack(rows) if "float" in str(logits.dtype) else logits

    assert lines(recorded(softmax)) == [
        "value = list(x)",
        "answer = np.stack([value[0] - value[0].max(), value[1] - value[1].max()])",
    ]


def test_a_function_handed_over_may_use_what_is_around_it() -> None:
    """Its parameter must not hide what it takes from outside, whatever both are called."""

    def softmax(self: Any, logits: Any, axis: int) -> Any:
        shift = logits.max()
        return np.apply_along_axis(lambda x: x - shift + logits.min() - (x * 0), axis, logits)

    found = recorded(softmax)
    assert lines(found) == [
        "shift = x.max()",
        "def f(x_2):",
        "    return x_2 - shift + x.min() - x_2 * 0",
        "answer = np.apply_along_axis(f, -1, x)",
    ]


def test_python_s_own_types_and_infinities_are_written_down() -> None:
    found = recorded(lambda self, logits, axis: np.where(logits.astype(bool), float("inf"), (1, -2.5, None)[1]))
    assert lines(found) == ["answer = np.where(x.astype(bool), float('inf'), -2.5)"]


def test_a_function_that_does_something_else_each_time_has_no_script() -> None:
    def softmax(self: Any, logits: Any, axis: int) -> Any:
        return np.apply_along_axis(lambda x: x * 2 if x.sum() > 1 else x * 3, axis, logits)

    with pytest.raises(TranscriptError, match="does something else when the framework calls it again"):
        recorded(softmax)


def test_a_function_that_is_never_called_has_no_script() -> None:
    with pytest.raises(TranscriptError, match="was never called"):
        in_words(
            backend(lambda self, logits, axis: np.frompyfunc(lambda x: x, 1, 1)),
            "softmax",
            {"logits": X, "axis": -1},
        )


def test_what_the_adapter_did_not_get_from_its_framework_has_no_script() -> None:
    foreign = object()
    with pytest.raises(TranscriptError, match="a object that the adapter did not get from its framework"):
        recorded(lambda self, logits, axis: np.multiply(logits, foreign))


def test_an_exception_of_the_adapter_is_not_taken_for_its_framework_s() -> None:
    def softmax(self: Any, logits: Any, axis: int) -> Any:
        raise ValueError("mine")

    with pytest.raises(TranscriptError, match="ValueError while it was recorded: mine"):
        recorded(softmax)


@pytest.mark.parametrize(
    ("softmax", "raised"),
    [
        (lambda self, logits, axis: logits @ logits, "ValueError"),
        (lambda self, logits, axis: logits[5], "IndexError"),
        (lambda self, logits, axis: logits.nothing, "AttributeError"),
        (lambda self, logits, axis: np.apply_along_axis(lambda x: x[9], axis, logits), "IndexError"),
        (lambda self, logits, axis: np.take(logits, 5, axis), "IndexError"),
        (lambda self, logits, axis: logits.max(axis).sum(axis=7) + 1, "AxisError"),
    ],
)
def test_a_script_raises_what_the_framework_raised(softmax: Any, raised: str) -> None:
    found = in_words(backend(softmax), "softmax", {"logits": X, "axis": -1})
    assert (found.raised, found.conversion) == (raised, "")
    with pytest.raises(Exception, match=r".") as caught:
        exec(found.script, {})
    assert type(caught.value).__name__ == raised


def test_settings_come_before_the_inputs_and_compiled_functions_after() -> None:
    def made(self: Any) -> None:
        NumPy.__init__(self)
        np.seterr(over="ignore")
        self.compiled = np.vectorize(self.each)
        self.unused = np.vectorize(self.never)

    found = recorded(
        lambda self, logits, axis: self.compiled(logits),
        __init__=made,
        each=lambda self, number: np.exp(number),
        never=lambda self, number: number,
    )
    assert found.setup.splitlines() == ["import numpy as np", "np.seterr(over='ignore')"]
    assert lines(found)[-1].startswith("answer = np.vectorize(")
    assert "never" not in found.script


def test_stand_ins_are_computed_with_and_not_written_down() -> None:
    """As for a question that ends the process: zeros go through, the true numbers are in the script."""
    seen = []

    def softmax(self: Any, logits: Any, axis: int) -> Any:
        seen.append(logits._real.copy())
        return np.exp(logits)

    found = in_words(backend(softmax), "softmax", {"logits": X, "axis": -1}, stand_ins=True)
    assert not any(array.any() for array in seen)
    assert "[0.5, 1.5, -2.0]" in found.script


def test_stand_ins_cannot_stand_in_where_numbers_decide() -> None:
    def softmax(self: Any, logits: Any, axis: int) -> Any:
        return np.exp(logits) if logits.max() > 0 else logits

    with pytest.raises(TranscriptError, match="depends on numbers"):
        in_words(backend(softmax), "softmax", {"logits": X, "axis": -1}, stand_ins=True)


def test_no_import_of_others_is_touched() -> None:
    """Only what the adapter's own files import is wrapped, and only for as long."""
    before = (__import__, reduce, nullcontext, vars(np)["exp"])
    recorded(lambda self, logits, axis: np.exp(logits))
    assert (__import__, reduce, nullcontext, np.exp) == before
