"""What passes between the steps of a run: frozen, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.operations import CLASSES

if TYPE_CHECKING:  # a worker reads this module too, under an interpreter that may have no pandas
    import pandas as pd


@dataclass(frozen=True)
class Printed:
    """The numbers as a document prints them."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Uniform:
    """low + width·U − drop·row, U uniform on [0, 1) in steps of 2^-53."""

    low: float
    width: float
    drop: float = 0.0


@dataclass(frozen=True)
class Normal:
    """sigma·Z, Z a sum of 12 uniforms less 6: exact in integers, mean 0, variance 1, |Z| ≤ 6."""

    sigma: float


@dataclass(frozen=True)
class Chain:
    """Rows of one 0 among many logits of ln(0.47 u), the 0 at places spread over the row: shows how a backend sums."""


@dataclass(frozen=True)
class Exponentials:
    """Rows of one 0 among logits so far below that their exponentials are lost in the sum: shows exp as it is."""


@dataclass(frozen=True)
class Twins:
    """Rows in fours: one and the same moved up by 64, exactly; another and the same backwards. Multiples of 1/64."""


@dataclass(frozen=True)
class Stored:
    """A committed `.npy` file beside `harness/data`'s recipe for it, and the SHA-256 of its bytes."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Family:
    """Rows along an axis as `harness.questions.families` makes them, scaled to the format under test."""

    name: str
    axis: int = -1


Recipe = Printed | Uniform | Normal | Chain | Exponentials | Twins | Stored | Family


@dataclass(frozen=True)
class Case:
    """One input: where it comes from, how it is made, and what its source does with it."""

    name: str
    source: str
    recipe: Recipe
    shape: tuple[int, ...]
    axes: tuple[int, ...] = (-1,)
    operations: tuple[str, ...] = ()
    """What a run asks of it by default; `--operation` asks anything else."""
    dtypes: tuple[str, ...] = ("float64", "float32")
    """Likewise, and `--dtype`."""
    upstream: str = "random"
    """What cotangents and tangents are: one of `blocks.UPSTREAM`."""
    labels: str = "random"
    """What labels are, and where label distributions have their weight: one of `targets.LABELS`."""
    distribution: str = "random"
    """What label distributions are: one of `targets.DISTRIBUTIONS`."""
    index: str = "middle"
    """Of which output a row of a Jacobian is: one of `blocks.INDEX`."""
    weights: str = "random"
    """What a layer's weights are: one of `blocks.WEIGHTS`."""
    classes: int = CLASSES
    """Outputs of a layer."""
    variation: str = ""
    """How the question is put, if not plainly: one of `harness.questions.variations`. The exact answer is the same."""
    stream: str = ""
    """The name that its numbers are drawn by, where several cases share them; else its own."""


@dataclass(frozen=True)
class Group:
    """One question that several backends answer: every figure of a pair lies inside of one group."""

    operation: str
    case: Case
    dtype: str
    axis: int
    backends: tuple[str, ...]
    probe: str = ""
    """Which one, where the answers measure how backends compute, and are not themselves compared."""


@dataclass(frozen=True)
class Result:
    """What came of one block at one backend. `array`: where the answer is to be read, where `outcome` is ok."""

    group: int
    block: int
    backend: str
    outcome: str
    reason: str = ""
    array: Any = None
    dtype: str = ""
    sha256: str = ""
    """Of the answer."""


