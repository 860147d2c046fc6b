"""The checks kill: every mutant dies, nothing right is objected to, no check is idle, and a blinded judge is seen.

One measurement for all, as `make power` makes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.judging import judge
from harness.judging.metrics import errors
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS
from harness.power import held_out, measuring, mutants, peer_processes, peers, right, tables, trial
from harness.power.classes import REASONS, TITLES
from harness.power.mutant_kills import Kill, kills, their_own
from harness.power.planting import CLASSIC, Mutant
from harness.power.tables import Power
from harness.records import Group
from harness.runs import plan
from harness.truth.exact.expected import expected
from reports.pages import power as page
from tests.command import harness

pytestmark = pytest.mark.timeout(1500)
NAMES = [mutant.variant for mutant in mutants.MUTANTS]


def quiet(groups: list[Group]) -> Any:
    return nullcontext(lambda result: None)


@pytest.fixture(scope="module")
def power() -> Power:
    """Without the held-out ones, which `make power` measures: what comes of them changes no verdict."""
    return measuring.measured("*", quiet, lambda line: None, with_held_out=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_is_killed(power: Power, name: str) -> None:
    """Or is named as out of sight, and is not seen indeed."""
    assert name not in power.survivors
    assert name not in power.in_sight_after_all


@pytest.mark.slow
def test_what_is_right_is_not_objected_to(power: Power) -> None:
    assert power.right_answers > 15_000
    assert power.self_test_answers > 150
    assert not power.self_test
    assert not power.flagged, tables.flagged_rows(power.flagged).to_string()


@pytest.mark.slow
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


def test_held_out_mutants_are_others_and_say_what_they_stand_for() -> None:
    names = [mutant.variant for mutant in held_out.MUTANTS]
    assert len(names) == len(set(names))
    assert not set(names) & set(NAMES)
    assert all(mutant.__doc__ and mutant.defect in TITLES for mutant in held_out.MUTANTS)


def test_held_out_ones_have_a_line_of_their_own_and_change_no_verdict() -> None:
    """One that lives is told, and nothing fails for it."""
    killed, living = held_out.MUTANTS[:2]
    found = Power((), [], [], (), held_out=(killed, living), held_kills=[Kill(killed.title(), "bound", "x", 2.0)])
    row = tables.checker_rows(found).set_index("questions").loc[tables.HELD_OUT]
    assert (row.killed, row["of"]) == (1, 2)
    assert f"Not detected: `{living.variant}`." in page.render(found)
    assert tables.exit_code(found) == 0


def test_one_that_is_named_as_out_of_sight_may_live_and_must_not_die() -> None:
    unseen = type("unseen", (mutants.MUTANTS[0],), {"out_of_sight": "Its reason."})
    assert tables.exit_code(Power((unseen,), [], [], ())) == 0
    assert unseen.out_of_sight in page.brief(Power((unseen,), [], [], ()))
    assert tables.exit_code(Power((unseen,), [Kill(unseen.title(), "bound", "x", 2.0)], [], ())) == 1


def test_margins_are_told_and_what_kills_nothing_of_its_own_is_for_reading() -> None:
    one, other = mutants.MUTANTS[:2]
    found = [
        Kill(one.title(), "bound", "x", 3.0),
        Kill(one.title(), "Σ s = 1", "x", 9.0),
        Kill(other.title(), "bound", "x", 2.0),
    ]
    rows = tables.check_rows(Power((one, other), found, [], ())).set_index("check")
    assert (rows.smallest_margin["bound"], rows["for"]["bound"]) == (2.0, "killing")
    assert (rows.smallest_margin["Σ s = 1"], rows["for"]["Σ s = 1"]) == (9.0, "reading")


def test_the_reference_itself_is_a_self_test_and_no_control() -> None:
    assert right.SELF_TEST not in right.CLAIMS
    broken = Power((), [], [], (), self_test=[Kill("right:exact", "bound", "x", 2.0)], self_test_answers=1)
    assert tables.exit_code(broken) == 1
    assert "self-test: right:exact, bound" in page.brief(broken)


@pytest.mark.slow
def test_the_peers_have_figures(power: Power) -> None:
    rows = tables.checker_rows(power).set_index(["checker", "questions"])
    for checker in ("np.allclose", "torch.testing.assert_close", "gradcheck", "gradcheck fast_mode", "jax check_grads"):
        for questions in (peer_processes.CUSTOMARY_SET, peer_processes.SUITE_SET):
            row = rows.loc[(checker, questions)]
            assert 0 < row.killed <= row.answers_differ <= row.could_be_asked <= row["of"] == len(NAMES)
            assert row.right_answers_asked > 0
    for questions in (peer_processes.CUSTOMARY_SET, peer_processes.SUITE_SET):
        ours = rows.loc[(tables.OURS, questions)]
        assert 0 < ours.killed <= ours.answers_differ <= ours["of"]
        assert not ours.right_ones_flagged


@pytest.mark.slow
def test_the_page_says_who_kills_how_many_first(power: Power) -> None:
    tables_of_page = [part for part in page.render(power).split("\n\n") if part.startswith("|")]
    assert "mutants detected" in tables_of_page[0]
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
        patch.setattr(judge.laws, "deviations", lambda *given: {})
        patch.setattr(judge, "sides", lambda *given: {})
        yield


def asked_a_little(chosen: tuple[type[Mutant], ...]) -> Power:
    """A few mutants alone, by a sample of the quick suite: what takes seconds."""
    names = trial.planted((Mutant, *chosen))
    sample = trial.sample_groups(names, "quick", dataclasses.replace(measuring.SAMPLE, small=50))
    run = trial.compared(sample, mutants.__name__, quiet, once=True)
    return Power(chosen, list(kills(run, [])), [], ())


def test_a_few_mutants_are_killed() -> None:
    """That suite asks nothing in bfloat16."""
    result = asked_a_little(tuple(m for m in measuring.matching("halved*") if "bfloat16" not in m.variant))
    assert len(result.mutants) > 1
    assert not result.survivors


def test_a_blinded_judge_lets_mutants_live_and_they_are_named() -> None:
    chosen = measuring.matching("halved*")
    with blinded():
        result = asked_a_little(chosen)
    assert result.survivors == [mutant.variant for mutant in chosen]
    assert tables.exit_code(result) == 1
    assert "halved" in page.brief(result)


def test_mutants_are_asked_what_a_user_s_kernel_is(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = measuring.matching("two_threads_one_sum") + measuring.matching("labels_in_*")
    names = trial.planted((Mutant, *chosen))
    monkeypatch.setattr(plan, "NAMES", (*plan.NAMES, *names))
    ours = questions(trial.sample_groups(names, "standard"))
    assert len(ours) > 1000
    assert ours == questions(plan.groups(plan.Selection(backends=names, suite="standard")))


def questions(groups: list[Group]) -> set[tuple[object, ...]]:
    return {(g.operation, g.case, g.dtype, g.axis, g.backends) for g in groups if not g.probe}


BROUGHT = """
from harness.power.mutants import MUTANTS
from harness.power.planting import Mutant

