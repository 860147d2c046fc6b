"""Mutants that no check was made for, so that the share of them that dies says something of defects not yet known.

The rule: they were written before the checks that they are measured on, from what goes wrong in softmaxes elsewhere and
without a look at what the harness sees. They are measured, told in a line of their own, and that is all: no check, case
or family is added or mended because one of them lives, and none of them is changed for how it fared. A class that
deserves a check gets it by another mutant, in `harness.power.mutants`. When a check is made with one of these in mind
nevertheless, the set is used up: it joins `harness.power.mutants` as a whole, and a new one is written.
"""

from __future__ import annotations

from harness.power.held_out import derivatives, losses, narrow, values
from harness.power.planting import Mutant

MUTANTS = (*values.MUTANTS, *narrow.MUTANTS, *derivatives.MUTANTS, *losses.MUTANTS)
BACKENDS: tuple[type[Mutant], ...] = (Mutant, *MUTANTS)
