"""A row of logits with the exponentials and sums that exact formulas share, and what makes a formula of such a row.

The formulas avoid cancellation (docs/operations.md#exact-values). With m the position of the maximum,
e_i = exp(x_i − x_m) and Z = Σ e_i, the tail Z − e_m is summed and never subtracted, and cotangents are centred at v_m.
So all-equal logits give an exact Z, and J·v of a constant v is exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import isqrt
from operator import mul

from flint import arb, ctx

from harness.truth.exact.balls import SIDE_PRECISION

FARTHEST = 2.0**60
NOTHING = arb(-FARTHEST)
"""The least shifted logit whose exponential is taken. Behind a mask of float32's lowest number Arb's exponential is a
ball about 0; taken from here, it keeps the softmax above 0. Exponents stop at `balls.LOWEST_EXPONENT` long before."""
Formula = Callable[..., list[arb]]
"""The exact answers of one row, before any reduction over rows, from the numbers of its arguments in their order. It is
called again at each precision."""


class Row:
    """One row of logits, with the exponentials and sums that all operations share."""

    def __init__(self, logits: Sequence[float | arb]) -> None:
        self.m = m = logits.index(max(logits))
        self.largest = arb(logits[m])
        opposite = -self.largest  # a ball plus a float takes half the time of a float minus a ball
        self.shifted = [opposite + x for x in logits]
        near = self.shifted if min(logits) - max(logits) > -FARTHEST else [max(x, NOTHING) for x in self.shifted]
        self.e = [x.exp() for x in near]
        self.tail = summed(self.e[:m] + self.e[m + 1 :])
        self.total = self.e[m] + self.tail

    @cached_property
    def square(self) -> arb:
        return self.total * self.total

    @cached_property
    def log_total(self) -> arb:
        return self.tail.log1p()

    def rest(self, i: int) -> arb:
        """Return Z − e_i. For i ≠ m it is at least e_m = 1, so nothing cancels."""
        return self.tail if i == self.m else self.total - self.e[i]

    def without(self, part: arb, rest: arb) -> arb:
        """Return rest/Z, where part + rest = Z.

        If it is near 1, it is computed as 1 − part/Z with SIDE_PRECISION bits, enough to tell it from 1. Only this
        subtraction needs them, so the precision of the whole row is not raised.
        """
        if not part < 2.0**-64:
            return rest / self.total
        lacking = part / self.total
        with ctx.workprec(max(ctx.prec, SIDE_PRECISION)):
            return 1 - lacking

    def share(self, i: int) -> arb:
        """Return s_i."""
        return self.without(self.tail, self.e[i]) if i == self.m else self.e[i] / self.total

    def others(self, i: int) -> arb:
        """Return 1 − s_i."""
        return self.tail / self.total if i == self.m else self.without(self.e[i], self.rest(i))

    def minus_log(self, i: int) -> arb:
        """Return −ln s_i = ln Z + (x_m − x_i). The two terms have one sign, so nothing cancels."""
        return self.log_total - self.shifted[i]

    def centred(self, vector: list[float]) -> list[arb]:
        """Return v − v_m, shape (n,). J·v stays the same, since J·1 = 0, and the largest weight leaves the sums."""
        opposite = -arb(vector[self.m])
        return [opposite + v for v in vector]

    def weighted(self, vector: list[arb]) -> arb:
        """Return Σ e_i·v_i."""
        return summed(list(map(mul, self.e, vector)))


def summed(terms: list[arb]) -> arb:
    """Return the sum of n terms, added in pieces of about √n, so that its radius grows with √n and not with n."""
    size = isqrt(len(terms)) + 1
    return sum((sum(terms[i : i + size], arb(0)) for i in range(0, len(terms), size)), arb(0))


def of_softmax(formula: Formula) -> Formula:
    """Return a formula of logits from one that takes the logits as a `Row`."""
    return lambda logits, *given: formula(Row(logits), *given)
