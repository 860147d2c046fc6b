"""Questions put through softmax alone, which show how a backend adds and how good its exp is: no source is needed.

Their answers are measured and not compared. Proofs: docs/bounds.md#grades.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import NAMES, find
from harness.judging.metrics import errors
from harness.numbers.formats import FORMATS, Format
from harness.operations import OPERATIONS, softmax_length
from harness.records import Case, Chain, Exponentials, Family, Group
from harness.truth import expected

HEIGHT, EXP = "height", "exp"
LAST, FIRST, MIDDLE = "last", "first", "middle"
SMALL = 0.47
"""A height probe's small terms, in u."""
TOO_LONG = "its height probe: the small terms of so long a row add up to more than the 1 among them in that format"
RESOLUTION = 4
"""What a height may be off by: one rounding of the quotient, at most 2 u / 0.47 u."""
EXPONENTIALS = Case("exp probe", "measures exp", Exponentials(), (1797, 10))
"""The shape of `spread`, for which softmax is compiled anyway."""


def chain(n: int, where: str = LAST) -> Case:
    """Eight rows, the 0 at eight places, along an axis that stands where it does in what was asked: kernels differ."""
    if where == LAST:
        return Case(f"height probe, n = {n}", "measures summation chains", Chain(), (8, n))
    shape, axis = {FIRST: ((n, 8), 0), MIDDLE: ((2, n, 4), 1)}[where]
    name = f"height probe, n = {n}, {where} axis"
    return Case(name, "measures summation chains", Family("lost", axis), shape, (axis,))


def where(shape: tuple[int, ...], axis: int) -> str:
    """Which of its dimensions an axis is."""
    position = axis % len(shape)
    return LAST if position == len(shape) - 1 else FIRST if position == 0 else MIDDLE


def height_shows(n: int, form: Format) -> bool:
    """Whether a height probe's small terms add up to less than the 1 among them: in 16 bits not in long rows.

    Beyond, right answers at the 0 are below ½, and `measured_height` gives None.
    """
    return 1 + (n - 1) * SMALL * form.u < 2


def exp_shows(form: Format) -> bool:
    """Whether normal numbers reach far enough below 1: not float16's."""
    return form.emin + 2 < -(form.p + 9)


def case(kind: str, n: int, place: str) -> Case:
    return EXPONENTIALS if kind == EXP else chain(n, place)


def measured_height(logits: NDArray[Any], answer: NDArray[Any], form: Format) -> int | None:
    """The longest summation chain that softmax shows on rows of one 0 among many equal logits of about ln(0.47 u).

    In a chain, a small term that is added to a sum of 1 or more is lost; in a tree it meets its own kind first. With
    t = exp(c) and ŝ the answer at the 0, Ẑ = 1/ŝ and the terms lost are (Z − Ẑ)/t. None where an answer is unusable.
    """
    rows = np.arange(len(logits))
    at = logits.argmax(axis=-1)
    small = np.exp(logits.min(axis=-1).astype(np.float64))
    missing = 1 - answer[rows, at].astype(np.float64)  # exact: ŝ is within a factor of 2 of 1
    if not ((missing >= 0) & (missing < 0.5)).all():
        return None
    lost = (logits.shape[-1] - 1) - missing / (1 - missing) / small
    lost = np.where(lost < -RESOLUTION - 1, -lost, lost)  # gained: sums of blocks round up
    return min(int(logits.shape[-1]) - 1, max(0, ceil(float(lost.max()))) + RESOLUTION)


def measured_exp(logits: NDArray[Any], answer: NDArray[Any], form: Format) -> float | None:
    """Worst relative error of exp in u, on rows whose sum rounds to 1: their answers are exp itself, to 0.02 u.

    None where an answer is unusable.
    """
    found = errors(answer, expected("softmax", logits, []), form).relative
    return float(found.max() / form.u) if np.isfinite(found).all() else None


MEASURE: dict[str, Callable[[NDArray[Any], NDArray[Any], Format], float | None]] = {
    HEIGHT: measured_height,
    EXP: measured_exp,
}


@dataclass(frozen=True)
class Measured:
    """What is known of one backend at a group's dtype and n; None where no probe was asked or usable."""

    height: int | None = None
    exp: float | None = None
    missing: str = ""
    """Why there may be no height, where its probe was asked and not answered, or could not show any."""


@dataclass
class Probed:
    """What a run's probes found, by backend."""

    heights: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)
    exps: dict[str, dict[str, Any]] = field(default_factory=dict)
    unanswered: list[dict[str, Any]] = field(default_factory=list)
    """Probes without an answer: what was asked of whom, the outcome and the reason."""

    def add(self, group: Group, found: Mapping[str, float | None], missing: Mapping[str, tuple[str, str]]) -> None:
        for backend, (outcome, reason) in missing.items():
            about = {"probe": group.probe, "backend": backend, "dtype": group.dtype, "n": group.case.shape[group.axis]}
            place = where(group.case.shape, group.axis)
            self.unanswered.append({**about, "axis": place, "outcome": outcome, "reason": reason})
        if group.probe == EXP:
            self.exps.setdefault(group.dtype, {}).update(found)
        else:
            n, place = group.case.shape[group.axis], where(group.case.shape, group.axis)
            self.heights.setdefault((group.dtype, n, place), {}).update(found)

    def join(self, other: Probed) -> None:
        """What another part of the run found."""
        for key, found in other.heights.items():
            self.heights.setdefault(key, {}).update(found)
        for dtype, found in other.exps.items():
            self.exps.setdefault(dtype, {}).update(found)
        self.unanswered += other.unanswered

    def of(self, group: Group) -> dict[str, Measured]:
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
    """Where the softmax's axis stands: a layer's classes stand last, whatever its inputs."""
    return LAST if "weights" in OPERATIONS[group.operation].arguments else where(group.case.shape, group.axis)


def answer_dtype(backend: str, dtype: str) -> str:
    """The format that a backend answers in, as it claims."""
    return find(backend).answers_in.get(dtype, dtype)


def probed_as(backend: str, dtype: str) -> tuple[str, str]:
    """Which backend is measured, and in which format: that which it computes and answers in.

    Where its logits can't be in that, as an argument `dtype=` widens them once more, its framework's own is.
    """
    wide, native = answer_dtype(backend, dtype), find(backend).framework
    itself = answer_dtype(backend, wide) == wide or native not in NAMES
    return (backend if itself else native), wide


def measure(group: Group, logits: NDArray[Any], answer: NDArray[Any]) -> float | None:
    at, found = (np.moveaxis(part, group.axis, -1).reshape(-1, part.shape[group.axis]) for part in (logits, answer))
    with np.errstate(all="ignore"):  # whatever was answered: what is unusable is None
        return MEASURE[group.probe](at, found, FORMATS[group.dtype])
