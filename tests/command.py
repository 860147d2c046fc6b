"""The command line as a user calls it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def harness(*arguments: object, cwd: Path = ROOT, **environment: object) -> subprocess.CompletedProcess[str]:
    """`python -m harness …`, from the project's root or another folder."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def brought(folder: Path, name: str, source: str) -> Path:
    """A folder for `PYTHONPATH`, in which a package brings backends by an entry point of that name."""
    about = folder / f"{name}-0.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0\n")
    (about / "entry_points.txt").write_text(f"[softmax_harness.backends]\n{name} = {name}\n")
    (folder / f"{name}.py").write_text(source)
    return folder
