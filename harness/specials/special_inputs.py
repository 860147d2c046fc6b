"""The situations of the atlas: the rows of logits that show them, and the operations that are asked about them.

The defect classes (C01 to C40) are those of the survey of real defects that `docs/atlas.md` names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import floor, inf, log, nan

import numpy as np

from harness.numbers.arrays import Floats
from harness.numbers.formats import Format
from harness.specials.sheets import SheetRow

VALUE_OPERATIONS = ("softmax", "log_softmax", "logsumexp", "cross_entropy", "soft_cross_entropy")
DERIVATIVES = ("jacobian", "vjp", "jvp", "cross_entropy_gradient", "soft_cross_entropy_gradient")
SPECIAL_OPERATIONS = (*VALUE_OPERATIONS, *DERIVATIVES)
HARD, SOFT = ("cross_entropy", "cross_entropy_gradient"), ("soft_cross_entropy", "soft_cross_entropy_gradient")
ENTRIES = ("softmax", "log_softmax", "cross_entropy_gradient", "soft_cross_entropy_gradient")
"""The operations in whose answer a single probability shows, however small it is."""
UNLABELLED = ("softmax", "log_softmax", "logsumexp", "vjp", "jvp")
WITHOUT_CLASSES = (*UNLABELLED, *SOFT)
EVERYWHERE = 140
"""The largest width at which a NaN stands at every place in turn. In wider rows it stands first, in the middle, and in
each of the last `TAIL` places, which are the lanes of the tail."""
TAIL = 17
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
HALVES = ("float32", "float16", "bfloat16")
RowMaker = Callable[[int, Format], Iterable[SheetRow]]


@dataclass(frozen=True)
class Situation:
    """Rows of one kind.

    `special` is the name of its odd places in facts. Without `widths`, its rows stand in one sheet with those of
    others, at widths from `smallest` to `widest`. With `widths`, it is asked alone, at these widths and `layouts` and
    in these `dtypes`, or in those of the sweep if there are none.
    """

    name: str
    defect: str
    rows: RowMaker
    operations: tuple[str, ...] = SPECIAL_OPERATIONS
    special: str = ""
    smallest: int = 1
    widest: int = 10**6
    """The largest width. It is limited where exact values are slow to compute and wider rows show nothing new."""
    widths: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ()
    layouts: tuple[str, ...] = ("last", "first")
    wraps: bool = False
    """Whether a label may count from the end, or modulo n."""
    among: str = ""
    """The name that findings give to it and to others of its kind; if empty, it has its own name."""
    right_or_wrong: bool = False
    """Whether every fact but `right` becomes `wrong`, since integers that wrap around may give any number."""


def plain(n: int, number: int = 0) -> Floats:
    """Return n multiples of 1/8 from −2 to 2, in an order that depends on `number`."""
    return ((5 * np.arange(n) + 3 * number) % 33 - 16) / 8


def having(n: int, places: Iterable[int], value: float, number: int = 0) -> Floats:
    logits = plain(n, number)
    logits[list(places)] = value
    return logits


def ends_and_middle(n: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys((0, n // 2, n - 1)))


def every_lane(n: int) -> tuple[int, ...]:
    if n <= EVERYWHERE:
        return tuple(range(n))
    return (0, n // 2, *range(n - TAIL, n))


def at_each(places: Callable[[int], Iterable[int]], value: float, n: int, form: Format) -> Iterator[SheetRow]:
    """Yield a row for each place, with the value at that place."""
    for at in places(n):
        yield SheetRow(having(n, [at], value), f"at {at}", () if value == -inf else (at,))


def finite(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(plain(n), "first of two")
    yield SheetRow(plain(n, 1), "second of two")


def ties(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(np.zeros(n), "all equal")
    yield SheetRow(np.where(np.arange(n) % 2, -1.5, 1.25), "every other is largest")


def huge(n: int, form: Format) -> Iterator[SheetRow]:
    """Yield rows of size 2^(emax − 2), an eighth of the largest number, of both signs and of one.

    In a third row, every other number is nearly the lowest one, as a mask.
    """
    large, lowest = 2.0 ** (form.emax - 2), -1.75 * 2.0**form.emax
    yield SheetRow(np.where(np.arange(n) % 3, -large, large), "of both signs")
    yield SheetRow(np.full(n, -large), "all negative")
    yield SheetRow(having(n, range(1, n, 2), lowest), "nearly the lowest number as a mask")


def far_below(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(-256.0 - 2 * (np.arange(n) % 4))


def several_masked(n: int, form: Format) -> Iterator[SheetRow]:
    for start in (0, 1):
        yield SheetRow(having(n, range(start, n, 2), -inf), f"every other from {start}")
    yield SheetRow(having(n, range(n // 2), -inf), "first half")


def one_left(n: int, form: Format) -> Iterator[SheetRow]:
    for at in ends_and_middle(n):
        yield SheetRow(having(n, set(range(n)) - {at}, -inf), f"all but {at}")


def all_masked(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(np.full(n, -inf))


def two_infinite(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(having(n, [0, n - 1], inf), special=(0, n - 1))


def nan_and_infinities(n: int, form: Format) -> Iterator[SheetRow]:
    for at in range(3):
        logits = having(n, [at], nan)
        logits[(at + 1) % 3], logits[(at + 2) % 3] = inf, -inf
        yield SheetRow(logits, f"NaN at {at}", (at, (at + 1) % 3))


def subnormal(n: int, form: Format) -> Iterator[SheetRow]:
    """Yield a row whose last probability lies in the upper octave of the subnormal numbers.

    The first probability is nearly 1, and all others underflow to 0.
    """
    logits = np.full(n, -1024.0)
    logits[0], logits[n - 1] = 0.0, -floor((0.97 - form.emin) * log(2) * 2) / 2
    yield SheetRow(logits, special=(n - 1,), label=0)


def masked_label(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(having(n, [n - 1], -inf), special=(n - 1,), label=n - 1)


def other_sums(n: int, form: Format) -> Iterator[SheetRow]:
    for total in (2.0, 0.5, 0.0):
        yield SheetRow(plain(n), f"sum {total:g}", labels_sum=total)


def labelled(wrong: Callable[[int], int], n: int, form: Format) -> Iterator[SheetRow]:
    """Yield a row with the label `wrong(n)`, between two rows whose labels are right."""
    yield SheetRow(plain(n), "beside")
    yield SheetRow(plain(n, 1), label=wrong(n))
    yield SheetRow(plain(n, 2), "beside")


def small_integers(dtype: str, n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow((np.arange(n) % 5).astype(dtype))


def extreme_integers(dtype: str, n: int, form: Format) -> Iterator[SheetRow]:
    """Yield a row of the dtype's largest number, its smallest number and 1, in turn."""
    about = np.iinfo(dtype)
    yield SheetRow(np.array([(about.max, about.min, 1)[j % 3] for j in range(n)], dtype))


