"""Why a question is not asked: the same reason through every command, and nobody asks what another does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import backends
from backends import NAMES, add, find
from backends.numpy import NumPy
from harness.errors import UsageError
from harness.faults import WITHOUT_CELL, Fault, Kind, sentence
from harness.findings import Asker
from harness.findings.asker import group_of
from harness.findings.reproduce import script_and_verdict as reproduced
from harness.findings.specials import reproduce as special
from harness.operations import FULL_JACOBIAN_N
from harness.power import trial
from harness.questions.cases import named
from harness.questions.not_asked import makes_cell, not_its_own, refusal, unasked
from harness.questions.suites import Wish
from harness.records import Group
from harness.runs import cost, plan
from harness.specials.atlas import facts_of
from harness.specials.sweep import Widths
from harness.workers.engine import Engine, Settings

SHORT = next(name for name in NAMES if find(name).largest_n is not None)
MOST = find(SHORT).largest_n or 0
REFUSED = [
    ("numpy:naive", "vjp", "wide", "float32", Fault(Kind.NOT_ITS_OWN)),
    ("numpy", "softmax", "wide", "bfloat16", Fault(Kind.NOT_CLAIMED, "numpy does not claim bfloat16")),
    ("numpy", "softmax", "normal:3x4@threads", "float32", Fault(Kind.NOT_IN_THIS_WAY, "numpy has one thread")),
    (
        "numpy", "softmax", "normal:3x4@broadcast", "float32",
        Fault(Kind.NOT_IN_THIS_WAY, "its rows are not alike, so there is nothing to broadcast"),
    ),
    (
        "numpy", "softmax", "normal:3x4@upstream-strided", "float32",
        Fault(Kind.NOT_IN_THIS_WAY, "softmax has no argument beside the logits that has a layout"),
    ),
    (
        "numpy", "jacobian", f"normal:2x{FULL_JACOBIAN_N + 1}", "float32",
        Fault(
            Kind.TOO_LARGE,
            f"n = {FULL_JACOBIAN_N + 1}: whole Jacobians are held up to n = {FULL_JACOBIAN_N}; "
            "vjp and jvp probe it by products",
        ),
    ),
    (
        SHORT, find(SHORT).operations[0], f"normal:2x{MOST + 1}", "float32",
        Fault(Kind.TOO_LARGE, f"n = {MOST + 1}: {SHORT} is written out and asked up to n = {MOST}"),
    ),
]  # fmt: skip
Question = tuple[str, str, str, str, Fault]


@pytest.fixture(params=REFUSED, ids=lambda given: f"{given[0]}-{given[1]}-{given[2]}-{given[3]}")
def refused(request: pytest.FixtureRequest) -> Question:
    question: Question = request.param
    return question


def group(question: Question) -> Group:
    backend, operation, case, dtype, _ = question
    return group_of(backend, operation, named(case), dtype)


def planned(question: Question) -> Iterator[Group]:
    """As `compare` and its `--dry-run` plan it, without probes."""
    backend, operation, case, dtype, _ = question
    groups = plan.groups(plan.Selection((backend,), (operation,), (dtype,), (case,)))
    return (group for group in groups if not group.probe)


def test_the_reason(refused: Question) -> None:
    assert refusal(refused[0], group(refused)) == refused[-1]


def test_compare_says_it_in_the_cell_or_makes_none(refused: Question, tmp_path: Path) -> None:
    said = refused[-1]
    if said.kind in WITHOUT_CELL:
        with pytest.raises(UsageError, match=r"^nothing to run: none of .* supports .* for the selected cases$"):
            planned(refused)
        return
    [asked] = planned(refused)
    engine = Engine([asked], Settings(tmp_path))
    engine.start()
    [*results] = engine.results(lambda result: None)
    assert {(result.outcome, result.reason) for result in results} == {(said.outcome, sentence(said))}


def test_a_dry_run_counts_what_is_not_asked(refused: Question) -> None:
    if refused[-1].kind not in WITHOUT_CELL:
        assert "\n0 cells, and 1 that are skipped or not supported" in cost.cost_tables(
            [*planned(refused)], "", iter, iter
        )


def test_power_plans_it_alike(refused: Question) -> None:
    backend, operation, case, dtype, said = refused
    asked = trial.merged([Wish(named(case), dtype, named(case).axes[0], operation, (backend,))])
    assert asked == ([] if said.kind in WITHOUT_CELL else [group(refused)])


def test_reproduce_says_it(refused: Question) -> None:
    backend, operation, case, dtype, said = refused
    with Asker() as asker:
        assert asker.group(backend, operation, named(case), dtype) is None
        with pytest.raises(UsageError) as error:
            reproduced(asker, backend, operation, case, dtype)
    assert str(error.value) == f"{backend} {operation} {case} {dtype} is not asked: {sentence(said)}"


def test_several_reasons_make_no_cell_if_one_of_them_does() -> None:
    """The first is told."""
    both = group_of("numpy", "softmax", named("normal:3x4@threads"), "bfloat16")
    assert refusal("numpy", both) == Fault(Kind.NOT_CLAIMED, "numpy does not claim bfloat16")
    assert not makes_cell("numpy", both)


def test_what_is_asked_is_refused_nowhere() -> None:
    asked = group_of("numpy", "softmax", named("normal:3x4"), "float32")
    assert refusal("numpy", asked) is None
    assert unasked("numpy", asked) is None
    assert makes_cell("numpy", asked)


class Mine(NumPy):
    """Its loss would be NumPy's."""

    framework = "mine"

    def softmax(self, logits: Any, axis: int) -> Any:
        return super().softmax(logits, axis)


def test_what_is_not_a_brought_backend_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's cell says so, and the atlas asks nothing of it."""
    monkeypatch.setattr(backends, "BROUGHT", ("mine",))
    add((Mine,))
    reason = "mine defines softmax: its log_softmax would be that of numpy"
    asked = group_of("mine", "log_softmax", named("normal:3x4"), "float32")
    assert refusal("mine", asked) == unasked("mine", asked) == Fault(Kind.NOT_CLAIMED, reason)
    assert not_its_own(Mine, "log_softmax") == Fault(Kind.NOT_CLAIMED, reason)
    with pytest.raises(UsageError, match=f"^mine log_softmax is not asked: {reason}$"):
        special.checked("mine", "log_softmax", "atlas:one_NaN", "float32")
    operations = {entry.operation for entry in facts_of(Mine(), Widths((3,), (), ()))}
    assert "softmax" in operations
    assert "log_softmax" not in operations


def test_the_atlas_says_that_a_variant_does_not_compute_it() -> None:
    with pytest.raises(UsageError, match=r"^numpy:naive vjp is not asked: it does not compute that by itself$"):
        special.checked("numpy:naive", "vjp", "atlas:one_NaN", "float32")
