"""Every backend by name: `NAMES` in column order, `find(name)` its class, `load(name)` an instance with its framework.

Importing this package loads no framework. Other packages add their backends through the entry point group
`softmax_harness.backends`. Each entry point names a module with a tuple `BACKENDS` (see `backends.third_party`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from backends.base import OPERATIONS, Backend, Flaw
from backends.third_party import disclaimed, of_entry_point, taken, undefined, without_native

__all__ = [
    "BROUGHT", "FRAMEWORKS", "NAMES", "OPERATIONS", "Backend", "Flaw", "add", "claimed", "disclaims", "find", "load",
    "unsupported",
]  # fmt: skip

ENTRY_POINTS = "softmax_harness.backends"
OURS = ("numpy", "torch", "tensorflow", "keras", "jax")


def _catalogue() -> tuple[dict[str, type[Backend]], tuple[str, ...]]:
    """Return all backend classes by name, and the names of those that other packages bring."""
    classes = [backend for name in OURS for backend in import_module(f"backends.{name}").BACKENDS]
    known = {backend.title(): backend for backend in classes}
    theirs: dict[str, type[Backend]] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS)):
        for backend in of_entry_point(entry):
            its = taken(backend, entry) if backend.title() in known | theirs else backend
            theirs[its.title()] = its
    theirs |= {backend.title(): backend for backend in without_native([*classes, *theirs.values()])}
    return known | theirs, tuple(theirs)


_CATALOGUE, BROUGHT = _catalogue()
NAMES = tuple(_CATALOGUE)
FRAMEWORKS = tuple(dict.fromkeys(backend.framework for backend in _CATALOGUE.values()))


def add(backends: Iterable[type[Backend]]) -> None:
    """Register classes under their names in this process. Only a run that names them asks them: planted mutants."""
    _CATALOGUE.update({backend.title(): backend for backend in backends})


def find(name: str) -> type[Backend]:
    """Return the class of that name. It says what it computes without loading its framework."""
    return _CATALOGUE[name]


def load(name: str) -> Backend:
    """Return a backend that is ready to compute, for workers only. Raise ImportError if its framework is absent."""
    return _CATALOGUE[name]()


def unsupported(name: str, operation: str, dtype: str) -> str | None:
    """Return why a backend has no answer of its own for an operation and dtype, or None."""
    about = find(name)
    return disclaims(about, operation) or about.unsupported(operation, dtype)


def claimed(name: str) -> tuple[str, ...]:
    """Return the operations that a backend computes by itself."""
    return tuple(operation for operation in find(name).operations if not disclaims(find(name), operation))


@cache
def disclaims(backend: type[Backend], operation: str) -> str | None:
    """Return why a backend does not claim an operation, or None. One of ours claims whatever its class defines.

    A brought backend's source may be read for it, so it is asked once.
    """
    return (disclaimed if backend.title() in BROUGHT else undefined)(backend, operation)
