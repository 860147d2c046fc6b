"""What is known of one backend's answers to one question so far: it merges, slice by slice, in the case's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from harness.judging.tally import Tally
from harness.records import Profile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """Figures, laws and the worst element."""

    outcome: str = "ok"
    reason: str = ""
    dtype: str = ""
    """That came back."""
    tally: Tally = field(default_factory=Tally)
    witness: str = ""
    bound: float = 0.0
    """What B allows at the witness, in ulp."""
    allowed: float = 0.0
    """What the witness may be off by and not fall short: `bound`, or what B allows at the height that was measured."""
    error: float | None = None
    """The witness's, in ulp; None of NaN."""
    share: float | None = None
    """The same of its bound; infinite where the answer is not finite, None of nothing."""
    cause: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    """The witness's error in u, by cause."""
    lost: str = ""
    """The witness of the lost component that is furthest off."""
    answers: tuple[str, ...] = ()
    """SHA-256 of each block's answer."""
    profile: tuple[Profile, ...] = ()
    """Of the case's first answers."""
    laws: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sides: Mapping[tuple[str, bool], tuple[Floats, Floats]] = field(default_factory=dict)

    def without(self, outcome: str, reason: str) -> Cell:
        """A block went unanswered: the first such says why."""
        return replace(self, outcome=outcome, reason=reason) if self.outcome == "ok" else self

    def with_answer(self, sha256: str, remark: str = "") -> Cell:
        return replace(self, answers=(*self.answers, sha256), reason=self.reason or remark)

    def merged(self, later: Cell) -> Cell:
        tally = self.tally.merged(later.tally)
        worse = self if self.witness and tally.worst == self.tally.worst else later
        dtype = later.dtype if self.dtype in ("", later.dtype) else f"{self.dtype} and {later.dtype}"
        return replace(
            worse,
            outcome=self.outcome,
            reason=self.reason,
            dtype=dtype,
            tally=tally,
            lost=self.lost if self.lost and tally.peak("lost") == self.tally.peak("lost") else later.lost,
            answers=self.answers,
            profile=self.profile or later.profile,
            laws={law: larger(self.laws.get(law, (0.0, 0.0)), found) for law, found in later.laws.items()},
            sides={**self.sides, **{key: stacked(self.sides.get(key), side) for key, side in later.sides.items()}},
        )


def larger(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return max(a[0], b[0]), max(a[1], b[1])


def stacked(before: tuple[Floats, Floats] | None, later: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return later if before is None else (np.concatenate([before[0], later[0]]), np.concatenate([before[1], later[1]]))
