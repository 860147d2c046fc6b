"""What a chain of additions excuses: a digit at least stays right, and a row is moved as a whole, or it is no chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.faults import Kind
from harness.judging import judge, pairs
from harness.judging.chains import MOVES, OWN, directions, residual_shares
from harness.judging.metrics import errors
from harness.judging.probes import Measured
from harness.judging.significant_digits import digit, leaves_digit
from harness.numbers import arrays
from harness.numbers.formats import DIGIT, FORMATS
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.records import Case, Comparison, Group, Normal, Printed, Property, Recipe, Result
from harness.records import Chain as Lost
from harness.truth import expected
from harness.truth.bounds import blocked_tree, bound
from tests.asking import beside
from tests.quick import only

Rows = np.ndarray[Any, Any]
Formula = Callable[..., Rows]


def total(weights: Rows) -> Rows:
    """One by one, in the format itself: NumPy's own sum has 16 bits added up in 32."""
    return np.cumsum(weights, axis=-1, dtype=weights.dtype)[..., -1:]


def softmax(x: Rows) -> Rows:
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / total(weights)


def log_softmax(x: Rows) -> Rows:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(total(np.exp(shifted)))


def unit(x: Rows) -> Rows:
    return np.eye(x.shape[-1]).astype(x.dtype)


def product(x: Rows, v: Rows) -> Rows:
    s = softmax(x)
    return s * (v - total(s * v))


def by_quotient(x: Rows, v: Rows) -> Rows:
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    moved = weights * v
    return moved / total(weights) - weights * (total(moved) / (total(weights) * total(weights)))


def second(x: Rows, v: Rows, t: Rows) -> Rows:
    s = softmax(x)
    both = (t - total(s * t)) * (v - total(s * v))
    return s * (both - total(s * both))


def by_tangents(x: Rows, v: Rows, t: Rows) -> Rows:
    s, moved = softmax(x), product(x, t)
    return moved * (v - total(s * v)) - s * total(moved * v)


def squared_error(x: Rows, labels: Rows) -> Rows:
    s, hot = softmax(x), unit(x)[labels]
    at = total(s * hot)
    return x.dtype.type(2) * (at - x.dtype.type(1)) / x.dtype.type(len(x)) * (at * (hot - s))


CHAINED: list[tuple[str, Formula]] = [
    ("log_softmax", log_softmax),
    ("jacobian", lambda x: softmax(x)[:, :, None] * (unit(x) - softmax(x)[:, None, :])),
    ("jacobian_row", lambda x, index: softmax(x)[:, [index]] * (unit(x)[index] - softmax(x))),
    ("jacobian_row", lambda x, index: product(x, np.broadcast_to(unit(x)[index], x.shape))),
    ("vjp", product),
    ("jvp", by_quotient),
    ("hvp", second),
    ("hvp", by_tangents),
    ("log_softmax_vjp", lambda x, v: v - np.exp(log_softmax(x)) * total(v)),
    ("log_softmax_jvp", lambda x, t: t - total(softmax(x) * t)),
    ("log_softmax_jacobian", lambda x: unit(x) - softmax(x)[:, None, :]),
    ("cross_entropy_gradient", lambda x, labels: softmax(x) - unit(x)[labels]),
    ("cross_entropy_mean_gradient", lambda x, y: (softmax(x) - unit(x)[y]) / x.dtype.type(len(x))),
    ("cross_entropy_hvp", lambda x, _, t: product(x, t)),
    ("soft_cross_entropy_gradient", lambda x, p: np.exp(log_softmax(x)) * total(p) - p),
    ("mean_squared_error_gradient", squared_error),
]
SQUARE = ("jacobian", "log_softmax_jacobian")
CHAINS_IN = ("float32", "float16", "bfloat16")


def rows_of(kind: str, count: int, n: int, dtype: str) -> Rows:
    random = np.random.Generator(np.random.Philox(key=n))
    if kind == "lost":
        x = np.full((count, n), np.log(0.47 * FORMATS[dtype].u))
        x[np.arange(count), random.integers(0, n, count)] = 0
    else:
        x = random.normal(size=(count, n)) * 0.3
    return x.astype(arrays.dtype(dtype))


