"""What can be asked of a backend: names, arguments and shapes. The formulas are derived in `docs/operations.md`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

FULL_JACOBIAN_N = 256
"""The longest axis for which a whole n × n Jacobian is asked. Beyond it, `vjp` and `jvp` test it by products."""
DISTRIBUTION_PARTS = 128
"""The entries of a `random` label distribution are multiples of 1/128, so that their sums are exact in every format."""
CLASSES = 3
"""The number of outputs of a softmax layer, unless its case says otherwise. Its inputs are the case's rows."""


@dataclass(frozen=True)
class Argument:
    """What an argument is, whichever operation takes it. `harness.questions.blocks` makes its array by its kind."""

    name: str
    kind: str
    """`rows` (the case's own), `label`, `class`, `distribution`, `vector`, `index` or `weights`."""
    short: str
    """Its name in formulas and in scripts."""
    options: tuple[str, ...] = ()
    """The options in a case's name that choose its values."""
    per_row: bool = True
    """True if it has a part for each row of logits, and False if it is the same for all rows."""
    laid_out: bool = False
    """True if it may be given a memory layout of its own, beside logits in the usual one."""

    @property
    def integers(self) -> bool:
        """True if it is an array of one integer for each row."""
        return self.kind in ("label", "class")


ARGUMENTS = {
    argument.name: argument
    for argument in (
        Argument("logits", "rows", "x"),
        Argument("inputs", "rows", "x"),
        Argument("cotangent", "vector", "v", ("upstream",), laid_out=True),
        Argument("tangent", "vector", "t", ("upstream",), laid_out=True),
        Argument("labels", "label", "y", ("labels",)),
        Argument("classes", "class", "y", ("labels",)),
        Argument("distribution", "distribution", "p", ("labels", "distribution"), laid_out=True),
        Argument("index", "index", "i", ("index",), per_row=False),
        Argument("weights", "weights", "w", ("weights", "classes"), per_row=False),
    )
}


