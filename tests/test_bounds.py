"""What theory allows: no right answer is above it, and the answers that must be are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.judging.grades import grade
from harness.judging.metrics import errors, measure
from harness.judging.rows import verdict
from harness.judging.tally import Tally
from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS
from harness.truth import expected
from harness.truth.bounds import NOTHING, Declared, any_order, blocked_tree, bound
from tests.asking import beside
from tests.formulas import pairwise, sequential
from tests.quick import only

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


def hvp_by_tangents(x: Rows, v: Rows, t: Rows) -> Rows:
    """ṡ ⊙ (v − s·v) − s·(ṡ·v), with ṡ = J·t: forward mode through s ⊙ (v − s·v)."""
    s, moved = sequential(x), vjp_by_delta(x, t)
    return moved * (v - (s * v).sum(axis=-1, keepdims=True)) - s * (moved * v).sum(axis=-1, keepdims=True)


def hvp_centred(x: Rows, v: Rows, t: Rows) -> Rows:
    s = pairwise(x)
    both = (t - (s * t).sum(axis=-1, keepdims=True)) * (v - (s * v).sum(axis=-1, keepdims=True))
    return s * (both - (s * both).sum(axis=-1, keepdims=True))


def log_softmax(x: Rows) -> Rows:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_vjp(x: Rows, v: Rows) -> Rows:
    """As frameworks have it that keep the log-softmax."""
    return v - np.exp(log_softmax(x)) * v.sum(axis=-1, keepdims=True)


def log_jvp(x: Rows, t: Rows) -> Rows:
    return t - (sequential(x) * t).sum(axis=-1, keepdims=True)


def log_jacobian(x: Rows) -> Rows:
    return (np.eye(x.shape[-1], dtype=x.dtype) - np.exp(log_softmax(x))[:, None, :]).reshape(len(x), -1)


def logsumexp(x: Rows) -> Rows:
    largest = x.max(axis=-1, keepdims=True)
    return largest + np.log(np.exp(x - largest).sum(axis=-1, keepdims=True))


def jacobian_by_difference(x: Rows) -> Rows:
    s = pairwise(x)
    return (np.eye(x.shape[-1], dtype=x.dtype) * s[:, None, :] - s[:, :, None] * s[:, None, :]).reshape(len(x), -1)


def jacobian_factored(x: Rows) -> Rows:
    s = sequential(x)
    return (s[:, :, None] * (np.eye(x.shape[-1], dtype=x.dtype) - s[:, None, :])).reshape(len(x), -1)


def middle_row(x: Rows, index: int) -> Rows:
    return jacobian_factored(x).reshape(len(x), x.shape[1], -1)[:, index]


def hot(x: Rows, labels: Rows) -> Rows:
    return np.eye(x.shape[-1], dtype=x.dtype)[labels]


def cross_entropy(x: Rows, labels: Rows) -> Rows:
    return -np.take_along_axis(log_softmax(x), labels[:, None], axis=-1)


def soft_cross_entropy(x: Rows, p: Rows) -> Rows:
    return -(p * log_softmax(x)).sum(axis=-1, keepdims=True)


def summed(rows: Callable[..., Rows], mean: bool = False) -> Callable[..., Rows]:
    def total(*given: Rows) -> Rows:
        losses = rows(*given)[:, 0]
        return np.cumsum(losses)[-1:, None] / losses.dtype.type(len(losses) if mean else 1)

    total.__name__ = f"{'mean' if mean else 'sum'}_of_{rows.__name__}"
    return total


def gradient_by_softmax(x: Rows, labels: Rows) -> Rows:
    return sequential(x) - hot(x, labels)


def gradient_by_log_softmax(x: Rows, labels: Rows) -> Rows:
    """As torch's backward has it: exp of what the forward pass kept."""
    return np.exp(log_softmax(x)) - hot(x, labels)


def mean_gradient(x: Rows, labels: Rows) -> Rows:
    """The cotangent 1/k goes in first, as in a backward pass."""
    share = x.dtype.type(1) / x.dtype.type(len(x))
    return np.exp(log_softmax(x)) * share - hot(x, labels) * share


def soft_gradient(x: Rows, p: Rows) -> Rows:
    return np.exp(log_softmax(x)) * p.sum(axis=-1, keepdims=True) - p


