"""Who answers beside whom: a slow framework is dealt out to two workers, and every question is put once."""

from __future__ import annotations

from harness.plan import Selection, groups
from harness.workload import expected_seconds, parts

COSTS = {
    "numpy": 0.1,
    "torch": 0.5,
    "tensorflow": 9.0,
    "tensorflow:xla": 9.0,
    "jax": 60.0,
    "jax:jit": 30.0,
    "jax:naive": 25.0,
}


def test_the_longest_framework_gets_two_workers() -> None:
    dealt = parts(COSTS, jobs=4)
    assert dealt == [("jax",), ("jax:jit", "jax:naive"), ("tensorflow", "tensorflow:xla"), ("torch",), ("numpy",)]


def test_two_cores_are_busy_with_the_others_meanwhile() -> None:
    assert len(parts({**COSTS, "jax": 15.0, "jax:jit": 15.0, "jax:naive": 5.0}, jobs=2)) == 4


def test_alone_each_framework_has_one() -> None:
    assert parts(COSTS, jobs=1)[0] == ("jax", "jax:jit", "jax:naive")


def test_a_short_run_starts_no_second_worker() -> None:
    assert parts({"jax": 4.0, "jax:jit": 2.0}, jobs=4) == [("jax", "jax:jit")]


def test_every_backend_of_a_plan_is_dealt_once() -> None:
    costs = expected_seconds(groups(Selection()))
    dealt = [backend for part in parts(costs, jobs=2) for backend in part]
    assert sorted(dealt) == sorted(costs)
