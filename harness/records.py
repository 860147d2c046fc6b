"""What passes between the steps of a run: frozen, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.faults import Fault, Outcome, Verdict
from harness.operations import CLASSES

if TYPE_CHECKING:  # a worker reads this module too, under an interpreter that may have no pandas
    import pandas as pd


@dataclass(frozen=True)
class Printed:
    """The numbers as a document prints them."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Uniform:
    """Logits low + width·U − drop·i in row i of the case, with U uniform on [0, 1) in steps of 2^-53."""

    low: float
    width: float
    drop: float = 0.0


@dataclass(frozen=True)
class Normal:
    """Logits sigma·Z, with Z a sum of 12 uniform numbers less 6: summed exactly, mean 0, variance 1, |Z| ≤ 6."""

    sigma: float


@dataclass(frozen=True)
class Chain:
    """Rows of one 0 among logits ln(0.47 u), with the 0 at places spread over the row. They show how a backend sums."""


@dataclass(frozen=True)
class Exponentials:
    """Rows of one 0 among logits whose exponentials are too small to change the sum. They show the error of exp."""


@dataclass(frozen=True)
class Twins:
    """Groups of four rows: a row, the same row plus 64, another row, and that row reversed.

    The logits are multiples of 1/64, so that adding 64 is exact in float32 and float64.
    """


@dataclass(frozen=True)
class Stored:
    """A `.npy` file in `harness/questions/data`, with the SHA-256 of its bytes."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Family:
    """Rows along an axis that a family of `harness.questions.families` makes, scaled to the format under test."""

    name: str
    axis: int = -1


Recipe = Printed | Uniform | Normal | Chain | Exponentials | Twins | Stored | Family


@dataclass(frozen=True)
class Case:
    """One input: its source, the recipe of its numbers, and the questions that are asked about it."""

    name: str
    source: str
    recipe: Recipe
    shape: tuple[int, ...]
    axes: tuple[int, ...] = (-1,)
    operations: tuple[str, ...] = ()
    """The operations that a run asks by default; `--operation` selects others."""
    dtypes: tuple[str, ...] = ("float64", "float32")
    """The dtypes that a run asks by default; `--dtype` selects others."""
    upstream: str = "random"
    """The kind of cotangents and tangents: one of `blocks.UPSTREAM`."""
    labels: str = "random"
    """The kind of labels, and where label distributions have their weight: one of `targets.LABELS`."""
    distribution: str = "random"
    """The kind of label distributions: one of `targets.DISTRIBUTIONS`."""
    index: str = "middle"
    """The output whose Jacobian row `jacobian_row` is asked for: one of `blocks.INDEX`."""
    weights: str = "random"
    """The kind of a layer's weights: one of `blocks.WEIGHTS`."""
    classes: int = CLASSES
    """The number of outputs of a layer."""
    variation: str = ""
    """Another way to ask the question, of `harness.questions.variations`, or empty. The exact answer is the same."""
    stream: str = ""
    """The name that seeds the random numbers, where several cases share them. If empty, it is the case's own name."""


@dataclass(frozen=True)
class Group:
    """One question that several backends answer. Pairs of backends are compared only inside a group."""

    operation: str
    case: Case
    dtype: str
    axis: int
    backends: tuple[str, ...]
    probe: str = ""
    """The name of the probe, or empty. A probe's answers measure how backends compute and are not compared."""


@dataclass(frozen=True)
class Result:
    """The outcome of one block at one backend."""

    group: int
    block: int
    backend: str
    outcome: Outcome
    reason: str = ""
    array: Any = None
    """The place to read the answer from; None if the outcome is not ok."""
    dtype: str = ""
    sha256: str = ""
    """The SHA-256 of the answer."""
    fault: Fault | None = None
    """Why there is no answer; None if the outcome is ok. `reason` is its sentence, or what the backend remarked."""


