"""The smallest rows that still show a fact: one row, by itself if it can be, few elements, zeros and ones for numbers.

Whatever is tried is asked again, and kept only if the same fact comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.atlas.entries import Key, Seen
from harness.atlas.sheets import Row
from harness.atlas.situations import SITUATIONS
from harness.atlas.sweep import FIRST_DTYPE, rows
from harness.findings.atlas.questions import Question, where_seen

Still = Callable[[Question], bool]
SIMPLE = (0, 1)
FEW = 8
"""Elements up to which each is tried by itself."""
TRIED = 3
LAYOUTS = ("last", "alone", "0-d", "first")
"""The first that will do is taken."""


def smallest(key: Key, seen: Sequence[Seen], still: Still) -> Question | None:
    """Where it was seen, shrunk as far as it goes. None where it does not come back in any of the `TRIED` smallest."""
    in_order = sorted(seen, key=lambda one: (one.width, one.dtype != FIRST_DTYPE, one.dtype, LAYOUTS.index(one.axis)))
    for one in in_order[:TRIED]:
        asked = where_seen(*key, one)
        if found := next(filter(still, fewer_rows(asked)), None):
            return simpler(narrower(found, still), still)
    return None


def fewer_rows(asked: Question) -> Iterator[Question]:
    """The row in front by itself, without a batch and with one; beside one other row; all in its situation; all."""
    own = [row for row in asked.sheet.rows if row.situation == asked.situation]
    for row in own:
        yield from ((asked.with_rows([row], "alone"),) if asked.layout == "last" else ())
        yield asked.with_rows([row])
    if asked.layout in ("last", "first"):
        others = [row for row in asked.sheet.rows if own and row is not own[0]]
        yield from (asked.with_rows([own[0], other]) for other in others)
        yield asked.with_rows([row for row in asked.sheet.rows if row.situation in ("", asked.situation)])
        yield asked


def narrower(found: Question, still: Still) -> Question:
    """Of one row, the fewest elements: powers of two up to the first that will do, then halving."""
    if len(found.sheet.rows) != 1 or found.layout == "0-d":
        return found
    below = 0
    for n in (2**k for k in range(20) if 2**k < found.sheet.n):
        if other := at_width(found, n, still):
            found = other
            break
        below = n
    while found.sheet.n - below > 1:
        middle = (below + found.sheet.n) // 2
        other = at_width(found, middle, still)
        found, below = (other, below) if other else (found, middle)
    return found


def at_width(found: Question, n: int, still: Still) -> Question | None:
    """The situation's first row of that width that will do."""
    about = SITUATIONS[found.situation]
    if n < about.smallest:
        return None
    made: Iterable[Row] = rows(about, n, found.sheet.dtype)
    tried = (found.with_rows([row]) for row in made if row.situation == found.situation)
    return next((question for question in tried if still(question)), None)


def simpler(found: Question, still: Still) -> Question:
    """Zeros for all finite numbers; else zeros and ones one by one."""
    if not found.sheet.rows or found.layout == "0-d":
        return found
    row = found.sheet.rows[0]
    finite = [j for j, number in enumerate(row.logits) if np.isfinite(number)]
    if still(plain := with_logits(found, finite, 0)):
        return plain
    for j in finite if len(row.logits) <= FEW else ():
        tried = (with_logits(found, [j], number) for number in SIMPLE)
        found = next((question for question in tried if still(question)), found)
    return found


def with_logits(found: Question, places: Sequence[int], number: int) -> Question:
    row, *others = found.sheet.rows
    logits = row.logits.copy()
    logits[list(places)] = number
    return found.with_rows([replace(row, logits=logits), *others])
