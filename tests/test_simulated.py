"""Where theory leaves no digit in 16 bits: what is wrong falls short by simulation, and what is right does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.judging.significant_digits import digit
from harness.numbers import arrays
from harness.numbers.formats import DIGIT, FORMATS
from harness.operations import OPERATIONS
from harness.truth import expected
from harness.truth.bounds import Declared, any_order, blocked_tree, bound
from harness.truth.simulated import (
    MULTIPLE,
    SIMULATED,
    adds_well,
    as_kind,
    honest,
    leaves_no_digit,
    norm,
    simulates,
    sizes,
)
from harness.truth.simulated.arithmetic import ORDERS, Arithmetic, Numbers, in_blocks, in_lanes
from harness.truth.simulated.layers import linear
from harness.truth.simulated.values import softmax
from tests import narrow
from tests.asking import beside
from tests.command import harness
from tests.quick import only

NARROW = ("float16", "bfloat16")
IN_FLOAT16_ALONE = "softmax_larger_by_a_hundredth"
"""A bfloat16 number has no more than a hundredth."""
ABOUT = {"METADATA": "Metadata-Version: 2.1\nName: narrow\nVersion: 0.0\n",
         "entry_points.txt": "[softmax_harness.backends]\nnarrow = narrow\n"}  # fmt: skip


@pytest.fixture(scope="module")
def narrow_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, int]:
    """Comparisons and exit code of one run of the wrong ones and the right one beside them."""
    brought, out = tmp_path_factory.mktemp("brought"), tmp_path_factory.mktemp("out")
    (brought / "narrow-0.0.dist-info").mkdir()
    for name, text in ABOUT.items():
        (brought / "narrow-0.0.dist-info" / name).write_text(text)
    (brought / "narrow.py").write_text(Path(narrow.__file__).read_text())
    done = harness(
        "compare", "--backend", "narrow*", "--case", "normal:4x5,normal:4x17,normal:4x129", "--operation",
        "softmax,jacobian,vjp,jvp,hvp,cross_entropy_hvp", "--dtype", "float16,bfloat16", "--out", out,
        PYTHONPATH=brought,
    )  # fmt: skip
    return pd.read_csv(out / "comparisons.csv", keep_default_na=False), done.returncode


@pytest.mark.timeout(300)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", [made.variant for made in narrow.WRONG])
def test_wrong_answers_of_16_bits_fall_short(narrow_run: tuple[pd.DataFrame, int], name: str, dtype: str) -> None:
    cells, code = narrow_run
    mine = cells[(cells.backend == f"narrow:{name}") & (cells.dtype == dtype)]
    assert set(mine.outcome) == {"ok"}
    if dtype == "float16" or name != IN_FLOAT16_ALONE:
        assert "fails" in set(mine.verdict)
    assert code == 1


def test_the_right_one_beside_them_does_not(narrow_run: tuple[pd.DataFrame, int]) -> None:
    cells, _ = narrow_run
    right = cells[cells.backend == "narrow"]
    assert len(right) == 3 * 6 * 2
    assert set(right.verdict) == {"within bound"}
    assert (right.error_over_simulated_limit.astype(float).dropna() < 0.5).all()


def test_what_falls_short_by_simulation_says_so(narrow_run: tuple[pd.DataFrame, int]) -> None:
    cells, _ = narrow_run
    [cell] = cells[(cells.backend == "narrow:hvp_without_covariance") & (cells.case == "normal:4x129")
                   & (cells.dtype == "bfloat16")].itertuples()  # fmt: skip
    assert float(cell.error_over_bound) < 1 < float(cell.error_over_simulated_limit)
    assert (cell.verdict, cell.grade) == ("fails", "F")
    assert re.fullmatch(
        rf"simulated: [\d.]+ times the worst honest evaluation's error, where {MULTIPLE:g} is allowed", cell.reason
    )


def test_theory_is_not_second_guessed_where_it_leaves_a_digit(narrow_run: tuple[pd.DataFrame, int]) -> None:
    cells, _ = narrow_run
    softmaxes = cells[(cells.operation == "softmax") & (cells.dtype == "float16")]
    assert set(softmaxes.error_over_simulated_limit) == {"nan"}


def test_every_operation_has_its_formulas() -> None:
    assert set(SIMULATED) == set(OPERATIONS)


@pytest.mark.parametrize("order", ORDERS)
def test_the_formulas_are_right(operation: str, order: str) -> None:
    """In float64's own arithmetic they are within what is proved of any order."""
    random = np.random.Generator(np.random.Philox(key=3))
    p, logits = Arithmetic(np.dtype(np.float64), order), random.normal(scale=2, size=(5, 37))
    given = beside(operation, 5, 37, "float64", random)
    exact = expected(operation, logits, given).rounded()
    allowed = bound(operation, logits, given, FORMATS["float64"], any_order)
    for formula in SIMULATED[operation].formulas:
        answer = formula(p, logits, *given).reshape(allowed.shape)
        assert (np.abs(answer - exact.reshape(allowed.shape)) <= allowed).all()


