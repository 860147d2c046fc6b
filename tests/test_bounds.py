"""What theory allows: no right answer is above it, and the answers that must be are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness import arrays
from harness.bounds import any_order, bound
from harness.formats import FORMATS
from harness.judge import verdict
from harness.metrics import Tally, errors, tally
from harness.reference import expected
from tests.formulas import pairwise, sequential

Rows = NDArray[Any]
WIDE = ("float64", "float32")
"""The formats in which NumPy's own exp and sums are written; 16 bits are computed in 32."""


def unshifted(x: Rows) -> Rows:
    weights = np.exp(x)
    return weights / weights.sum(axis=-1, keepdims=True)


def reciprocal(x: Rows) -> Rows:
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights * (1 / weights.sum(axis=-1, keepdims=True))


def vjp_centred(x: Rows, v: Rows) -> Rows:
    s = pairwise(x)
    return s * (v - (s * v).sum(axis=-1, keepdims=True))


def vjp_by_delta(x: Rows, v: Rows) -> Rows:
    y = sequential(x)
    return y * v - y * np.cumsum(y * v, axis=-1)[:, -1:]


def vjp_by_quotient(x: Rows, v: Rows) -> Rows:
    """Forward mode through exp, sum and division: ė/Z − e·ΣẼ/Z²."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    total, tangent = e.sum(axis=-1, keepdims=True), e * v
    return tangent / total - e * tangent.sum(axis=-1, keepdims=True) / (total * total)


def log_softmax(x: Rows) -> Rows:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def logsumexp(x: Rows) -> Rows:
    largest = x.max(axis=-1, keepdims=True)
    return largest + np.log(np.exp(x - largest).sum(axis=-1, keepdims=True))


def jacobian_by_difference(x: Rows) -> Rows:
    s = pairwise(x)
    return (np.eye(x.shape[-1], dtype=x.dtype) * s[:, None, :] - s[:, :, None] * s[:, None, :]).reshape(len(x), -1)


def jacobian_factored(x: Rows) -> Rows:
    s = sequential(x)
    return (s[:, :, None] * (np.eye(x.shape[-1], dtype=x.dtype) - s[:, None, :])).reshape(len(x), -1)


def cross_entropy(x: Rows, labels: Rows) -> Rows:
    return -np.take_along_axis(log_softmax(x), labels[:, None], axis=-1)


def gradient_by_softmax(x: Rows, labels: Rows) -> Rows:
    return sequential(x) - np.eye(x.shape[-1], dtype=x.dtype)[labels]


def gradient_by_log_softmax(x: Rows, labels: Rows) -> Rows:
    """As torch's backward has it: exp of what the forward pass kept."""
    return np.exp(log_softmax(x)) - np.eye(x.shape[-1], dtype=x.dtype)[labels]


RIGHT: list[tuple[str, Callable[..., Rows], float]] = [
    ("softmax", pairwise, 300),
    ("softmax", sequential, 300),
    ("softmax", reciprocal, 300),
    ("softmax", unshifted, 40),
    ("log_softmax", log_softmax, 300),
    ("logsumexp", logsumexp, 300),
    ("vjp", vjp_centred, 300),
    ("vjp", vjp_by_delta, 300),
    ("jvp", vjp_by_quotient, 300),
    ("jacobian", jacobian_by_difference, 300),
    ("jacobian", jacobian_factored, 300),
    ("cross_entropy", cross_entropy, 300),
    ("cross_entropy_gradient", gradient_by_softmax, 300),
    ("cross_entropy_gradient", gradient_by_log_softmax, 80),
]


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(("operation", "function", "widest"), RIGHT, ids=[f.__name__ for _, f, _ in RIGHT])
def test_no_right_implementation_exceeds_its_bound(
    operation: str, function: Callable[..., Rows], widest: float, dtype: str, record_property: Any
) -> None:
    random, worst = np.random.Generator(np.random.Philox(key=2026)), 0.0
    for n in (1, 2, 3, 10, 40) if operation == "jacobian" else (1, 2, 3, 10, 100, 1000):
        spread = random.uniform(0, widest, size=(12, 1))
        logits = (random.uniform(-1, 0, size=(12, n)) * spread + random.normal(size=(12, 1))).astype(dtype)
        beside = [random.normal(size=(12, n)).astype(dtype)] if operation in ("vjp", "jvp") else []
        beside += [random.integers(0, n, size=12)] if operation.startswith("cross_entropy") else []
        fraction = share(operation, function(logits, *beside), logits, beside, dtype)
        worst = max(worst, fraction)
    record_property("largest share of the bound", worst)
    assert worst <= 1
    if function not in (reciprocal, unshifted):
        assert worst > 0.005  # a bound that nothing comes near would forgive anything


def share(
    operation: str, answer: Rows, logits: Rows, beside: list[Any], dtype: str, flush: float | None = None
) -> float:
    """Largest error as a share of the bound."""
    form = FORMATS[dtype]
    exact = expected(operation, logits, beside, form)
    allowed = bound(operation, logits, beside, exact.rounded(), form, any_order(logits.shape[-1]), flush)
    return float((errors(answer, exact, form).absolute / allowed).max())


