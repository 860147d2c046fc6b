"""The command line as a user calls it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import forked
from tests.forked import ROOT

TIMEOUT = 280.0
"""Seconds."""
COMMAND = "import runpy; runpy.run_module('harness', run_name='__main__', alter_sys=True)"


def harness(*arguments: object, cwd: Path = ROOT, **environment: object) -> subprocess.CompletedProcess[str]:
    """`python -m harness …`, from the project's root or another folder, in a process that is forked."""
    given, words = settings(environment), map(str, arguments)
    plain = cwd == ROOT and "PYTHONPATH" not in given  # or another place or package may say what is imported
    packages = forked.OURS if plain else ()
    return forked.python(COMMAND, *words, cwd=cwd, environment=given, timeout=TIMEOUT, packages=packages)


def harness_anew(*arguments: object, **environment: object) -> subprocess.CompletedProcess[str]:
    """The same in an interpreter of its own, whose hashes have a seed of their own."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=ROOT,
        env=settings(environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def settings(more: Mapping[str, object]) -> dict[str, str]:
    return os.environ | {name: str(value) for name, value in more.items()}


def brought(folder: Path, name: str, source: str) -> Path:
    """A folder for `PYTHONPATH`, in which a package brings backends by an entry point of that name."""
    about = folder / f"{name}-0.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0\n")
    (about / "entry_points.txt").write_text(f"[softmax_harness.backends]\n{name} = {name}\n")
    (folder / f"{name}.py").write_text(source)
    return folder
