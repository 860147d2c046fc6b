"""The run as one Markdown page: how far frameworks differ, and how accurate each of them is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd

from harness.operations import OPERATIONS
from harness.records import Run
from reports.tables import agreement, failures, nearness, quality, summary, sweeps
from reports.tables.text import legible, placed

SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>|"})
MOST_WITNESSES, MOST_SHORT = 10, 100


def render(run: Run) -> str:
    """Return the whole page."""
    return "\n\n".join(part for part in sections(run) if part) + "\n"


def sections(run: Run) -> Iterator[str]:
    whole, run = run, sweeps.named(run)
    yield "# Softmax across frameworks"
    yield f"**{summary.headline(whole)}**"
    yield "\n".join(f"- {escaped(sentence)}" for sentence in failures.of_the_run(whole))
    yield grid(nearness.overview(whole))
    yield READING
    if len(short := summary.shortfalls(whole)):
        yield "## Failures"
        yield grid(short.head(MOST_SHORT))
        yield f"… and {len(short) - MOST_SHORT:,} more, in `comparisons.csv`." if len(short) > MOST_SHORT else ""
        yield from witnesses(whole)
    yield "## Frameworks"
    yield grid(summary.frameworks(whole))
    yield summary.audit(whole)
    yield from swept(whole)
    yield from how_good(whole, run)
    yield "## Differences between frameworks, in percent"
    yield (
        "The figure is the mean relative difference, `np.mean(np.abs((a - b) / a)) * 100`, as the notebook computes "
        "it. If a contains zeros, the figure is infinite or NaN, and the number of zeros is given in brackets."
    )
    yield from by_question(run, agreement.percents)
    yield from distances(run)
    yield from section(
        "Lost components",
        summary.lost(whole),
        "The exact value of these elements is at least 16 times the smallest normal number, and the computed value is "
        "0 or has the opposite sign. They change no grade: where terms cancel, the bound may be larger than the value.",
    )
    yield from section(
        "Within bound only by declared arithmetic",
        summary.as_declared(whole),
        "These backends declare a property of their arithmetic, such as flush to zero, which makes their bound wider. "
        "They are within their own bound, but not within the default bound that applies to all other backends.",
    )
    yield from beside_the_natives(run)
    yield "## Inputs"
    yield grid(cases(run))


READING = (
    "Each result is compared with the exact value for the same input, element by element, and its error with a proved "
    "bound on the rounding error. *max difference*: the largest mean relative difference between two frameworks, on "
    "named cases. *worst backend*: the backend with the largest *error / bound* over all cases, and its error there in "
    "ulp (units in the last place of the exact value). *error / bound*: up to 1, rounding explains the error. Above 1, "
    "the grade is C if a measured summation chain explains the error, and F if nothing does. A+ is correctly rounded; "
    "A is within the bound for pairwise summation and an exact shift; B is within the bound for blocked summation and "
    "a rounded shift."
)


def distances(run: Run) -> Iterator[str]:
    """Yield the section on named cases; nothing if there are none."""
    if len(rows := nearness.summary(run)):
        yield from section("Accuracy by operation", rows, "This table covers the named cases.")
        yield "The following tables give the largest error in ulp, and the grade, for each case."
        yield from by_question(run, nearness.truth)


def swept(run: Run) -> Iterator[str]:
    yield from section(
        "Sweeps",
        sweeps.worst(run),
        "The synthetic cases are named by family and shape. For each backend, the table gives the largest error / "
        "bound, the grade and the case.",
    )
    yield from section(
        "Variations of the same input",
        sweeps.bits(run),
        "The table counts the cells whose result is bit-identical to the result for the plain input. Only `again` and "
        "`hostile` must be bit-identical; all others must be within the bound.",
    )


def how_good(whole: Run, run: Run) -> Iterator[str]:
    """Yield the section on grades. `whole`: the run with its sweeps."""
    yield "## Grades"
    yield (
        "The table gives the worst grade over all cases, by dtype: "
        + " / ".join(dict.fromkeys(whole.comparisons.dtype))
        + "."
    )
    yield grid(quality.grades(whole))
    yield from section(
        "Measured summation chain and exp error",
        quality.probes(run),
        "The table gives the longest summation chain in each backend's softmax, and the largest relative error of its "
        "exp. Both are measured from results alone. A chain of h additions may lose h·u of the sum; pairwise summation "
        "loses at most log2 n · u.",
    )
    yield from section(
        "Sources of the error in softmax",
        quality.causes(run),
        "The table takes the worst element of each framework on named cases, and splits its error, "
        "ln(actual / expected) in u. *shift*: the rounding of x − max(x), which is known exactly. *sum*: the error "
        "that all elements of the row share. *exp* and *division*: the error of the element itself.",
    )


def beside_the_natives(run: Run) -> Iterator[str]:
    yield from section(
        "Properties that need no expected value",
        summary.laws(run),
        "The table gives the largest deviation over all rows, in units of u, and its ratio to the sum of the elements' "
        "bounds. `properties.csv` has the figures of every backend.",
    )
    yield from section(
        "Known limitations",
        summary.flaws(run),
        "Each of these formulas is declared to fail on this case, and does. If it passes, that is a failure.",
    )
    yield from section(
        "Variants",
        summary.variants(run),
        "The table gives the largest values over all cases: the difference from the variant's own framework in "
        "percent, the error in ulp with error / bound in brackets, and the grade.",
    )
    yield from section("Cells without a result", summary.unanswered(run))


def section(heading: str, rows: pd.DataFrame, text: str = "") -> Iterator[str]:
    """Yield a heading, a text and a table; nothing if there are no rows."""
    if len(rows):
        yield f"## {heading}"
        yield text
        yield grid(rows)


def by_question(run: Run, make: object) -> Iterator[str]:
    """Yield one table for each operation and dtype that has any rows."""
    for operation, about in OPERATIONS.items():
        for dtype in dict.fromkeys(run.comparisons.dtype):
            rows = make(run, operation, dtype)  # type: ignore[operator]
            if len(rows):
                yield f"### {escaped(operation)}, {dtype}\n\n{escaped(about.formula)}"
                yield grid(rows)


def witnesses(run: Run) -> Iterator[str]:
    """Yield the worst element of each cell that fails, exactly, in hexadecimal."""
    short = summary.ranked_by_bound(summary.failing(run))
    for cell in short[short.witness != ""].head(MOST_WITNESSES).itertuples():
        title = f"{cell.backend}, {cell.operation}, {placed(cell.case, cell.axis)}, {cell.dtype}"
        lines = [f"{key}: {shown(value)}" for key, value in json.loads(cell.witness).items()]
        yield f"{escaped(title)}, element {cell.worst_index}:\n\n" + "\n".join(f"    {line}" for line in lines)


def shown(value: object) -> str:
    """Return a value on one line, so that it stays inside its block."""
    return " ".join(legible(", ".join(map(str, value)) if isinstance(value, list) else str(value)).split())


def cases(run: Run) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"case": name, "shape": " × ".join(map(str, about["shape"])), "description": about["source"]}
            for name, about in run.about["cases"].items()
            if ":" not in name and "@" not in name
        ]
    )


def grid(rows: pd.DataFrame) -> str:
    """Return a Markdown table, whatever its cells hold."""
    if not len(rows):
        return ""
    safe = rows.rename(columns=escaped).map(lambda cell: escaped(str(cell)))
    return str(safe.to_markdown(index=False, tablefmt="pipe", disable_numparse=True))


def escaped(text: str) -> str:
    """Escape a text for Markdown, so that it is shown as it is."""
    return " ".join(legible(text).translate(SPECIAL).split())
