"""How far backends differ, in the notebook's percents: a matrix per operation and dtype, and the worst pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.faults import Outcome
from harness.records import Run
from reports.html.tables import Column, Table, TableCell, number, whole
from reports.tables.text import native, placed, questions

MOST = 150
FIGURE = "mean_relative_error_percent"


@dataclass(frozen=True)
class Matrix:
    """Percents of an operation and dtype. `rows`: the backend in the denominator, with a figure for each of `names`."""

    operation: str
    dtype: str
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[TableCell]]]


def answered_pairs(run: Run) -> pd.DataFrame:
    """Return the pairs of frameworks that both answered."""
    pairs = run.pairs
    return pairs[(pairs.outcome == Outcome.OK) & native(pairs.a) & native(pairs.b)]


def both_ways(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each order of each pair. `source`: the column of `pairs` that the figure is in."""
    there = pairs.assign(source=f"pairs.{FIGURE}")
    back = pairs.assign(a=pairs.b, b=pairs.a, source="pairs.swapped_percent", **{FIGURE: pairs.swapped_percent})
    return pd.concat([there, back], ignore_index=True)


def matrices(run: Run) -> Iterator[Matrix]:
    """Yield, for each operation and dtype, the largest finite figure over the cases."""
    pairs = both_ways(answered_pairs(run))
    finite = pairs[pairs[FIGURE].abs() < float("inf")]
    worst = finite.loc[finite.groupby(["operation", "dtype", "a", "b"], sort=False)[FIGURE].idxmax()]
    found = {(row.operation, row.dtype, row.a, row.b): row for row in worst.itertuples()}
    names = [name for name in dict.fromkeys(run.comparisons.backend) if (pairs.a == name).any()]
    for operation, dtype in questions(worst):
        rows = [(a, [square(found.get((operation, dtype, a, b)), a == b) for b in names]) for a in names]
        yield Matrix(operation, dtype, names, rows)


def square(pair: Any, itself: bool) -> TableCell:
    """Return the cell of a figure, with the case that it is on."""
    if pair is None:
        return TableCell("–", title="itself" if itself else "no finite figure")
    return number(getattr(pair, FIGURE), title=f"case {placed(pair.case, pair.axis)}")


def furthest(run: Run) -> Table:
    """Return the pairs with the largest differences, on any case."""
    pairs = answered_pairs(run)
    finite = pairs[pairs[FIGURE].abs() < float("inf")]
    worst = finite.sort_values(FIGURE, ascending=False, kind="stable").head(MOST)
    columns = [
        Column("operation"), Column("case"), Column("dtype"), Column("a"), Column("b"),
        Column("relative to a, %", f"pairs.{FIGURE}", numeric=True),
        Column("relative to b, %", "pairs.swapped_percent", numeric=True),
        Column("zeros in a", "pairs.zero_references", numeric=True),
    ]  # fmt: skip
    rows = [
        [
            TableCell(pair.operation), TableCell(placed(pair.case, pair.axis)), TableCell(pair.dtype),
            TableCell(pair.a), TableCell(pair.b),
            number(getattr(pair, FIGURE)), number(pair.swapped_percent), whole(pair.zero_references),
        ]
        for pair in worst.itertuples()
    ]  # fmt: skip
    return Table("pairs", f"Largest differences: {len(rows)} of {len(pairs):,} pairs", columns, rows)


def identical_shares(run: Run) -> Table:
    """Return in how many questions each pair of frameworks agrees bit for bit."""
    pairs = answered_pairs(run)
    columns = [Column("a"), Column("b"), Column("bit-identical", numeric=True), Column("of", numeric=True)]
    rows = [
        [TableCell(a), TableCell(b), whole(its.identical.eq(True).sum()), whole(len(its))]
        for (a, b), its in pairs.groupby(["a", "b"], sort=False)
    ]
    return Table("alike", "Pairs with bit-identical results, which probably share code", columns, rows)
