"""Where theory leaves no digit, in 16 bits and of layers: errors against the worst of several honest evaluations.

A measurement, and no theorem: what it says is *simulated* wherever it is told (docs/bounds.md#simulated).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers import arrays
from harness.numbers.formats import FORMATS, Format
from harness.truth.bounds import Declared
from harness.truth.simulated.arithmetic import ORDERS, Arithmetic
from harness.truth.simulated.formulas import FORMULAS, linear, shifted

__all__ = ["FORMULAS", "LEAST_DIGIT", "MULTIPLE", "Honest", "Rows", "honest", "leaves_no_digit", "simulates", "sizes"]

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
"""A mask of them."""
MULTIPLE = 8.0
"""Of the worst honest evaluation's error, which an answer may have."""
LEAST_DIGIT = 0.1
"""Of a row's size: where a bound is above it, it leaves no digit, and an evaluation that errs by more has none."""
ONE_ROUNDING = 1.0
"""In u: an evaluation that is right by luck counts as one that is off by as much."""


@dataclass(frozen=True)
class Honest:
    """The errors of honest evaluations of one question, as the worst of each row: made once for all its backends."""

    sizes: Floats
    """What each element is measured against, its scale: at least the smallest normal number."""
    by_element: Floats
    """Largest error over its size, one a row; infinite of an operation whose elements have no scale of their own."""
    by_row: Floats
    """Largest norm of the errors over that of the sizes, one a row."""

    def shares(self, absolute: Floats, lost: float) -> Floats:
        """An answer's errors as shares of what they may be. `lost`: what a loss below the normal numbers may cost.

        Each element by its own size; and in each row the one that is most off also by the norm of the row's errors.
        """
        off = np.maximum(absolute - lost, 0.0)
        whole = norm(off) / (MULTIPLE * self.by_row * norm(self.sizes))
        most = np.arange(off.shape[-1]) == off.argmax(axis=-1)[:, None]
        shares = off / (MULTIPLE * self.by_element * self.sizes)
        return np.where(most, np.maximum(shares, whole), shares)


@dataclass
class Worst:
    """Of the evaluations so far."""

    exact: Floats
    sizes: Floats
    by_element: Floats = field(init=False)
    by_row: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.by_element = np.zeros((len(self.exact), 1))
        self.by_row = np.zeros((len(self.exact), 1))

    def add(self, answer: Floats, added_well: Rows) -> None:
        """Rows of which it has no digit right count for nothing, nor those whose sum has none."""
        off = np.abs(answer - self.exact)
        whole = norm(off) / norm(self.sizes)
        usable = added_well[:, None] & (whole <= LEAST_DIGIT)
        element = (off / self.sizes).max(axis=-1, keepdims=True)
        self.by_row = np.where(usable, np.fmax(self.by_row, whole), self.by_row)
        self.by_element = np.where(usable, np.fmax(self.by_element, element), self.by_element)


def norm(rows: Floats) -> Floats:
    """Euclidean, one a row; scaled, so that no square is lost."""
    largest = np.maximum(rows.max(axis=-1, keepdims=True), np.finfo(np.float64).tiny)
    total: Floats = largest * np.sqrt(((rows / largest) ** 2).sum(axis=-1, keepdims=True))
    return total


def evaluations(operation: str, form: Format, logits: NDArray[Any], given: list[Any]) -> Iterator[tuple[Floats, Rows]]:
    """In the format itself, in every order of summation; and in a wider one inside, rounded once at the end.

    Beside each its rows in which that order has a digit right of Σ e^(x − max): a sum that stalls has none.
    """
    kind = arrays.dtype(next(name for name, own in FORMATS.items() if own == form))
    wider = np.dtype(np.float32 if form.p < FORMATS["float32"].p else np.float64)
    ways = [*(Arithmetic(kind, order) for order in ORDERS), Arithmetic(wider, "one by one")]
    for p in ways:
        x, beside = logits.astype(p.kind), [as_kind(p, part) for part in given]
        well = adds_well(p, linear(p, x, *beside[:1]) if operation.startswith("layer") else x)
        for formula in FORMULAS[operation]:
            answer = formula(p, x, *beside).astype(kind).astype(np.float64)
            yield answer, well if len(answer) == len(well) else np.array([well.all()])


def adds_well(p: Arithmetic, x: NDArray[Any]) -> Rows:
    total = np.exp(shifted(p, x).astype(np.float64)).sum(axis=-1)
    added = p.sum(p.exp(shifted(p, x)))[..., 0].astype(np.float64)
    well: Rows = np.abs(added - total) <= LEAST_DIGIT * total
    return well


SCALED = (
    "softmax", "vjp", "jvp", "hvp", "log_softmax_vjp", "log_softmax_jvp", "cross_entropy_hvp", "cross_entropy_gradient",
    "cross_entropy_mean_gradient", "soft_cross_entropy_gradient",
)  # fmt: skip
"""Operations in which an element's size tells what its terms add up to; elsewhere they cancel unseen, as 1 − s does."""


def as_kind(p: Arithmetic, given: Any) -> Any:
    floating = isinstance(given, np.ndarray) and given.dtype.kind not in "iu"
    return given.astype(p.kind) if floating else given


def simulates(operation: str, form: Format, declared: Declared) -> bool:
    """Whether there are honest evaluations to ask, of a backend that declares no arithmetic of its own.

    In 16 bits; and of a layer in any format, whose inner products theory lets be added up in any order.
    """
    asked = form.p < FORMATS["float32"].p or operation.startswith("layer")
    return asked and declared == Declared(flush=declared.flush)


def sizes(scale: Floats, form: Format) -> Floats:
    """What errors are measured against: at least the smallest normal number, below which they are absolute."""
    return np.maximum(scale, form.smallest_normal)


def honest(operation: str, form: Format, logits: NDArray[Any], given: list[Any], exact: Floats, size: Floats) -> Honest:
    """Of rows of exact values and their `sizes`."""
    worst = Worst(exact, size)
    with np.errstate(all="ignore"):
        for answer, added_well in evaluations(operation, form, logits, given):
            worst.add(answer.reshape(exact.shape), added_well)
    least = ONE_ROUNDING * form.u
    by_element = np.maximum(worst.by_element, least) if operation in SCALED else np.full_like(worst.by_row, np.inf)
    return Honest(size, by_element, np.maximum(worst.by_row, least))


def leaves_no_digit(bound: Floats, size: Floats) -> Rows:
    """Rows where what is proved allows more than a tenth of the answer's size, or anything."""
    known = np.isfinite(bound).all(axis=-1, keepdims=True)
    allowed = norm(np.where(known, bound, 0.0))
    return (~known | (allowed > LEAST_DIGIT * norm(size)))[:, 0]
