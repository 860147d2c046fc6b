"""The values that the documents print and the values computed today, digit by digit, as one Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from harness.faults import Outcome
from harness.findings.printed import FAR, DocumentAnswers, Today, agreeing
from reports.markdown import grid


def render(today: Today) -> str:
    """Return the whole page."""
    return "\n\n".join(part for part in sections(today) if part) + "\n"


def sections(today: Today) -> Iterator[str]:
    yield "# Printed values and computed values"
    yield READING
    for found in today.numbers:
        yield f"## {found.about.title}"
        yield drawn(found)
        yield grid(numbers(found))
    yield "## Percents"
    yield (
        "The figure is `np.mean(np.abs((a - b) / a)) * 100`. The one of In \\[6\\] is computed from the printed "
        "example, which has eight decimals. The inputs of the others are random and not printed, so other numbers are "
        "used here."
    )
    yield grid(percents(today))
    yield f"## NaN on {FAR}"
    yield (
        "Document 003 subtracts the maximum of the whole batch. The table counts the NaN among 50 numbers. TensorFlow "
        "and JAX flush subnormal exponentials to 0, so that one more row of float64 is 0/0."
    )
    yield grid(nans(today))


ABSENT = str(Outcome.ABSENT)
READING = (
    "`python -m harness printed` makes this page. *printed*: the number in the document. *exact*: the exact value, "
    "rounded once to float64. The other columns give the result of each backend in float64, with all digits. "
    "*as printed*: how many results equal the printed number after rounding to the same number of decimals. The last "
    "digits depend on the processor."
)


def drawn(found: DocumentAnswers) -> str:
    if not found.about.drawn:
        return ""
    return "The document's input is random and not printed. This table uses other numbers, from rand((1, 4)) · 4 + 1."


def numbers(found: DocumentAnswers) -> pd.DataFrame:
    """Return a row per printed number, and further rows if they apply.

    They are the sum, if the document prints it, and how many numbers are as printed, if the input is not random.
    """
    about = found.about
    columns = {"exact": found.exact, **found.answers}
    rows = {"": [str(number + 1) for number in range(len(about.printed))], "printed": list(about.printed)}
    rows |= {name: shown(given, len(about.printed)) for name, given in columns.items()}
    if about.total:
        line(rows, "sum", about.total, {n: ABSENT if g is None else repr(in_order(g)) for n, g in columns.items()})
    if not about.drawn:
        counts = {n: ABSENT if g is None else f"{agreeing(g, about.printed)}" for n, g in columns.items()}
        line(rows, "as printed", f"of {len(about.printed)}", counts)
    return pd.DataFrame(rows)


def shown(given: Sequence[float] | None, size: int) -> list[str]:
    return [ABSENT] * size if given is None else [repr(value) for value in given]


def line(rows: dict[str, list[str]], title: str, printed: str, values: dict[str, str]) -> None:
    for name, value in {"": title, "printed": printed, **values}.items():
        rows[name].append(value)


def in_order(given: Sequence[float]) -> float:
    """Return the sum in the order of the row, with the rounding errors of float64."""
    total = 0.0
    for value in given:
        total += value
    return total


def percents(today: Today) -> pd.DataFrame:
    rows = [
        (figure.title, " – ".join(figure.pair), figure.printed, ABSENT if value is None else repr(value))
        for figure, value in today.percents.items()
    ]
    return pd.DataFrame(rows, columns=["figure", "a – b", "printed", "computed"])


def nans(today: Today) -> pd.DataFrame:
    rows: dict[str, dict[str, str]] = {}
    for (name, dtype), count in today.nans.items():
        rows.setdefault(f"{name}:batch_max", {})[dtype] = ABSENT if count is None else f"{count[0]} of {count[1]}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("backend").reset_index()
