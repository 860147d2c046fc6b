"""The first sentence of the page, who is right by framework, and where the run was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.faults import DEATHS, Outcome, Verdict
from harness.judging.grades import GRADES
from harness.records import Run
from reports.html.tables import Column, Table, TableCell, number, whole
from reports.tables import failures
from reports.tables.agreement import agreeing
from reports.tables.summary import ranked_by_bound, shortened
from reports.tables.text import answered_cells, figure, native, placed

MOST_NAMES = 4


def sentence(run: Run) -> str:
    """Return who is right, and by how much; or who is not."""
    short, cells = failures.of_the_cells(run), answered_cells(run)
    died = short.outcome.isin(DEATHS)
    both = ((fallen, short[~died]), (dead, short[died]))
    told = [tell(its, len(run.comparisons)) for tell, its in both if len(its)]
    if not told:
        own = cells[native(cells.backend)]
        told = [held(own if len(own) else cells)]
    partial = "Interrupted, so incomplete: " if run.about.get("partial") else ""
    return partial + " ".join([*told, *amiss(run)])


def amiss(run: Run) -> Iterator[str]:
    """Yield what in the run itself makes its exit status. An interruption is left out: the sentence begins with it."""
    told = failures.of_the_run(run)[bool(run.about.get("partial")) :]
    if told:
        yield f"Problem with the run: {told[0]}" + (f"; and {len(told) - 1} more." if told[1:] else ".")


def fallen(short: pd.DataFrame, total: int) -> str:
    who = list(dict.fromkeys(short.sort_index().backend))
    worst = ranked_by_bound(short).iloc[0]
    what = f"{worst.backend}'s {worst.operation} on {placed(worst['case'], worst['axis'])} in {worst['dtype']}"
    fall = f"{named(who)} {'fails' if len(who) == 1 else 'fail'} in {len(short):,} of {total:,} cells"
    return f"{fall}. The worst is {what}: {how_far(worst)}."


def dead(cells: pd.DataFrame, total: int) -> str:
    """Return the sentence on backends whose process ended."""
    ways = and_list(list(dict.fromkeys(cells.outcome)))
    who = named(list(dict.fromkeys(cells.sort_index().backend)))
    return f"{who} gave no result in {len(cells):,} of {total:,} cells: {ways}."


def how_far(cell: pd.Series) -> str:
    """Return how far off a cell is that fails."""
    if cell.outcome != Outcome.OK:
        return cell.outcome
    if cell.nan_count or cell.infinity_count:
        return "the result is NaN or infinite, and the exact value is finite"
    return f"the error is {figure(cell.worst_error_over_bound)} times its bound"


def held(cells: pd.DataFrame) -> str:
    """Return the sentence on results of which none fails."""
    within = cells[cells.verdict == Verdict.WITHIN]
    rest = len(cells) - len(within)
    of_rest = f"{rest:,} result{'s' * (rest > 1)}"
    silent = f"There is no verdict on {of_rest}: the bound is infinite, or the summation chain was not measured."
    if not len(cells):
        return "No backend gave a result, so there is no verdict."
    if not len(within):
        return silent
    names = list(dict.fromkeys(within.backend))
    worst = ranked_by_bound(within).iloc[0]
    what = f"{worst.backend}'s {worst.operation} on {placed(worst['case'], worst['axis'])} in {worst['dtype']}"
    share, ulp = figure(worst.worst_error_over_bound), figure(worst.worst_ulp_error)
    chained = ", explained by a measured summation chain" if worst.grade == "C" else ""
    all_ = f"all {len(within):,} results" if len(within) > 1 else "the one result"
    right = f"{and_list(names)} {'is' if len(names) == 1 else 'are all'} right: rounding explains {all_}."
    largest = f"The largest ratio of error to bound is {share}, in {what}, an error of {ulp} ulp{chained}."
    return " ".join([right, largest, *[silent] * bool(rest)])


def named(names: list[str]) -> str:
    return and_list(names) if len(names) <= MOST_NAMES else shortened(names, MOST_NAMES)


def and_list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def frameworks(run: Run, addresses: Mapping[int, str]) -> Table:
    """Return a row per framework: its cells by grade, its largest error / bound, and its largest difference.

    The difference, in percent, is the largest mean relative difference between it and another framework.
    """
    cells, apart = answered_cells(run), agreeing(run)
    cells = cells[native(cells.backend)]
    columns = [
        Column("framework"),
        *(Column(grade, numeric=True) for grade in GRADES),
        Column("error / bound", "comparisons.worst_error_over_bound", numeric=True),
        Column("error, ulp", "comparisons.worst_ulp_error", numeric=True),
        Column("worst case"),
        Column("max difference, %", "pairs.mean_relative_error_percent", numeric=True),
    ]
    rows = []
    for backend, its in cells.groupby("backend", sort=False):
        worst = ranked_by_bound(its).iloc[0]
        where = f"{worst.operation}, {placed(worst['case'], worst['axis'])}, {worst['dtype']}"
        percents = apart.mean_relative_error_percent[(apart.a == backend) | (apart.b == backend)]
        counts = its.grade.value_counts()
        rows.append(
            [
                TableCell(str(backend)),
                *(whole(counts.get(grade, 0)) for grade in GRADES),
                number(worst.worst_error_over_bound),
                number(worst.worst_ulp_error),
                TableCell(where, link=addresses.get(worst.name, "")),
                number(percents.max()),
            ]
        )
    return Table("frameworks", "Cells by grade, and the largest error / bound", columns, rows)


def environment(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the run was made on, as (name, text)."""
    for name, its in about.get("frameworks", {}).items():
        here = f"{its['outcome']}: {its.get('reason', '')}" if "outcome" in its else str(its.get("version", "–"))
        yield str(name), here + (", flushes to zero" if its.get("flush_to_zero") else "")
    for name, value in about.get("environment", {}).items():
        yield str(name).replace("_", " "), value_text(value)
    yield "harness", str(about.get("harness", "–"))


def value_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {value_text(its)}" for name, its in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
