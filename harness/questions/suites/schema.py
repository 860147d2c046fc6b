"""A suite as its TOML file states it, validated: all mistakes are named at once, each with its place."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from backends import NAMES
from harness.errors import UsageError, nearest, unknown
from harness.numbers.formats import FORMATS
from harness.operations import CLASSES, OPERATIONS
from harness.questions.cases import CASES, MOST_ELEMENTS, NUMBER, OPTIONS
from harness.questions.families import FAMILIES
from harness.questions.suites.combinations import AXES, FACTORS, choices, contradiction, idle, shape
from harness.questions.variations import VARIATIONS

SUITES = ("quick", "standard", "deep")
PLAIN = "plain"
LONGEST = 2**21


def one_of(valid: Iterable[str]) -> AfterValidator:
    """Return a validator that accepts a name among these, and else names the nearest."""
    names = list(valid)

    def check(name: str) -> str:
        if name in names:
            return name
        near = nearest(name, names)
        hint = f"did you mean {near!r}?" if near else f"valid names are: {', '.join(names)}"
        raise ValueError(f"unknown name {name!r}; {hint}")

    return AfterValidator(check)


def pattern_of(valid: Iterable[str]) -> AfterValidator:
    """Return a validator that accepts a pattern that matches some of these, and else names the nearest."""
    names = list(valid)

    def check(pattern: str) -> str:
        if any(fnmatchcase(name, pattern) for name in names):
            return pattern
        near = nearest(pattern, names)
        raise ValueError(f"{pattern!r} matches nothing" + (f"; did you mean {near!r}?" if near else ""))

    return AfterValidator(check)


def span(entry: Any) -> Sequence[int]:
    """Return the widths of an entry: a number, or a range such as `255..257` with both ends included.

    Raise ValueError for anything else, for a range that runs backwards, and for widths outside of 1 to `LONGEST`.
    """
    if isinstance(entry, int) and not isinstance(entry, bool):
        low = high = entry
    else:
        ends = str(entry).split("..")
        if len(ends) != 2 or not all(re.fullmatch(f"0|{NUMBER}", end) for end in ends):
            raise ValueError(f"{entry!r} is neither a number nor a range such as '255..257'")
        low, high = map(int, ends)
    if low > high:
        raise ValueError(f"{entry!r} is empty: it ends before it begins")
    if not 1 <= low <= high <= LONGEST:
        raise ValueError(f"{entry!r}: a width must be between 1 and {LONGEST:,}")
    return range(low, high + 1)


Span = Annotated[Any, BeforeValidator(span)]
"""An entry in a list of widths, validated by itself, so that every mistake in the list has its place."""


class SuiteTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(SuiteTable):
    """Named cases, with their own operations and dtypes unless others are given."""

    cases: Annotated[list[Annotated[str, pattern_of(CASES)]], Field(min_length=1)]
    operations: list[Annotated[str, one_of(OPERATIONS)]] = []
    dtypes: list[Annotated[str, one_of(FORMATS)]] = []
    backends: list[Annotated[str, pattern_of(NAMES)]] = []


class Sweep(SuiteTable):
    """Synthetic cases: all combinations of the factors, or enough of them that each pair of choices occurs."""

    name: str
    choose: Literal["all", "pairs"] = "all"
    operation: Annotated[list[Annotated[str, one_of(OPERATIONS)]], Field(min_length=1)] = [*OPERATIONS]
    """Every operation, unless it says which."""
    dtype: Annotated[list[Annotated[str, one_of(FORMATS)]], Field(min_length=1)] = ["float64", "float32"]
    family: Annotated[list[Annotated[str, one_of(FAMILIES)]], Field(min_length=1)] = ["normal"]
    rows: Annotated[list[Annotated[int, Field(ge=0, le=LONGEST)]], Field(min_length=1)] = [3]
    """How many rows a case has. 0 stands for one row, in an array of one dimension."""
    width: Annotated[list[Span], Field(min_length=1), AfterValidator(lambda spans: [n for span in spans for n in span])]
    axis: Annotated[list[Annotated[str, one_of(AXES)]], Field(min_length=1)] = ["last"]
    variation: Annotated[list[Annotated[str, one_of((PLAIN, *VARIATIONS))]], Field(min_length=1)] = [PLAIN]
    upstream: Annotated[list[Annotated[str, one_of(OPTIONS["upstream"])]], Field(min_length=1)] = ["random"]
    labels: Annotated[list[Annotated[str, one_of(OPTIONS["labels"])]], Field(min_length=1)] = ["random"]
    distribution: Annotated[list[Annotated[str, one_of(OPTIONS["distribution"])]], Field(min_length=1)] = ["random"]
    index: Annotated[list[Annotated[str, one_of(OPTIONS["index"])]], Field(min_length=1)] = ["middle"]
    weights: Annotated[list[Annotated[str, one_of(OPTIONS["weights"])]], Field(min_length=1)] = ["random"]
    classes: Annotated[list[Annotated[str, one_of(OPTIONS["classes"])]], Field(min_length=1)] = [str(CLASSES)]
    backends: list[Annotated[str, pattern_of(NAMES)]] = []
    compiled: bool = True
    """False if backends that compile each shape anew are not asked."""

    @model_validator(mode="after")
    def asks_something(self) -> Sweep:
        rows, width = max(self.rows), max(self.width)
        for axis in self.axis:
            if (size := prod(shape(axis, rows, width))) > MOST_ELEMENTS:
                raise ValueError(
                    f"{rows} rows of {width} (axis {axis}) are {size:,} elements; the limit is {MOST_ELEMENTS:,}"
                )
        if not next(iter(choices(self.factors(), "all")), None):
            reason = contradiction({name: values[0] for name, values in self.factors().items()})
            raise ValueError(f"its choices contradict each other, so it has no case: {reason}")
        if alone := list(idle(self.factors())):
            told = "; ".join(f"{name}[{number + 1}]: {reason}" for name, number, reason in alone)
            raise ValueError(f"some of its choices cannot be combined with any other: {told}")
        return self

    def factors(self) -> dict[str, list[Any]]:
        return {name: getattr(self, name) for name in FACTORS}


class Suite(SuiteTable):
    """A whole suite file, with the names of the suites that it includes."""

    title: str
    include: list[Annotated[str, one_of(SUITES)]] = []
    compile_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The most that one framework may be expected to spend on compiling, in seconds. More is refused before a run."""
    named: list[Named] = []
    sweep: list[Sweep] = []

    @model_validator(mode="after")
    def is_not_empty(self) -> Suite:
        if not (self.include or self.named or self.sweep):
            raise ValueError("the suite is empty: it has no [[named]], no [[sweep]] and no include")
        return self


