"""The text of a recorded computation, in its parts."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from harness.transcript.literals import MODULES


@dataclass(frozen=True)
class Transcript:
    """The parts of a recorded computation.

    `setup` has imports and settings. `computation` makes the inputs and binds `answer`, unless it `raised`.
    `conversion` binds `actual`, the answer as a NumPy array. If an argument was watched, the computation binds `actual`
    too, and that argument's numbers as `before` and `after`.
    """

    setup: str
    computation: str
    conversion: str
    raised: str = ""
    """The type of the exception that the computation raises, or empty."""
    note: str = ""
    """What a reader has to know of the script beforehand, or empty."""

    @property
    def script(self) -> str:
        """The script whose last line binds `answer`."""
        return f"{self.setup}\n\n{self.computation}\n"

    @property
    def whole(self) -> str:
        """The script whose last line binds `actual`."""
        return f"{self.script}{self.conversion}\n"


def arranged(setup: str, computation: str) -> str:
    """Return the setup with the imports that the computation needs.

    Python's own modules come first, then NumPy, then the framework between its settings.
    """
    lines = [f"import {name}" for name in MODULES if f"{name}." in computation and f"import {name}\n" not in setup]
    lines += ["import numpy as np", *setup.splitlines()]
    own = [line for line in lines if line.removeprefix("import ") in sys.stdlib_module_names]
    return "\n".join((*sorted(own), *(line for line in lines if line not in own)))
