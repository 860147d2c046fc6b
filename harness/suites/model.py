"""A suite as its file says it, validated: every mistake is named at once, with its place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from backends import NAMES
from harness.blocks import LABELS, UPSTREAM
from harness.cases import CASES, MOST_ELEMENTS
from harness.errors import UsageError, nearest, unknown
from harness.families import FAMILIES
from harness.formats import FORMATS
from harness.operations import OPERATIONS
from harness.suites.choice import AXES, FACTORS, choices, contradiction
from harness.variations import VARIATIONS

SUITES = ("quick", "standard", "deep")
PLAIN = "plain"
LONGEST = 2**20


def one_of(valid: Iterable[str]) -> AfterValidator:
    """A name among these, or an error with the nearest."""
    names = list(valid)

    def check(name: str) -> str:
        if name in names:
            return name
        near = nearest(name, names)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(names)}"
        raise ValueError(f"{name!r} is none of them; {hint}")

    return AfterValidator(check)


def pattern_of(valid: Iterable[str]) -> AfterValidator:
    """A pattern that some of these match."""
    names = list(valid)

    def check(pattern: str) -> str:
        if any(fnmatchcase(name, pattern) for name in names):
            return pattern
        near = nearest(pattern, names)
        raise ValueError(f"{pattern!r} matches nothing" + (f"; did you mean {near!r}?" if near else ""))

    return AfterValidator(check)


def widths(given: Any) -> Any:
    """Numbers, and ranges such as `255..257` with both ends in them, as numbers."""
    if not isinstance(given, list):
        raise ValueError("a list of numbers and of ranges such as '255..257'")
    return [number for entry in given for number in span(entry)]


def span(entry: Any) -> Sequence[int]:
    if isinstance(entry, int) and not isinstance(entry, bool):
        low = high = entry
    else:
        ends = str(entry).split("..")
        if len(ends) != 2 or not all(end.isdecimal() for end in ends):
            raise ValueError(f"{entry!r} is neither a number nor a range such as '255..257'")
        low, high = map(int, ends)
    if low > high:
        raise ValueError(f"{entry!r} runs backwards")
    if not 1 <= low <= high <= LONGEST:
        raise ValueError(f"{entry!r}: a width lies between 1 and {LONGEST:,}")
    return range(low, high + 1)


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Table):
    """Named cases: with their own operations and dtypes, unless others are given."""

    cases: Annotated[list[Annotated[str, pattern_of(CASES)]], Field(min_length=1)]
    operations: list[Annotated[str, one_of(OPERATIONS)]] = []
    dtypes: list[Annotated[str, one_of(FORMATS)]] = []
    backends: list[Annotated[str, pattern_of(NAMES)]] = []


class Sweep(Table):
    """Synthetic cases: every combination of its factors, or so many that each pair of choices is among them."""

    name: str
    choose: Literal["all", "pairs"] = "all"
    operation: Annotated[list[Annotated[str, one_of(OPERATIONS)]], Field(min_length=1)]
    dtype: Annotated[list[Annotated[str, one_of(FORMATS)]], Field(min_length=1)] = ["float64", "float32"]
    family: Annotated[list[Annotated[str, one_of(FAMILIES)]], Field(min_length=1)] = ["normal"]
    rows: Annotated[list[Annotated[int, Field(ge=0, le=LONGEST)]], Field(min_length=1)] = [3]
    """0: one row, in an array of one dimension."""
    width: Annotated[list[int], BeforeValidator(widths), Field(min_length=1)]
    axis: Annotated[list[Annotated[str, one_of(AXES)]], Field(min_length=1)] = ["last"]
    variation: Annotated[list[Annotated[str, one_of((PLAIN, *VARIATIONS))]], Field(min_length=1)] = [PLAIN]
    upstream: Annotated[list[Annotated[str, one_of(UPSTREAM)]], Field(min_length=1)] = ["random"]
    labels: Annotated[list[Annotated[str, one_of(LABELS)]], Field(min_length=1)] = ["random"]
    backends: list[Annotated[str, pattern_of(NAMES)]] = []
    compiled: bool = True
    """False: not asked of backends that compile each shape anew."""

    @model_validator(mode="after")
    def asks_something(self) -> Sweep:
        if max(self.rows) * max(self.width) * 3 > MOST_ELEMENTS:
            raise ValueError(f"{max(self.rows)} rows of {max(self.width)} are more than {MOST_ELEMENTS:,} elements")
        if not next(iter(choices(self.factors(), "all")), None):
            reason = contradiction({name: values[0] for name, values in self.factors().items()})
            raise ValueError(f"its choices contradict each other, and nothing can be asked: {reason}")
        return self

    def factors(self) -> dict[str, list[Any]]:
        return {name: getattr(self, name) for name in FACTORS}


class Suite(Table):
    """A whole file, and what it includes."""

    title: str
    include: list[Annotated[str, one_of(SUITES)]] = []
    compile_seconds: Annotated[float, Field(gt=0)] = 60.0
    """What one framework is expected to spend on compiling, at most: more is refused before it begins."""
    named: list[Named] = []
    sweep: list[Sweep] = []

    @model_validator(mode="after")
    def is_not_empty(self) -> Suite:
        if not (self.include or self.named or self.sweep):
            raise ValueError("it asks nothing: there is no [[named]], no [[sweep]] and no include")
        return self


def load(name: str) -> Suite:
    """One of `SUITES`, or a file's. UsageError with every mistake in it and its place."""
    content = text(name)
    try:
        given = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the suite {name} is not TOML: {error}") from None
    try:
        return Suite.model_validate(given)
    except ValidationError as error:
        raise UsageError("\n".join(mistakes(name, error))) from None


def text(name: str) -> str:
    if name in SUITES:
        return files("harness.suites").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if not name.endswith(".toml"):
            raise unknown("suite", name, SUITES) from None
        raise UsageError(f"the suite {name} does not read: {getattr(error, 'strerror', None) or error}") from None


def mistakes(name: str, error: ValidationError) -> list[str]:
    """A line each: where it stands in the file, and what is wrong."""
    found = [f"the suite {name} has {error.error_count()} mistake{'s' if error.error_count() > 1 else ''}:"]
    for entry in error.errors():
        place = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in entry["loc"]).lstrip(".")
        found.append(f"  {place or 'the whole file'}: {said(entry)}")
    return found


def said(entry: Any) -> str:
    if entry["type"] == "extra_forbidden":
        return "there is no such key"
    return str(entry["msg"]).removeprefix("Value error, ")
