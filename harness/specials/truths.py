"""The exact answers that a row may rightly have, with the error that a proved bound allows.

Entries of -inf are taken out, since their weight is exactly 0, and what is left is an ordinary row. Where several
answers are known to be given (labels that do not sum to 1), each has a word; `RIGHT` is the one that nobody disputes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.numbers.arrays import Floats
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, lengths
from harness.specials.sheets import Sheet, SheetRow, direction, distribution, label
from harness.specials.special_inputs import SITUATIONS
from harness.truth import Expected
from harness.truth.bounds import blocked_tree, bound, range_free
from harness.truth.exact.balls import as_expected, decided
from harness.truth.exact.expected import EXACT

RIGHT, EQUAL, WRAPPED = "right", "as of equal logits", "as label mod n"
OWN_SUM, SUM_1 = "s·Σy − y", "s − y"
UNKNOWN = -1.0
"""The allowed error where no exact value is known. No answer is as near as that."""
THEORY = {name: range_free if name == "bfloat16" else blocked_tree for name in FORMATS}
"""The theory of each dtype's bound. bfloat16 is summed and shifted in a wider format or not at all: bounds of its own
arithmetic would allow anything."""


@dataclass(frozen=True)
class Truth:
    """The exact values of some rows, in shape (rows, answers), and the largest allowed absolute errors.

    `rows` has the numbers of these rows in the sheet. An allowed error is `UNKNOWN` where there is no exact value.
    """

    word: str
    rows: NDArray[np.intp]
    expected: Expected
    allowed: Floats


@dataclass(frozen=True)
class Known:
    """One row's part of a truth. `places`: the indices of the exact values among the row's answers."""

    places: NDArray[np.intp]
    exact: Expected
    allowed: Floats


@lru_cache(maxsize=1024)
def truths(sheet: Sheet, operation: str, form: str) -> tuple[Truth, ...]:
    """Return the truths about a sheet, in the order in which they are tried.

    `form`: the answer's dtype, to which logits are converted if they are no floats.
    """
    found: dict[str, dict[int, Known]] = {RIGHT: {}}
    for number in with_answer(sheet):
        for word, known in of_row(operation, number, sheet.rows[number], form):
            found.setdefault(word, {})[number] = known
    width = answers(operation, sheet.n)
    return tuple(joined(word, rows, width) for word, rows in found.items() if rows)


@lru_cache(maxsize=64)
def with_answer(sheet: Sheet) -> tuple[int, ...]:
    """Return the numbers of the rows whose entries are all finite or -inf."""
    return tuple(number for number, row in enumerate(sheet.rows) if (np.isfinite(row.logits) | row.masked).all())


def answers(operation: str, n: int) -> int:
    """Return how many answers a row has."""
    return prod(lengths(OPERATIONS[operation], n))


def joined(word: str, rows: dict[int, Known], width: int) -> Truth:
    shape = (len(rows), width)
    hi, lo, exponent = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int32)
    allowed = np.full(shape, UNKNOWN)
    for line, known in enumerate(rows.values()):
        exact, at = known.exact, known.places
        hi[line, at], lo[line, at], exponent[line, at] = exact.hi[0], exact.lo[0], exact.exponent[0]
        allowed[line, at] = known.allowed
    return Truth(word, np.array(list(rows)), Expected(hi, lo, exponent), allowed)


def of_row(operation: str, number: int, row: SheetRow, form: str) -> Iterator[tuple[str, Known]]:
    """Yield what is known of one row whose entries are finite or -inf, each part with its word."""
    with np.errstate(over="ignore"):
        logits = row.logits.real.astype(form if form != "bfloat16" else "float64").astype(np.float64)
    masked = row.masked
    n = len(logits)
    if not n:
        return
    if masked.all():
        yield EQUAL, at(operation, np.zeros(n), np.arange(n), number, row, form)
        return
    if not np.isfinite(logits[~masked]).all():
        return  # an integer is too large for the answer's format
    kept = np.flatnonzero(~masked)
    if OPERATIONS[operation].takes("label"):
        yield from of_label(operation, logits, kept, row, form)
    elif row.labels_sum != 1:
        yield from of_sum(operation, logits, kept, number, row, form)
    else:
        yield RIGHT, at(operation, logits, kept, number, row, form)


def at(operation: str, logits: Floats, kept: NDArray[np.intp], number: int, row: SheetRow, form: str) -> Known:
    """Return what is known of the row without its entries of -inf."""
    match OPERATIONS[operation].kinds:
        case (_, "label"):
            beside: Any = label(row)
        case (_, "distribution"):
            beside = distribution(number, row)[kept]
        case (_, "vector"):
            beside = direction(number, row)[kept]
        case _:
            beside = None
    return known_row(operation, logits, kept, beside, form)


def known_row(operation: str, logits: Floats, kept: NDArray[np.intp], beside: Any, form: str) -> Known:
    exact, allowed = exact_and_bound(operation, logits[kept].tobytes(), as_key(beside), form)
    n = len(logits)
    if OPERATIONS[operation].one_a_row:
        return Known(np.zeros(1, np.intp), exact, allowed)
    return Known((kept[:, None] * n + kept).ravel() if OPERATIONS[operation].square else kept, exact, allowed)


def as_key(beside: Any) -> bytes | int | None:
    return beside.tobytes() if isinstance(beside, np.ndarray) else beside


@lru_cache(maxsize=2**18)
def exact_and_bound(operation: str, logits: bytes, beside: bytes | int | None, form: str) -> tuple[Expected, Floats]:
    x, given = np.frombuffer(logits), numbers(beside)
    allowed = bound(operation, x[None], [np.asarray(g)[None] for g in given], FORMATS[form], THEORY[form])
    return exactly(operation, logits, beside), allowed.reshape(-1)


@lru_cache(maxsize=2**17)
def exactly(operation: str, logits: bytes, beside: bytes | int | None) -> Expected:
    """Compute the exact answer with Arb.

    `harness.truth.expected` refuses labels that sum to another number than 1; the formulas used here do not.
    """
    row = np.frombuffer(logits).tolist()
    given = [g if isinstance(g, int) else g.tolist() for g in numbers(beside)]
    return as_expected([decided(lambda: EXACT[operation](row, *given), operation)])


def numbers(beside: bytes | int | None) -> list[Any]:
    return [] if beside is None else [beside if isinstance(beside, int) else np.frombuffer(beside)]


def of_label(
    operation: str, logits: Floats, kept: NDArray[np.intp], row: SheetRow, form: str
) -> Iterator[tuple[str, Known]]:
    """Yield what is known of a row with an integer label.

    A masked label has an infinite loss, for which nothing is yielded; its gradient at the other places is softmax
    itself.
    """
    n, y = len(logits), label(row)
    if not 0 <= y < n:
        if SITUATIONS[row.situation].wraps:
            yield WRAPPED, known_row(operation, logits, kept, y % n, form)
    elif not row.masked[y]:
        yield RIGHT, known_row(operation, logits, kept, int(np.searchsorted(kept, y)), form)
    elif OPERATIONS[operation].derivative_of:
        yield RIGHT, known_row("softmax", logits, kept, None, form)


def of_sum(
    operation: str, logits: Floats, kept: NDArray[np.intp], number: int, row: SheetRow, form: str
) -> Iterator[tuple[str, Known]]:
    """Yield what is known of labels that sum to another number than 1.

    The gradient of the loss is s·Σy − y. The gradient s − y belongs to a loss that takes Σy = 1 for granted.
    """
    given = at(operation, logits, kept, number, row, form)
    about = OPERATIONS[operation]
    if not (about.derivative_of and about.takes("distribution")):
        yield RIGHT, given
        return
    yield OWN_SUM, given
    yield SUM_1, less(logits, kept, distribution(number, row)[kept], form)


def less(logits: Floats, kept: NDArray[np.intp], y: Floats, form: str) -> Known:
    """Return s − y and its allowed error: softmax's own error, and the rounding of a subtraction."""
    own, row = known_row("softmax", logits, kept, None, form), logits[kept].tolist()
    exact = as_expected([decided(lambda: [s - p for s, p in zip(EXACT["softmax"](row), y.tolist(), strict=True)])])
    size = np.abs(exact.rounded()[0]) + own.allowed
    return Known(kept, exact, own.allowed + 2 * FORMATS[form].u * size)
