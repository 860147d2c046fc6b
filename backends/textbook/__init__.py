"""The documents' formulas, each written out once, over an array namespace.

`variants(Native)` makes each formula a backend on that framework's arrays: `numpy:naive`, `torch:naive`, … They are
judged like all other backends; a formula that is known to fail declares the flaw. Each function takes the backend,
for its `xp`, and the operation's arguments. Row numbers in the docstrings are those of the table in `docs/seeds.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backends.base import OPERATIONS, Backend, Flaw
from backends.textbook.derivatives import (
    by_columns,
    delta,
    diagflat,
    double_loop,
    einsum,
    factored,
    hadamard,
    through_jacobian,
)
from backends.textbook.differences import STEP, entropy_differences, error_differences, jacobian_differences
from backends.textbook.layers import chain, closed, loss_chain, loss_closed
from backends.textbook.losses import entropy, entropy_gradient, squared_error, squared_error_gradient
from backends.textbook.softmaxes import batch_max, naive, shifted

OVERFLOW = Flaw("seed001-overflow", "exp overflows: inf/inf, or 1/inf for the rest")
SPREAD = Flaw("spread", "exp overflows from 88.7 on in float32", dtype="float32")
UNDERFLOW = Flaw("far-rows", "a row whose exponentials all underflow is 0/0")
FAR_SHIFT = Flaw("spread", "the shift is rounded by as much as the distance to the batch's maximum, and underflows")
WIDE = ("float64", "float32")
LOST = "the label's probability underflows to 0, and its logarithm and reciprocal are infinite"
NO_LABEL = tuple(
    Flaw(case, LOST, operation="cross_entropy_*", dtype=dtype)
    for case, dtype in (("seed001-overflow", "*"), ("spread", "float32"))
)
NO_CLASS = (
    *(Flaw(case, LOST) for case in ("seed001-overflow", "far-rows")),
    *(Flaw(case, LOST, dtype="float32") for case in ("wide", "spread", "long", "chain")),
)


@dataclass(frozen=True)
class Formula:
    """A textbook variant: a function for each operation, and where it is known to fail."""

    name: str
    functions: Mapping[str, Callable[..., Any]]
    flaws: tuple[Flaw, ...] = ()
    largest_n: int | None = None
    through_probabilities: bool = False
    through_entries: bool = False
    difference_step: float = 0.0
    dtypes: tuple[str, ...] = ()
    """The dtypes that it claims; empty for all that its arrays have.

    16 bits leave no room for differences and reciprocals.
    """


def alone(operation: str, function: Callable[..., Any], *flaws: Flaw, largest_n: int | None = None) -> Formula:
    """Return a formula of one function for one operation, under its name. One with any flaw does not claim 16 bits."""
    return Formula(function.__name__, {operation: function}, flaws, largest_n, dtypes=WIDE if flaws else ())


FORMULAS = (
    alone("softmax", naive, OVERFLOW, SPREAD, UNDERFLOW),
    alone("softmax", shifted),
    alone("softmax", batch_max, UNDERFLOW, FAR_SHIFT),
    alone("jacobian_row", hadamard),
    alone("jacobian", factored, OVERFLOW, UNDERFLOW),
    alone("jacobian", double_loop, largest_n=16),
    alone("jacobian", diagflat),
    alone("jacobian", einsum),
    Formula("by_columns", {"vjp": by_columns}, largest_n=64, through_entries=True),
    alone("vjp", delta),
    Formula("through_jacobian", {"vjp": through_jacobian}, largest_n=64, through_entries=True),
    alone("layer_jacobian", chain),
    alone("layer_jacobian", closed),
    Formula(
        "loss_chain",
        {"layer_cross_entropy_gradient": loss_chain},
        flaws=NO_CLASS,
        dtypes=WIDE,
        through_probabilities=True,
    ),
    alone("layer_cross_entropy_gradient", loss_closed),
    Formula(
        "central_differences",
        {
            "jacobian": jacobian_differences,
            "cross_entropy_mean_gradient": entropy_differences,
            "mean_squared_error_gradient": error_differences,
        },
        flaws=NO_LABEL,
        largest_n=16,
        dtypes=WIDE,
        through_probabilities=True,
        difference_step=STEP,
    ),
    Formula(
        "probabilities",
        {
            "cross_entropy_mean": entropy,
            "cross_entropy_mean_gradient": entropy_gradient,
            "mean_squared_error": squared_error,
            "mean_squared_error_gradient": squared_error_gradient,
        },
        flaws=NO_LABEL,
        largest_n=64,
        dtypes=WIDE,
        through_probabilities=True,
    ),
)


def variants(native: type[Backend], dtypes: tuple[str, ...] = ()) -> Iterator[type[Backend]]:
    """Yield every formula as a backend on the arrays of `native`.

    `dtypes`: those that its array namespace supports; empty if it supports all of the native's.
    """
    for formula in FORMULAS:
        methods = {OPERATIONS[operation]: function for operation, function in formula.functions.items()}
        about = {
            "__module__": __name__,
            "__doc__": "\n".join(str(function.__doc__) for function in methods.values()),
            "variant": formula.name,
            "written_out": True,
            "operations": tuple(formula.functions),
            "flaws": formula.flaws,
            "dtypes": formula.dtypes or dtypes or native.dtypes,
            "largest_n": formula.largest_n,
            "through_probabilities": formula.through_probabilities,
            "through_entries": formula.through_entries,
            "difference_step": formula.difference_step,
        }
        yield type(formula.name, (native,), {**about, **methods})