@dataclass(frozen=True)
class Operation:
    """One question about a row x of length n, or about all rows of a block at once."""

    name: str
    formula: str
    arguments: tuple[str, ...] = ("logits",)
    """The names of the arguments, from `ARGUMENTS`. The first one is the case's own rows."""
    answer: tuple[str, ...] = ("n",)
    """The shape of a row's answer, in the lengths `n`, `t` (a layer's classes) and `tn` (their product)."""
    moved: bool = False
    """True if an answer of shape ("n",) stands along the last axis, and not along that of the logits."""
    reduction: str = ""
    """The reduction over the rows of a block: none, mean or sum; empty if a backend's method has no such choice."""
    scalar: bool = False
    """True if the answer is one number for the whole block, and not one answer for each row."""
    derivative_of: str = ""
    """The operation that it differentiates, or the one inside that can be asked; empty for a value."""
    defect: str = ""
    """The class of defect (`harness.power.classes`) of a finding that nothing but the operation tells of."""
    docs: tuple[str, str] = ("", "")
    """The section of docs/operations.md that derives it, and that of docs/bounds.md that proves its bound."""
    normalised: bool = False
    """True if an element is exp(x_j) over the row's sum: an error of the sum is then a factor that the row has in
    common, and the errors have the causes of docs/bounds.md#causes."""

    @property
    def in_place(self) -> bool:
        """True if the answer has the shape of the logits."""
        return self.answer == ("n",) and not self.moved

    @property
    def rows_together(self) -> bool:
        """True if a row's answer depends on the other rows of the block, or on their number."""
        return self.scalar or self.reduction == "mean"

    @property
    def weighted(self) -> bool:
        """True if its logits are W·x: the softmax inside is along the last axis, and as long as there are classes."""
        return self.takes("weights")

    @property
    def one_a_row(self) -> bool:
        """True if a row's own answer is one number."""
        return not self.answer

    @property
    def square(self) -> bool:
        """True if a row's answer is its whole n × n Jacobian."""
        return self.answer == ("n", "n")

    @property
    def laid_out(self) -> bool:
        """True if an argument may be given a memory layout of its own."""
        return any(ARGUMENTS[name].laid_out for name in self.arguments)

    @property
    def options(self) -> frozenset[str]:
        """The options in a case's name that its arguments depend on."""
        return frozenset(option for name in self.arguments for option in ARGUMENTS[name].options)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each argument."""
        return tuple(ARGUMENTS[name].kind for name in self.arguments)

    def takes(self, kind: str) -> bool:
        """Decide whether it takes an argument of this kind."""
        return kind in self.kinds


LABELS, DISTRIBUTION, COTANGENT, TANGENT = ("logits", "labels"), ("logits", "distribution"), "cotangent", "tangent"
LOG_DERIVATIVES = ("derivatives-of-log_softmax", "log-softmax-derivatives")
ENTROPY = ("cross-entropy", "cross-entropy")
OVER_BATCH = ("cross-entropy", "batch")
SQUARED_ERROR = ("squared-error", "squared-error")
LAYER = ("softmax-layer", "layer")
FAMILIES: dict[str, tuple[Operation, ...]] = {
    "values": (
        Operation("softmax", "s_j = exp(x_j) / Σ exp(x_i)", docs=("softmax", "softmax"), normalised=True),
        Operation("log_softmax", "x_j − ln Σ exp(x_i)", docs=("logsumexp-and-log_softmax", "log-softmax")),
        Operation("logsumexp", "ln Σ exp(x_i)", answer=(), docs=("logsumexp-and-log_softmax", "logsumexp")),
    ),
    "derivatives": (
        Operation(
            "jacobian", "J_ij = s_i(δ_ij − s_j)", answer=("n", "n"), moved=True,
            derivative_of="softmax", defect="C21", docs=("jacobian", "jacobian"),
        ),
        Operation(
            "jacobian_row", "s_i(e_i − s), one output i", ("logits", "index"), moved=True,
            derivative_of="softmax", defect="C21", docs=("jacobian_row", "jacobian"),
        ),
        Operation(
            "vjp", "s ⊙ (v − s·v)", ("logits", COTANGENT),
            derivative_of="softmax", defect="C21", docs=("vjp", "products"),
        ),
        Operation(
            "jvp", "s ⊙ (t − s·t)", ("logits", TANGENT),
            derivative_of="softmax", defect="C24", docs=("jvp", "products"),
        ),
        Operation(
            "hvp", "∇²(v·s)·t = s ⊙ ((t − s·t) ⊙ (v − s·v) − cov(t, v))", ("logits", COTANGENT, TANGENT),
            derivative_of="softmax", defect="C23", docs=("second-derivatives", "second-order"),
        ),
        Operation(
            "log_softmax_vjp", "v − s·Σ v_i", ("logits", COTANGENT),
            derivative_of="log_softmax", defect="C22", docs=LOG_DERIVATIVES,
        ),
        Operation(
            "log_softmax_jvp", "t − s·t", ("logits", TANGENT),
            derivative_of="log_softmax", defect="C24", docs=LOG_DERIVATIVES,
        ),
        Operation(
            "log_softmax_jacobian", "δ_ij − s_j", answer=("n", "n"), moved=True,
            derivative_of="log_softmax", defect="C22", docs=LOG_DERIVATIVES,
        ),
    ),
    "losses": (
        Operation("cross_entropy", "−ln s_y", LABELS, (), reduction="none", docs=ENTROPY),
        Operation(
            "cross_entropy_mean", "Σ −ln s_y / k over k rows", LABELS, (), reduction="mean", scalar=True,
            docs=OVER_BATCH,
        ),
        Operation("cross_entropy_sum", "Σ −ln s_y", LABELS, (), reduction="sum", scalar=True, docs=OVER_BATCH),
        Operation(
            "cross_entropy_gradient", "s − e_y", LABELS, reduction="sum",
            derivative_of="cross_entropy", defect="C28", docs=ENTROPY,
        ),
        Operation(
            "cross_entropy_mean_gradient", "(s − e_y) / k", LABELS, reduction="mean",
            derivative_of="cross_entropy_mean", defect="C28", docs=OVER_BATCH,
        ),
        Operation(
            "cross_entropy_hvp", "∇²(−ln s_y)·t = J·t", (*LABELS, TANGENT),
            derivative_of="cross_entropy", defect="C23", docs=("cross-entropy", "second-order"),
        ),
        Operation("soft_cross_entropy", "−Σ p_j·ln s_j", DISTRIBUTION, (), reduction="none", docs=ENTROPY),
        Operation(
            "soft_cross_entropy_mean", "Σ −p·ln s / k", DISTRIBUTION, (), reduction="mean", scalar=True,
            docs=OVER_BATCH,
        ),
        Operation(
            "soft_cross_entropy_sum", "Σ −p·ln s", DISTRIBUTION, (), reduction="sum", scalar=True, docs=OVER_BATCH
        ),
        Operation(
            "soft_cross_entropy_gradient", "s·Σ p_i − p", DISTRIBUTION, reduction="sum",
            derivative_of="soft_cross_entropy", defect="C30", docs=ENTROPY,
        ),
        Operation(
            "mean_squared_error", "Σ (s_y − 1)² / k", LABELS, (), reduction="mean", scalar=True, docs=SQUARED_ERROR
        ),
        Operation(
            "mean_squared_error_gradient", "2(s_y − 1)·s_y(e_y − s) / k", LABELS, reduction="mean",
            derivative_of="mean_squared_error", defect="C21", docs=SQUARED_ERROR,
        ),
    ),
    "layers": (
        Operation("layer", "s(Wx)", ("inputs", "weights"), ("t",), moved=True, docs=LAYER),
        Operation(
            "layer_jacobian", "∂s_t/∂W_ij = s_t(δ_ti − s_i)·x_j", ("inputs", "weights"), ("t", "tn"), moved=True,
            derivative_of="layer", defect="C21", docs=LAYER,
        ),
        Operation(
            "layer_cross_entropy_gradient", "∂(−ln s_y)/∂W_ij = (s_i − δ_iy)·x_j", ("inputs", "weights", "classes"),
            ("tn",), moved=True, derivative_of="layer", defect="C28", docs=LAYER,
        ),
    ),
}  # fmt: skip
"""The operations by family. In `harness.truth` each family has files of its own, and its own models of errors."""
OPERATIONS = {operation.name: operation for family in FAMILIES.values() for operation in family}


def lengths(operation: Operation, n: int, classes: int = CLASSES) -> tuple[int, ...]:
    """Return the shape of one row's answer."""
    known = {"n": n, "t": classes, "tn": classes * n}
    return tuple(known[name] for name in operation.answer)