def squared_error(x: Rows, labels: Rows) -> Rows:
    return ((sequential(x) * hot(x, labels)).sum(axis=-1, keepdims=True) - 1) ** 2


def squared_error_gradient(x: Rows, labels: Rows) -> Rows:
    """Through the full Jacobian's row of the label."""
    s, count = pairwise(x), x.dtype.type(len(x))
    s_y = (s * hot(x, labels)).sum(axis=-1, keepdims=True)
    return 2 * (s_y - 1) / count * (s_y * (hot(x, labels) - s))


def second_of_cross_entropy(x: Rows, labels: Rows, t: Rows) -> Rows:
    p = np.exp(log_softmax(x))
    return p * (t - (p * t).sum(axis=-1, keepdims=True))


def layer(x: Rows, w: Rows) -> Rows:
    return pairwise(chained(x, w))


def chained(x: Rows, w: Rows) -> Rows:
    """Inner products in one chain of additions."""
    return np.cumsum(x[:, None, :] * w[None], axis=-1, dtype=x.dtype)[..., -1]


def layer_jacobian(x: Rows, w: Rows) -> Rows:
    s = sequential(chained(x, w))
    entries = s[:, :, None] * (np.eye(len(w), dtype=x.dtype) - s[:, None, :])
    return (entries[..., None] * x[:, None, None, :]).reshape(len(x), -1)


def layer_gradient(x: Rows, w: Rows, classes: Rows) -> Rows:
    gradient = gradient_by_log_softmax(chained(x, w), classes)
    return (gradient[..., None] * x[:, None, :]).reshape(len(x), -1)


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
    ("hvp", hvp_by_tangents, 300),
    ("hvp", hvp_centred, 300),
    ("log_softmax_vjp", log_vjp, 300),
    ("log_softmax_jvp", log_jvp, 300),
    ("log_softmax_jacobian", log_jacobian, 300),
    ("jacobian", jacobian_by_difference, 300),
    ("jacobian", jacobian_factored, 300),
    ("jacobian_row", middle_row, 300),
    ("cross_entropy", cross_entropy, 300),
    ("cross_entropy_sum", summed(cross_entropy), 300),
    ("cross_entropy_mean", summed(cross_entropy, mean=True), 300),
    ("cross_entropy_gradient", gradient_by_softmax, 300),
    ("cross_entropy_gradient", gradient_by_log_softmax, 80),
    ("cross_entropy_mean_gradient", mean_gradient, 300),
    ("cross_entropy_hvp", second_of_cross_entropy, 300),
    ("soft_cross_entropy", soft_cross_entropy, 300),
    ("soft_cross_entropy_sum", summed(soft_cross_entropy), 300),
    ("soft_cross_entropy_mean", summed(soft_cross_entropy, mean=True), 300),
    ("soft_cross_entropy_gradient", soft_gradient, 300),
    ("mean_squared_error", summed(squared_error, mean=True), 300),
    ("mean_squared_error_gradient", squared_error_gradient, 300),
    ("layer", layer, 30),
    ("layer_jacobian", layer_jacobian, 30),
    ("layer_cross_entropy_gradient", layer_gradient, 30),
]
SQUARE = ("jacobian", "jacobian_row", "log_softmax_jacobian", "layer_jacobian")
"""Operations whose answers are too large for long rows."""


def test_every_operation_is_tried() -> None:
    assert {operation for operation, _, _ in RIGHT} == set(OPERATIONS)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(("operation", "function", "widest"), RIGHT, ids=[f.__name__ for _, f, _ in RIGHT])
def test_no_right_implementation_exceeds_its_bound(
    operation: str, function: Callable[..., Rows], widest: float, dtype: str, record_property: Any
) -> None:
    random, worst = np.random.Generator(np.random.Philox(key=2026)), 0.0
    for n in (1, 2, 3, 10, 40) if operation in SQUARE else (1, 2, 3, 10, 100, 1000):
        spread = random.uniform(0, widest, size=(12, 1))
        logits = (random.uniform(-1, 0, size=(12, n)) * spread + random.normal(size=(12, 1))).astype(dtype)
        given = beside(operation, 12, n, dtype, random)
        worst = max(worst, share(operation, function(logits, *given), logits, given, dtype))
    record_property("bound", f"{operation}, {dtype}, {function.__name__}: {1 / worst:.3g} × the largest error")
    assert worst <= 1
    if function not in (reciprocal, unshifted):
        assert worst > 0.001  # a bound that nothing comes near would forgive anything


