"""Mutants that no check was made for, so that the share that is killed says something about unknown defects.

The rule: they were written before the checks that they are measured on, from what goes wrong in other softmaxes, and
without a look at what the harness sees. They are measured and reported in a line of their own, and nothing else: no
check, case or family is added or mended because one of them survives, and none of them is changed because of its
result. A class that deserves a check gets it by another mutant, in `harness.power.mutants`. If a check is made with
one of these in mind nevertheless, the set is used up: it joins `harness.power.mutants` as a whole, and a new one is
written.
"""

from __future__ import annotations

from harness.power.held_out import derivatives, losses, narrow, values
from harness.power.planting import Mutant

MUTANTS = (*values.MUTANTS, *narrow.MUTANTS, *derivatives.MUTANTS, *losses.MUTANTS)
BACKENDS: tuple[type[Mutant], ...] = (Mutant, *MUTANTS)
