"""Answers as facts: a few words for what a backend gave in a situation. The same behaviour has the same fact.

A number is right if it is within the proved bound around the exact value (`harness.specials.truths`), and in no other
way. If it is not right, NaN, 0, 1, −1 and the infinities are named, and any other number is `wrong`. Three kinds of
places are distinguished: those of -inf, those that the situation calls special, and the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from math import inf

import numpy as np
from numpy.typing import NDArray

from harness.faults import Fault, Outcome, name
from harness.judging.metrics import errors
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, as_rows
from harness.specials.sheets import Sheet
from harness.specials.special_inputs import SITUATIONS
from harness.specials.truths import EQUAL, OWN_SUM, RIGHT, SUM_1, WRAPPED, Truth, answers, truths

Answer = NDArray[np.generic]
Mask = NDArray[np.bool_]
UNJUDGED, WRONG = "unjudged", "wrong"
WORDS = (RIGHT, EQUAL, WRAPPED, OWN_SUM, SUM_1, "NaN", "+inf", "-inf", "0", "1", "-1", UNJUDGED, WRONG)
CODE = {word: np.uint16(1 << number) for number, word in enumerate(WORDS)}
NUMERIC = "fciub"
"""The kinds of dtypes that hold numbers (`dtype.kind`)."""
NUMBERS = {"+inf": inf, "-inf": -inf, "0": 0.0, "1": 1.0, "-1": -1.0}


@dataclass(frozen=True)
class Told:
    """A fact, and the positions of those rows of the situation in a sheet for which it holds."""

    situation: str
    fact: str
    positions: tuple[str, ...] = ("",)
    also: frozenset[str] = frozenset()
    """Other facts that fit the same numbers: a row of one number 0 is 0 everywhere, and may be as of equal logits."""


def tell(operation: str, sheet: Sheet, layout: str, claimed: str, asked: Answer | Fault) -> Iterator[Told]:
    """Yield the facts of a sheet's situations: for each situation one for all rows, or one for each kind of row."""
    if isinstance(asked, Fault):
        yield from (Told(situation, failure(asked)) for situation in sheet.situations)
        return
    wanted, suffix = shape(operation, sheet, layout), other_dtype(asked, sheet.dtype, claimed)
    if asked.shape != wanted:
        odd = f"shape {asked.shape} where {wanted} is asked for"
        yield from (Told(situation, odd) for situation in sheet.situations)
    elif asked.dtype.kind not in NUMERIC and asked.dtype.name not in FORMATS:
        kind = asked.dtype.names or (asked.dtype.name,)
        yield from (Told(situation, f"no numbers, but {kind[0]}") for situation in sheet.situations)
    elif not asked.size:
        yield from (Told(situation, f"empty{suffix}") for situation in sheet.situations)
    else:
        rows = in_rows(operation, asked, sheet, layout)
        yield from of_rows(operation, sheet, *codes(operation, sheet, rows), suffix)


RAISES, CRASHES, HANGS, OUT_OF_MEMORY = "raises", "crashes", "gives no answer in time", "runs out of memory"
DEATHS = (CRASHES, HANGS, OUT_OF_MEMORY)
"""What a fact begins with if the question ended its process."""


def failure(fault: Fault) -> str:
    """Return the fact of a question without an answer: an exception has its type, a crash its signal."""
    match fault.outcome:
        case Outcome.FAILED:
            return f"{RAISES} {name(fault)}"
        case Outcome.CRASHED:
            return f"{CRASHES} ({fault.signal or name(fault)})"
        case Outcome.TIMED_OUT:
            return HANGS
        case Outcome.OUT_OF_MEMORY:
            return OUT_OF_MEMORY
        case outcome:  # no behaviour of the backend, and so nothing that anyone declares
            return str(outcome)


def other_dtype(answer: Answer, dtype: str, claimed: str) -> str:
    """Return words for the answer's dtype, or nothing if it is the claimed one and the logits are floats."""
    return "" if dtype in FORMATS and answer.dtype.name == claimed else f" in {answer.dtype.name}"