SIZES = {10: (4000, 2000), 100: (2000, 1000), 1000: (200, 780), 10_000: (10, 8), 50_000: (1, 1)}
"""Rows of softmax by the most elements that they have, with an odd and an even length: 10,000 of them."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("dtype", only(["float32"], FORMATS))
def test_10_000_random_rows_stay_within_their_bounds(dtype: str, record_property: Any) -> None:
    """n from 1 to 50,000 and spreads from 1 to 300, for sums of every shape that is tried here."""
    random = np.random.Generator(np.random.Philox(key=10_000))
    functions = (pairwise, sequential, reciprocal) if dtype != "bfloat16" else (in_float32, reciprocal)
    worst, rows = dict.fromkeys((f.__name__ for f in functions), 0.0), 0
    for most, counts in SIZES.items():
        for count, n in zip(counts, (int(random.integers(1, most)), most), strict=True):
            logits = random.uniform(-1, 0, size=(count, n)) * random.uniform(1, 300, size=(count, 1))
            x, rows = logits.astype(arrays.dtype(dtype)), rows + count
            exact = expected("softmax", x, [])
            for function in functions:
                found = errors(function(x), exact, FORMATS[dtype]).absolute
                allowed = bound("softmax", x, [], FORMATS[dtype], any_order)
                worst[function.__name__] = max(worst[function.__name__], float((found / allowed).max()))
    assert rows == 10_000
    for name, largest in worst.items():
        record_property("bound", f"10,000 rows of softmax, {dtype}, {name}: {1 / largest:.3g} × the largest error")
        assert largest <= 1, name


def in_float32(x: Rows) -> Rows:
    return pairwise(x.astype(np.float32)).astype(x.dtype)


def share(
    operation: str, answer: Rows, logits: Rows, given: list[Any], dtype: str, declared: Declared = NOTHING
) -> float:
    """Largest error as a share of the bound."""
    form = FORMATS[dtype]
    exact = expected(operation, logits, given)
    allowed = bound(operation, logits, given, form, any_order, declared)
    found = errors(answer.reshape(exact.hi.shape), exact, form).absolute
    return float(np.where(np.isinf(allowed), 0.0, found / allowed).max())


def differences(loss: Callable[..., Rows], x: Rows, step: float, *given: Any) -> Rows:
    """Central differences of every column of logits, as (rows, answers, n)."""
    columns = [
        (loss(x + x.dtype.type(step) * e, *given) - loss(x - x.dtype.type(step) * e, *given)) / x.dtype.type(2 * step)
        for e in np.eye(x.shape[-1], dtype=x.dtype)
    ]
    return np.stack(columns, axis=-1)


def entropy_of_probabilities(x: Rows, labels: Rows) -> Rows:
    return -np.log((pairwise(x) * hot(x, labels)).sum(axis=-1, keepdims=True)) / x.dtype.type(len(x))


def squared_error_of(x: Rows, labels: Rows) -> Rows:
    return squared_error(x, labels) / x.dtype.type(len(x))


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("step", [1e-3, 1e-2])
@pytest.mark.parametrize(
    ("operation", "loss"),
    [
        ("jacobian", pairwise),
        ("cross_entropy_mean_gradient", entropy_of_probabilities),
        ("mean_squared_error_gradient", squared_error_of),
    ],
)
def test_central_differences_err_by_truncation_and_rounding(
    operation: str, loss: Callable[..., Rows], step: float, dtype: str
) -> None:
    random, worst = np.random.Generator(np.random.Philox(key=15)), 0.0
    for n, spread in ((1, 1.0), (2, 1.0), (5, 4.0), (8, 12.0)):
        x = random.uniform(-spread, 0, size=(20, n)).astype(dtype)
        given = beside(operation, 20, n, dtype, random)
        declared = Declared(through_probabilities=True, difference_step=step)
        worst = max(worst, share(operation, differences(loss, x, step, *given), x, given, dtype, declared))
    assert 0.01 < worst <= 1


def test_central_differences_exceed_what_rounding_alone_explains() -> None:
    x = np.random.Generator(np.random.Philox(key=1)).normal(size=(20, 5))
    assert share("jacobian", differences(pairwise, x, 1e-3), x, [], "float64") > 1


@pytest.mark.parametrize("dtype", WIDE)
def test_losses_from_probabilities_need_to_be_declared(dtype: str) -> None:
    """ln(softmax) is off by u·|ln s| and exp's own error beside, and infinite where softmax underflows."""
    random = np.random.Generator(np.random.Philox(key=16))
    x = random.uniform(-80, 0, size=(200, 5)).astype(dtype)
    labels = random.integers(0, 5, size=200)
    answer = entropy_of_probabilities(x, labels) * x.dtype.type(200)
    through = Declared(through_probabilities=True)
    assert 0.01 < share("cross_entropy", answer, x, [labels], dtype, through) <= 1
    far = np.array([[0.0, -800.0]], dtype=dtype)
    with np.errstate(divide="ignore"):
        lost = entropy_of_probabilities(far, np.array([1]))
    assert np.isinf(lost).all()
    assert np.isinf(bound("cross_entropy", far, [np.array([1])], FORMATS[dtype], any_order, through)).all()
    assert np.isfinite(bound("cross_entropy", far, [np.array([1])], FORMATS[dtype], any_order)).all()


