"""The mutants, by question.

`BACKENDS` makes them known to a worker. Their native, which is right, stands first.
"""

from __future__ import annotations

from harness.power.mutants import (
    arguments,
    classics,
    derivatives,
    layouts,
    losses,
    narrow,
    precision,
    ranges,
    sizes,
    specials,
    state,
    widths,
)
from harness.power.planting import Mutant

MUTANTS = (
    *classics.MUTANTS, *ranges.MUTANTS, *precision.MUTANTS, *widths.MUTANTS, *layouts.MUTANTS, *derivatives.MUTANTS,
    *losses.MUTANTS, *specials.MUTANTS, *state.MUTANTS, *arguments.MUTANTS, *sizes.MUTANTS, *narrow.MUTANTS,
)  # fmt: skip
BACKENDS: tuple[type[Mutant], ...] = (Mutant, *MUTANTS)
