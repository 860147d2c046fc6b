"""Interpreters with one version of a framework each: virtual environments, made once and used again.

Each has that version of the framework. It also has NumPy and ml_dtypes (a worker process needs nothing else of ours)
and whatever else the framework's extra names, in the versions that are installed here. So two environments differ
only in the framework and in what its versions themselves require. An environment is made anew if the versions here
have changed since.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, entry_points, version
from pathlib import Path

from backends import ENTRY_POINTS, FRAMEWORKS, NAMES, find
from harness.errors import UsageError, unknown
from harness.runs import store

WORKER_NEEDS = ("numpy", "ml-dtypes")
PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)==([\w.+!-]+)")
READY = "packages.txt"
"""A file that is written last: what the environment was made of, then all that is installed in it.

If the first line is out of date, the environment is made anew.
"""


@dataclass(frozen=True)
class Environment:
    """One of the two sides of a comparison: a framework under an interpreter that exists or is still to be made."""

    framework: str
    name: str
    """The name of its folder, which is also shown to the reader."""
    package: str = ""
    """The DISTRIBUTION==VERSION that it is to be made with; empty for an interpreter that exists."""
    interpreter: str = ""


def environment_of(spec: str) -> Environment:
    """Return the side that a text such as `jax==0.9.2` names.

    Raise UsageError if it does not name a framework in one version.
    """
    found = PINNED.fullmatch(spec)
    if not found:
        raise UsageError(f"a version must look like jax==0.9.2; got {spec!r}")
    distribution_name = normal(found[1])
    frameworks = packages()
    if distribution_name not in frameworks:
        raise unknown("framework package", found[1], frameworks)
    return Environment(
        frameworks[distribution_name], f"{distribution_name}-{found[2]}", f"{distribution_name}=={found[2]}"
    )


def normal(name: str) -> str:
    """Return a distribution's name in its normalised form, as every index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> Iterator[tuple[str, str]]:
    """Yield this project's requirements as (distribution, extra). Only extras of a framework are included."""
    for line in distribution("softmax-harness").requires or ():
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if name and (extra is None or extra[1] in FRAMEWORKS):
            yield normal(name[0]), extra[1] if extra else ""


def packages() -> dict[str, str]:
    """Return the frameworks by the distributions that they come in.

    They are distributions of the extras, what every backend needs, and those that brought backends name.
    """
    brought = {normal(find(name).package): find(name).framework for name in reversed(NAMES) if find(name).package}
    ours = {name: extra or name for name, extra in requirements() if name in FRAMEWORKS or comes_in(name, extra)}
    return brought | ours


def comes_in(name: str, framework: str) -> bool:
    """Decide, by its name, whether a distribution of a framework's extra is the framework itself."""
    return bool(framework) and name.startswith(framework)


def needs(side: Environment) -> list[str]:
    """Return all requirements that the side's environment is made with."""
    own, named = side.package.split("==", maxsplit=1)[0], packages()
    extras = frameworks_beneath(side.framework)
    asked = [name for name, extra in requirements() if extra in extras and named.get(name) != side.framework]
    return [side.package, *(as_here(name) for name in (*WORKER_NEEDS, *asked) if name != own), *bringing(side)]


def frameworks_beneath(framework: str) -> set[str]:
    """Return the framework itself, and those whose backends its own backends derive from."""
    own = [find(name) for name in NAMES if find(name).framework == framework]
    return {vars(base)["framework"] for backend in own for base in backend.__mro__ if "framework" in vars(base)}


def bringing(side: Environment) -> list[str]:
    """Return the requirements for installed distributions whose entry points bring the side's backends.

    The side's own package is left out. A distribution from a folder or a repository is installed from there again. One
    that is only on the path, without a record of its files, is found there.
    """
    own = {find(name) for name in NAMES if find(name).framework == side.framework}
    found = []
    for entry in entry_points(group=ENTRY_POINTS):
        brought = getattr(sys.modules.get(entry.module), "BACKENDS", ())
        if own & {*brought} and entry.dist and normal(entry.dist.name) != side.package.split("==", maxsplit=1)[0]:
            url, record = entry.dist.read_text("direct_url.json"), entry.dist.read_text("RECORD")
            if url:
                found.append(f"{entry.dist.name} @ {json.loads(url)['url']}")
            elif record:
                found.append(as_here(entry.dist.name))
    return list(dict.fromkeys(found))


def as_here(name: str) -> str:
    """Return the requirement in the version that is installed here; without a version if it is not installed."""
    try:
        return f"{name}=={version(name)}"
    except PackageNotFoundError:
        return name


def making(side: Environment, folder: Path) -> list[list[str]]:
    """Return the commands that make the side's environment: a venv of our interpreter, and one installation.

    Return an empty list if the side has an interpreter.
    """
    if side.interpreter:
        return []
    place = folder / side.name
    pip = [str(interpreter(place)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", "--clear", str(place)], [*pip, *needs(side)]]


def interpreter(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def make(side: Environment, folder: Path, say: Callable[[str], None]) -> None:
    """Make the side's environment, unless it exists as needed. Raise UsageError with pip's last words if that fails."""
    place = folder / side.name
    if side.interpreter or made_of(place) == recipe(side):
        return
    say(f"creating {place} (once): {' '.join(needs(side))}")
    store.writable(folder)
    for command in making(side, folder):
        carried_out(command, side)
    frozen = carried_out([str(interpreter(place)), "-m", "pip", "freeze", "--disable-pip-version-check"], side)
    store.write(place, READY, f"{recipe(side)}\n{frozen}".encode())


def recipe(side: Environment) -> str:
    """Return a line that says what the side's environment would be made of today, on the Python that is here."""
    return f"# Python {platform.python_version()}: {' '.join(needs(side))}"


def made_of(environment: Path) -> str:
    """Return the recipe that an environment was made by; empty if it does not exist or is not finished."""
    try:
        return (environment / READY).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return ""


def carried_out(command: list[str], side: Environment) -> str:
    """Run a command and return what it prints. Raise UsageError with its last words if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        last = "; ".join(line.removeprefix("ERROR: ") for line in words[-2:]) or f"exit status {done.returncode}"
        raise UsageError(f"{side.package} cannot be installed: {last}")
    return done.stdout