def test_every_operation_that_a_chain_moves_is_tried() -> None:
    assert {operation for operation, _ in CHAINED} == set(MOVES)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", only(["bfloat16"], CHAINS_IN))
@pytest.mark.parametrize(("operation", "function"), CHAINED)
def test_a_chain_moves_its_row_as_a_whole(operation: str, function: Formula, dtype: str) -> None:
    """Whatever is above B in a row that is added up one by one: no element of it is called its own."""
    form, random = FORMATS[dtype], np.random.Generator(np.random.Philox(key=12))
    for n in (64, 150) if operation in SQUARE else (100, 1000):
        for kind in ("lost", "normal"):
            x = rows_of(kind, 6, n, dtype)
            given = beside(operation, 6, n, dtype, random)
            exact = expected(operation, x, given)
            found = errors(function(x, *given).reshape(exact.hi.shape), exact, form)
            moves = directions(operation, x, given)
            assert moves is not None
            error = np.copysign(found.absolute, found.signed)
            assert residual_shares(error, bound(operation, x, given, form, blocked_tree), moves).max() <= 1


@pytest.mark.parametrize("operation", MOVES)
def test_one_element_is_not_moved_by_a_chain(operation: str) -> None:
    """Nor all of them at random; along the directions, by as much, they are."""
    random, n = np.random.Generator(np.random.Philox(key=3)), 48 if operation in SQUARE else 400
    x = random.normal(size=(3, n))
    given = beside(operation, 3, n, "float64", random)
    allowed = bound(operation, x, given, FORMATS["float64"], blocked_tree)
    moves = directions(operation, x, given)
    assert moves is not None
    far = 10 * OWN
    along = moves @ random.normal(size=moves.shape[-1])
    along *= far * (allowed / np.abs(along)).min(axis=-1, keepdims=True)
    assert residual_shares(along, allowed, moves).max() <= 1
    one = np.zeros_like(allowed)
    one[1, 17] = far * allowed[1, 17]
    for wrong in (one, along + one, allowed * random.choice([-far, far], size=allowed.shape)):
        shares = residual_shares(wrong, allowed, moves)
        assert shares.max() > 1
        assert wrong is not one or np.unravel_index(shares.argmax(), shares.shape) == (1, 17)


def cell(
    operation: str, recipe: Recipe, shape: tuple[int, int], dtype: str, function: Formula, height: int | None = None
) -> tuple[Comparison, list[Property]]:
    """As a run would judge it, with a chain over the whole row as its probe shows it."""
    group = Group(operation, Case("rows", "", recipe, shape), dtype, -1, ("numpy",))
    given = blocks.arguments(group.case, OPERATIONS[operation], dtype, -1, (0, shape[0]))
    results = {("numpy", 0): Result(0, 0, "numpy", "ok")}
    with np.errstate(all="ignore"):
        answer = function(*given.values())
    known = {"numpy": Measured(shape[1] - 1 if height is None else height)}
    found = judge.judge(group, results, lambda _: answer, pairs.all_pairs, known)
    return found.comparisons[0], found.properties


@pytest.mark.parametrize(("dtype", "n"), [("float16", 4096), ("bfloat16", 512), ("bfloat16", 4096)])
@pytest.mark.parametrize("recipe", [Normal(0.0), Normal(0.1)], ids=["zeros", "near"])
def test_a_sum_that_stands_still_has_no_digit_right(dtype: str, n: int, recipe: Normal) -> None:
    for operation, function in (("softmax", softmax), ("log_softmax", log_softmax)):
        found, laws = cell(operation, recipe, (2, n), dtype, function)
        assert (found.verdict, found.grade, found.fault) == ("fails", "F", Kind.NO_DIGIT)
        assert "fails" in [law.verdict for law in laws] or operation == "log_softmax"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sum_one_by_one_in_wider_formats_is_a_c_with_its_reason(dtype: str) -> None:
    found, laws = cell("softmax", Lost(), (4, 4096), dtype, softmax)
    assert (found.verdict, found.grade, found.reason) == ("within bound", "C", "a sum in chains of 4,095 additions")
    assert {law.verdict for law in laws} == {"within bound"}


