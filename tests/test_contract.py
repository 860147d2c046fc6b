"""What every backend owes, whichever it is. A new one adds no test code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backends import OPERATIONS as METHODS
from backends import Backend, find
from harness.judging.rows import declared_flaw
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, answer_shape
from harness.questions import blocks
from harness.questions.cases import CASES
from harness.records import Case, Group, Normal, Printed
from tests.conftest import Asked

VECTOR = Case("contract-vector", "one row, no batch", Normal(2), (3,), axes=(0,))
MIDDLE = Case("contract-middle", "softmax between two other dimensions", Normal(2), (2, 3, 2), axes=(0, 1, 2, -1, -2))


@pytest.mark.parametrize(
    ("case", "dtype", "axis"),
    [
        pytest.param(VECTOR, "float64", 0, id="vector", marks=pytest.mark.slow),
        pytest.param(MIDDLE, "float32", 1, id="middle axis"),
        pytest.param(MIDDLE, "float64", -2, id="middle axis from the end", marks=pytest.mark.slow),
    ],
)
def test_answers_stay_within_the_proved_bound(question: tuple[Asked, str], case: Case, dtype: str, axis: int) -> None:
    backend, operation = question
    comparison, _ = backend.judged(operation, case, dtype, axis)
    assert (comparison.outcome, comparison.reason) == ("ok", "")
    assert comparison.verdict == "within bound", comparison
    assert comparison.elements == np.prod(answer_shape(OPERATIONS[operation], case.shape, axis, case.classes))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_underflow_is_gradual_or_as_declared(whole_backend: Asked, dtype: str) -> None:
    """Exponentials about the smallest normal number and below; oneDNN's flushes the first of float32's already."""
    below = {"float64": (-708.3, -708.5, -720.0, -745.0), "float32": (-86.64341735839844, -87.4, -95.0, -103.5)}[dtype]
    case = Case("contract-underflow", "e^x about the smallest normal number", Printed(((0.0, *below),)), (1, 5))
    comparison, _ = whole_backend.judged("softmax", case, dtype, -1)
    assert comparison.verdict == "within bound", comparison


@pytest.mark.parametrize("dtype", FORMATS)
def test_answers_in_every_dtype_that_it_claims(whole_backend: Asked, dtype: str) -> None:
    if reason := find(whole_backend.name).unsupported("softmax", dtype):
        assert reason == f"{whole_backend.name} does not claim {dtype}"
        return
    comparison, _ = whole_backend.judged("softmax", CASES["sixteen"], dtype, -1)
    assert (comparison.verdict, comparison.reason) == ("within bound", "")


@pytest.mark.parametrize("axis", [0, -1])
def test_every_axis_is_the_one_that_was_asked_for(backend: Asked, axis: int) -> None:
    operation = find(backend.name).operations[0]
    comparison, _ = backend.judged(operation, MIDDLE, "float64", axis)
    assert comparison.verdict == "within bound", comparison


@pytest.mark.parametrize("name", ["seed001-overflow", "far-rows", "seed001-123"])
def test_declared_flaws_show_and_only_there(flawed_backend: Asked, name: str) -> None:
    case, operation = CASES[name], find(flawed_backend.name).operations[0]
    declared = declared_flaw(flawed_backend.name, Group(operation, case, "float64", -1, ()))
    comparison, _ = flawed_backend.judged(operation, case, "float64", case.axes[0])
    assert comparison.verdict in ({"known limitation"} if declared else {"within bound", "no finite bound"}), comparison


def test_implements_what_it_claims(backend: Asked) -> None:
    about = find(backend.name)
    for operation in about.operations:
        assert getattr(about, METHODS[operation]) is not getattr(Backend, METHODS[operation])
        assert about.unsupported(operation, "float64") is None
        assert "does not claim float8" in str(about.unsupported(operation, "float8"))


def test_jacobians_agree_with_their_own_products(whole_backend: Asked) -> None:
    """J·t from the whole Jacobian is the jvp, and vᵀ·J the vjp."""
    case = CASES["seed003-uniform"]
    jacobian = whole_backend.answer("jacobian", case)
    tangent, cotangent = (blocks.array(case, name, "float64", (0, 10)) for name in ("tangent", "cotangent"))
    # Each side is within 30 u of the exact product at n = 5, gaps under 1 (docs/bounds.md#products); entries under 1.
    allowed = 60 * 2.0**-53
    assert np.abs(np.einsum("kij,kj->ki", jacobian, tangent) - whole_backend.answer("jvp", case)).max() <= allowed
    assert np.abs(np.einsum("kij,ki->kj", jacobian, cotangent) - whole_backend.answer("vjp", case)).max() <= allowed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_torch_compile_answers_when_asked_for(ask: Any) -> None:
    """Not in the default selection, and not in the fixture: a program takes 1 to 14 s."""
    comparison, _ = ask("torch:compile").judged("softmax", VECTOR, "float64", 0)
    assert comparison.verdict == "within bound", comparison
