"""The checks kill: every mutant dies, nothing right is objected to, no check is idle, and a blinded judge is seen.

One measurement for all, as `make power` makes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest

from harness import judge
from harness.formats import FORMATS
from harness.metrics import errors
from harness.operations import OPERATIONS
from harness.power import beside, measuring, mutants, peers, right, tables, trial
from harness.power.classes import REASONS, TITLES
from harness.power.kills import Kill, kills, their_own
from harness.power.planting import CLASSIC, Mutant
from harness.power.tables import Power
from harness.records import Group
from harness.reference.exact import expected
from reports import power as page

pytestmark = pytest.mark.timeout(1500)
NAMES = [mutant.variant for mutant in mutants.MUTANTS]


def quiet(groups: list[Group]) -> Any:
    return nullcontext(lambda result: None)


@pytest.fixture(scope="module")
def power() -> Power:
    """Without the held-out ones, which `make power` measures: what comes of them changes no verdict."""
    return measuring.measured("*", quiet, lambda line: None, with_held_out=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_is_killed(power: Power, name: str) -> None:
    """Or is named as out of sight, and is not seen indeed."""
    assert name not in power.survivors
    assert name not in power.in_sight_after_all


def test_what_is_right_is_not_objected_to(power: Power) -> None:
    assert power.right_answers > 15_000
    assert power.self_test_answers > 200
    assert not power.self_test
    assert not power.flagged, tables.flagged_rows(power.flagged).to_string()


def test_every_check_kills_something(power: Power) -> None:
    assert not tables.blind(power)


def test_every_class_has_a_mutant_or_a_reason() -> None:
    there = {mutant.defect for mutant in mutants.MUTANTS}
    assert set(TITLES) == {f"C{number:02}" for number in range(1, 41)} | {CLASSIC}
    assert there | set(REASONS) == set(TITLES)
    assert not there & set(REASONS)


def test_names_say_what_they_are_and_docstrings_what_they_stand_for() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert all(mutant.__doc__ for mutant in mutants.MUTANTS)


def test_the_peers_have_figures(power: Power) -> None:
    rows = tables.checker_rows(power).set_index(["checker", "questions"])
    for checker in ("np.allclose", "torch.testing.assert_close", "gradcheck", "gradcheck fast_mode", "jax check_grads"):
        for questions in (beside.CUSTOM, beside.SUITE):
            row = rows.loc[(checker, questions)]
            assert 0 < row.killed <= row.answers_differ <= row.could_be_asked <= row["of"] == len(NAMES)
            assert row.right_answers_asked > 0


def test_the_page_says_who_kills_how_many_first(power: Power) -> None:
    tables_of_page = [part for part in page.render(power).split("\n\n") if part.startswith("|")]
    assert "mutants killed" in tables_of_page[0]
    assert tables_of_page[0].count("\n") == 1 + len(tables.checker_rows(power))


@contextmanager
def blinded() -> Iterator[None]:
    """A judge whose bounds allow anything."""
    with pytest.MonkeyPatch.context() as patch:
        limits = judge.metrics.measure
        patch.setattr(
            judge.metrics,
            "measure",
            lambda actual, exact, bounds, *rest: limits(
                actual, exact, {n: b * 1e300 for n, b in bounds.items()}, *rest
            ),
        )
        patch.setattr(judge.properties, "deviations", lambda *given: {})
        patch.setattr(judge, "sides", lambda *given: {})
        yield


def test_a_blinded_judge_lets_mutants_live_and_they_are_named() -> None:
    chosen = measuring.matching("halved*")
    names = trial.planted((Mutant, *chosen))
    sample = trial.asked(names, "quick", dataclasses.replace(measuring.SAMPLE, small=50))
    with blinded():
        run = trial.compared(sample, mutants.__name__, quiet, once=True)
    found = list(kills(run, []))
    result = Power(chosen, found, [], ())
    assert result.survivors == [mutant.variant for mutant in chosen]
    assert tables.exit_code(result) == 1
    assert "halved" in page.brief(result)


def test_a_false_alarm_is_told_and_changes_the_exit_code() -> None:
    alarm = Kill("right:exact", "bound", "softmax of wide in float32", 3.0)
    result = Power((), [], [alarm], ("right:exact",))
    assert tables.exit_code(result) == 1
    assert "false alarm: right:exact, bound" in page.brief(result)


def test_what_numpy_s_own_formulas_show_too_kills_nothing() -> None:
    shared, own = Kill("mutant", "bound", "here", 2.0), Kill("mutant:zeros", "bound", "there", 2.0)
    same = dataclasses.replace(shared, backend="mutant:zeros")
    assert their_own([shared, same, own]) == [own]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("operation", ["softmax", "vjp", "cross_entropy_mean", "logsumexp"])
def test_exact_answers_are_correctly_rounded(operation: str, dtype: str) -> None:
    """Down to the subnormal numbers: at most half an ulp off."""
    asked = peers.Asked(operation, "subnormal:4x10", dtype)
    answer = peers.answer(right.Exact(), asked)
    given = asked.arguments
    first = OPERATIONS[operation].arguments[0]
    exact = expected(operation, given[first], [value for name, value in given.items() if name != first])
    found = errors(answer.reshape(exact.hi.shape), exact, FORMATS[dtype])
    assert np.nanmax(found.ulp) <= 0.5