BACKENDS = (Mutant, *(mutant for mutant in MUTANTS if mutant.variant in {names!r}))
"""


def brought(folder: Path, names: tuple[str, ...]) -> dict[str, set[str]]:
    """The verdicts of each, in a run of `compare` that finds them as it finds a user's kernel."""
    about = folder / "mutants-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mutants\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[softmax_harness.backends]\nmutants = brought_mutants\n")
    (folder / "brought_mutants.py").write_text(BROUGHT.format(names=names))
    asked = ",".join(f"mutant:{name}" for name in names)
    done = harness("compare", "--suite", "standard", "--backend", asked, "--out", folder / "out", PYTHONPATH=folder)
    assert done.returncode == 1, done.stdout + done.stderr
    cells = pd.read_csv(folder / "out" / "comparisons.csv", keep_default_na=False)
    return {name: set(cells.verdict[cells.backend == f"mutant:{name}"]) for name in names}


@pytest.mark.slow
def test_mutants_that_come_in_by_a_user_s_door_die(tmp_path: Path) -> None:
    names = ("no_shift", "without_the_covariance", "temperature_of_two_in_float16")
    found = brought(tmp_path, names)
    assert [name for name in names if "fails" not in found[name]] == []


@pytest.mark.slow
def test_so_do_those_that_only_sweeps_see(tmp_path: Path) -> None:
    names = ("maximum_from_a_sentinel", "log_of_softmax")
    found = brought(tmp_path, names)
    assert [name for name in names if "fails" not in found[name]] == []


def test_a_false_alarm_is_told_and_changes_the_exit_code() -> None:
    alarm = Kill("right:exact", "bound", "softmax of wide in float32", 3.0)
    result = Power((), [], [alarm], ("right:exact",))
    assert tables.exit_code(result) == 1
    assert "false positive: right:exact, bound" in page.brief(result)


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