@pytest.mark.parametrize("dtype", WIDE)
def test_a_wide_spread_explains_a_hundred_ulp(dtype: str) -> None:
    """A difference of 128 to 160 is rounded to 2^-46 in float64, which exp hands on whole: up to 128 ulp."""
    low, high, at_least = {"float64": (-160, -128, 100), "float32": (-40, -32, 25)}[dtype]
    random = np.random.Generator(np.random.Philox(key=160))
    logits = np.hstack([random.uniform(0, 0.1, size=(1000, 1)), random.uniform(low, high, size=(1000, 9))]).astype(
        dtype
    )
    exact = expected("softmax", logits, [], FORMATS[dtype])
    found = errors(pairwise(logits), exact, FORMATS[dtype])
    assert found.ulp.max() > at_least
    assert share("softmax", pairwise(logits), logits, [], dtype) <= 1


@pytest.mark.parametrize("dtype", FORMATS)
def test_exact_values_rounded_once_are_within_every_bound(operation: str, dtype: str) -> None:
    random = np.random.Generator(np.random.Philox(key=7))
    logits = random.normal(scale=5, size=(20, 6)).astype(arrays.dtype(dtype))
    beside: list[Any] = {"vjp": [logits[::-1]], "jvp": [logits[::-1]], "jacobian_row": [2]}.get(operation, [])
    beside = [np.arange(20) % 6] if operation.startswith("cross_entropy") else beside
    rounded = expected(operation, logits, beside, FORMATS[dtype]).rounded().astype(arrays.dtype(dtype))
    assert share(operation, rounded, logits, beside, dtype) <= 1


def test_a_flush_to_zero_is_forgiven_only_where_it_is_declared() -> None:
    logits = np.array([[0.0, -100.0, -95.0]], dtype=np.float32)  # exp(-95) = 5.5e-42, subnormal in float32
    flushed = pairwise(logits)
    flushed[flushed < 2.0**-126] = 0
    assert share("softmax", flushed, logits, [], "float32", 2.0**-126) <= 1
    assert share("softmax", flushed, logits, [], "float32") > 1


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda x: unshifted(x.astype(np.float32)).astype(x.dtype), id="float32 inside"),
        pytest.param(lambda x: pairwise(x) * (1 + 2.0**-44), id="a factor of 1 + 512 u"),
        pytest.param(lambda x: pairwise(x) + 2.0**-50, id="8 u added everywhere"),
        pytest.param(lambda x: np.where(pairwise(x) < 1e-20, 0, pairwise(x)), id="small values cut off"),
        pytest.param(lambda x: pairwise(x + 2.0**40), id="rounded after a shift"),
    ],
)
def test_wrong_answers_exceed_it(wrong: Callable[[Rows], Rows]) -> None:
    random = np.random.Generator(np.random.Philox(key=5))
    logits = random.uniform(-60, 0, size=(20, 10))
    assert share("softmax", wrong(logits), logits, [], "float64") > 1


def test_log_of_softmax_exceeds_it_where_softmax_underflows() -> None:
    logits = np.array([[0.0, -120.0]], dtype=np.float32)
    with np.errstate(divide="ignore"):
        assert share("log_softmax", np.log(pairwise(logits)), logits, [], "float32") > 1


def test_a_bound_may_be_vacuous_and_says_so() -> None:
    """2^25 additions in a chain may lose everything in float32: E reaches 1."""
    logits = np.zeros((1, 2**25), dtype=np.float32)
    assert np.isinf(bound("softmax", logits, [], np.zeros((1, 1)), FORMATS["float32"], any_order(2**25))).all()


@pytest.mark.parametrize("operation", ["softmax", "log_softmax", "logsumexp", "jacobian"])
@pytest.mark.parametrize("logits", [[0.0, -1.6e9], [0.0, -1e30], [3.0, -3e38]], ids=str)
def test_finite_masks_are_judged_like_any_other_logits(operation: str, logits: list[float]) -> None:
    """Once these overflowed in the judge: a NaN bound forgave everything, a wrapped exponent nothing."""
    x = np.array([logits], dtype=np.float32)
    right = {"softmax": pairwise, "log_softmax": log_softmax, "logsumexp": logsumexp, "jacobian": jacobian_factored}
    assert share(operation, right[operation](x), x, [], "float32") <= 1
    assert share(operation, right[operation](x) + np.float32(0.3) * np.abs(x).max(), x, [], "float32") > 1


def tallied(bounds: dict[str, list[list[float]]]) -> Tally:
    """Two right answers under these bounds."""
    form = FORMATS["float64"]
    exact = expected("softmax", np.zeros((1, 2)), [], form)
    answer = np.full((1, 2), 0.5 + 2.0**-52)
    return tally(answer, exact, errors(answer, exact, form), {k: np.array(v) for k, v in bounds.items()}, form)


def test_a_bound_that_is_nan_is_a_fault_of_ours_and_forgives_nothing() -> None:
    with pytest.raises(ValueError, match="a bound is NaN"):
        tallied({"B": [[1.0, np.nan]]})


def test_an_infinite_bound_is_no_verdict() -> None:
    assert verdict(tallied({"A": [[0, 0]], "B": [[1.0, np.inf]]}), declared=False) == "bound is vacuous"
