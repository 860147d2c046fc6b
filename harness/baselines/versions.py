"""Interpreters that have a framework in a version of its own: virtual environments, made once and used again.

Each has that version, NumPy and ml_dtypes as they are here (a worker needs nothing else of ours) and what else the
framework's extra names, likewise. So two of them differ in the framework, and in what its versions themselves require:
one that was made when these were others is made anew.
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
"""Written last: what an environment was made of, then all that is in it. If that is out of date, it is made anew."""


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: a framework under an interpreter, named or still to be made."""

    framework: str
    name: str
    """For a folder, and for a reader."""
    package: str = ""
    """DISTRIBUTION==VERSION that it is to be made with; empty for an interpreter that is there."""
    interpreter: str = ""


def wanted(spec: str) -> Side:
    """From `jax==0.9.2`. UsageError for what names no framework in one version."""
    found = PINNED.fullmatch(spec)
    if not found:
        raise UsageError(f"a version is named as in jax==0.9.2, and not {spec!r}")
    distribution_name = normal(found[1])
    frameworks = packages()
    if distribution_name not in frameworks:
        raise unknown("framework's package", found[1], frameworks)
    return Side(frameworks[distribution_name], f"{distribution_name}-{found[2]}", f"{distribution_name}=={found[2]}")


def normal(name: str) -> str:
    """A distribution's name as every index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> Iterator[tuple[str, str]]:
    """What this project requires: (distribution, extra), without extras that gather others."""
    for line in distribution("softmax-harness").requires or ():
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if name and (extra is None or extra[1] in FRAMEWORKS):
            yield normal(name[0]), extra[1] if extra else ""


def packages() -> dict[str, str]:
    """The frameworks by the distributions that they come in: those of an extra, what every backend needs, and what
    brought backends name."""
    brought = {normal(find(name).package): find(name).framework for name in reversed(NAMES) if find(name).package}
    ours = {name: extra or name for name, extra in requirements() if name in FRAMEWORKS or comes_in(name, extra)}
    return brought | ours


def comes_in(name: str, framework: str) -> bool:
    """Whether a distribution of a framework's extra is the framework itself, and not what it is used with."""
    return bool(framework) and name.startswith(framework)


def needs(side: Side) -> list[str]:
    """Everything that its environment is made with."""
    own, named = side.package.split("==", maxsplit=1)[0], packages()
    extras = frameworks_beneath(side.framework)
    asked = [name for name, extra in requirements() if extra in extras and named.get(name) != side.framework]
    return [side.package, *(as_here(name) for name in (*WORKER_NEEDS, *asked) if name != own), *bringing(side)]


def frameworks_beneath(framework: str) -> set[str]:
    """Itself, and those whose backends its own derive from."""
    own = [find(name) for name in NAMES if find(name).framework == framework]
    return {vars(base)["framework"] for backend in own for base in backend.__mro__ if "framework" in vars(base)}


def bringing(side: Side) -> list[str]:
    """The installed distributions whose entry points bring its backends, if they are others than the package itself.

    One from a folder or a repository is installed from there again. One that only lies on the path is found there.
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
    """In the version that is installed here, if it is."""
    try:
        return f"{name}=={version(name)}"
    except PackageNotFoundError:
        return name


def making(side: Side, folder: Path) -> list[list[str]]:
    """The commands that make its environment: an interpreter like ours, one installation. None where it has one."""
    if side.interpreter:
        return []
    place = folder / side.name
    pip = [str(interpreter(place)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", "--clear", str(place)], [*pip, *needs(side)]]


def interpreter(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def make(side: Side, folder: Path, say: Callable[[str], None]) -> None:
    """Its environment, if it is not there as it is needed. UsageError with pip's last words where that fails."""
    place = folder / side.name
    if side.interpreter or made_of(place) == recipe(side):
        return
    say(f"making {place}, once: {' '.join(needs(side))}")
    store.writable(folder)
    for command in making(side, folder):
        carried_out(command, side)
    frozen = carried_out([str(interpreter(place)), "-m", "pip", "freeze", "--disable-pip-version-check"], side)
    store.write(place, READY, f"{recipe(side)}\n{frozen}".encode())


def recipe(side: Side) -> str:
    """A line that says what its environment is made of today. NumPy and Python are those that are here."""
    return f"# Python {platform.python_version()}: {' '.join(needs(side))}"


def made_of(environment: Path) -> str:
    """The recipe that it was made by; empty where it is not there, or was not finished."""
    try:
        return (environment / READY).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return ""


def carried_out(command: list[str], side: Side) -> str:
    """What it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        last = "; ".join(line.removeprefix("ERROR: ") for line in words[-2:]) or f"exit status {done.returncode}"
        raise UsageError(f"{side.package} cannot be installed: {last}")
    return done.stdout
