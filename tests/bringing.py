"""A backend brought as a user brings it: a module and its entry point, in a folder on the path."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.0\n"
ENTRY_POINTS = "[softmax_harness.backends]\n{name} = {name}_backend\n"


def brought(folder: Path, source: str, name: str = "mine") -> Path:
    """The folder, with a package in it that brings the source's `BACKENDS`; for `PYTHONPATH`."""
    about = folder / f"{name}-0.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(METADATA.format(name=name))
    (about / "entry_points.txt").write_text(ENTRY_POINTS.format(name=name))
    (folder / f"{name}_backend.py").write_text(dedent(source))
    return folder


ZEROS = """
    from backends.numpy import NumPy


    class Mine(NumPy):
        framework = "mine"

        def softmax(self, logits, axis):
            return self.xp.zeros_like(logits)


    BACKENDS = (Mine,)
"""
RIGHT = """
    from backends.base import METHODS
    from backends.numpy import NumPy

    BACKENDS = (type("Mine", (NumPy,), {"framework": "mine"} | {name: getattr(NumPy, name) for name in METHODS}),)
"""