def shape(operation: str, sheet: Sheet, layout: str) -> tuple[int, ...]:
    """Return the shape that the answer should have."""
    rows, n = len(sheet.rows), sheet.n
    batch = () if layout in ("alone", "0-d") else (rows,)
    if OPERATIONS[operation].one_a_row:
        return batch
    if OPERATIONS[operation].square:
        return (*batch, n, n)
    return {"last": (rows, n), "first": (n, rows), "alone": (n,), "0-d": ()}[layout]


def in_rows(operation: str, answer: Answer, sheet: Sheet, layout: str) -> Answer:
    """Return the answer in shape (rows, answers)."""
    if layout == "first" and OPERATIONS[operation].in_place:
        return as_rows(OPERATIONS[operation], answer, 0, sheet.n)
    return answer.reshape(len(sheet.rows), answers(operation, sheet.n))


Codes = NDArray[np.uint16]


def codes(operation: str, sheet: Sheet, answer: Answer) -> tuple[Codes, Codes]:
    """Return the code of one word for each number, and the codes of all words that fit it, joined as bits."""
    values, imaginary = answer.real, answer.imag if answer.dtype.kind == "c" else None
    found, every = np.zeros(answer.shape, np.uint16), np.zeros(answer.shape, np.uint16)
    form = values.dtype.name
    if form in FORMATS:
        fits = [(truth, fitting(values, truth, form)) for truth in truths(sheet, operation, form)]
        for truth, fit in fits:
            every[truth.rows] |= np.where(fit & ~np.isinf(truth.allowed), CODE[truth.word], 0)
        for whole in (True, False):  # where several truths fit a number, one that fits its whole row comes first
            for truth, fit in fits:
                rows = (fit | (truth.allowed < 0)).all(axis=-1, keepdims=True) | (not whole)
                code = np.where(np.isinf(truth.allowed), CODE[UNJUDGED], CODE[truth.word])
                found[truth.rows] |= np.where(fit & rows & (found[truth.rows] == 0), code, 0)
    numbers = values.astype(np.float64)
    found[np.isnan(numbers)] = CODE["NaN"]
    for word, number in NUMBERS.items():
        found[(found == 0) & (numbers == number)] = CODE[word]
        every[numbers == number] |= CODE[word]
    if imaginary is not None:
        found[imaginary != 0] = CODE[WRONG]
        every[imaginary != 0] = 0
    found[found == 0] = CODE[WRONG]
    return found, every


def fitting(values: Answer, truth: Truth, form: str) -> Mask:
    """Return a mask of the values whose error is within the bound."""
    with np.errstate(all="ignore"):
        return errors(values[truth.rows], truth.expected, FORMATS[form]).absolute <= truth.allowed


def of_rows(operation: str, sheet: Sheet, found: Codes, every: Codes, suffix: str) -> Iterator[Told]:
    """Yield one fact for all rows of a situation that have the same words at the same kinds of places."""
    masked, special = places(operation, sheet)
    masks = (masked, special, ~(masked | special))
    kinds = np.stack([words_at(found, mask) for mask in masks], axis=-1)
    others = np.stack([words_throughout(every, mask) for mask in masks], axis=-1)
    single = (masks[-1].sum(axis=-1) == 1) & (not OPERATIONS[operation].one_a_row)
    beside = [tuple(kinds[i]) for i, row in enumerate(sheet.rows) if not row.situation]
    odd = "" if all(kind == (0, 0, CODE[RIGHT]) for kind in beside) else ", and rows beside it are not right"
    told: dict[tuple[str, tuple[int, ...], tuple[int, ...], bool], list[str]] = {}
    for row, kind, other, one in zip(sheet.rows, kinds.tolist(), others.tolist(), single.tolist(), strict=True):
        if row.situation and operation in SITUATIONS[row.situation].operations:
            told.setdefault((row.situation, tuple(kind), tuple(other), one), []).append(row.position)
    for (situation, kind, other, one), positions in told.items():
        fact = sentence(operation, situation, kind)
        if SITUATIONS[situation].right_or_wrong and fact != RIGHT:
            yield Told(situation, WRONG + odd, tuple(positions))
        else:
            also = (alike + suffix + odd for alike in coinciding(operation, situation, kind, other, one))
            yield Told(situation, fact + suffix + odd, tuple(positions), frozenset(also))


