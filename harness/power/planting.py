"""How a mutant is planted: NumPy's backend with one slip in it, which names its class of real defects.

A mutant is an ordinary backend that is asked only when named. In 16 bits its native computes in float32 and rounds
once, because NumPy's own sums in float16 differ with the layout by more than a slip does, and would hide it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from backends.base import METHODS, OPERATIONS
from backends.numpy import NumPy
from harness.power.narrow import NARROW, floating, rounded_once

CLASSIC = "classic"
"""The class of what anybody would plant first."""


class Mutant(NumPy):
    """The native that all mutants derive from: NumPy's own formulas, with nothing wrong in them."""

    framework = "mutant"
    dtypes = ("float64", "float32", "float16", "bfloat16")  # type: ignore[assignment]
    defect: ClassVar[str] = ""
    """The class of its defect, C01 to C40 or `CLASSIC`."""
    out_of_sight: ClassVar[str] = ""
    """Why no check is known to see it. It has to be removed if a check sees the mutant."""


for _method in METHODS:
    setattr(Mutant, _method, rounded_once(getattr(NumPy, _method), NARROW))


def mutant(
    defect: str, *operations: str, odd: bool = False, **about: Any
) -> Callable[[Callable[..., Any]], type[Mutant]]:
    """Return a decorator that makes a mutant whose method for the first operation is the function.

    The other operations are asked too, because they may show what the slip does.

    `odd`: whether the slip applies to arrays without an axis and to logits that are not floats too. Otherwise NumPy's
    formulas answer those, so that nothing is killed for how it was written down here. A mutant is asked in float64 and
    float32, unless `about` names dtypes.
    """

    def make(function: Callable[..., Any]) -> type[Mutant]:
        method = OPERATIONS[operations[0]]
        members = {
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "variant": function.__name__,
            "defect": defect,
            "operations": operations,
            "dtypes": ("float64", "float32"),
            method: function if odd else on_ordinary_arrays(function, getattr(NumPy, method)),
            **about,
        }
        return type(function.__name__, (Mutant,), members)

    return make


def in_16_bits(plain: type[Mutant], dtype: str, **about: Any) -> type[Mutant]:
    """Return the same slip in a kernel of that dtype, which computes in float32 and rounds once, as a new mutant."""
    method = OPERATIONS[plain.operations[0]]
    members = {
        "__doc__": plain.__doc__,
        "__module__": plain.__module__,
        "variant": f"{plain.variant}_in_{dtype}",
        "dtypes": (dtype,),
        method: rounded_once(getattr(plain, method), (dtype,)),
        **about,
    }
    return type(plain.__name__, (plain,), members)


def on_ordinary_arrays(function: Callable[..., Any], right: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, with `right` in its place if its first argument has no axis or is not of floats."""

    def method(b: NumPy, *args: Any, **given: Any) -> Any:
        first: Any = args[0] if args else given.get("logits", given.get("inputs"))
        return (function if first.ndim and floating(first) else right)(b, *args, **given)

    return method


def planted(names: dict[str, Any]) -> tuple[type[Mutant], ...]:
    """Return the mutants among a module's names, in their order."""
    found = (value for value in names.values() if isinstance(value, type) and issubclass(value, Mutant))
    return tuple(value for value in found if value.variant)
