"""The first sentence of the page, who is right by framework, and where the run was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.grades import GRADES
from harness.records import Run
from reports.agreement import agreeing
from reports.cells import answered, figure, native, placed
from reports.html.tables import Cell, Column, Table, number, whole
from reports.table import ULP, failing, ranked_by_bound, shortened

MOST_NAMES = 4


def sentence(run: Run) -> str:
    """Who is right, and by how much."""
    short, cells = failing(run), answered(run)
    partial = "Interrupted, so partial: " if run.about.get("partial") else ""
    if len(short):
        return partial + fallen(short, len(run.comparisons))
    if not len(cells):
        return f"{partial}Nothing was answered, so nothing is said about anybody."
    own = cells[native(cells.backend)]
    return partial + held(own if len(own) else cells)


def fallen(short: pd.DataFrame, total: int) -> str:
    who = list(dict.fromkeys(short.backend))
    names = and_list(who) if len(who) <= MOST_NAMES else shortened(who, MOST_NAMES)
    worst = ranked_by_bound(short).iloc[0]
    what = f"{worst.backend}'s {worst.operation} on {placed(worst['case'], worst['axis'])} in {worst['dtype']}"
    fall = f"{names} {'falls' if len(who) == 1 else 'fall'} short in {len(short):,} of {total:,} cells"
    return f"{fall}; at worst {what}, {how_far(worst)}."


def how_far(cell: pd.Series) -> str:
    """Of one that falls short."""
    if cell.outcome != "ok":
        return f"which {cell.outcome}"
    if cell.nan_count or cell.infinity_count:
        return "NaN or infinite where the exact value is finite"
    return f"{figure(cell.bound_fraction)} times what its bound allows"


def held(cells: pd.DataFrame) -> str:
    names = and_list(list(dict.fromkeys(cells.backend)))
    worst = ranked_by_bound(cells).iloc[0]
    what = f"{worst.backend}'s {worst.operation} on {placed(worst['case'], worst['axis'])} in {worst['dtype']}"
    share = f"{figure(worst.bound_fraction)} of its bound"
    if worst.grade == "C":
        share = f"{figure(worst.bound_fraction)} times its bound, by a measured chain of additions"
    return (
        f"{names} {'is' if cells.backend.nunique() == 1 else 'are all'} right: rounding explains all "
        f"{len(cells):,} answers. Nearest to its limit: {what}, {figure(worst[ULP])} ulp off, {share}."
    )


def and_list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def frameworks(run: Run, addresses: Mapping[int, str]) -> Table:
    """A row a framework: its grades counted, its answer nearest to its bound, and who is furthest from it."""
    cells, apart = answered(run), agreeing(run)
    cells = cells[native(cells.backend)]
    columns = [
        Column("framework"),
        *(Column(grade, numeric=True) for grade in GRADES),
        Column("of its bound", "comparisons.bound_fraction", numeric=True),
        Column("ulp", f"comparisons.{ULP}", numeric=True),
        Column("there"),
        Column("apart by, %", "pairs.mean_relative_error_percent", numeric=True),
    ]
    rows = []
    for backend, its in cells.groupby("backend", sort=False):
        worst = ranked_by_bound(its).iloc[0]
        where = f"{worst.operation}, {placed(worst['case'], worst['axis'])}, {worst['dtype']}"
        percents = apart.mean_relative_error_percent[(apart.a == backend) | (apart.b == backend)]
        counts = its.grade.value_counts()
        rows.append(
            [
                Cell(str(backend)),
                *(whole(counts.get(grade, 0)) for grade in GRADES),
                number(worst.bound_fraction),
                number(worst[ULP]),
                Cell(where, link=addresses.get(worst.name, "")),
                number(percents.max()),
            ]
        )
    return Table("frameworks", "Cells by grade, and the answer nearest to its bound", columns, rows)


def environment(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What it ran on, name by name."""
    for name, its in about.get("frameworks", {}).items():
        here = f"{its['outcome']}: {its.get('reason', '')}" if "outcome" in its else str(its.get("version", "–"))
        yield str(name), here + (", flushes to zero" if its.get("flush_to_zero") else "")
    for name, value in about.get("environment", {}).items():
        yield str(name).replace("_", " "), told(value)
    yield "harness", str(about.get("harness", "–"))


def told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {told(its)}" for name, its in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
