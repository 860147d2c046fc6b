"""The largest error that theory allows a correct implementation, element by element. Proofs: `docs/bounds.md`.

All bounds are rigorous in u: no higher order is dropped. A chain of k roundings is a factor within exp(±k·u'), with
u' = u/(1 − u). The bounds hold for every formula of the documents, written out or differentiated, in whose sums a term
meets no more roundings than a `Theory` says. `Accuracy` states what they assume of a library, and `Declared` what a
backend declares of itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.formats import Format
from harness.operations import OPERATIONS
from harness.truth.bounds import derivatives, differences, layers, losses
from harness.truth.bounds.scales import scales
from harness.truth.bounds.theory import (
    ASSUMED,
    Declared,
    Theory,
    any_order,
    assumed,
    blocked_tree,
    range_free,
    tree_height,
)
from harness.truth.bounds.values import FARTHEST, Floats, SoftmaxError, log_of_any, logsumexp, softmax, softmax_error

__all__ = [
    "ASSUMED", "FARTHEST", "NOTHING", "Declared", "Theory", "any_order", "assumed", "blocked_tree", "bound",
    "range_free", "scales", "tree_height",
]  # fmt: skip

SLACK = 1 + 2.0**-20
"""The factor that covers the float64 rounding of the bounds' own evaluation, which is under 2^-40 relative."""
NOTHING = Declared()


def bound(
    operation: str,
    logits: NDArray[np.generic],
    beside: list[Any],
    form: Format,
    theory: Theory,
    declared: Declared = NOTHING,
) -> Floats:
    """Return the largest absolute error allowed at each element, infinite where theory allows anything.

    Its shape is (rows, answers), or (1, 1) for a scalar operation. `beside`: the operation's other arguments in its
    order, as `harness.truth.expected` takes them. Raise ValueError for an operation that has no known bound.
    """
    x = np.asarray(logits, dtype=np.float64)
    given = [np.asarray(b, np.float64) if isinstance(b, np.ndarray) and b.dtype.kind != "i" else b for b in beside]
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        e = error_of(operation, x, given, form, theory, declared)
        allowed = evaluated(operation, e, x, given)
    vacuous = np.isinf(e.total)
    if OPERATIONS[operation].scalar:
        return np.where(vacuous.any(), np.inf, allowed.reshape(1, 1) * SLACK)
    return np.where(vacuous, np.inf, allowed.reshape(len(x), -1) * SLACK)


def error_of(
    operation: str, x: Floats, given: list[Any], form: Format, theory: Theory, declared: Declared
) -> SoftmaxError:
    """Return the errors of the softmax inside the operation."""
    if operation in layers.BOUNDS:
        return layers.softmax_of(x, given[0], form, theory, declared)
    return softmax_error(x, form, theory, declared)


def evaluated(operation: str, e: SoftmaxError, x: Floats, given: list[Any]) -> Floats:
    if e.declared.difference_step:
        return differences.quotient(operation, e, x, given)
    match operation, given:
        case "softmax", []:
            return softmax(e)
        case "log_softmax", []:
            return log_of_any(e)
        case "logsumexp", []:
            return logsumexp(e, x)
        case layer, [_, *targets] if layer in layers.BOUNDS:
            return layers.BOUNDS[layer](e, np.abs(x), *targets)
        case _:
            return derivative_or_loss(operation, e, given)


def derivative_or_loss(operation: str, e: SoftmaxError, given: list[Any]) -> Floats:
    match operation, given:
        case "jacobian", []:
            return derivatives.jacobian(e)
        case "jacobian_row", [index]:
            return derivatives.jacobian_row(e, np.full(len(e.s), index))
        case (("vjp" | "jvp"), [vector]):
            return derivatives.product(e, vector)
        case "hvp", [cotangent, tangent]:
            return derivatives.hvp(e, cotangent, tangent)
        case "log_softmax_vjp", [cotangent]:
            return losses.back_through_log(e, cotangent)
        case "log_softmax_jvp", [tangent]:
            return derivatives.log_softmax_jvp(e, tangent)
        case "log_softmax_jacobian", []:
            return derivatives.log_softmax_jacobian(e)
        case "cross_entropy_hvp", [_, tangent]:
            return derivatives.product(e.through_log(), tangent)
        case _, [targets]:
            return losses.loss(OPERATIONS[operation], e, targets)
    raise ValueError(f"no bound is known for {operation}")
