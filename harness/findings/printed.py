"""The numbers, sums, percents and NaN that the documents print, and today's answers to the same questions.

Which document prints what, and where, is in `docs/seeds.md`; the page that shows it is `docs/printed.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

import numpy as np

from harness.findings.asker import Asker
from harness.judging import slices
from harness.judging.percents import mean_relative_error_percent
from harness.operations import OPERATIONS
from harness.questions import blocks
from harness.questions.cases import CASES
from harness.records import Group
from harness.truth import expected

NATIVES = ("numpy", "torch", "tensorflow", "jax")


@dataclass(frozen=True)
class DocumentNumbers:
    """Numbers as a document prints them, and the backends whose answers stand beside them."""

    title: str
    operation: str
    case: str
    text: str
    backends: tuple[str, ...]
    total: str = ""
    """The sum of the numbers as the document prints it, or empty."""
    drawn: bool = False
    """Whether the document's input was drawn at random and is not printed; then another of its kind is used."""

    @property
    def printed(self) -> list[str]:
        return self.text.split()


@dataclass(frozen=True)
class Figure:
    """The mean relative error of a pair of backends in percent, as the notebook prints it."""

    title: str
    operation: str
    case: str
    pair: tuple[str, str]
    printed: str
    drawn: bool = True


DOCUMENT_NUMBERS = (
    DocumentNumbers(
        "000, In [4] and [5]: softmax of one example",
        "softmax",
        "seed000-example",
        "0.16691024 0.24588245 0.29219741 0.2950099",
        (*NATIVES, "tensorflow:keras"),
    ),
    DocumentNumbers(
        "000, In [25]: all outputs summed before backward",
        "vjp",
        "seed000-summed",
        "5.55111512e-17 5.55111512e-17 0.00000000e+00 1.38777878e-17",
        (*NATIVES, "torch:delta"),
        drawn=True,
    ),
    DocumentNumbers(
        "001, Out [146]: softmax, unshifted",
        "softmax",
        "seed001-123",
        "0.09003057 0.24472847 0.66524096",
        (*NATIVES, "numpy:naive"),
    ),
    DocumentNumbers(
        "001: softmax, to two decimals", "softmax", "seed001-125", "0.02 0.05 0.93", (*NATIVES, "numpy:naive")
    ),
    DocumentNumbers(
        "001, Out [148]: unshifted softmax",
        "softmax",
        "seed001-overflow",
        "nan nan nan",
        tuple(f"{name}:naive" for name in NATIVES),
    ),
    DocumentNumbers(
        "001, Out [150]: shifted softmax", "softmax", "seed001-overflow", "0. 0. 1.", (*NATIVES, "numpy:shifted")
    ),
    DocumentNumbers(
        "002, In [8]: softmax of a column, and its sum",
        "softmax",
        "seed002-column",
        "0.08468093 0.02426149 0.6577931 0.05399495 0.17926953",
        (*NATIVES, "numpy:naive"),
        "0.9999999999999999",
    ),
    DocumentNumbers(
        "002, In [9]: its Jacobian",
        "jacobian",
        "seed002-column",
        """ 0.07751007 -0.00205449 -0.05570253 -0.00457234 -0.01518071
           -0.00205449  0.02367287 -0.01595904 -0.00131    -0.00434935
           -0.05570253 -0.01595904  0.22510134 -0.0355175  -0.11792226
           -0.00457234 -0.00131    -0.0355175   0.05107949 -0.00967965
           -0.01518071 -0.00434935 -0.11792226 -0.00967965  0.14713197""",
        (*NATIVES, "numpy:factored"),
    ),
    DocumentNumbers(
        "003, Out [96]: softmax", "softmax", "seed003-pair", "0.26894142 0.73105858", (*NATIVES, "numpy:naive")
    ),
    DocumentNumbers(
        "003, Out [97]: its Jacobian",
        "jacobian",
        "seed003-pair",
        "0.19661193 -0.19661193 -0.19661193 0.19661193",
        (*NATIVES, "numpy:double_loop"),
    ),
)
DOCUMENT_FIGURES = (
    Figure(
        "000, In [6]: one example",
        "softmax",
        "seed000-example",
        ("tensorflow:keras", "torch:naive"),
        "4.7041769595653436e-15",
        drawn=False,
    ),
    Figure(
        "000, In [9]: a matrix",
        "softmax",
        "seed000-matrix",
        ("tensorflow:keras", "torch:naive"),
        "1.1082225706535181e-14",
    ),
    Figure(
        "000, In [13]: one output's derivative",
        "jacobian_row",
        "seed000-derivative",
        ("torch", "torch:hadamard"),
        "4.65587947277312e-15",
    ),
)
FAR = "far-rows"
"""The case in which the formula of row 18, with the maximum of the whole batch, gives NaN."""


