"""What the judge computes is computed once: an answer's errors, and what depends on the question alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from harness.judging import judge, metrics, probes, profiles
from harness.judging.pairs import all_pairs
from harness.judging.probes import Measured
from harness.numbers import arrays
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.cases import CASES
from harness.records import Group, Judgement, Result
from harness.truth import expected

BACKENDS = ("numpy", "torch", "jax")
CHAINED = Measured(height=40)


def judged(operation: str, case: str, dtype: str, off: float = 0.0, backends: tuple[str, ...] = BACKENDS) -> Judgement:
    """The judgement of answers that are each off by so many u, all backends with a measured height."""
    group = Group(operation, CASES[case], dtype, -1, backends)
    results, given = {}, {}
    for block, rows in enumerate(blocks.boundaries(group.case)):
        x, *beside = blocks.arguments(group.case, OPERATIONS[operation], dtype, -1, rows).values()
        exact = expected(operation, x, beside).rounded()
        u = np.finfo(np.float32 if dtype == "bfloat16" else dtype).eps
        answer = (exact * (1 + off * u)).astype(arrays.dtype(dtype))
        for backend in backends:
            given[backend, block] = answer.reshape(x.shape if operation != "jacobian" else (*x.shape, x.shape[-1]))
            results[backend, block] = Result(0, block, backend, "ok", sha256=str(block))
    load = lambda result: given[result.backend, result.block]  # noqa: E731
    return judge.judge(group, results, load, all_pairs, dict.fromkeys(backends, CHAINED))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many errors, arguments and exact values are computed while a test runs."""
    counts: Counter[str] = Counter()

    def counted(module: Any, name: str, of: str, number: Any) -> None:
        real = getattr(module, name)

        def wrapper(*given: Any, **more: Any) -> Any:
            counts[of] += number(*given)
            return real(*given, **more)

        monkeypatch.setattr(module, name, wrapper)

    for module in (metrics, profiles):
        if hasattr(module, "errors"):
            counted(module, "errors", "errors", lambda actual, *_: actual.size)
    counted(blocks, "argument", "arguments", lambda *_: 1)
    counted(probes, "expected", "exact", lambda *_: 1)
    return counts


@pytest.mark.parametrize("off", [0.0, 200.0], ids=["right", "beyond B, so held to the measured chain"])
@pytest.mark.parametrize("operation", ["softmax", "vjp", "jacobian"])
def test_an_answer_s_errors_are_computed_once(operation: str, off: float, computed: Counter[str]) -> None:
    judgement = judged(operation, "digits", "float64", off)
    assert [row.error_over_bound > 1 for row in judgement.comparisons] == [off > 0] * len(BACKENDS)
    assert computed["errors"] == sum(row.elements for row in judgement.comparisons)


def test_an_answer_with_honest_evaluations_has_its_errors_computed_once(computed: Counter[str]) -> None:
    judgement = judged("vjp", "seed003-normal", "bfloat16", backends=("torch", "jax"))
    assert all(row.error_over_simulated_limit is not None for row in judgement.comparisons)
    assert computed["errors"] == sum(row.elements for row in judgement.comparisons)


def test_arguments_of_the_equations_are_drawn_once_for_all_backends(computed: Counter[str]) -> None:
    judged("jacobian", "digits", "float64", backends=("numpy",))
    alone = computed["arguments"]
    judged("jacobian", "digits", "float64")
    assert computed["arguments"] == 2 * alone


def test_a_probe_s_exact_values_are_computed_once_for_all_backends(computed: Counter[str]) -> None:
    group = Group("softmax", probes.EXPONENTIALS, "float32", -1, BACKENDS, probe=probes.EXP)
    answer = np.exp(blocks.array(group.case, "logits", "float32", (0, 1797)))
    results = {(backend, 0): Result(0, 0, backend, "ok") for backend in BACKENDS}
    found, missing = judge.probed(group, results, lambda result: answer)
    assert missing == {}
    assert len(set(found.values())) == 1
    assert None not in found.values()
    assert computed["exact"] == 1
