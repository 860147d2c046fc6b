"""Scripts that import the backend itself, for questions that cannot be written in the framework's own words.

A script puts the folders in which this process found the backend on its path, if an isolated interpreter does not have
them.
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
    """Return the transcript of a question, without computing anything.

    `why`: the reason why there is no script in the framework's words.
    """
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
    """Return the note that stands below the script's title."""
    said = f"It cannot be written in the framework's own words: {why.rstrip('.')}.\n"
    return f"{said}So it imports the backend itself, by {made}, which needs what that needs, and softmax-harness."


def place_of(backend: type[Backend]) -> tuple[str, str]:
    """Return the module to import and the expression that makes the backend.

    The expression calls the backend's class, or loads the backend by its name if no module has that class.
    """
    module, name = backend.__module__, backend.__name__
    if getattr(sys.modules.get(module), name, None) is backend:
        return module, f"{module}.{name}()"
    return "backends", f"backends.load({backend.title()!r})"


def paths() -> list[str]:
    """Return statements that put the folders of this harness, and of what this process found, on the path.

    Folders that an isolated interpreter has are left out. If the harness lies in a folder of installed packages, that
    goes last, so that it hides nothing of the other interpreter.
    """
    brought, ours = brought_folders(), str(Path(backends.__file__).parent.parent)
    if Path(ours).name in ("site-packages", "dist-packages"):
        return [*([in_front(brought)] if brought else []), f"sys.path.append({ours!r})"]
    return [in_front(list(dict.fromkeys((*brought, ours))))]


OURS = ("backends", "harness", "reports")


def in_front(folders: list[str]) -> str:
    return f"sys.path[:0] = {folders}"


def brought_folders() -> list[str]:
    """Return the folders that something was imported from and that an isolated interpreter does not have.

    They are among those of `PYTHONPATH`, the working folder, and the user's own folder of packages. Imports of this
    project's own packages do not count.
    """
    given = ["", *os.environ.get("PYTHONPATH", "").split(os.pathsep), site.getusersitepackages()]
    own = {str(Path(folder).absolute()) for folder in given}
    there = [folder for folder in dict.fromkeys(str(Path(entry).absolute()) for entry in sys.path) if folder in own]
    others = {name for name in {*sys.modules} if "." not in name} - {*OURS}
    used = {str(folder) for name in others for folder in folders_of(name)}
    return [folder for folder in there if folder in used]


def folders_of(name: str) -> list[Path]:
    """Return the folders in which an imported module lies: its file's folder, or its package's parents."""
    module = sys.modules.get(name)
    places = getattr(module, "__path__", None)
    if places is not None:
        return [Path(place).absolute().parent for place in places]
    file = getattr(module, "__file__", None)
    return [Path(file).absolute().parent] if file else []


def is_brought(name: str) -> bool:
    """Decide whether a module comes from a folder that an isolated interpreter does not look into."""
    found = {str(folder) for folder in folders_of(name.split(".", maxsplit=1)[0])}
    return bool(found & {*brought_folders()})
