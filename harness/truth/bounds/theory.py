"""What the bounds assume of a library's functions and of its sums, and what a backend declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from harness.numbers.formats import FORMATS, Format


@dataclass(frozen=True)
class Accuracy:
    """The relative errors assumed of exp, log and division, in u. Where they come from: docs/bounds.md#constants."""

    exp: float = 8.0
    log: float = 5.0
    division: float = 2.0

    @property
    def lost(self) -> float:
        """Return what one loss of a softmax below the normal numbers costs, in quanta. The proofs need 4."""
        return max(4.0, self.exp + 1)


ASSUMED = Accuracy()
FLOAT64 = Accuracy(exp=4.0)
SIXTEEN_BITS = Accuracy(exp=1.0, log=1.0)
"""The accuracy in 16 bits, where every library rounds exp and log correctly. A division need not be: a product with the
rounded reciprocal will do."""


def assumed(form: Format) -> Accuracy:
    if form.p < FORMATS["float32"].p:
        return SIXTEEN_BITS
    return FLOAT64 if form.p == FORMATS["float64"].p else ASSUMED


@dataclass(frozen=True)
class Theory:
    """What is assumed of an implementation: the height of its summation trees, and whether its shift is rounded."""

    extra: int | None = 16
    """Roundings more than a balanced tree's height; None for any order of summation."""
    chain: int = 0
    """Longest chain of additions that was measured."""
    ranged: bool = True
    """False for a shift that is compensated or in a wider format: its errors do not grow with the logits' range."""

    def height(self, n: int) -> int:
        """Return how many roundings a term may meet in a sum of n terms."""
        if self.extra is None:
            return n - 1
        return min(n - 1, tree_height(n) + max(self.extra, self.chain))


any_order = Theory(extra=None)
"""One chain of n − 1 additions is the highest tree there is."""
blocked_tree = Theory(extra=16)
"""A tree, with 16 roundings more than its height: lanes and blocks of accumulators."""
range_free = Theory(extra=1, ranged=False)
"""A tree, and nothing lost in the shift."""


def tree_height(n: int) -> int:
    return ceil(log2(n)) if n > 1 else 0


@dataclass(frozen=True)
class Declared:
    """What a backend says of its own arithmetic (`backends.base.Backend`)."""

    flush: float | None = None
    """The threshold below which 0 is as good as the number; None if nothing is flushed."""
    through_probabilities: bool = False
    """Losses, or log-softmax, are computed from rounded probabilities."""
    through_entries: bool = False
    """A product with a Jacobian is summed from its rounded entries, or from quotients that are as small."""
    through_logs: bool = False
    """A softmax is the exp of its logarithm, or a log-softmax is x − logsumexp(x)."""
    scaled_logits: bool = False
    """Logits are multiplied by a constant first, as by log2 e for powers of 2."""
    difference_step: float = 0.0
    """The step of the central differences by which derivatives are computed; 0 if they are not."""