@dataclass(frozen=True)
class Comparison:
    """One cell: a backend's answer compared with the exact values. Figures are None where there is no answer.

    Means and maxima are taken over the finite elements. The relative ones also leave out the `missed_zeros` (an exact 0
    answered by another number) and the `relative_overflows`. An infinite element counts as 2^(emax + 1) in the ULP
    maxima and in the histogram of ULP errors. All columns are defined in docs/reading.md.
    """

    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    outcome: Outcome
    reason: str = ""
    verdict: str = ""
    """A `Verdict`, or empty where there is no answer."""
    grade: str = ""
    bound: float | None = None
    """The bound B at the worst element, in ulp."""
    error_over_bound: float | None = None
    """The largest error as a share of the bound B at its element."""
    worst_ulp_error: float | None = None
    """The error of the worst element, in ulp. `bound` is of the same element."""
    worst_error_over_bound: float | None = None
    """The error of the worst element as a share of `bound`. It may be below `error_over_bound` where another limit than
    B decides which element is the worst, as with a measured chain."""
    worst_allowed_ulp: float | None = None
    """The largest error at the worst element that does not fail, in ulp: `bound`, or the limit that the measured
    height gives."""
    error_over_any_order_bound: float | None = None
    """The largest error as a share of the bound for any order of summation; None where that bound is infinite."""
    error_over_simulated_limit: float | None = None
    """The largest error as a share of what honest evaluations explain, where the bound leaves no digit: in 16 bits and
    for layers."""
    error_over_default_bound: float | None = None
    """The largest error as a share of the bound B without the backend's own declarations; None if it declares none."""
    measured_chain: int | None = None
    """The height of the softmax's sum at this n, in additions, as its probe measured it."""
    measured_exp_error: float | None = None
    """The worst relative error of exp, in u, as its probe measured it through softmax."""
    cause: str = ""
    """The main cause of the worst element's error: shift, sum, exp, division, flush or unexplained."""
    cause_in_u: str = ""
    """The worst element's error split by cause, in u, as JSON."""
    max_relative_error: float | None = None
    mean_relative_error_percent: float | None = None
    max_ulp_error: float | None = None
    mean_ulp_error: float | None = None
    max_ulp_error_ftz: float | None = None
    median_ulp_error: str = ""
    p90_ulp_error: str = ""
    p99_ulp_error: str = ""
    ulp_histogram: str = ""
    max_scaled_error: float | None = None
    """The largest error divided by u·scale, where terms cancel; of `vjp`, scale_j = s_j(|v_j| + Σ s_i·|v_i|)."""
    smallest_rtol: float | None = None
    """The smallest relative tolerance that would pass with an absolute tolerance of 0; infinite where none would."""
    smallest_atol: float | None = None
    """The smallest absolute tolerance that would pass with a relative tolerance of 0; infinite where none would."""
    bias_percent: float | None = None
    """The mean signed relative error, times 100."""
    max_absolute_error: float | None = None
    mean_absolute_error: float | None = None
    nan_count: int | None = None
    infinity_count: int | None = None
    zero_references: int | None = None
    missed_zeros: int | None = None
    relative_overflows: int | None = None
    """The number of finite answers to tiny nonzero exact values whose relative error overflows float64."""
    subnormal_references: int | None = None
    flushed_to_zero: int | None = None
    misrounded: int | None = None
    unbounded: int | None = None
    lost_components: int | None = None
    """The number of exact values at least 16 times the smallest normal number that are answered by 0 or with the other
    sign."""
    elements: int | None = None
    max_relative_index: str = ""
    max_absolute_index: str = ""
    max_ulp_index: str = ""
    worst_index: str = ""
    """The index of the worst element (`Tally.worst`): the first NaN or infinity, else the element that the verdict
    depends on. This and all other indices are coordinates in the answer."""
    witness: str = ""
    """The worst element and its row as JSON (`harness.judging.witness`)."""
    lost_index: str = ""
    """The index of the lost component with the largest ULP error."""
    lost_witness: str = ""
    """The lost component with the largest ULP error, and its row, as JSON."""
    answer: str = ""
    """The SHA-256 of the answer. If it has several blocks, that of their concatenated SHA-256 digests."""
    same_bits: bool | None = None
    """True if the answer to a varied question equals that to the plain question bit for bit."""
    fault: str = ""
    """The kind of fault for which there is no answer, or that the answer has beside its size: a `faults.Kind`, or
    empty. `reason` says the same in words. It stands last, where runs and journals without it can be read."""
    fault_arguments: str = ""
    """The arguments of the fault, as JSON."""


@dataclass(frozen=True)
class Pair:
    """The notebook's figure for two backends: np.mean(np.abs((a − b) / a)) * 100, including NaN and infinities."""

    operation: str
    case: str
    dtype: str
    axis: int
    a: str
    b: str
    outcome: Outcome
    mean_relative_error_percent: float | None = None
    zero_references: int | None = None
    swapped_percent: float | None = None
    """The same figure with a and b exchanged."""
    finite_percent: float | None = None
    """The same figure over the elements whose share is finite."""
    subnormal_references: int | None = None
    identical: bool | None = None
    """True if all bits agree. If they do, the two backends probably share code."""
    blocks: int | None = None
    """The number of blocks. With 1 the figures are exactly NumPy's mean; else the blocks' means weighted by size."""


@dataclass(frozen=True)
class Property:
    """One law of one cell, which needs no exact value: the largest deviation over the rows, in units of u."""

    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    law: str
    deviation_in_u: float
    error_over_bound: float
    verdict: Verdict


@dataclass(frozen=True)
class Profile:
    """The errors of one cell in one bin, by distance or by magnitude. The columns are defined in docs/reading.md."""

    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    by: str
    """`distance` of the logit from its row's maximum, or `magnitude` of the exact value."""
    at_least: float
    below: float
    elements: int
    max_ulp_error: float
    mean_ulp_error: float
    smallest_bound: float
    """The smallest bound B of these elements, in ulp."""
    largest_bound: float
    """The largest bound B of these elements, in ulp."""
    error_over_bound: float
    """The largest error as a share of its own element's bound."""


@dataclass(frozen=True)
class EquationSide:
    """One side of an equation between two operations: its values from one operation's answers, and their bounds."""

    law: str
    left: bool
    operation: str
    case: str
    dtype: str
    axis: int
    backend: str
    flawed: bool
    """True if a flaw of the backend is declared for this cell."""
    answered: str
    """The dtype of the answers."""
    values: NDArray[np.float64]
    allowed: NDArray[np.float64]
    """The largest absolute error allowed at each of the values."""


@dataclass(frozen=True)
class Audit:
    """A check of exact values that were computed in float64 against those that Arb computes."""

    values: int = 0
    """The number of exact values taken from float64."""
    audited: int = 0
    """The number of exact values that Arb computed again."""
    largest_deviation: float = 0.0
    """The largest distance from Arb's value, in ulp of the finest of the format under test and the answers' formats."""

    def __add__(self, other: Audit) -> Audit:
        largest = max(self.largest_deviation, other.largest_deviation)
        return Audit(self.values + other.values, self.audited + other.audited, largest)


@dataclass(frozen=True)
class Judgement:
    """All rows of the tables that one group gives."""

    comparisons: list[Comparison] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    sides: list[EquationSide] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)


@dataclass(frozen=True)
class Run:
    """A saved run: `about` holds `run.json`, the data frames are its tables."""

    about: Mapping[str, Any]
    comparisons: pd.DataFrame
    pairs: pd.DataFrame
    properties: pd.DataFrame
    profiles: pd.DataFrame
