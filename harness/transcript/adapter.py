"""Record what an adapter calls: it is made once more, with recorded modules in place of its framework's.

An adapter imports its framework in `__init__` or in a method, or finds a module among its file's globals. While it is
recorded, both give wrapped modules. Imports of other code are left alone, and all is as before afterwards.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

from backends import Backend
from harness.transcript.expressions import dotted
from harness.transcript.recorder import Recorder
from harness.transcript.symbols import Symbol, real

OURS = ("backends", "harness", "reports", "tests")


@contextmanager
def recorded_modules(backend: type[Backend], recorder: Recorder) -> Iterator[None]:
    """Record, within this context, the modules that the backend's own functions import."""
    spaces = {id(space): space for space in globals_of(backend)}
    imported, replaced = builtins.__import__, [(space, dict(space)) for space in spaces.values()]

    def recording(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        module = imported(name, globals, locals, fromlist, level)
        if id(globals) not in spaces or is_ours(name):
            return module
        deeper = [f"{name}.{part}" for part in fromlist or () if f"{name}.{part}" in sys.modules]
        for each in deeper or [name]:
            recorder.module(each, sys.modules[each])
        return Symbol(
            recorder, module, dotted(name if fromlist else name.split(".", maxsplit=1)[0])
        )  # `import a.b` gives a

    builtins.__import__ = recording
    try:
        for space, before in replaced:
            space.update({name: recorder.module(v.__name__, v) for name, v in before.items() if is_foreign(name, v)})
        yield
    finally:
        builtins.__import__ = imported
        for space, before in replaced:
            space.update(before)


def globals_of(backend: type[Backend]) -> Iterator[dict[str, Any]]:
    """Yield the globals of the files in which the backend's methods stand."""
    for owner in backend.__mro__:
        for member in vars(owner).values():
            function = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(function, FunctionType) and owner is not object:
                yield function.__globals__


def is_foreign(name: str, value: Any) -> bool:
    """Decide whether a global is a module that the file's author imported, and not one of this project.

    A compiler may have put other modules beside it, with `__` names.
    """
    return isinstance(value, ModuleType) and not is_ours(value.__name__) and not name.startswith("__")


def is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in OURS


def aliases(backend: Backend, recorder: Recorder) -> dict[str, str]:
    """Return short names for modules: NumPy's usual one, and those of the adapter's own attributes."""
    own = {
        root: name
        for name, value in vars(backend).items()
        for root, module in recorder.roots.items()
        if real(value) is module and name != "xp"
    }
    return {root: name for root, name in own.items() if "." not in root and root != name} | {"numpy": "np"}