@dataclass(frozen=True)
class DocumentAnswers:
    """A document's numbers, the exact ones, and today's answers by backend.

    An answer is None if the backend is absent or gives none.
    """

    about: DocumentNumbers
    exact: Sequence[float]
    answers: Mapping[str, Sequence[float] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Today:
    numbers: Sequence[DocumentAnswers]
    percents: dict[Figure, float | None]
    nans: dict[tuple[str, str], tuple[int, int] | None]
    """For each framework and dtype, the number of NaN and the number of elements; None if there is no answer."""


def today(asker: Asker) -> Today:
    return Today(
        [found(asker, numbers) for numbers in DOCUMENT_NUMBERS],
        {figure: percent(asker, figure) for figure in DOCUMENT_FIGURES},
        {(name, dtype): nans(asker, name, dtype) for name in NATIVES for dtype in ("float64", "float32")},
    )


def found(asker: Asker, about: DocumentNumbers) -> DocumentAnswers:
    answers = {name: flat(answer(asker, name, about.operation, about.case)) for name in about.backends}
    return DocumentAnswers(about, exactly(about.operation, about.case), answers)


def percent(asker: Asker, figure: Figure) -> float | None:
    a, b = (answer(asker, name, figure.operation, figure.case) for name in figure.pair)
    return None if a is None or b is None else mean_relative_error_percent(a, b)


def nans(asker: Asker, framework: str, dtype: str) -> tuple[int, int] | None:
    given = answer(asker, f"{framework}:batch_max", "softmax", FAR, dtype)
    return None if given is None else (int(np.isnan(given).sum()), given.size)


def answer(asker: Asker, backend: str, operation: str, case: str, dtype: str = "float64") -> Any:
    """Return a backend's answer, or None if the backend is absent or gives none."""
    if asker.absence(backend):
        return None
    return asker.answer(Group(operation, CASES[case], dtype, CASES[case].axes[0], (backend,)))


def flat(given: Any) -> list[float] | None:
    return None if given is None else [float(value) for value in given.reshape(-1)]


def exactly(operation: str, name: str) -> list[float]:
    """Return the exact values, each rounded once to float64."""
    case, about = CASES[name], OPERATIONS[operation]
    given = blocks.arguments(case, about, "float64", case.axes[0], blocks.boundaries(case)[0])
    rows = [slices.moved(argument, given[argument], case.axes[0]) for argument in about.arguments]
    return [float(value) for value in expected(operation, rows[0], rows[1:]).rounded().reshape(-1)]


def as_printed(value: float, printed: str) -> bool:
    """Decide whether the value, rounded to as many decimals as are printed, is the printed number."""
    if isnan(value) or printed == "nan":
        return isnan(value) and printed == "nan"
    return bool(abs(value - float(printed)) <= 0.5 * 10.0 ** -decimals(printed))


def decimals(printed: str) -> int:
    """Return the number of decimals that a printed number stands for.

    Documents leave out trailing zeros, so that more than two printed decimals stand for eight.
    """
    places = len(printed.partition(".")[2])
    return 8 if places > 2 else places


def agreeing(given: Iterable[float], printed: Iterable[str]) -> int:
    return sum(as_printed(value, text) for value, text in zip(given, printed, strict=True))
