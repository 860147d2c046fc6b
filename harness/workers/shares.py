"""What a plan costs before it runs: questions that are not put, programs to compile, and who answers beside whom."""

from __future__ import annotations

from collections.abc import Mapping

from backends import find, unsupported
from harness.operations import OPERATIONS, too_large
from harness.records import Group

LONG = 10.0
"""Seconds, under which a framework is not worth a second worker."""
UNFAIR = 1.6
"""Times its fair share from which on it is."""


def refusal(backend: str, group: Group) -> tuple[str, str] | None:
    """Outcome and reason of a question that is not put to a backend, known before anything runs."""
    about, n = find(backend), group.case.shape[group.axis]
    if reason := unsupported(backend, group.operation, group.dtype):
        return "unsupported", reason
    if reason := too_large(OPERATIONS[group.operation], n):
        return "skipped", reason
    if about.largest_n is not None and n > about.largest_n:
        return "skipped", f"n = {n}: {backend} is written out and asked up to n = {about.largest_n}"
    return None


def programs(groups: list[Group]) -> set[tuple[object, ...]]:
    """The distinct programs of a plan, backend first: what a framework that compiles has to compile."""
    return {(b, g.operation, g.case.shape, g.axis, g.dtype) for g in groups for b in g.backends if not refusal(b, g)}


def expected_seconds(groups: list[Group]) -> dict[str, float]:
    """By backend, what its distinct programs are expected to cost."""
    costs = {backend: 0.0 for group in groups for backend in group.backends}
    for backend, *_ in programs(groups):
        costs[str(backend)] += find(str(backend)).program_seconds
    return costs


def parts(costs: Mapping[str, float], jobs: int) -> list[tuple[str, ...]]:
    """The backends of each worker, a framework's together; longest first.

    A framework that would take far longer than a fair share of the cores is dealt out to two workers, so that a run
    does not wait for the slowest alone. Not sooner: two of them compile some things twice, a third of JAX's time.
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
    """Each to the worker that has less so far, the dearest first; in their own order within a worker."""
    halves: list[list[str]] = [[], []]
    for backend in sorted(backends, key=lambda b: -costs[b]):
        min(halves, key=lambda half: sum(costs[b] for b in half)).append(backend)
    return [tuple(b for b in backends if b in half) for half in halves]