def load(name: str) -> Suite:
    """Return the suite of that name: one of `SUITES`, or the file at that path.

    Raise UsageError for a file that does not read or is not TOML, and with every mistake in it and its place.
    """
    content = text(name)
    try:
        given = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the suite {name} is not valid TOML: {error}") from None
    try:
        return Suite.model_validate(given)
    except ValidationError as error:
        raise UsageError("\n".join(mistakes(name, [*error.errors(), *hidden(given, error)]))) from None


def text(name: str) -> str:
    if name in SUITES:
        return files("harness.questions.suites").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if not name.endswith(".toml"):
            raise unknown("suite", name, SUITES) from None
        raise UsageError(f"the suite {name} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def hidden(given: dict[str, Any], error: ValidationError) -> Iterator[Any]:
    """Yield the errors of sweeps as a whole, which pydantic does not look for while a single key is wrong.

    A sweep is validated again without its wrong keys, unless one of them is a factor.
    """
    wrong: dict[int, set[Any]] = defaultdict(set)
    for entry in error.errors():
        if entry["loc"][:1] == ("sweep",) and len(entry["loc"]) > 2:
            wrong[int(entry["loc"][1])].add(entry["loc"][2])
    for number, keys in wrong.items():
        if keys & set(FACTORS):
            continue
        rest = {key: value for key, value in given["sweep"][number].items() if key not in keys}
        try:
            Sweep.model_validate({"name": "", **rest})
        except ValidationError as more:
            yield from ({**entry, "loc": ("sweep", number, *entry["loc"])} for entry in more.errors())


def mistakes(name: str, errors: Sequence[Any]) -> list[str]:
    """Return a heading, and a line for each mistake: where it stands in the file, and what is wrong."""
    found = [f"the suite {name} has {len(errors)} mistake{'s' if len(errors) > 1 else ''}:"]
    for entry in errors:
        place = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in entry["loc"]).lstrip(".")
        found.append(f"  {place or 'the whole file'}: {said(entry)}")
    return found


def said(entry: Any) -> str:
    if entry["type"] == "extra_forbidden":
        return "there is no such key"
    return str(entry["msg"]).removeprefix("Value error, ")
