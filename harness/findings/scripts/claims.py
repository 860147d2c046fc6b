"""Scripts that show a finding without this harness: they need NumPy, the framework and Python's own library alone.

While the framework does what was recorded, a script ends with the line `shown: …` and exit status 0. Once it does not,
the script ends with `not shown: …` and exit status 1. If no exception was recorded, one that is raised ends the script
with its traceback and exit status 1.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from harness.numbers.formats import FORMATS
from harness.transcript.script import Transcript

SPECIAL = ("nan", "inf", "-inf")


class Finding(Protocol):
    """What was recorded of an answer. `around` returns the part of the script that computes and judges it."""

    def around(self, transcript: Transcript) -> str: ...


@dataclass(frozen=True)
class Value:
    """One element of the answer that is too far from its exact value.

    `actual` and `expected` are hexadecimal numbers with any number of bits, or one of `SPECIAL`. `allowed` is in ulp of
    `dtype`; it is an int where there are more ulp than a float64 can count.
    """

    element: tuple[int, ...]
    actual: str
    expected: str
    allowed: float | int
    dtype: str
    verdict: str = ""
    """The verdict on the element if it is no fault; otherwise empty."""

    def around(self, transcript: Transcript) -> str:
        exact = None if self.expected in SPECIAL else rational(self.expected)
        lines = [
            "import math",
            "from fractions import Fraction",
            transcript.whole,
            f"value = float(actual[{', '.join(map(str, self.element)) or '()'}])",
            *(self.measured(exact) if exact is not None else [f"expected = float({self.expected!r})"]),
            "",
            f"print('actual           ', value.hex(), ' recorded: {self.actual}')",
            f"print('expected         ', {self.expected!r})",
            *(["print(f'difference in ulp {float(min(difference, 10**300)):.6g}')"] if exact is not None else []),
            *verdict(
                self.still(),
                f"the answer at {list(self.element)} is {self.said()}",
            ),
        ]
        return "\n".join(lines)

    def measured(self, exact: Fraction) -> list[str]:
        power = ulp_exponent(exact, self.dtype)
        return [
            f"expected = {as_powers(exact)}  # {self.expected}",
            f"ulp = Fraction(2) ** {power}",
            "difference = abs(Fraction(value) - expected) / ulp if math.isfinite(value) else math.inf",
        ]

    def still(self) -> str:
        """Return the condition under which the framework still does what was recorded, as Python code."""
        if self.actual in SPECIAL:
            return "math.isnan(value)" if self.actual == "nan" else f"value == float({self.actual!r})"
        if self.expected in SPECIAL:
            return "not math.isnan(value)" if self.expected == "nan" else "value != expected"
        if self.is_exact:
            return "difference == 0"
        return f"difference > {self.most('**')}"

    def most(self, power: str) -> str:
        """Return the allowed error as text: a float, or a power of two with `power` as the sign for it."""
        if isinstance(self.allowed, int):
            return f"2{power}{self.allowed.bit_length() - 1}"
        return repr(float(self.allowed)) if power == "**" else f"{self.allowed:g}"

    @property
    def is_exact(self) -> bool:
        """Whether the value is right to the last bit. It is no finding then, and the script shows that it is exact."""
        return not {self.actual, self.expected} & {*SPECIAL} and rational(self.actual) == rational(self.expected)

    def said(self) -> str:
        if self.actual in SPECIAL:
            return f"{self.actual}, and not {self.expected}"
        if self.is_exact:
            return "its exact value"
        if self.expected in SPECIAL:
            return "a number"
        return f"more than {self.most('^')} ulp from its exact value{self.verdict and ', '}{self.verdict}"


@dataclass(frozen=True)
class Form:
    """An answer of another shape or dtype than it should have. `what` is `shape` or `dtype`."""

    what: str
    actual: str
    expected: str

    def around(self, transcript: Transcript) -> str:
        lines = [
            transcript.whole,
            f"found = {'actual.dtype.name' if self.what == 'dtype' else 'str(actual.shape)'}",
            "",
            f"print('actual  ', found, ' recorded: {self.actual}')",
            f"print('expected', {self.expected!r})",
            *verdict(
                f"found == {self.actual!r}", f"the answer's {self.what} is {self.actual}, and not {self.expected}"
            ),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Raises:
    """An exception of the type `exception`, where an answer is expected."""

    exception: str

    def around(self, transcript: Transcript) -> str:
        lines = [
            transcript.setup,
            "",
            "raised = 'nothing'",
            "try:",
            textwrap.indent(f"{transcript.computation}\n{transcript.conversion}", "    "),
            "except Exception as error:",
            "    raised = type(error).__name__",
            "    print(f'{raised}: {error}')",
            "",
            f"print('actual   raised', raised, ' recorded: {self.exception}')",
            "print('expected an answer')",
            *verdict(f"raised == {self.exception!r}", f"it raises {self.exception}"),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Writes:
    """An argument whose bits the question changed. The transcript must have watched that argument."""

    argument: str

    def around(self, transcript: Transcript) -> str:
        lines = [
            transcript.whole,
            f"print('{self.argument} before', before.ravel()[:8])",
            f"print('{self.argument} after ', after.ravel()[:8])",
            *verdict("after.tobytes() != before.tobytes()", f"it wrote into its {self.argument}"),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Crashes:
    """The end of the process with the exit status `status`, negative for a signal, where an answer is expected."""

    status: int

    def around(self, transcript: Transcript) -> str:
        judge = [
            "child = subprocess.run([sys.executable, __file__, 'compute'], check=False).returncode",
            f"print('actual   exit status', child, ' recorded: {self.status}')",
            "print('expected exit status 0')",
            *verdict(f"child == {self.status}", f"the process ends with exit status {self.status}"),
        ]
        asked = "if sys.argv[1:] != ['compute']:\n" + textwrap.indent("\n".join(judge), "    ")
        return f"import subprocess\n\n{asked}\n\n{transcript.whole}"


def reproduction(
    title: str, transcript: Transcript, finding: Finding, environment: Mapping[str, str] | None = None
) -> str:
    """Return the whole script. `environment`: the variables that the worker's process was started with."""
    rest = [line for line in finding.around(transcript).splitlines() if line not in OPENED]
    return "\n".join((opening(title, environment, transcript.note), *rest, ""))