@pytest.mark.parametrize("dtype", FORMATS)
def test_what_is_added_up_wider_or_pairwise_keeps_its_grade(dtype: str) -> None:
    def wider(x: Rows) -> Rows:
        return softmax(x.astype(np.float64)).astype(x.dtype)

    def own(x: Rows) -> Rows:
        weights = np.exp(x - x.max(axis=-1, keepdims=True))
        parts = weights
        while parts.shape[-1] > 1:
            parts = parts[..., ::2] + parts[..., 1::2]
        return weights / parts

    for recipe in (Normal(0.0), Normal(3.0), Lost()):
        if dtype != "float64":
            assert cell("softmax", recipe, (2, 4096), dtype, wider, height=20)[0].grade in ("A+", "A")
        assert cell("softmax", recipe, (2, 4096), dtype, own, height=20)[0].grade in ("A+", "A", "B", "")


def test_no_chain_excuses_rows_that_sum_to_two() -> None:
    """Nor a bound that allows anything, as B's does in bfloat16."""
    for dtype in ("float16", "bfloat16"):
        _, laws = cell("softmax", Normal(0.0), (2, 1000), dtype, lambda x: np.full_like(x, 2 / x.shape[-1]))
        assert {law.law: law.verdict for law in laws}["Σ s = 1"] == "fails"


def test_a_lost_component_is_counted_and_changes_no_grade() -> None:
    """The VJP of softmax at [40, 0] is s_0·s_1·(v_0 − v_1), 4.248e-18 times that: s ⊙ (v − s·v) answers 0."""

    def lost(x: Rows, v: Rows) -> Rows:
        return expected("vjp", x, [v]).rounded() * [0.0, 1.0]

    rows = Printed(((40.0, 0.0),))
    found, _ = cell("vjp", rows, (1, 2), "float64", lost)
    assert (found.grade, found.lost_components, found.lost_index) == ("A", 1, "0,0")
    said = json.loads(found.lost_witness)
    v = [float.fromhex(number) for number in said["cotangent"]]
    assert (said["element"], float.fromhex(said["actual"])) == (0, 0.0)
    assert float.fromhex(said["expected"]) == pytest.approx(4.248354e-18 * (v[0] - v[1]), rel=1e-6)
    right, _ = cell("vjp", rows, (1, 2), "float64", lambda x, v: expected("vjp", x, [v]).rounded())
    assert (right.lost_components, right.lost_index, right.lost_witness) == (0, "", "")


def test_a_wrong_element_of_a_derivative_is_no_chain() -> None:
    """By as much as the measured height allows to it, which is far above B."""

    def nudged(x: Rows, v: Rows) -> Rows:
        exact = expected("vjp", x, [v]).rounded()
        exact[1, 5] += 500 * 2.0**-53 * digit("vjp", x, [v])[1, 5] / DIGIT
        return exact

    found, _ = cell("vjp", Normal(1.0), (3, 2000), "float64", nudged)
    assert found.grade == "F"
    assert found.error_over_any_order_bound is not None
    assert found.error_over_any_order_bound < 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_digit_is_a_tenth_of_each_element_at_least(operation: str) -> None:
    random = np.random.Generator(np.random.Philox(key=4))
    x = random.normal(size=(5, 7))
    given = beside(operation, 5, 7, "float64", random)
    exact = expected(operation, x, given).rounded()
    a_digit = np.broadcast_to(digit(operation, x, given), exact.shape)
    least = np.minimum(np.abs(exact), 1.0) if OPERATIONS[operation].name in LOGARITHMS else np.abs(exact)
    assert (a_digit >= DIGIT * least * (1 - 1e-12)).all()
    assert (a_digit <= DIGIT * 8 * max(1.0, np.abs(x).max(), len(x))).all()
    assert leaves_digit(a_digit, a_digit).all()
    assert not leaves_digit(np.full_like(a_digit, np.inf), a_digit).any()


LOGARITHMS = (
    "log_softmax", "logsumexp", "cross_entropy", "cross_entropy_mean", "cross_entropy_sum",
    "soft_cross_entropy", "soft_cross_entropy_mean", "soft_cross_entropy_sum",
)  # fmt: skip