@pytest.mark.parametrize("dtype", WIDE)
def test_a_logarithm_of_a_softmax_and_its_gradient_need_to_be_declared(dtype: str) -> None:
    """v/ŝ, and back through the softmax: what cancels there does so exactly, whatever ŝ is off by."""
    random, through = np.random.Generator(np.random.Philox(key=17)), Declared(through_probabilities=True)
    x = random.uniform(-60, 0, size=(200, 7)).astype(dtype)
    v = (random.normal(size=x.shape) * 2.0 ** random.integers(-9, 9, size=x.shape)).astype(dtype)
    s = pairwise(x)
    gradient = s * (v / s - (s * (v / s)).sum(axis=-1, keepdims=True))
    assert 0.1 < share("log_softmax", np.log(s), x, [], dtype, through) <= 1
    assert 0.1 < share("log_softmax_vjp", gradient, x, [v], dtype, through) <= 1
    assert share("log_softmax_vjp", gradient * x.dtype.type(1.01), x, [v], dtype, through) > 1
    assert share("log_softmax_vjp", np.abs(gradient), x, [v], dtype, through) > 1


def less_logsumexp(x: Rows) -> Rows:
    return x - logsumexp(x)


THROUGH_LOGS: list[tuple[str, Callable[..., Rows]]] = [
    ("softmax", lambda x: np.exp(less_logsumexp(x))),
    ("softmax", lambda x: np.exp(log_softmax(x))),
    ("log_softmax", less_logsumexp),
    ("vjp", lambda x, v: np.exp(less_logsumexp(x)) * (v - (np.exp(less_logsumexp(x)) * v).sum(axis=-1, keepdims=True))),
]


@pytest.mark.parametrize("dtype", only(["float32"], WIDE))
@pytest.mark.parametrize(
    ("operation", "function"), THROUGH_LOGS, ids=["exp(x - lse)", "exp(log_softmax)", "x - lse", "vjp"]
)
def test_a_softmax_through_logs_needs_to_be_declared(operation: str, function: Callable[..., Rows], dtype: str) -> None:
    """Declared it is within, and times 1.01 it is not; undeclared it is above what is proved."""
    random, through = np.random.Generator(np.random.Philox(key=61)), Declared(through_logs=True)
    undeclared, within, wrong = 0.0, 0.0, np.inf
    for n, spread in ((2, 40.0), (5, 80.0), (100, 4.0), (1000, 1.0)):
        far = 60.0 if function is THROUGH_LOGS[1][1] else 1000.0
        x = (random.uniform(-spread, 0, size=(200, n)) + random.uniform(-far, far, size=(200, 1))).astype(dtype)
        given = beside(operation, 200, n, dtype, random)
        answer = function(x, *given)
        undeclared = max(undeclared, share(operation, answer, x, given, dtype))
        within = max(within, share(operation, answer, x, given, dtype, through))
        wrong = min(wrong, share(operation, answer * x.dtype.type(1.01), x, given, dtype, through))
    assert within <= 1 < wrong
    assert undeclared > 1


