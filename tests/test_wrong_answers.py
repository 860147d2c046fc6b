"""A bound that forgives nothing forgives no zeros: at every operation, dtype and width that the suites ask.

Tried are answers of zeros, the negated exact answer and 100 times it, under B, which is what a verdict goes by.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from harness import blocks
from harness.bounds import Declared, blocked_tree, bound
from harness.cases import named
from harness.formats import FORMATS
from harness.operations import OPERATIONS
from harness.question import moved
from harness.reference import expected
from harness.suites import cells, load

FACTORS = {"zeros": 0.0, "negated": -1.0, "a hundred times": 100.0}
WIDTHS = 24
"""Of a wider format, so many of the suites' widths, the shortest and the longest among them; of 16 bits all."""
SAYS_NOTHING = {("hvp", "bfloat16"): ("zeros",)}
"""Where the roundings of a dozen monomials, of 2^-8 each, come to more than the answer, by at most twice. What falls
short there does so by simulation (docs/bounds.md#simulated)."""
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


def shares(operation: str, family: str, n: int, dtype: str) -> dict[str, float]:
    """Largest error of each wrong answer as a share of B, flushed to zero as far as any backend declares it."""
    form, case = FORMATS[dtype], named(f"{family}:2x{n}")
    given = blocks.arguments(case, OPERATIONS[operation], dtype, -1, (0, 2))
    logits, *others = (moved(name, value, -1) for name, value in given.items())
    flush = Declared(None if dtype == "float16" else 2 * form.smallest_normal)
    exact = expected(operation, logits, others).rounded()
    allowed = bound(operation, logits, others, form, blocked_tree, flush)
    assert np.isfinite(allowed).all()
    if not exact.any():
        return {}  # zeros are right
    return {wrong: float((np.abs((factor - 1) * exact) / allowed).max()) for wrong, factor in FACTORS.items()}


@pytest.mark.parametrize(("operation", "dtype"), sorted(asked()))
def test_no_bound_of_the_suites_forgives_a_wrong_answer(operation: str, dtype: str) -> None:
    blind = SAYS_NOTHING.get((operation, dtype), ())
    for n in few(dtype, asked()[operation, dtype]):
        for wrong, share in shares(operation, "normal", n, dtype).items():
            assert share > (1 / 2 if wrong in blind else 1), (n, wrong)
            assert share < 1 or wrong not in blind, "it is seen after all"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("family", ["zeros", "ramp"])
@pytest.mark.parametrize("operation", OF_LONG_16_BITS)
def test_nor_does_one_of_long_rows_in_16_bits(operation: str, family: str, dtype: str) -> None:
    for n in LONG:
        assert all(share > 1 for share in shares(operation, family, n, dtype).values()), n
