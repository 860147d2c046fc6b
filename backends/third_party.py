"""Backends that other packages bring through the entry point group `softmax_harness.backends`.

They are loaded, and checked before use. A backend with a mistake in it takes part in nothing: it counts as absent,
and its reason is a sentence that says what to change. For a correct backend, `disclaimed` says which operations are
not its own.
"""

from __future__ import annotations

import ast
import inspect
from abc import ABC
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint
from textwrap import dedent
from typing import Any, ClassVar

from backends.base import FLUSHES, METHODS, NEXT_WIDER, OPERATIONS, Backend

HOUSE = __name__.partition(".")[0]
"""The package of our own adapters."""
DTYPES = tuple(NEXT_WIDER)


def of_entry_point(entry: EntryPoint) -> tuple[type[Backend], ...]:
    """Return an entry point's backends, and in place of each with a mistake an absent one that says why."""
    place = f"entry point {entry.name!r} ({entry.value})"
    try:
        found = tuple(entry.load().BACKENDS)
    except (Exception, SystemExit) as error:
        return (broken(entry.name, f"{place} failed: {type(error).__name__}: {error}"),)
    if strange := [thing for thing in found if not (isinstance(thing, type) and issubclass(thing, Backend))]:
        return (broken(entry.name, f"{place}: its BACKENDS has {strange[0]!r}, which is no class of backends.Backend"),)
    if not found:
        return (broken(entry.name, f"{place}: its BACKENDS is empty"),)
    return tuple(checked(backend, entry.name, place) for backend in found)


def checked(backend: type[Backend], name: str, place: str) -> type[Backend]:
    """Return the class, or an absent one in its place that says what is wrong with it."""
    try:
        mistake = next(mistakes(backend), "")
        if not mistake:
            looked_at(backend)
    except (Exception, SystemExit) as error:
        return broken(name, f"{place} failed: {type(error).__name__}: {error}")
    if mistake:
        framework = getattr(backend, "framework", None)
        named = framework if isinstance(framework, str) and framework else name
        return broken(named, f"{place}: {mistake}", str(getattr(backend, "variant", "")))
    return backend


def looked_at(backend: type[Backend]) -> None:
    """Read every attribute that a plan asks of a class once, so that an error in a metaclass is raised here."""
    for name in vars(Backend):
        if not name.startswith("__"):
            getattr(backend, name)
    backend.title()
    backend.unsupported("softmax", "float32")


class Broken(Backend):
    """A stand-in for a backend that cannot be asked."""

    reason: ClassVar[str]

    def __init__(self) -> None:
        raise ImportError(self.reason)

    def from_numpy(self, array: Any) -> Any:
        raise ImportError(self.reason)

    def to_numpy(self, array: Any) -> Any:
        raise ImportError(self.reason)

    def softmax(self, logits: Any, axis: int) -> Any:
        raise ImportError(self.reason)


def broken(framework: str, reason: str, variant: str = "") -> type[Backend]:
    """Return an absent backend of that name, with the reason."""
    return type(Broken.__name__, (Broken,), {"framework": framework, "variant": variant, "reason": reason})


def taken(backend: type[Backend], entry: EntryPoint) -> type[Backend]:
    """Return the absent backend that replaces one whose name another backend has."""
    reason = f"{backend.title()!r} is the name of another backend: choose one of its own"
    return broken(f"{entry.name}@{entry.value}", f"entry point {entry.name!r} ({entry.value}): {reason}")


def without_native(classes: Collection[type[Backend]]) -> Iterator[type[Backend]]:
    """Yield an absent native for each framework that has only variants, because a worker is started by the native."""
    natives = {backend.framework for backend in classes if not backend.variant}
    for framework in dict.fromkeys(backend.framework for backend in classes):
        if framework not in natives:
            its = ", ".join(backend.title() for backend in classes if backend.framework == framework)
            yield broken(
                framework,
                f"there are variants of {framework!r} ({its}) and no class without a variant: add that class to "
                "BACKENDS, the variants can derive from it",
            )


def mistakes(backend: type[Backend]) -> Iterator[str]:
    """Yield a sentence for each mistake that keeps a class from being asked."""
    framework = getattr(backend, "framework", None)
    if not (isinstance(framework, str) and framework and set(framework).isdisjoint(":,*?[]")):
        yield f"{backend.__name__}.framework is {framework!r}: it is the backend's name, without : , * ? [ or ]"
    yield from unknown(backend, "operations", tuple(OPERATIONS))
    yield from unknown(backend, "dtypes", DTYPES)
    if missing := sorted(backend.__abstractmethods__):
        yield f"{backend.__name__} does not define {', '.join(missing)}"
    for method in METHODS:
        if is_own(backend, method) and (given := misnamed(backend, method)):
            yield given
    yield from mistyped(backend)
    yield from beyond_theory(backend)


SWITCHES = (
    "by_default",
    "compiles",
    "written_out",
    "through_probabilities",
    "through_entries",
    "through_logs",
    "scaled_logits",
)
DIFFERENCED = ("jacobian", "cross_entropy_mean_gradient", "mean_squared_error_gradient")
"""Operations whose central differences have a bound (docs/bounds.md#central-differences)."""
LARGEST_STEP = 0.1


def mistyped(backend: type[Backend]) -> Iterator[str]:
    """Yield a sentence for each attribute whose value is of another kind than it has to be."""
    for attribute in SWITCHES:
        if not isinstance(value := getattr(backend, attribute), bool):
            yield f"{backend.__name__}.{attribute} is {value!r}: it is True or False"
    largest = backend.largest_n
    if largest is not None and (not isinstance(largest, int) or isinstance(largest, bool) or largest < 1):
        yield f"{backend.__name__}.largest_n is {largest!r}: it is the longest axis to ask for, or None"