def places(operation: str, sheet: Sheet) -> tuple[Mask, Mask]:
    """Return masks of the places of -inf and of the special places, in shape (rows, answers).

    If a row has only one answer, that is of neither kind.
    """
    if OPERATIONS[operation].one_a_row:
        return np.zeros((len(sheet.rows), 1), bool), np.zeros((len(sheet.rows), 1), bool)
    if not OPERATIONS[operation].square:
        return odd(sheet)
    masked, special = ((mask[:, :, None] | mask[:, None, :]).reshape(len(mask), -1) for mask in odd(sheet))
    return masked & ~special, special


@lru_cache(maxsize=64)
def odd(sheet: Sheet) -> tuple[Mask, Mask]:
    """Return masks of the logits that are -inf and of the special ones, in shape (rows, n)."""
    special = np.zeros((len(sheet.rows), sheet.n), bool)
    masked = np.zeros_like(special)
    for number, row in enumerate(sheet.rows):
        masked[number] = row.masked
        special[number, list(row.special)] = True
    return masked & ~special, special


def words_at(found: NDArray[np.uint16], mask: Mask) -> NDArray[np.uint16]:
    """Return, for each row, all words at the masked places, joined as bits."""
    return np.bitwise_or.reduce(np.where(mask, found, 0), axis=-1).astype(np.uint16)


def words_throughout(every: Codes, mask: Mask) -> Codes:
    """Return, for each row, the words that fit all of the masked places, joined as bits."""
    return np.bitwise_and.reduce(np.where(mask, every, ALL), axis=-1).astype(np.uint16)


ALL = np.uint16(2 ** len(WORDS) - 1)
ANY = (0, *map(int, CODE.values()), *(int(a | b) for a, b in combinations(CODE.values(), 2)))
"""The codes that a longer row may have at a kind of place that a short row lacks: none, one word, or two words."""


@lru_cache(maxsize=2**12)
def coinciding(
    operation: str, situation: str, kind: tuple[int, ...], others: tuple[int, ...], single: bool
) -> frozenset[str]:
    """Return the other facts that the same numbers fit because the row is too short to tell them apart.

    At each kind of place, a word may stand for any other word that fits all numbers there (`others`). If the row has no
    place that is neither -inf nor special, a longer row might have any words there. `single`: the row has one such
    place, where a longer row might have numbers of two words.
    """
    choices = [(code, *words_in(other)) if code else (0,) for code, other in zip(kind, others, strict=True)]
    if not kind[-1] and any(kind):
        choices[-1] = ANY
    if single:
        choices[-1] += tuple(int(kind[-1] | code) for code in CODE.values())
    return frozenset(sentence(operation, situation, chosen) for chosen in product(*choices)) - {
        sentence(operation, situation, kind)
    }


def words_in(codes: int) -> list[int]:
    return [int(code) for code in CODE.values() if codes & code]


def sentence(operation: str, situation: str, kind: Sequence[int]) -> str:
    """Return a fact in words, as in "0 at -inf, right elsewhere"."""
    names = ("-inf", SITUATIONS[situation].special, "")
    parts = [(words(code), name) for code, name in zip(kind, names, strict=True) if code]
    if len({word for word, _ in parts}) == 1:
        word = parts[0][0]
        return word if OPERATIONS[operation].one_a_row or word in SETTLED else f"{word} everywhere"
    return ", ".join(f"{word} at {name}" if name else f"{word} elsewhere" for word, name in parts)


SETTLED = (RIGHT, EQUAL, WRAPPED, OWN_SUM, SUM_1)
"""Words that describe a row as a whole."""


def words(code: int) -> str:
    return " or ".join(word for word in WORDS if code & CODE[word])
