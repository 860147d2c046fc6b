"""Equations between two operations of one backend. Each side is measured with its own answers, and joined at the end.

Like the laws of one operation they need no exact values: the exact sides agree, so the computed ones differ by at most
the sum of their bounds (docs/bounds.md#laws). They are measured on the first block of a case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.judging.laws import largest
from harness.numbers.arrays import Floats
from harness.numbers.sums import exact_dot
from harness.records import EquationSide

Arguments = Mapping[str, Any]
Measure = Callable[[Floats, Floats, Arguments], tuple[Floats, Floats]]
EVALUATION = 2.0**-51
"""The relative error allowed to NumPy's exp in float64, with which one side is evaluated: two ulp."""
FAR = 64
"""A vector is scaled to about 1 if its largest entry is beyond 2^±FAR: products of two such may leave float64."""


def exponent(vector: Floats) -> NDArray[np.int64]:
    """Return the exponent of each row's largest entry, shape (rows, 1); 0 if it is within 2^±FAR."""
    power = np.frexp(np.abs(vector).max(axis=-1, keepdims=True))[1]
    return np.where(np.abs(power) < FAR, 0, power)


def scaled(name: str, measure: Measure) -> Measure:
    """Return a measure that first scales the answer, linear in the named argument, as if that argument were about 1."""

    def back(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
        power = -exponent(arguments[name].astype(np.float64))
        return measure(np.ldexp(answer, power), np.ldexp(allowed, power), arguments)

    return back


def about_1(vector: Floats) -> Floats:
    """Scale each row by a power of two, so that its largest entry is about 1, if it is beyond 2^±FAR."""
    return np.ldexp(vector, -exponent(vector))


def itself(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
    """Take the answer itself as the side, with its bound."""
    return answer, allowed


def along(name: str) -> Measure:
    """Return the measure of the side ⟨answer, the named argument⟩, whose values have shape (rows, 1)."""

    def dot(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
        vector = about_1(arguments[name].astype(np.float64))
        return exact_dot(answer, vector)[:, None], (allowed * np.abs(vector)).sum(axis=-1)[:, None]

    return dot


def times(name: str, transposed: bool = False) -> Measure:
    """Return the measure of the side J·t for the named argument t, or vᵀ·J for the named argument v if `transposed`."""

    def product(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
        vector = about_1(arguments[name].astype(np.float64))
        n = vector.shape[-1]
        j, bound = (part.reshape(-1, n, n) for part in (answer, allowed))
        if transposed:
            j, bound = j.swapaxes(1, 2), bound.swapaxes(1, 2)
        return exact_dot(j, vector[:, None, :]), (bound * np.abs(vector)[:, None, :]).sum(axis=-1)

    return product


def exponential(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
    """Take exp of the answer as the side, with a bound that includes the error of this exp."""
    value = np.exp(answer)
    return value, value * (np.expm1(allowed) + EVALUATION)


EQUATIONS: dict[str, tuple[tuple[str, Measure], tuple[str, Measure]]] = {
    "⟨v, J·t⟩ = ⟨Jᵀ·v, t⟩": (
        ("jvp", scaled("tangent", along("cotangent"))),
        ("vjp", scaled("cotangent", along("tangent"))),
    ),
    "jvp = J·t": (("jvp", scaled("tangent", itself)), ("jacobian", times("tangent"))),
    "vjp = vᵀ·J": (("vjp", scaled("cotangent", itself)), ("jacobian", times("cotangent", transposed=True))),
    "exp(ln s) = s": (("log_softmax", exponential), ("softmax", itself)),
    "∇²(−ln s_y)·t = J·t": (("cross_entropy_hvp", itself), ("jvp", itself)),
}


def needed(operation: str) -> tuple[str, ...]:
    """Return the names of the arguments that an operation's sides may need, its own or not."""
    return ("cotangent", "tangent") if any(operation == side for law in EQUATIONS.values() for side, _ in law) else ()


def sides(operation: str, answer: Floats, allowed: Floats, arguments: Arguments) -> dict[tuple[str, bool], Any]:
    """Return the sides that an operation's answers give, by (law, whether it is the left side).

    A side is its values and their allowed errors.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return {
            (law, number == 0): measure(answer, allowed, arguments)
            for law, pair in EQUATIONS.items()
            for number, (side, measure) in enumerate(pair)
            if side == operation
        }


def joined(found: Iterable[EquationSide]) -> list[tuple[EquationSide, float, float]]:
    """Return the equations of which both sides were found.

    Each is its left side, the largest deviation, and the largest deviation as a share of its bound.
    """
    pairs: dict[tuple[object, ...], dict[bool, EquationSide]] = defaultdict(dict)
    for side in found:
        pairs[side.law, side.case, side.dtype, side.axis, side.backend][side.left] = side
    return [compared(pair[True], pair[False]) for pair in pairs.values() if len(pair) == 2]


def compared(left: EquationSide, right: EquationSide) -> tuple[EquationSide, float, float]:
    """Compare two sides. The left one is returned as flawed if either is."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        found = largest(left.values - right.values, left.allowed + right.allowed)
    return replace(left, flawed=left.flawed or right.flawed), *found
