"""The widths, dtypes and layouts in which situations are asked: many where asking is cheap, few where each compiles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from backends import OPERATIONS, Backend
from harness.numbers.formats import FORMATS
from harness.specials.sheets import Sheet, SheetRow
from harness.specials.special_inputs import ASKED_ALONE, SIDE_BY_SIDE, Situation

WIDEST_JACOBIAN = 8


@dataclass(frozen=True)
class Widths:
    """Widths along the last axis in `FIRST_DTYPE` (`widths`) and in other dtypes (`others`).

    In all dtypes, `first` has the widths along the first axis, and `alone` those that are asked row by row.
    """

    widths: tuple[int, ...]
    others: tuple[int, ...]
    first: tuple[int, ...]
    alone: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ("float32",)
    """The dtypes of situations that are asked alone."""
    everywhere: bool = True
    """Whether these are asked at all of their widths and layouts, or only at the first of each."""


FIRST_DTYPE = "float32"
WIDE = (255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097)
"""The widths at which kernels change, with those on both sides."""
THOROUGH = Widths(
    widths=(*range(1, 141), *WIDE),
    others=(*range(1, 71), *range(125, 133), *WIDE),
    first=(*range(1, 34), 63, 64, 65, 127, 128, 129),
    alone=(3, 17),
    dtypes=("float32", "float64"),
)
"""The sweep of frameworks that compile nothing. It has SIMD tails of every length."""
COSTLY = 0.1
"""The time that a program takes to compile, in seconds, from which on a sweep asks for few."""
COMPILED = Widths(widths=(1, 2, 3, 8, 17, 130), others=(8,), first=(8,), everywhere=False)
"""The sweep of backends that compile a program for each shape."""
SOME = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 128, 129)
QUICK = Widths(widths=(*SOME, 257, 1025), others=SOME, first=(3, 8, 17), alone=(3,))
Place = tuple[Sheet, str]


def sweep_of(backend: type[Backend]) -> Widths:
    """Return a backend's sweep.

    It has few programs where compiling is costly and for compiled modes. Other variants have a quick one, and
    frameworks that compile nothing a thorough one.
    """
    if backend.program_seconds >= COSTLY or is_mode(backend):
        return COMPILED
    return QUICK if backend.variant else THOROUGH


def is_mode(backend: type[Backend]) -> bool:
    """Decide whether a variant computes every operation.

    It is then its framework in a compiled mode, and is compared with what the framework gives.
    """
    return bool(backend.variant) and backend.operations == tuple(OPERATIONS)


def places(sweep: Widths, dtypes: tuple[str, ...]) -> Iterator[Place]:
    """Yield every sheet in every layout, for a backend that claims those dtypes."""
    for dtype in dtypes:
        for n in sweep.widths if dtype == FIRST_DTYPE else sweep.others:
            yield side_by_side(n, dtype), "last"
        for n in sweep.first:
            yield side_by_side(n, dtype), "first"
        for n in sweep.alone:
            yield from ((sheet, "alone") for sheet in one_by_one(n, dtype))
    for situation in ASKED_ALONE:
        for dtype in (name for name in situation.dtypes or sweep.dtypes if name in dtypes or name not in FORMATS):
            for n, layout in product(situation.widths, situation.layouts):
                if sweep.everywhere or (n, layout) == (situation.widths[0], situation.layouts[0]):
                    whole = alone(situation.name, n, dtype)
                    yield (whole if layout in ("last", "first") else whole.alone(0)), layout


@lru_cache(maxsize=1024)
def side_by_side(n: int, dtype: str) -> Sheet:
    """Return the sheet of all rows that stand side by side at a width."""
    there = [situation for situation in SIDE_BY_SIDE if situation.smallest <= n <= situation.widest]
    return Sheet(tuple(s.name for s in there), [row for s in there for row in rows(s, n, dtype)], n, dtype)


@lru_cache(maxsize=64)
def one_by_one(n: int, dtype: str) -> tuple[Sheet, ...]:
    whole = side_by_side(n, dtype)
    return tuple(whole.alone(number) for number in range(len(whole.rows)))


@lru_cache(maxsize=256)
def alone(name: str, n: int, dtype: str) -> Sheet:
    situation = next(s for s in ASKED_ALONE if s.name == name)
    return Sheet((name,), list(rows(situation, n, dtype)), n, dtype)


def rows(situation: Situation, n: int, dtype: str) -> Iterator[SheetRow]:
    """Yield the rows of a situation, with its name. Rows that only stand beside them have none."""
    for row in situation.rows(n, FORMATS.get(dtype, FORMATS["float32"])):
        yield replace(row, situation="" if row.position == "beside" else situation.name)
