"""The run as one Markdown page: tables of relative errors as in the documents' checks, and who is right."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd

from harness.operations import OPERATIONS
from harness.records import Run
from reports.tables import agreement, nearness, quality, summary, sweeps, troubles
from reports.tables.cells import legible, placed

SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>|"})
MOST_WITNESSES, MOST_SHORT = 10, 100


def render(run: Run) -> str:
    """Return the whole page."""
    return "\n\n".join(part for part in sections(run) if part) + "\n"


def sections(run: Run) -> Iterator[str]:
    whole, run = run, sweeps.named(run)
    yield "# Softmax across frameworks"
    yield f"**{summary.headline(whole)}**"
    yield "\n".join(f"- {escaped(sentence)}" for sentence in troubles.of_the_run(whole))
    yield grid(nearness.overview(whole))
    yield READING
    if len(short := summary.shortfalls(whole)):
        yield "## What falls short"
        yield grid(short.head(MOST_SHORT))
        yield f"… and {len(short) - MOST_SHORT:,} more, in `comparisons.csv`." if len(short) > MOST_SHORT else ""
        yield from witnesses(whole)
    yield "## Who took part"
    yield grid(summary.frameworks(whole))
    yield summary.audit(whole)
    yield from swept(whole)
    yield from how_good(whole, run)
    yield "## Relative error between frameworks, in percent"
    yield (
        "`np.mean(np.abs((a - b) / a)) * 100`, the notebook's figure, exactly. Where a is 0 the figure is infinite or "
        "NaN: the number of zeros stands beside it."
    )
    yield from by_question(run, agreement.percents)
    yield from distances(run)
    yield from section(
        "Lost components",
        summary.lost(whole),
        "Values that are not 0, and at least 16 times the smallest normal number, answered by 0 or with the other "
        "sign. It changes no grade: where terms cancel, the bound may be larger than the value.",
    )
    yield from section(
        "Right as declared",
        summary.as_declared(whole),
        "Backends that declare something of their arithmetic, as a flush to zero, and are within their bound by that "
        "alone: they are the odd ones out where others are within everybody's bound.",
    )
    yield from beside_the_natives(run)
    yield "## Inputs"
    yield grid(cases(run))


READING = (
    "Every answer is judged against the exact value at the very numbers that the backend got, and against the "
    "largest error that a proved bound allows at that element. *apart*: the largest mean relative error between two "
    "frameworks, on named cases. *ulp*: error in units in the last place of the exact value, at the element of the "
    "share beside it. *of the bound*: above 1, the grade is C where a long summation chain was measured and explains "
    "it, and F where no rounding of the assumed kind does. A+ is correctly rounded, A as good as a tree of additions "
    "and a shift without loss, B as good as a blocked tree and a rounded shift."
)


def distances(run: Run) -> Iterator[str]:
    """Yield the section on named cases; nothing if there are none."""
    if len(rows := nearness.summary(run)):
        yield from section("Distance from the truth", rows, "Of the named cases.")
        yield "Largest error in ulp, and the grade, case by case:"
        yield from by_question(run, nearness.truth)


def swept(run: Run) -> Iterator[str]:
    yield from section(
        "Sweeps",
        sweeps.worst(run),
        "The synthetic cases, named by family and shape: for each backend the answer that is nearest to its bound, or "
        "furthest above it.",
    )
    yield from section(
        "The same question in other ways",
        sweeps.bits(run),
        "In how many cells the answer has the plain question's bits. Every answer is within its bound or stands above; "
        "only `again` and `hostile` must not change a bit.",
    )


def how_good(whole: Run, run: Run) -> Iterator[str]:
    """Yield the section on grades. `whole`: the run with its sweeps."""
    yield "## Grades"
    yield "The worst over all cases, by dtype: " + " / ".join(dict.fromkeys(whole.comparisons.dtype)) + "."
    yield grid(quality.grades(whole))
    yield from section(
        "What probes show",
        quality.probes(run),
        "The longest chain of additions in each backend's softmax, and the worst relative error of its exp, both "
        "measured from answers alone. A chain of h additions may lose h·u of the sum; a tree loses log2 n · u.",
    )
    yield from section(
        "Why softmax is as far off as it is",
        quality.causes(run),
        "The worst element of each framework on named cases, its error ln(actual/expected) in u split into what "
        "rounding the shift costs, which is known exactly, what its row has in common, which is the sum's, and what is "
        "its own.",
    )


def beside_the_natives(run: Run) -> Iterator[str]:
    yield from section(
        "Laws that need no reference",
        summary.laws(run),
        "The largest deviation over all rows, in units of u, beside the share of what the elements' bounds allow. "
        "Every backend's own stands in `properties.csv`.",
    )
    yield from section("Formulas that fail where they must", summary.flaws(run))
    yield from section(
        "Variants",
        summary.variants(run),
        "At worst over the cases: percent from its own framework, ulp from the exact value, share of the bound, grade.",
    )
    yield from section("Without an answer", summary.unanswered(run))


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
    """Yield the worst element of each cell that falls short, exactly, in hexadecimal."""
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
            {"case": name, "shape": " × ".join(map(str, about["shape"])), "what it is": about["source"]}
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