def beyond_theory(backend: type[Backend]) -> Iterator[str]:
    """Yield a sentence for each declaration that no theorem is about: it would excuse any answer."""
    for dtype, power in backend.flushes_below.items():
        if dtype not in FLUSHES:
            yield f"{backend.__name__}.flushes_below has {dtype!r}: there are {', '.join(FLUSHES)}"
        elif power not in (FLUSHES[dtype], FLUSHES[dtype] + 1):
            yield (
                f"{backend.__name__}.flushes_below has {power!r} for {dtype}: what may be zero are subnormal numbers, "
                f"below 2 to the power of {FLUSHES[dtype]}, or of {FLUSHES[dtype] + 1} at most"
            )
    step = backend.difference_step
    if not isinstance(step, int | float) or not 0 <= step <= LARGEST_STEP:
        yield f"{backend.__name__}.difference_step is {step!r}: it is a number up to {LARGEST_STEP}"
    elif step and (others := [name for name in backend.operations if name not in DIFFERENCED]):
        yield (
            f"{backend.__name__}.difference_step is {step!r}, and its operations have {others[0]!r}: "
            f"central differences have a bound in {', '.join(DIFFERENCED)} alone"
        )


def unknown(backend: type[Backend], attribute: str, valid: tuple[str, ...]) -> Iterator[str]:
    """Yield a sentence for each name in a class attribute that is not valid."""
    claimed = getattr(backend, attribute)
    names = claimed if isinstance(claimed, tuple | list) else (claimed,)
    for name in names:
        if name not in valid:
            near = get_close_matches(str(name), valid, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(valid)}"
            yield f"{backend.__name__}.{attribute} has {name!r}: {hint}"
    if names is not claimed:
        yield f"{backend.__name__}.{attribute} is {claimed!r}, and no tuple"


def misnamed(backend: type[Backend], method: str) -> str:
    """Return a sentence if a method cannot be called by keyword, as the harness calls it; otherwise an empty string.

    A method without a signature counts as callable.
    """
    wanted = list(inspect.signature(getattr(Backend, method)).parameters)[1:]
    function = inspect.getattr_static(backend, method)
    try:
        signature = inspect.signature(getattr(backend, method))
    except (TypeError, ValueError):
        return ""
    myself = (None,) if inspect.isfunction(function) else ()
    try:
        signature.bind(*myself, **dict.fromkeys(wanted))
    except TypeError:
        return (
            f"{backend.__name__}.{method}{signature} cannot be called as it is, by keyword: "
            f"its arguments are {method}(self, {', '.join(wanted)})"
        )
    return ""


def is_own(backend: type[Backend], name: str) -> bool:
    """Decide whether a class, or a base of it that is not one of ours, defines that name."""
    return any(name in vars(part) for part in backend.__mro__ if not of_the_house(part))


def of_the_house(part: type[Any]) -> bool:
    return part in (object, ABC) or part.__module__.partition(".")[0] == HOUSE


@cache
def disclaimed(backend: type[Backend], operation: str) -> str | None:
    """Return why an operation of a brought backend is not its own, or None if it is.

    It is its own if the class defines the method, or a method that it calls. So a derivative that one of our adapters
    takes of the class's own softmax is its own. A loss that an adapter takes from its framework is not: its grade would
    be the framework's, under another name.
    """
    method = OPERATIONS[operation]
    if issubclass(backend, Broken) or reaches_own(backend, method, set()):
        return None
    own = [name for name in OPERATIONS if is_own(backend, OPERATIONS[name])]
    owner = next(part for part in backend.__mro__ if method in vars(part))
    if owner is Backend:
        return lacking(backend, own, operation)
    return f"{defining(backend, own)}: its {operation} would be that of {getattr(owner, 'framework', owner.__name__)}"


def undefined(backend: type[Backend], operation: str) -> str | None:
    """Return that a class has no method of its own for an operation, nor one of its bases, or None if there is one."""
    defined = [name for name, method in OPERATIONS.items() if getattr(backend, method) is not getattr(Backend, method)]
    return None if operation in defined else lacking(backend, defined, operation)


def lacking(backend: type[Backend], own: list[str], operation: str) -> str:
    return f"{defining(backend, own)}, and not {operation}"


def defining(backend: type[Backend], own: list[str]) -> str:
    return f"{backend.title()} defines {', '.join(own) or 'no operation itself'}"


def reaches_own(backend: type[Backend], name: str, seen: set[str]) -> bool:
    """Decide whether a method is the class's own, or calls one that is."""
    if is_own(backend, name):
        return True
    seen.add(name)
    method = getattr(backend, name, None)
    return any(
        reaches_own(backend, called, seen)
        for called in (calls(method) if inspect.isfunction(method) else ())
        if called not in seen and called not in NO_ARITHMETIC
    )


NO_ARITHMETIC = ("__init__", "from_numpy", "to_numpy", "xp", "version")
"""Attributes that compute nothing of an answer."""


def calls(method: Any) -> list[str]:
    """Return the attributes of its first argument that a method of ours uses."""
    try:
        tree = ast.parse(dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return []
    myself = next(iter(inspect.signature(method).parameters), "")
    uses = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    return [node.attr for node in uses if node.value.id == myself]  # type: ignore[attr-defined]
