"""Laws between two operations of one backend: each side is measured where its answers are, and joined at the end.

Like the laws of one operation they need no expected value: the exact answers agree, so two sides differ by at most the
sum of what each may be off by (docs/bounds.md#laws). They are measured on the first block of a case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.judging.laws import largest
from harness.numbers.sums import exact_dot
from harness.records import Side

Floats = NDArray[np.float64]
Arguments = Mapping[str, Any]
Measure = Callable[[Floats, Floats, Arguments], tuple[Floats, Floats]]
EVALUATION = 2.0**-51
"""What exp of a float64 may be off by here, relative: two of its ulp."""
FAR = 64
"""Powers of two from which on a vector is scaled back: products of two such would leave float64."""


def exponent(vector: Floats) -> NDArray[np.int64]:
    """Of a row's largest entry, as a column; 0 within 2^±64."""
    power = np.frexp(np.abs(vector).max(axis=-1, keepdims=True))[1]
    return np.where(np.abs(power) < FAR, 0, power)


def scaled(name: str, measure: Measure) -> Measure:
    """With the answer, which is linear in that argument, as of one about 1."""

    def back(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
        power = -exponent(arguments[name].astype(np.float64))
        return measure(np.ldexp(answer, power), np.ldexp(allowed, power), arguments)

    return back


def about_1(vector: Floats) -> Floats:
    return np.ldexp(vector, -exponent(vector))


def itself(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
    return answer, allowed


def along(name: str) -> Measure:
    """⟨answer, that argument⟩, a number a row."""

    def dot(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
        vector = about_1(arguments[name].astype(np.float64))
        return exact_dot(answer, vector)[:, None], (allowed * np.abs(vector)).sum(axis=-1)[:, None]

    return dot


def times(name: str, transposed: bool = False) -> Measure:
    """J·t for a tangent t; vᵀ·J for a cotangent v."""

    def product(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
        vector = about_1(arguments[name].astype(np.float64))
        n = vector.shape[-1]
        j, bound = (part.reshape(-1, n, n) for part in (answer, allowed))
        if transposed:
            j, bound = j.swapaxes(1, 2), bound.swapaxes(1, 2)
        return exact_dot(j, vector[:, None, :]), (bound * np.abs(vector)[:, None, :]).sum(axis=-1)

    return product


def exponential(answer: Floats, allowed: Floats, arguments: Arguments) -> tuple[Floats, Floats]:
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
    """Arguments that an operation's sides need, its own or not."""
    return ("cotangent", "tangent") if any(operation == side for law in EQUATIONS.values() for side, _ in law) else ()


def sides(operation: str, answer: Floats, allowed: Floats, arguments: Arguments) -> dict[tuple[str, bool], Any]:
    """The sides of equations that an operation's answers make, by law and whether it is the left one."""
    with np.errstate(invalid="ignore", over="ignore"):
        return {
            (law, number == 0): measure(answer, allowed, arguments)
            for law, pair in EQUATIONS.items()
            for number, (side, measure) in enumerate(pair)
            if side == operation
        }


def joined(found: Iterable[Side]) -> list[tuple[Side, float, float]]:
    """Each equation with both its sides: the left one, the largest deviation, and as a fraction of its bound."""
    pairs: dict[tuple[object, ...], dict[bool, Side]] = defaultdict(dict)
    for side in found:
        pairs[side.law, side.case, side.dtype, side.axis, side.backend][side.left] = side
    return [compared(pair[True], pair[False]) for pair in pairs.values() if len(pair) == 2]


def compared(left: Side, right: Side) -> tuple[Side, float, float]:
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        found = largest(left.values - right.values, left.allowed + right.allowed)
    return replace(left, flawed=left.flawed or right.flawed), *found
