"""The exact values, against an engine that shares no code with Arb, and where they are hardest to know."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from harness import arrays, blocks
from harness.formats import FORMATS
from harness.operations import OPERATIONS
from harness.records import Case, Normal
from harness.reference import Expected, check_preconditions, expected
from harness.reference import preconditions as module

DOUBLE = FORMATS["float64"]


def value(exact: Expected, row: int, element: int) -> mpmath.mpf:
    hi, lo, exponent = (part[row, element] for part in (exact.hi, exact.lo, exact.exponent))
    return (mpmath.mpf(float(hi)) + mpmath.mpf(float(lo))) * mpmath.mpf(2) ** int(exponent)


def definition(operation: str, x: list[float], beside: list[Any]) -> list[mpmath.mpf]:
    """The formulas as one writes them on a blackboard, without a care for cancellation, in thousands of bits."""
    weights = [mpmath.exp(mpmath.mpf(v)) for v in x]
    total = mpmath.fsum(weights)
    s = [w / total for w in weights]
    n = range(len(x))
    if operation in ("vjp", "jvp"):
        v = [mpmath.mpf(w) for w in beside[0]]
        return [s[j] * (v[j] - mpmath.fsum(s[i] * v[i] for i in n)) for j in n]
    jacobian = [s[i] * ((i == j) - s[j]) for i in n for j in n]
    return {
        "softmax": s,
        "log_softmax": [mpmath.log(p) for p in s],
        "logsumexp": [mpmath.log(total)],
        "jacobian": jacobian,
        "cross_entropy": [-mpmath.log(s[beside[0]])] if operation == "cross_entropy" else [],
        "cross_entropy_gradient": [s[j] - (j == beside[0]) for j in n] if operation == "cross_entropy_gradient" else [],
        "jacobian_row": [jacobian[beside[0] * len(x) + j] for j in n] if operation == "jacobian_row" else [],
    }[operation]


ROWS = {
    "ordinary": [0.3, -1.2, 2.7, 0.0, 1.1],
    "one element": [3.7],
    "saturated": [0.0, 45.0, -2.0],
    "saturated beyond every float": [1000.0, 2000.0, 3000.0],
    "tiny and huge": [1e-300, 700.0, -1e3, 5e-324],
    "all equal": [2.5, 2.5, 2.5],
    "sum of a softmax near a power of two": [0.0, 1e-17],
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_agrees_with_mpmath_on_the_definition(operation: str, row: list[float]) -> None:
    beside: list[Any] = {
        "vjp": [[0.1 * k - 0.2 for k in range(len(row))]],
        "jacobian_row": [len(row) // 2],
        "cross_entropy": [len(row) - 1],
        "cross_entropy_gradient": [len(row) - 1],
    }.get("vjp" if operation == "jvp" else operation, [])
    arrays = [np.array([b]) if isinstance(b, list) else b for b in beside]
    exact = expected(operation, np.array([row]), arrays, DOUBLE)
    with mpmath.workprec(20_000):
        for element, true in enumerate(definition(operation, row, beside)):
            found = value(exact, 0, element)
            if true == 0 or found == 0:
                assert found == true or abs(true) < mpmath.mpf(2) ** -10_000  # the blackboard's own rounding
            else:
                # hi and lo hold 106 bits, cut off: the claim of the module, with a bit to spare.
                assert abs(found - true) <= abs(true) * mpmath.mpf(2) ** -104


def test_a_softmax_just_below_one_has_the_smaller_ulp() -> None:
    exact = expected("softmax", np.array([[1000.0, 2000.0, 3000.0]]), [], DOUBLE)
    assert exact.exponent.tolist() == [[-2885, -1442, 0]]


def test_constant_cotangents_give_exact_zeros() -> None:
    exact = expected("vjp", np.array([[0.0, 1.0, 5.0]]), [np.array([[0.1, 0.1, 0.1]])], DOUBLE)
    assert (exact.hi == 0).all()


def test_equal_logits_give_exact_fractions() -> None:
    exact = expected("vjp", np.zeros((1, 3)), [np.array([[1.0, 2.0, 3.0]])], DOUBLE)
    assert exact.hi[0, 1] == 0.0
    assert exact.rounded()[0].tolist() == [-1 / 3, 0.0, 1 / 3]


def test_the_digits_of_the_values_are_cut_and_not_rounded() -> None:
    exact = expected(
        "softmax", blocks.array(Case("x", "", Normal(3), (40, 7)), "logits", "float64", (0, 40)), [], DOUBLE
    )
    assert ((exact.hi >= 0.5) & (exact.hi < 1)).all()
    assert ((exact.lo >= 0) & (exact.lo < 2.0**-53)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_a_matter_of_policy(operation: str, bad: float) -> None:
    given = {"index": 0, "labels": np.array([1])}
    beside = [given.get(name, np.ones((1, 2))) for name in OPERATIONS[operation].arguments]
    with pytest.raises(ValueError, match="matter of policy"):
        expected(operation, np.array([[0.0, bad]]), beside, DOUBLE)


def test_preconditions_hold_here() -> None:
    check_preconditions()


def test_refuses_to_judge_where_subnormals_are_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that flushes: its products with the smallest subnormal are 0."""

    class Flushing(np.ndarray):
        def __mul__(self, other: Any) -> Any:
            product = np.asarray(self) * other
            return np.where(np.abs(product) < 2.0**-1022, 0.0, product)

    real = np.array
    monkeypatch.setattr(module.np, "array", lambda values: real(values).view(Flushing))
    with pytest.raises(module.PreconditionError, match="flushed to zero"):
        check_preconditions()