def powers(x: Rows, shift_first: bool) -> tuple[Rows, Rows]:
    """Powers of 2 of logits times log2 e, their shift taken before the product or after it; and the shift as it is."""
    constant = x.dtype.type(np.log2(np.e))
    shifted = x - x.max(axis=-1, keepdims=True)
    scaled = shifted * constant if shift_first else x * constant - (x * constant).max(axis=-1, keepdims=True)
    return np.exp2(scaled), scaled * x.dtype.type(np.log(2))


def softmax_of_powers(x: Rows, shift_first: bool) -> Rows:
    weights, _ = powers(x, shift_first)
    return weights / weights.sum(axis=-1, keepdims=True)


def logsumexp_of_powers(x: Rows, shift_first: bool) -> Rows:
    weights, _ = powers(x, shift_first)
    top = x.max(axis=-1, keepdims=True) * x.dtype.type(np.log2(np.e))
    return (top + np.log2(weights.sum(axis=-1, keepdims=True))) * x.dtype.type(np.log(2))


def log_softmax_of_powers(x: Rows, shift_first: bool) -> Rows:
    weights, shifted = powers(x, shift_first)
    return shifted - np.log(weights.sum(axis=-1, keepdims=True))


def vjp_of_powers(x: Rows, v: Rows, shift_first: bool) -> Rows:
    s = softmax_of_powers(x, shift_first)
    return s * (v - (s * v).sum(axis=-1, keepdims=True))


SCALED: list[tuple[str, Callable[..., Rows]]] = [
    ("softmax", softmax_of_powers), ("log_softmax", log_softmax_of_powers), ("logsumexp", logsumexp_of_powers),
    ("vjp", vjp_of_powers),
]  # fmt: skip


@pytest.mark.parametrize("dtype", only(["float32"], WIDE))
@pytest.mark.parametrize("shift_first", [True, False])
@pytest.mark.parametrize(("operation", "function"), SCALED, ids=[name for name, _ in SCALED])
def test_powers_of_two_of_rounded_products_need_to_be_declared(
    operation: str, function: Callable[..., Rows], shift_first: bool, dtype: str
) -> None:
    """Declared they are within, and times 1.01 they are not; undeclared a softmax's are above what is proved."""
    random, through = np.random.Generator(np.random.Philox(key=62)), Declared(scaled_logits=True)
    undeclared, within, wrong = 0.0, 0.0, np.inf
    for n, spread in ((2, 40.0), (5, 80.0), (100, 4.0), (1000, 1.0)):
        far = 1000.0
        x = (random.uniform(-spread, 0, size=(200, n)) + random.uniform(-far, far, size=(200, 1))).astype(dtype)
        given = beside(operation, 200, n, dtype, random)
        answer = function(x, *given, shift_first=shift_first)
        undeclared = max(undeclared, share(operation, answer, x, given, dtype))
        within = max(within, share(operation, answer, x, given, dtype, through))
        wrong = min(wrong, share(operation, answer * x.dtype.type(1.01), x, given, dtype, through))
    assert 0.1 < within <= 1 < wrong
    assert undeclared > 1 or shift_first


def test_a_mask_far_below_costs_powers_of_two_nothing() -> None:
    """The product of a far logit is off by more than the row spans, and its power is 0 all the same."""
    x = np.array([[1.0, 0.0, np.finfo("float32").min / 2]], dtype=np.float32)
    through = Declared(scaled_logits=True)
    allowed = bound("softmax", x, [], FORMATS["float32"], any_order, through)
    assert (allowed < 20 * FORMATS["float32"].u).all()
    assert np.isfinite(bound("log_softmax", x, [], FORMATS["float32"], any_order, through)).all()


def test_a_maximum_may_be_too_large_for_a_softmax_through_logs() -> None:
    x = np.array([[1e9, 1e9 - 64]], dtype=np.float32)
    through = Declared(through_logs=True)
    assert np.isinf(bound("softmax", x, [], FORMATS["float32"], any_order, through)).all()