def booleans(n: int, form: Format) -> Iterator[SheetRow]:
    yield SheetRow(np.arange(n) % 2 == 0)


def complexes(dtype: str, n: int, form: Format) -> Iterator[SheetRow]:
    """Yield a row of complex numbers without an imaginary part, so that there is a right answer."""
    yield SheetRow(plain(n).astype(dtype))


def nobody(n: int, form: Format) -> Iterator[SheetRow]:
    yield from ()


SIDE_BY_SIDE = (
    Situation("finite beside all the others", "C36", finite),
    Situation("ties", "C25", ties),
    Situation("huge finite values", "C01 C19", huge, smallest=2, widest=40),
    Situation("all far below 0", "C02", far_below),
    Situation("one -inf", "C19 C20", partial(at_each, ends_and_middle, -inf), smallest=2),
    Situation("several -inf", "C17 C19", several_masked, smallest=4),
    Situation("all but one -inf", "C17", one_left, smallest=3),
    Situation("all -inf", "C16", all_masked),
    Situation("one +inf", "C18", partial(at_each, ends_and_middle, inf), special="the +inf", smallest=2, among="+inf"),
    Situation("two +inf", "C18", two_infinite, special="the +inf", smallest=3, among="+inf"),
    Situation("one NaN", "C18", partial(at_each, every_lane, nan), special="the NaN"),
    Situation("NaN, +inf and -inf", "C18", nan_and_infinities, special="NaN and +inf", smallest=3),
    Situation("label at a -inf", "C30 C31", masked_label, HARD, "the label", smallest=2),
    Situation("soft labels of another sum", "C30", other_sums, SOFT, smallest=2),
    Situation("subnormal result", "C34", subnormal, ENTRIES, "the subnormal", smallest=2, widest=40),
)
ODD_LABELS: dict[str, Callable[[int], int]] = {
    "label -1": lambda n: -1,
    "label -n-1": lambda n: -n - 1,
    "label n": lambda n: n,
    "label -100": lambda n: -100,
    "label 2^31": lambda n: 2**31,
}
NO_CLASS = "labels that are no class"
NUMBER_OPERATIONS = ("softmax", "log_softmax", "logsumexp", *HARD)
"""The operations asked of logits that are no floats. They have no other argument beside the logits than labels."""
NO_FLOATS: Mapping[str, tuple[str, RowMaker]] = (
    {f"{d} logits": (d, partial(small_integers, d)) for d in INTEGERS}
    | {f"extreme {d} logits": (d, partial(extreme_integers, d)) for d in INTEGERS}
    | {"bool logits": ("bool", booleans)}
    | {f"{d} logits": (d, partial(complexes, d)) for d in ("complex64", "complex128")}
)


def kind(name: str) -> str:
    """Return the name of a situation without the size of its dtype: "uint logits" for "uint8 logits"."""
    return re.sub(r"\d+", "", name)


ASKED_ALONE = (
    *(
        Situation(
            name, "C29", partial(labelled, wrong), HARD, widths=(5,), wraps=True, among="labels that are no class"
        )
        for name, wrong in ODD_LABELS.items()
    ),
    Situation("axis of size 0", "C14", finite, WITHOUT_CLASSES, widths=(0,), layouts=("last", "first", "alone")),
    Situation("batch of size 0", "C14", nobody, widths=(3,)),
    Situation("axis of size 1", "C14", finite, widths=(1,), layouts=("last", "first", "alone")),
    Situation("0-d", "C14", finite, UNLABELLED, widths=(1,), layouts=("0-d",)),
    Situation("label 509 of 512", "C29 C37", partial(labelled, lambda n: 509), HARD, widths=(512,), dtypes=HALVES),
    *(
        Situation(
            name, "C15", make, NUMBER_OPERATIONS, widths=(3, 8), dtypes=(dtype,), among=kind(name), right_or_wrong=True
        )
        for name, (dtype, make) in NO_FLOATS.items()
    ),
)
SITUATIONS = {situation.name: situation for situation in (*SIDE_BY_SIDE, *ASKED_ALONE)}
