"""A bound that forgives nothing forgives no zeros: at every operation, dtype and width that the suites ask.

Tried are answers of zeros, the negated exact answer and 100 times it, under B, which is what a verdict goes by; and
where B may leave no digit, in 16 bits and of layers, under the whole verdict, which goes by simulated evaluations too.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from harness.judging import judge, pairs
from harness.judging.slices import block_answer, moved
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.cases import named
from harness.questions.suites import cells, load
from harness.records import Group, Result
from harness.truth import expected
from harness.truth.bounds import Declared, blocked_tree, bound
from harness.truth.simulated import simulates
from tests.quick import only

FACTORS = {"zeros": 0.0, "negated": -1.0, "a hundred times": 100.0}
WIDTHS = 24
"""Of a wider format, so many of the suites' widths, the shortest and the longest among them; of 16 bits all."""
OF_LONG_16_BITS = ("softmax", "log_softmax", "logsumexp", "vjp", "cross_entropy")
LONG = (255, 512, 4096, 65504, 70000)


@cache
def asked() -> dict[tuple[str, str], list[int]]:
    """Lengths by operation and dtype: `deep` includes the other suites."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for wish in cells(load("deep")):
        found[wish.operation, wish.dtype].add(wish.case.shape[wish.axis])
    return {key: sorted(widths) for key, widths in found.items()}


def few(dtype: str, widths: list[int]) -> list[int]:
    """Those of a wider format thinned evenly in the logarithm: bounds change slowly with n."""
    if FORMATS[dtype].p < FORMATS["float32"].p:
        return widths
    wanted = np.geomspace(max(1, widths[0]), widths[-1], WIDTHS)
    return sorted({min(widths, key=lambda n: abs(n - near)) for near in wanted})


def shares(operation: str, n: int, dtype: str) -> dict[str, float]:
    """Largest error of each wrong answer as a share of B, flushed to zero as far as any backend declares it."""
    form, case = FORMATS[dtype], named(f"normal:2x{n}")
    given = blocks.arguments(case, OPERATIONS[operation], dtype, -1, (0, 2))
    logits, *others = (moved(name, value, -1) for name, value in given.items())
    flush = Declared(None if dtype == "float16" else 2 * form.smallest_normal)
    exact = expected(operation, logits, others).rounded()
    allowed = bound(operation, logits, others, form, blocked_tree, flush)
    assert np.isfinite(allowed).all()
    if not exact.any():
        return {}  # zeros are right
    return {wrong: float((np.abs((factor - 1) * exact) / allowed).max()) for wrong, factor in FACTORS.items()}


SIMULATED = [
    (operation, dtype) for operation, dtype in sorted(asked()) if simulates(operation, FORMATS[dtype], Declared())
]
PROVED = [key for key in sorted(asked()) if key not in SIMULATED]


@pytest.mark.parametrize(("operation", "dtype"), only([key for key in PROVED if "float32" in key], PROVED))
def test_no_bound_of_the_suites_forgives_a_wrong_answer(operation: str, dtype: str) -> None:
    for n in few(dtype, asked()[operation, dtype]):
        for wrong, share in shares(operation, n, dtype).items():
            assert share > 1, (n, wrong)


def forgiven(operation: str, n: int, dtype: str, family: str = "normal") -> list[str]:
    """The wrong answers that are not graded F, of JAX, which may flush the most to zero."""
    rows = 2 if 2 * n <= blocks.BLOCK_ELEMENTS else 1
    case, about = named(f"{family}:{rows}x{n}"), OPERATIONS[operation]
    group = Group(operation, case, dtype, -1, ("jax",))
    given = blocks.arguments(case, about, dtype, -1, (0, rows))
    logits, *others = (moved(name, value, -1) for name, value in given.items())
    exact = expected(operation, logits, others).rounded()
    if np.abs(exact).max() < NEXT_TO_NOTHING * FORMATS[dtype].smallest_normal:
        return []  # zeros may be right
    found = []
    for wrong, factor in FACTORS.items():
        with np.errstate(over="ignore"):
            answer = (factor * exact).astype(logits.dtype).reshape(block_answer(group, (0, rows)))
        results = {("jax", 0): Result(0, 0, "jax", "ok")}
        [cell] = judge.judge(group, results, lambda _, answer=answer: answer, pairs.all_pairs, {}).comparisons
        found += [wrong] if cell.grade != "F" else []
    return found


NEXT_TO_NOTHING = 16


@pytest.mark.parametrize(("operation", "dtype"), only([key for key in SIMULATED if "bfloat16" in key], SIMULATED))
def test_nor_does_a_verdict_that_goes_by_more_than_a_bound(operation: str, dtype: str) -> None:
    """Whether theory says so, or honest evaluations do (docs/bounds.md#simulated)."""
    assert {n: wrong for n in few(dtype, asked()[operation, dtype]) if (wrong := forgiven(operation, n, dtype))} == {}


@pytest.mark.parametrize("dtype", only(["bfloat16"], ["float16", "bfloat16"]))
@pytest.mark.parametrize("family", only(["zeros"], ["zeros", "ramp"]))
@pytest.mark.parametrize("operation", OF_LONG_16_BITS)
def test_nor_does_one_of_long_rows_in_16_bits(operation: str, family: str, dtype: str) -> None:
    assert {n: wrong for n in LONG if (wrong := forgiven(operation, n, dtype, family))} == {}