@pytest.mark.parametrize("dtype", WIDE)
def test_a_wide_spread_explains_a_hundred_ulp(dtype: str) -> None:
    """A difference of 128 to 160 is rounded to 2^-46 in float64, which exp hands on whole: up to 128 ulp."""
    low, high, at_least = {"float64": (-160, -128, 100), "float32": (-40, -32, 25)}[dtype]
    random = np.random.Generator(np.random.Philox(key=160))
    logits = np.hstack([random.uniform(0, 0.1, size=(1000, 1)), random.uniform(low, high, size=(1000, 9))]).astype(
        dtype
    )
    exact = expected("softmax", logits, [])
    found = errors(pairwise(logits), exact, FORMATS[dtype])
    assert found.ulp.max() > at_least
    assert share("softmax", pairwise(logits), logits, [], dtype) <= 1


@pytest.mark.parametrize("dtype", FORMATS)
def test_exact_values_rounded_once_are_within_every_bound(operation: str, dtype: str) -> None:
    random = np.random.Generator(np.random.Philox(key=7))
    logits = random.normal(scale=5, size=(20, 6)).astype(arrays.dtype(dtype))
    given = beside(operation, 20, 6, dtype, random)
    rounded = expected(operation, logits, given).rounded().astype(arrays.dtype(dtype))
    assert share(operation, rounded, logits, given, dtype) <= 1


def test_a_flush_to_zero_is_forgiven_only_where_it_is_declared() -> None:
    logits = np.array([[0.0, -100.0, -95.0]], dtype=np.float32)  # exp(-95) = 5.5e-42, subnormal in float32
    flushed = pairwise(logits)
    flushed[flushed < 2.0**-126] = 0
    assert share("softmax", flushed, logits, [], "float32", Declared(flush=2.0**-126)) <= 1
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
    """10,000 additions in a chain may be off by e^39 in bfloat16, or so says the product of their roundings."""
    logits = np.zeros((1, 10_000), dtype=arrays.dtype("bfloat16"))
    assert np.isinf(bound("softmax", logits, [], FORMATS["bfloat16"], any_order)).all()
    assert np.isfinite(bound("softmax", logits, [], FORMATS["bfloat16"], blocked_tree)).all()


@pytest.mark.parametrize("operation", ["softmax", "log_softmax", "logsumexp", "vjp"])
@pytest.mark.parametrize("n", [100, 600, 5000])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_chain_that_stalls_is_within_its_bound(dtype: str, n: int, operation: str) -> None:
    """The terms of a stalled chain are lost, and no more than they: up to n roundings that are worth e^20."""
    random = np.random.Generator(np.random.Philox(key=16))
    x = np.vstack([np.zeros((1, n)), random.normal(size=(2, n))]).astype(arrays.dtype(dtype))
    v = random.uniform(-1, 1, size=(3, n)).astype(x.dtype)
    shifted = x - x.max(axis=-1, keepdims=True)
    weights = np.exp(shifted)
    total = one_chain(weights)
    s = weights / total
    answer = {
        "softmax": s,
        "log_softmax": shifted - np.log(total),
        "logsumexp": x.max(axis=-1, keepdims=True) + np.log(total),
        "vjp": s * (v - one_chain(s * v)),
    }[operation]
    given = [v] if operation == "vjp" else []
    assert share(operation, answer, x, given, dtype) <= 1
    if n < 5000:
        assert share(operation, np.full_like(answer, 1000), x, given, dtype) > 1


def one_chain(terms: Rows) -> Rows:
    total = np.zeros_like(terms[:, :1])
    for k in range(terms.shape[1]):
        total = total + terms[:, k : k + 1]
    return total


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
    exact = expected("softmax", np.zeros((1, 2)), [])
    answer = np.full((1, 2), 0.5 + 2.0**-52)
    return measure(answer, exact, {k: np.array(v) for k, v in bounds.items()}, form)


def test_a_bound_that_is_nan_is_a_fault_of_ours_and_forgives_nothing() -> None:
    with pytest.raises(ValueError, match="a bound is NaN"):
        tallied({"B": [[1.0, np.nan]]})


def test_an_infinite_bound_is_no_verdict() -> None:
    assert verdict(tallied({"A": [[0, 0]], "B": [[1.0, np.inf]]}), declared=False) == "no finite bound"


def test_what_is_within_a_finite_bound_is_so_whatever_a_wider_one_says() -> None:
    tally = tallied({"A": [[1.0, 1.0]], "B": [[1.0, np.inf]]})
    assert (grade(tally), verdict(tally, declared=False)) == ("A", "within bound")