OPENED = ("import os", "import sys")


def opening(title: str, environment: Mapping[str, str] | None = None, note: str = "") -> str:
    """Return the head of a script: its title and note, Python's own modules, and the environment that it sets."""
    settings = "".join(f"os.environ[{name!r}] = {value!r}\n" for name, value in (environment or {}).items())
    about = plain_text(f"{title}\n\n{note}\n" if note else title)
    return f'"""{about}"""\n\nimport os\nimport sys\n\n{settings}'


def verdict(condition: str, claim: str) -> list[str]:
    return [
        f"shown = {condition}",
        f"print('shown:' if shown else 'not shown:', {claim!r})",
        "sys.exit(0 if shown else 1)",
    ]


def plain_text(title: str) -> str:
    """Return the title as it may stand in a docstring."""
    return title.replace("\\", "/").replace('"', "'")


def rational(text: str) -> Fraction:
    """Return a hexadecimal number of any length as an exact fraction; float.fromhex would round it."""
    sign = -1 if text.startswith("-") else 1
    mantissa, _, exponent = text.lstrip("+-").removeprefix("0x").partition("p")
    whole, _, fraction = mantissa.partition(".")
    return sign * Fraction(int(whole + fraction, 16)) * Fraction(2) ** (int(exponent or 0) - 4 * len(fraction))


def as_powers(exact: Fraction) -> str:
    """Return a dyadic number as a Python expression. Its denominator may have more digits than Python writes."""
    power = exact.denominator.bit_length() - 1
    return f"Fraction({exact.numerator})" + f" / 2**{power}" * (power > 0)


def ulp_exponent(exact: Fraction, dtype: str) -> int:
    """Return the exponent of ulp(r), which is a power of 2 (`harness.judging.metrics` defines it)."""
    form = FORMATS[dtype]
    if exact == 0:
        return form.emin - form.p + 1
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    return min(max(exponent, form.emin), form.emax) - form.p + 1
