"""Backends that are right: nothing may be flagged about them, on any suite.

`SELF_TEST` is the reference rounded once. An objection to it can only be a fault of the judge's own. `CLAIMS` are
computed in other ways, most of them in use, and they count.
"""

from __future__ import annotations

from harness.power.right.in_use import (
    Blocks,
    Compensated,
    InTheLogarithm,
    Kahan,
    Online,
    Pairwise,
    PowersOfTwo,
    RoundedPowers,
    Sequential,
)
from harness.power.right.rounded import Exact, Right, Wide, by_rows, in_shape, nearest

__all__ = ["BACKENDS", "CLAIMS", "SELF_TEST", "THOROUGH", "Exact", "Right", "by_rows", "in_shape", "nearest"]

SELF_TEST: type[Right] = Exact
THOROUGH: tuple[type[Right], ...] = (Wide, Compensated, Sequential)
"""Those that go through most of the suites. The others differ from them only in a sum, and go through less."""
CLAIMS: tuple[type[Right], ...] = (
    *THOROUGH, Kahan, Pairwise, Online, Blocks, PowersOfTwo, RoundedPowers, InTheLogarithm,
)  # fmt: skip
BACKENDS: tuple[type[Right], ...] = (Right, SELF_TEST, *CLAIMS)
