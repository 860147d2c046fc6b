"""One backend's answer to one question, as judged so far. It is merged slice by slice, in the order of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from harness.faults import Fault, Outcome
from harness.judging.tally import Tally
from harness.numbers.arrays import Floats
from harness.records import Profile


@dataclass(frozen=True)
class Cell:
    """The figures, the laws and the worst element of a cell."""

    fault: Fault | None = None
    """Why the first unanswered block has no answer; None if every block so far was answered."""
    remark: str = ""
    """What the backend remarked."""
    dtype: str = ""
    """The dtype of the answers; `a and b` if they came in several."""
    tally: Tally = field(default_factory=Tally)
    witness: str = ""
    bound: float = 0.0
    """The bound B at the witness, in ulp."""
    allowed: float = 0.0
    """The largest error at the witness that does not fail, in ulp: `bound`, or the measured height's limit."""
    error: float | None = None
    """The witness's error, in ulp; None for NaN."""
    share: float | None = None
    """The witness's error as a share of its bound; infinite if any answer is not finite, None for 0/0."""
    cause: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    """The witness's error in u, by cause."""
    lost: str = ""
    """The witness of the lost component with the largest ULP error."""
    answers: tuple[str, ...] = ()
    """The SHA-256 of each block's answer."""
    profile: tuple[Profile, ...] = ()
    """The error profile of the case's first rows."""
    laws: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The largest deviation and the largest share of its bound, by law."""
    sides: Mapping[tuple[str, bool], tuple[Floats, Floats]] = field(default_factory=dict)
    """The values of the equations' sides, and their bounds, by (law, whether it is the left side)."""

    @property
    def outcome(self) -> Outcome:
        return self.fault.outcome if self.fault else Outcome.OK

    def without(self, fault: Fault) -> Cell:
        """Return the cell with the fault of an unanswered block. The first such block decides."""
        return self if self.fault else replace(self, fault=fault)

    def with_answer(self, sha256: str, remark: str = "") -> Cell:
        """Return the cell with one more block's answer. The first remark is kept."""
        return replace(self, answers=(*self.answers, sha256), remark=self.remark or remark)

    def merged(self, later: Cell) -> Cell:
        """Return this cell merged with that of the rows that follow."""
        tally = self.tally.merged(later.tally)
        worse = self if self.witness and tally.worst == self.tally.worst else later
        dtype = later.dtype if self.dtype in ("", later.dtype) else f"{self.dtype} and {later.dtype}"
        return replace(
            worse,
            fault=self.fault,
            remark=self.remark,
            dtype=dtype,
            tally=tally,
            lost=self.lost if self.lost and tally.peak("lost") == self.tally.peak("lost") else later.lost,
            answers=self.answers,
            profile=self.profile or later.profile,
            laws={law: larger(self.laws.get(law, (0.0, 0.0)), found) for law, found in later.laws.items()},
            sides={**self.sides, **{key: stacked(self.sides.get(key), side) for key, side in later.sides.items()}},
        )


def larger(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Return the larger deviation and the larger share."""
    return max(a[0], b[0]), max(a[1], b[1])


def stacked(before: tuple[Floats, Floats] | None, later: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return later if before is None else (np.concatenate([before[0], later[0]]), np.concatenate([before[1], later[1]]))
