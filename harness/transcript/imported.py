"""A question as a script that imports the backend itself: for what cannot be written down in its framework's words.

The script finds what the backend was found by here: folders of the path that an isolated interpreter does not have are
named in it.
"""

from __future__ import annotations

import os
import re
import site
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import backends
from backends import Backend
from harness.transcript.literals import literal
from harness.transcript.script import Transcript, arranged


def imported(backend: type[Backend], method: str, arguments: Mapping[str, Any], watched: str, why: str) -> Transcript:
    """Nothing is computed here. `why`: no script in the framework's words."""
    module, made = place_of(backend)
    name = re.sub(r"\W+", "_", f"backend {backend.title()}")
    setup = ["import sys", *paths(), f"import {module}", f"{name} = {made}"]
    arrays = {argument: literal(value) for argument, value in arguments.items() if isinstance(value, np.ndarray)}
    lines = [f"{argument} = {name}.from_numpy({text})" for argument, text in arrays.items()]
    given = ", ".join(f"{argument}={argument if argument in arrays else repr(v)}" for argument, v in arguments.items())
    question, actual = f"answer = {name}.{method}({given})", f"actual = np.asarray({name}.to_numpy(answer))"
    if watched:
        before, after = (f"{when} = np.array({name}.to_numpy({watched}))" for when in ("before", "after"))
        question, actual = "\n".join((before, question, actual, after)), ""
    computation = "\n".join((*lines, question))
    return Transcript(arranged("\n".join(setup), computation), computation, actual, note=note(made, why))


def note(made: str, why: str) -> str:
    """What stands below the script's title."""
    said = f"It cannot be written in the framework's own words: {why.rstrip('.')}.\n"
    return f"{said}So it imports the backend itself, by {made}, which needs what that needs, and softmax-harness."


def place_of(backend: type[Backend]) -> tuple[str, str]:
    """The module to import, and the expression that makes it: by its class, or by its name where no module has that."""
    module, name = backend.__module__, backend.__name__
    if getattr(sys.modules.get(module), name, None) is backend:
        return module, f"{module}.{name}()"
    return "backends", f"backends.load({backend.title()!r})"


def paths() -> list[str]:
    """Statements that put on the path what this process found there and an isolated one does not, and this harness.

    A folder with everything that another interpreter has goes last: nothing else is to be found in it.
    """
    brought, ours = brought_folders(), str(Path(backends.__file__).parent.parent)
    if Path(ours).name in ("site-packages", "dist-packages"):
        return [*([in_front(brought)] if brought else []), f"sys.path.append({ours!r})"]
    return [in_front(list(dict.fromkeys((*brought, ours))))]


OURS = ("backends", "harness", "reports")


def in_front(folders: list[str]) -> str:
    return f"sys.path[:0] = {folders}"


def brought_folders() -> list[str]:
    """Of `PYTHONPATH`, the working folder and the user's own, those that something was imported from."""
    given = ["", *os.environ.get("PYTHONPATH", "").split(os.pathsep), site.getusersitepackages()]
    own = {str(Path(folder).absolute()) for folder in given}
    there = [folder for folder in dict.fromkeys(str(Path(entry).absolute()) for entry in sys.path) if folder in own]
    others = {name for name in {*sys.modules} if "." not in name} - {*OURS}
    used = {str(folder) for name in others for folder in folders_of(name)}
    return [folder for folder in there if folder in used]


def folders_of(name: str) -> list[Path]:
    """Where a module that is imported lies: a file's folder, or a package's parents."""
    module = sys.modules.get(name)
    places = getattr(module, "__path__", None)
    if places is not None:
        return [Path(place).absolute().parent for place in places]
    file = getattr(module, "__file__", None)
    return [Path(file).absolute().parent] if file else []


def is_brought(name: str) -> bool:
    """Whether a module comes from a folder that an isolated interpreter does not look into."""
    found = {str(folder) for folder in folders_of(name.split(".", maxsplit=1)[0])}
    return bool(found & {*brought_folders()})
