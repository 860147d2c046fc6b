"""Probes: softmax questions whose answers show how a backend sums and how accurate its exp is, without its source.

The answers are measured and not compared. Proofs: docs/bounds.md#grades.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import NAMES, find
from harness.faults import Fault, sentence
from harness.judging.metrics import errors
from harness.numbers.formats import FORMATS, Format
from harness.operations import OPERATIONS, softmax_length
from harness.records import Case, Chain, Exponentials, Family, Group
from harness.truth import Expected, expected

HEIGHT, EXP = "height", "exp"
LAST, FIRST, MIDDLE = "last", "first", "middle"
SMALL = 0.47
"""The small terms of a height probe, in u."""
TOO_LONG = "its height probe: the small terms of so long a row add up to more than the 1 among them in that format"
RESOLUTION = 4
"""The error of a measured height, in additions: the rounding of the quotient changes it by at most 2 u / 0.47 u < 5."""
EXPONENTIALS = Case("exp probe", "measures exp", Exponentials(), (1797, 10))
"""The probe of exp. It has the shape of the case `spread`, for which softmax is compiled anyway."""


def chain(n: int, where: str = LAST) -> Case:
    """Return the height probe of length n: eight rows with the 0 at eight places.

    `where` says which dimension the axis is, as in the question, because kernels differ in how they sum.
    """
    if where == LAST:
        return Case(f"height probe, n = {n}", "measures summation chains", Chain(), (8, n))
    shape, axis = {FIRST: ((n, 8), 0), MIDDLE: ((2, n, 4), 1)}[where]
    name = f"height probe, n = {n}, {where} axis"
    return Case(name, "measures summation chains", Family("lost", axis), shape, (axis,))


def where(shape: tuple[int, ...], axis: int) -> str:
    """Return which dimension of the shape an axis is: LAST, FIRST or MIDDLE."""
    position = axis % len(shape)
    return LAST if position == len(shape) - 1 else FIRST if position == 0 else MIDDLE


def height_shows(n: int, form: Format) -> bool:
    """Decide whether a height probe of length n works: its small terms must add up to less than 1.

    In long rows in 16 bits they do not. A right answer at the 0 is then below ½, and `measured_chain` returns None.
    """
    return 1 + (n - 1) * SMALL * form.u < 2


def exp_shows(form: Format) -> bool:
    """Decide whether a probe of exp works: its small exponentials must be normal numbers. In float16 they are not."""
    return form.emin + 2 < -(form.p + 9)


def case(kind: str, n: int, place: str) -> Case:
    """Return the case of a probe of that kind."""
    return EXPONENTIALS if kind == EXP else chain(n, place)


def measured_chain(logits: NDArray[Any], answer: NDArray[Any], form: Format) -> int | None:
    """Return the longest summation chain that softmax shows on rows of one 0 and n − 1 logits c ≈ ln(0.47 u).

    The number of additions includes RESOLUTION, up to n − 1. In a chain, a small term that is added to a sum of 1 or
    more is lost; in a tree it is first added to other small terms. With t = exp(c) and ŝ the answer at the 0, the sum
    is Ẑ = 1/ŝ, and (Z − Ẑ)/t terms were lost. Return None unless all answers ŝ lie in (½, 1].
    """
    rows = np.arange(len(logits))
    at = logits.argmax(axis=-1)
    small = np.exp(logits.min(axis=-1).astype(np.float64))
    missing = 1 - answer[rows, at].astype(np.float64)  # exact: ŝ is within a factor of 2 of 1
    if not ((missing >= 0) & (missing < 0.5)).all():
        return None
    lost = (logits.shape[-1] - 1) - missing / (1 - missing) / small
    lost = np.where(lost < -RESOLUTION - 1, -lost, lost)  # terms are gained where sums of blocks round up
    return min(int(logits.shape[-1]) - 1, max(0, ceil(float(lost.max()))) + RESOLUTION)


def measured_exp_error(exact: Expected, answer: NDArray[Any], form: Format) -> float | None:
    """Return the worst relative error of exp in u, on rows whose sum rounds to 1. `exact`: their exact softmax.

    Their answers are exp itself, to 0.02 u. Return None if a relative error is not finite.
    """
    found = errors(answer, exact, form).relative
    return float(found.max() / form.u) if np.isfinite(found).all() else None


@dataclass(frozen=True)
class Probe:
    """One block of a probe as it is asked of all backends. Its exact values are computed once."""

    group: Group
    block: NDArray[Any]
    """The logits, in the shape in which they are asked."""

    @property
    def logits(self) -> NDArray[Any]:
        """The logits in shape (rows, n)."""
        return self.rows(self.block)

    @cached_property
    def expected(self) -> Expected:
        """The exact softmax of the logits, shape (rows, n)."""
        return expected("softmax", self.logits, [])

    def rows(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array of the block's shape in shape (rows, n)."""
        axis = self.group.axis
        return np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis])