@pytest.mark.parametrize(
    ("order", "total"),
    [("one by one", 256), ("from the end", 256), ("in 2 lanes", 512), ("in 8 lanes", 513), ("in a tree", 513)],
)
def test_a_sum_is_added_in_the_order_that_is_said(order: str, total: int) -> None:
    """In bfloat16, 256 + 1 is 256, and 513 is rounded to 512."""
    p = Arithmetic(arrays.dtype("bfloat16"), order)
    assert float(p.sum(p.rounded(np.ones(513)))[0]) == min(total, 512)


def test_a_stalled_sum_widens_no_limit() -> None:
    """512 equal logits added one by one in bfloat16: twice too large, and honest."""
    form, logits = FORMATS["bfloat16"], np.zeros((1, 512), arrays.dtype("bfloat16"))
    exact = np.full((1, 512), 1 / 512)
    found = honest("softmax", form, logits, [], exact, sizes(exact, form))
    assert found.by_row.item() <= 2 * form.u
    stalled = softmax(Arithmetic(logits.dtype, "one by one"), logits).astype(np.float64)
    assert found.shares(np.abs(stalled - exact), 0.0).max() > 5


def test_only_16_bits_and_layers_in_plain_arithmetic_are_simulated() -> None:
    assert [name for name, form in FORMATS.items() if simulates("softmax", form, Declared())] == list(NARROW)
    assert all(simulates("layer_jacobian", form, Declared()) for form in FORMATS.values())
    assert simulates("softmax", FORMATS["bfloat16"], Declared(flush=2.0**-126))
    for own in (Declared(through_probabilities=True), Declared(through_logs=True), Declared(difference_step=0.1)):
        assert not simulates("softmax", FORMATS["bfloat16"], own)


def test_no_digit_is_left_where_a_bound_is_a_tenth_of_its_row() -> None:
    size = np.ones((3, 4))
    assert leaves_no_digit(np.array([[0.09] * 4, [0.11] * 4, [0, 0, 0, np.inf]]), size).tolist() == [False, True, True]


def shuffled(p: Arithmetic, terms: Numbers) -> Numbers:
    order = np.random.Generator(np.random.Philox(key=1)).permutation(terms.shape[-1])
    return np.add.accumulate(terms[..., order], axis=-1, dtype=p.kind)[..., -1:]


OTHER_ORDERS = {
    "shuffled": shuffled,
    "in blocks of 32": in_blocks(32),
    "in blocks of 128": in_blocks(128),
    "in 12 lanes": in_lanes(12),
}
"""Right, and not among those that the limit is made of."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("dtype", only(["bfloat16"], NARROW))
def test_no_right_evaluation_in_another_order_falls_short(
    operation: str, dtype: str, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    """Where it is asked at all, of rows whose sum has a digit right."""
    random, form, kind = np.random.Generator(np.random.Philox(key=8)), FORMATS[dtype], arrays.dtype(dtype)
    largest = 0.0
    for n in (2, 17, 64) if OPERATIONS[operation].answer in (("n", "n"), ("t", "tn")) else (2, 17, 129, 600, 2049):
        for spread in (0.5, 3.0):
            x = (random.normal(size=(4, n)) * spread).astype(kind)
            given = beside(operation, 4, n, dtype, random)
            allowed = bound(operation, x, given, form, blocked_tree)
            exact = expected(operation, x, given).rounded().reshape(allowed.shape)
            size = sizes(digit(operation, x, given) / DIGIT, form)
            asked = leaves_no_digit(allowed, size)
            found = honest(operation, form, x, given, exact, size)
            with monkeypatch.context() as patched:
                for order, add in OTHER_ORDERS.items():
                    patched.setitem(ORDERS, order, add)
                    p = Arithmetic(kind, order)
                    largest = max(largest, worst(p, operation, x, given, exact, size, found, asked))
    record_property("bound", f"simulated {operation}, {dtype}: {largest:.3g} of the limit")
    assert largest <= 1


def worst(
    p: Arithmetic, operation: str, x: Any, given: list[Any], exact: Any, size: Any, found: Any, asked: Any
) -> float:
    """Largest share of the limit over an operation's formulas, of rows that are asked and have a digit."""
    with np.errstate(all="ignore"):
        well = adds_well(p, linear(p, x, given[0]) if operation.startswith("layer") else x)
        rows = asked & (well if len(well) == len(asked) else np.array([well.all()]))
        share = 0.0
        for formula in SIMULATED[operation].formulas:
            answer = formula(p, x, *(as_kind(p, part) for part in given)).astype(np.float64).reshape(exact.shape)
            off = np.abs(answer - exact)
            right = rows & (norm(off) <= 0.1 * norm(size))[:, 0]
            share = max(share, float(found.shares(off, 0.0)[right].max(initial=0.0)))
    return share
