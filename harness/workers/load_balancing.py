"""What is known of a plan before it runs: the programs to compile, and the backends of each worker."""

from __future__ import annotations

from collections.abc import Mapping

from backends import find
from harness.questions.not_asked import unasked
from harness.records import Group

LONG = 10.0
"""Seconds of expected work up to which a framework does not get a second worker."""
UNFAIR = 1.6
"""How many times its fair share a framework's expected work must be for it to get a second worker."""


def programs(groups: list[Group]) -> set[tuple[object, ...]]:
    """Return the distinct programs of a plan, as (backend, operation, shape, axis, dtype): what has to be compiled."""
    return {(b, g.operation, g.case.shape, g.axis, g.dtype) for g in groups for b in g.backends if not unasked(b, g)}


def expected_seconds(groups: list[Group]) -> dict[str, float]:
    """Return the seconds that the distinct programs of each backend are expected to cost."""
    costs = {backend: 0.0 for group in groups for backend in group.backends}
    for backend, *_ in programs(groups):
        costs[str(backend)] += find(str(backend)).program_seconds
    return costs


def parts(costs: Mapping[str, float], jobs: int) -> list[tuple[str, ...]]:
    """Return the backends of each worker, the longest worker first. Normally, a framework has one worker.

    A framework that would take far longer than a fair share of the cores is divided between two workers, so that a run
    does not wait for it alone. The others are not: two workers compile some things twice, a third of JAX's time.
    """
    frameworks: dict[str, list[str]] = {}
    for backend in costs:
        frameworks.setdefault(find(backend).framework, []).append(backend)
    dealt: list[tuple[str, ...]] = []
    for backends in frameworks.values():
        long = jobs > 1 and sum(costs[b] for b in backends) > max(LONG, UNFAIR * sum(costs.values()) / jobs)
        dealt += in_two(backends, costs) if long and len(backends) > 1 else [tuple(backends)]
    return sorted(dealt, key=lambda backends: -sum(costs[b] for b in backends))


def in_two(backends: list[str], costs: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Divide backends between two workers: the most expensive first, each to the worker with less work so far.

    Within a worker, they keep their order.
    """
    halves: list[list[str]] = [[], []]
    for backend in sorted(backends, key=lambda b: -costs[b]):
        min(halves, key=lambda half: sum(costs[b] for b in half)).append(backend)
    return [tuple(b for b in backends if b in half) for half in halves]