MEASURE: dict[str, Callable[[Probe, NDArray[Any], Format], float | None]] = {
    HEIGHT: lambda probe, answer, form: measured_chain(probe.logits, answer, form),
    EXP: lambda probe, answer, form: measured_exp_error(probe.expected, answer, form),
}


@dataclass(frozen=True)
class Measured:
    """The measurements of one backend at a group's dtype and n. None means not asked or not usable."""

    height: int | None = None
    """The longest summation chain, in additions."""
    exp: float | None = None
    """The worst relative error of exp, in u."""
    missing: str = ""
    """The reason why the height is missing, if its probe was not answered or cannot work at this length."""


@dataclass
class Probed:
    """The measurements of a run's probes, by backend."""

    heights: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)
    """Heights by (dtype, n, dimension of the axis), then by backend."""
    exps: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Errors of exp by dtype, then by backend."""
    unanswered: list[dict[str, Any]] = field(default_factory=list)
    """The probes without an answer: the question, the backend, the outcome and the reason."""

    def add(self, group: Group, found: Mapping[str, float | None], missing: Mapping[str, Fault]) -> None:
        """Add what a probe's group measured, and the faults of backends that did not answer it."""
        for backend, fault in missing.items():
            about = {"probe": group.probe, "backend": backend, "dtype": group.dtype, "n": group.case.shape[group.axis]}
            place = where(group.case.shape, group.axis)
            self.unanswered.append({**about, "axis": place, "outcome": fault.outcome, "reason": sentence(fault)})
        if group.probe == EXP:
            self.exps.setdefault(group.dtype, {}).update(found)
        else:
            n, place = group.case.shape[group.axis], where(group.case.shape, group.axis)
            self.heights.setdefault((group.dtype, n, place), {}).update(found)

    def join(self, other: Probed) -> None:
        """Add what another part of the run measured."""
        for key, found in other.heights.items():
            self.heights.setdefault(key, {}).update(found)
        for dtype, found in other.exps.items():
            self.exps.setdefault(dtype, {}).update(found)
        self.unanswered += other.unanswered

    def of(self, group: Group) -> dict[str, Measured]:
        """Return what is known of each backend for the softmax in a group's operation."""
        n = softmax_length(OPERATIONS[group.operation], group.case.shape[group.axis], group.case.classes)
        place = place_of(group)
        return {name: self._of(*probed_as(name, group.dtype), n, place) for name in group.backends}

    def _of(self, name: str, dtype: str, n: int, place: str) -> Measured:
        asked = {"probe": HEIGHT, "backend": name, "dtype": dtype, "n": n, "axis": place}
        missing = next((entry for entry in self.unanswered if asked.items() <= entry.items()), None)
        heights = self.heights.get((dtype, n, place), {})
        if missing:
            reason = f"its height probe: {missing['outcome']}, {missing['reason']}"
        else:
            reason = "" if name not in heights or height_shows(n, FORMATS[dtype]) else TOO_LONG
        return Measured(heights.get(name), self.exps.get(dtype, {}).get(name), reason)


def place_of(group: Group) -> str:
    """Return which dimension the softmax's axis is. For a layer it is LAST, wherever the axis of its inputs is."""
    return LAST if OPERATIONS[group.operation].weighted else where(group.case.shape, group.axis)


def answer_dtype(backend: str, dtype: str) -> str:
    """Return the dtype that a backend claims to answer in."""
    return find(backend).answers_in.get(dtype, dtype)


def probed_as(backend: str, dtype: str) -> tuple[str, str]:
    """Return the backend and the dtype to probe in place of a backend at that dtype.

    The dtype is the one that it answers in. If logits of that dtype would be widened once more, as by an argument
    `dtype=`, the framework's own backend is probed instead.
    """
    wide, native = answer_dtype(backend, dtype), find(backend).framework
    itself = answer_dtype(backend, wide) == wide or native not in NAMES
    return (backend if itself else native), wide


def measure(probe: Probe, answer: NDArray[Any]) -> float | None:
    """Return what a probe measures in an answer to it, or None if the answer is unusable."""
    kind, form = probe.group.probe, FORMATS[probe.group.dtype]
    with np.errstate(all="ignore"):  # any answer is taken; an unusable one gives None
        return MEASURE[kind](probe, probe.rows(answer), form)