def test_random_words_are_philox_s() -> None:
    """Random123's published known answer for Philox4x64-10 at key 0 and counter 0; NumPy steps before it draws."""
    known = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert np.random.Philox(key=0, counter=2**256 - 1).random_raw(4).tolist() == known


@pytest.mark.parametrize("rows", [(0, 7), (3, 7), (1, 2), (5, 5)])
def test_any_block_of_a_stream_can_be_made_alone(rows: tuple[int, int]) -> None:
    whole = blocks.words("name", (7, 3), (0, 7)).reshape(7, 3)
    part = blocks.words("name", (rows[1] - rows[0], 3), rows)
    assert part.tolist() == whole[rows[0] : rows[1]].ravel().tolist()


@pytest.mark.parametrize("rows", [(0, 9), (4, 9)])
def test_normal_blocks_are_slices_of_the_whole(rows: tuple[int, int]) -> None:
    case = Case("normal", "", Normal(1), (9, 5))
    whole, part = blocks.array(case, "logits", "float64", (0, 9)), blocks.array(case, "logits", "float64", rows)
    assert part.tobytes() == whole[rows[0] : rows[1]].tobytes()


def test_inputs_are_the_same_bytes_everywhere() -> None:
    """Frozen: another hash here means other inputs, and figures that can't be compared with yesterday's."""
    from harness.cases import CASES

    hashes = {
        name: arrays.sha256(blocks.array(case, "logits", "float32", blocks.boundaries(case)[0]))[:12]
        for name, case in CASES.items()
    }
    assert hashes == FROZEN


FROZEN = {
    "seed000-example": "e636064c9d7c",
    "seed000-matrix": "2c6e13f0a403",
    "seed000-derivative": "c2243354a624",
    "seed001-123": "50d4e44b6ecc",
    "seed001-125": "5bffb48dc677",
    "seed001-overflow": "a83bebd1455d",
    "seed002-column": "23c47ef550be",
    "seed003-pair": "7a164e75acdd",
    "seed003-uniform": "c34accbc3b16",
    "seed003-normal": "489e0d111183",
    "far-rows": "7b06e1e55de2",
    "axes": "3e48e5cef231",
    "wide": "ebf740e05df6",
    "spread": "6dd449be852e",
    "sixteen": "03a985bada90",
    "long": "59c856c20086",
    "chain": "7ff9528a6a4d",
    "digits": "81a027e009cf",
}
