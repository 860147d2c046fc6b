"""Find the smallest rows that still show a fact: one row, by itself if possible, few elements, zeros and ones.

Every step is asked, and kept only if the same fact comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.findings.shrink import fewest
from harness.findings.specials.questions import SpecialQuestion, where_seen
from harness.specials.entries import Key, Seen
from harness.specials.sheets import SheetRow
from harness.specials.special_inputs import SITUATIONS
from harness.specials.sweep import FIRST_DTYPE
from harness.specials.sweep import rows as rows_of

Still = Callable[[SpecialQuestion], bool]
SIMPLE = (0, 1)
FEW = 8
"""The largest number of elements in a row that are tried one by one."""
TRIED = 3
LAYOUTS = ("last", "alone", "0-d", "first")
"""Layouts in the order in which they are preferred."""


def smallest(key: Key, seen: Sequence[Seen], still: Still) -> SpecialQuestion | None:
    """Return the question where the fact was seen, shrunk as far as possible.

    Return None if the fact does not come back in any of the `TRIED` smallest places.
    """
    in_order = sorted(
        seen,  # places whose numbers fit other facts as well come last
        key=lambda one: (bool(one.also), one.width, one.dtype != FIRST_DTYPE, one.dtype, LAYOUTS.index(one.axis)),
    )
    found = first(key, in_order, still)
    return simpler(narrower(found, still), still) if found else None


def nearest(key: Key, seen: Sequence[Seen], still: Still, question: SpecialQuestion) -> SpecialQuestion | None:
    """Return the question where the fact was seen that is nearest in layout, dtype and width to the given one.

    Return None if the fact does not come back in any of the `TRIED` nearest places.
    """
    own = (question.layout, question.sheet.dtype, question.sheet.n)
    in_order = sorted(
        seen, key=lambda one: (bool(one.also), one.axis != own[0], one.dtype != own[1], abs(one.width - own[2]))
    )
    found = first(key, in_order, still)
    return simpler(found, still) if found else None


def first(key: Key, seen: Sequence[Seen], still: Still) -> SpecialQuestion | None:
    """Return the question of the first `TRIED` places that will do, with as few rows as possible, or None."""
    tried = (question for one in seen[:TRIED] for question in fewer_rows(where_seen(*key, one)))
    return next(filter(still, tried), None)


def fewer_rows(asked: SpecialQuestion) -> Iterator[SpecialQuestion]:
    """Yield the question with fewer rows.

    First each row of the situation by itself, without a batch and with one; then the first one beside one other row;
    then all rows of the situation and those that only stand beside; then all rows.
    """
    own = [row for row in asked.sheet.rows if row.situation == asked.situation]
    for row in own:
        yield from ((asked.with_rows([row], "alone"),) if asked.layout == "last" else ())
        yield asked.with_rows([row])
    if asked.layout in ("last", "first"):
        others = [row for row in asked.sheet.rows if own and row is not own[0]]
        yield from (asked.with_rows([own[0], other]) for other in others)
        yield asked.with_rows([row for row in asked.sheet.rows if row.situation in ("", asked.situation)])
        yield asked


def narrower(found: SpecialQuestion, still: Still) -> SpecialQuestion:
    """Return a question of one row with the fewest elements that will do, and any other question as it is."""
    if len(found.sheet.rows) != 1 or found.layout == "0-d":
        return found
    return fewest(found, found.sheet.n, lambda n: at_width(found, n, still))


def at_width(found: SpecialQuestion, n: int, still: Still) -> SpecialQuestion | None:
    """Return the question with the situation's first row of that width that will do, or None."""
    about = SITUATIONS[found.situation]
    if n < about.smallest:
        return None
    made: Iterable[SheetRow] = rows_of(about, n, found.sheet.dtype)
    own = (row for row in made if row.situation == found.situation)
    tried = (found.with_rows([row]) for row in own if about.wraps or row.label is None or row.label < n)
    return next((question for question in tried if still(question)), None)


def simpler(found: SpecialQuestion, still: Still) -> SpecialQuestion:
    """Return the question with zeros for all finite numbers of a row, if that will do.

    Otherwise zeros and ones are tried one by one in a short row.
    """
    for number in range(len(found.sheet.rows) if found.layout != "0-d" else 0):
        logits = found.sheet.rows[number].logits
        finite = [j for j, value in enumerate(logits) if np.isfinite(value)]
        if still(plain := with_logits(found, number, finite, 0)):
            found = plain
            continue
        for j in finite if len(logits) <= FEW else ():
            tried = (with_logits(found, number, [j], simple) for simple in SIMPLE)
            found = next((question for question in tried if still(question)), found)
    return found


def with_logits(found: SpecialQuestion, number: int, places: Sequence[int], value: int) -> SpecialQuestion:
    """Return the question with the row of that number changed in these places."""
    rows = list(found.sheet.rows)
    logits = rows[number].logits.copy()
    logits[list(places)] = value
    rows[number] = replace(rows[number], logits=logits)
    return found.with_rows(rows)