def softmax_length(operation: Operation, n: int, classes: int = CLASSES) -> int:
    """Return the length of the softmax inside the operation: n, or the number of classes for a layer."""
    return classes if operation.weighted else n


def split(shape: tuple[int, ...], axis: int) -> tuple[tuple[int, ...], int]:
    """Return the shape without the axis (the batch), and the position of the axis."""
    position = axis % len(shape)
    return shape[:position] + shape[position + 1 :], position


def answer_shape(operation: Operation, shape: tuple[int, ...], axis: int, classes: int = CLASSES) -> tuple[int, ...]:
    """Return the shape of the answer for a block of logits of that shape."""
    if operation.scalar:
        return ()
    batch, position = split(shape, axis)
    return shape if operation.in_place else batch + lengths(operation, shape[position], classes)


def as_rows(
    operation: Operation, answer: NDArray[np.generic], axis: int, n: int, classes: int = CLASSES
) -> NDArray[np.generic]:
    """Return the answer in shape (rows, elements of a row's answer), the rows in the order of the batch."""
    if operation.in_place:
        answer = np.moveaxis(answer, axis, -1)
    return answer.reshape(-1, prod(lengths(operation, n, classes)))


def answer_index(
    operation: Operation, shape: tuple[int, ...], axis: int, flat: int, classes: int = CLASSES
) -> tuple[int, ...]:
    """Return the index in the answer itself of element number `flat` of `as_rows(…)`; for a scalar, its block."""
    if operation.scalar:
        return (flat,)
    batch, position = split(shape, axis)
    if not operation.in_place:
        moved = batch + lengths(operation, shape[position], classes)
        return tuple(int(i) for i in np.unravel_index(flat, moved)) if moved else ()
    *outer, j = (int(i) for i in np.unravel_index(flat, (*batch, shape[position])))
    return (*outer[:position], j, *outer[position:])


def too_large(operation: Operation, n: int) -> str | None:
    """Return the reason why the operation is not asked at length n, or None."""
    if operation.square and n > FULL_JACOBIAN_N:
        return f"n = {n}: whole Jacobians are held up to n = {FULL_JACOBIAN_N}; vjp and jvp probe it by products"
    return None
