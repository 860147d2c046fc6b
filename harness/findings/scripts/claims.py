"""A finding as a script that shows it without this harness: NumPy, the framework and Python's own library are enough.

Its last line says `shown: …` with exit status 0 while the framework does what was recorded, and `not shown: …` with 1
once it does not. An exception that was not recorded is Python's own, with its traceback and status 1.
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
    """What was recorded of an answer: the script around its computation."""

    def around(self, transcript: Transcript) -> str: ...


@dataclass(frozen=True)
class Value:
    """One element of the answer, too far from its exact value.

    `actual` and `expected` are hexadecimal, of any number of bits, or `SPECIAL`; `allowed` is in ulp of `dtype`, of
    which there may be more than a float64 counts.
    """

    element: tuple[int, ...]
    actual: str
    expected: str
    allowed: float | int
    dtype: str
    verdict: str = ""
    """On it, where it is no fault."""

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
        """The condition under which it is what was recorded."""
        if self.actual in SPECIAL:
            return "math.isnan(value)" if self.actual == "nan" else f"value == float({self.actual!r})"
        if self.expected in SPECIAL:
            return "not math.isnan(value)" if self.expected == "nan" else "value != expected"
        if self.is_exact:
            return "difference == 0"
        return f"difference > {self.most('**')}"

    def most(self, power: str) -> str:
        """What is allowed, as a float or as a power of two."""
        if isinstance(self.allowed, int):
            return f"2{power}{self.allowed.bit_length() - 1}"
        return repr(float(self.allowed)) if power == "**" else f"{self.allowed:g}"

    @property
    def is_exact(self) -> bool:
        """Whether it is right to the last bit: no finding, and then that is what is shown."""
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
    """An answer of another shape or dtype than its own: `what` is either."""

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
    """An exception of that type, where there is an answer."""

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
    """An argument that has other bits after the question than before it. Its transcript has watched that argument."""

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
    """The process ends with that exit status, negative for a signal, where there is an answer."""

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
    """The whole script. `environment`: what the worker's process was started with."""
    rest = [line for line in finding.around(transcript).splitlines() if line not in OPENED]
    return "\n".join((opening(title, environment, transcript.note), *rest, ""))


OPENED = ("import os", "import sys")


def opening(title: str, environment: Mapping[str, str] | None = None, note: str = "") -> str:
    """What stands above: the title, what is to be known, Python's own modules, and what the environment is to be."""
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
    """As it may stand in a docstring."""
    return title.replace("\\", "/").replace('"', "'")


def rational(text: str) -> Fraction:
    """A hexadecimal number of any length, exactly: float.fromhex would round it."""
    sign = -1 if text.startswith("-") else 1
    mantissa, _, exponent = text.lstrip("+-").removeprefix("0x").partition("p")
    whole, _, fraction = mantissa.partition(".")
    return sign * Fraction(int(whole + fraction, 16)) * Fraction(2) ** (int(exponent or 0) - 4 * len(fraction))


def as_powers(exact: Fraction) -> str:
    """A dyadic number as an expression: its denominator may have more digits than Python writes."""
    power = exact.denominator.bit_length() - 1
    return f"Fraction({exact.numerator})" + f" / 2**{power}" * (power > 0)


def ulp_exponent(exact: Fraction, dtype: str) -> int:
    """ulp(r) is 2 to this power: `harness.judging.metrics` says what it is."""
    form = FORMATS[dtype]
    if exact == 0:
        return form.emin - form.p + 1
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    return min(max(exponent, form.emin), form.emax) - form.p + 1