@dataclass(frozen=True)
class Comparison:
    """One cell: a backend's answer against the exact one. Figures are None where there is no answer.

    Means and maxima run over the finite elements, the relative ones less the `zero_misses`, which answer an exact 0 by
    another number, and the `relative_overflows`; an infinite element counts in `max_ulp_error` alone, as 2^(emax + 1).
    docs/reading.md has them all.
    """

    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    outcome: str
    reason: str = ""
    verdict: str = ""
    grade: str = ""
    bound: float | None = None
    """What B allows at the worst element, in ulp."""
    bound_fraction: float | None = None
    """Largest error as a share of B's bound."""
    ulp_error_there: float | None = None
    """Error of the worst element, in ulp: where `bound` is."""
    bound_fraction_there: float | None = None
    """The same as a share of that bound: the largest, unless a measured chain explains that one and not this."""
    allowed_there: float | None = None
    """What it may be off by and not fall short, in ulp: `bound`, or what B allows at the height that was measured."""
    any_order_fraction: float | None = None
    simulated_fraction: float | None = None
    """In 16 bits and of layers, where the bound leaves no digit: largest error as a share of what honest evaluations
    explain."""
    undeclared_fraction: float | None = None
    """Of a backend that declares something of its arithmetic: largest error as a share of the bound B of all others."""
    measured_height: int | None = None
    measured_exp: float | None = None
    """Worst relative error of exp in u, as softmax alone shows it."""
    cause: str = ""
    """What most of the worst element's error comes from: shift, sum, exp, division, flush or unexplained."""
    cause_in_u: str = ""
    """JSON: that error in u, by cause."""
    max_relative_error: float | None = None
    mean_relative_error_percent: float | None = None
    max_ulp_error: float | None = None
    mean_ulp_error: float | None = None
    max_ulp_error_ftz: float | None = None
    median_ulp_error: str = ""
    p90_ulp_error: str = ""
    p99_ulp_error: str = ""
    ulp_histogram: str = ""
    max_scale_error: float | None = None
    """Largest error over u·scale, for products: scale_j = s_j(|v_j| + Σ s_i·|v_i|)."""
    smallest_rtol: float | None = None
    """The smallest relative tolerance that would pass, with no absolute one; infinite where none would."""
    smallest_atol: float | None = None
    bias_percent: float | None = None
    """Mean signed relative error."""
    max_absolute_error: float | None = None
    mean_absolute_error: float | None = None
    nan_count: int | None = None
    infinity_count: int | None = None
    zero_references: int | None = None
    zero_misses: int | None = None
    relative_overflows: int | None = None
    """Answers to next to nothing whose relative error no float64 holds."""
    subnormal_references: int | None = None
    flushed_to_zero: int | None = None
    misrounded: int | None = None
    unbounded: int | None = None
    lost_components: int | None = None
    """Values that are not 0 and well inside of the normal numbers, answered by 0 or with the other sign."""
    elements: int | None = None
    max_relative_index: str = ""
    max_absolute_index: str = ""
    max_ulp_index: str = ""
    worst_index: str = ""
    """Of the first NaN or infinity; else of the largest share of its bound. Like the others, in the answer's own
    coordinates."""
    witness: str = ""
    lost_index: str = ""
    """Of the lost component that is furthest off in ulp; and its witness."""
    lost_witness: str = ""
    answer: str = ""
    """SHA-256 of the answer's bits: of its only block, or of its blocks' own."""
    same_bits: bool | None = None
    """Of a question that is put in another way: whether its answer is the plain one's, bit for bit."""


@dataclass(frozen=True)
class Pair:
    """The notebook's figure for two backends: np.mean(np.abs((a − b) / a)) * 100, NaN and infinities left in."""

    operation: str
    case: str
    dtype: str
    axis: int
    a: str
    b: str
    outcome: str
    mean_relative_error_percent: float | None = None
    zero_references: int | None = None
    swapped_percent: float | None = None
    """The same figure with a and b exchanged."""
    finite_percent: float | None = None
    """The same figure over the elements where it is finite."""
    subnormal_references: int | None = None
    identical: bool | None = None
    """Whether all bits agree: the two probably share code."""
    blocks: int | None = None
    """1: exactly what NumPy's mean gives; more: the blocks' figures, weighted by their sizes."""


@dataclass(frozen=True)
class Property:
    """A law that needs no expected value, measured in units of u: largest deviation over the rows."""

    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    law: str
    deviation_in_u: float
    bound_fraction: float
    verdict: str


@dataclass(frozen=True)
class Profile:
    """Where the errors of one cell of a named case lie: those in one bin. docs/reading.md says how they are chosen."""

    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    by: str
    """distance: of the logit from its row's maximum; or magnitude: of the exact value."""
    at_least: float
    below: float
    elements: int
    max_ulp_error: float
    mean_ulp_error: float
    smallest_bound: float
    """Of what B allows these elements, in ulp; and the largest."""
    largest_bound: float
    bound_fraction: float
    """The largest share of its bound that an error reaches."""


@dataclass(frozen=True)
class Side:
    """What one operation's answers say of one side of an equation between two, with what each value may be off by."""

    law: str
    left: bool
    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    flawed: bool
    answered: str
    """The answers' dtype."""
    values: NDArray[np.float64]
    allowed: NDArray[np.float64]


@dataclass(frozen=True)
class Audit:
    """How far exact values that were computed in float64 were seen to be from Arb's."""

    values: int = 0
    """Taken from float64."""
    audited: int = 0
    largest_deviation: float = 0.0
    """In ulp of the format under test."""

    def __add__(self, other: Audit) -> Audit:
        largest = max(self.largest_deviation, other.largest_deviation)
        return Audit(self.values + other.values, self.audited + other.audited, largest)


@dataclass(frozen=True)
class Judgement:
    """All rows that one group gives."""

    comparisons: list[Comparison] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    sides: list[Side] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)


@dataclass(frozen=True)
class Run:
    """A saved run: `about` is `run.json`, the frames are its tables."""

    about: Mapping[str, Any]
    comparisons: pd.DataFrame
    pairs: pd.DataFrame
    properties: pd.DataFrame
    profiles: pd.DataFrame
