"""Every backend by name: `NAMES` in column order, `find(name)` its class, `load(name)` an instance with its framework.

Importing this package loads no framework. Others add theirs through the entry point group `softmax_harness.backends`,
each entry a module with a tuple `BACKENDS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from backends.base import OPERATIONS, Backend, Flaw

__all__ = ["FRAMEWORKS", "NAMES", "OPERATIONS", "Backend", "Flaw", "add", "find", "load"]

ENTRY_POINTS = "softmax_harness.backends"
OURS = ("numpy", "torch", "tensorflow", "keras", "jax")


def _brought(entry: EntryPoint) -> tuple[type[Backend], ...]:
    """A third party's backends; where its module or a class of it fails, one that says so and counts as absent."""
    try:
        return tuple(map(_asked, entry.load().BACKENDS))
    except (Exception, SystemExit) as error:
        reason = f"entry point {entry.name!r} ({entry.value}) failed: {type(error).__name__}: {error}"

        def broken(self: Backend) -> None:
            raise ImportError(reason)

        abstract = dict.fromkeys(Backend.__abstractmethods__, broken)
        return (type("Broken", (Backend,), abstract | {"framework": entry.name}),)


def _asked(backend: type[Backend]) -> type[Backend]:
    """The class, after all that a plan asks of it was asked once: what a metaclass raises, it raises here."""
    for name in vars(Backend):
        if not name.startswith("__"):
            getattr(backend, name)
    backend.title()
    backend.unsupported("softmax", "float32")
    return backend


def _catalogue() -> dict[str, type[Backend]]:
    classes = [backend for name in OURS for backend in import_module(f"backends.{name}").BACKENDS]
    for entry in sorted(entry_points(group=ENTRY_POINTS)):
        classes += _brought(entry)
    return {backend.title(): backend for backend in classes}


_CATALOGUE = _catalogue()
NAMES = tuple(_CATALOGUE)
FRAMEWORKS = tuple(dict.fromkeys(backend.framework for backend in _CATALOGUE.values()))


def add(backends: Iterable[type[Backend]]) -> None:
    """Make classes known in this process by their names, and to no run that does not name them: planted mutants."""
    _CATALOGUE.update({backend.title(): backend for backend in backends})


def find(name: str) -> type[Backend]:
    """The class of that name, which can be asked what it computes without its framework."""
    return _CATALOGUE[name]


def load(name: str) -> Backend:
    """A backend ready to compute. ImportError where its framework is absent; for workers only."""
    return _CATALOGUE[name]()
