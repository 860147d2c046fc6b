"""A saved run as one page that needs nothing else: no request, no clock, the same bytes from the same input.

Every figure is in the run's tables, or in what is given beside the run. The page holds the summary and the worst
cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import ceil
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from harness.records import Run
from harness.runs.store import TABLES
from reports.html import kept_cells, plots
from reports.html.contents import HERE, contents, of_cells
from reports.html.related import NO_RELATED, Related
from reports.tables import links, words
from reports.tables.summary import failing, ranked_by_bound
from reports.tables.text import legible

CLASSES = dict(zip(kept_cells.LETTERS, ["n", "d", "ap", "a", "b", "c", "u", "s", "f", "x"], strict=True))
"""The classes of the style sheet, by letter."""
MOST_BYTES, A_PLACE = 2_000_000, 2_500
"""The largest size of the page, in bytes, and about how many bytes each place takes."""
IN_FULL = (
    "witness", "answer", "worst_index", "max_relative_index", "max_absolute_index", "max_ulp_index",
    "worst_allowed_ulp", "median_ulp_error", "p90_ulp_error", "p99_ulp_error", "max_scaled_error", "smallest_rtol",
    "smallest_atol", "bias_percent", "max_absolute_error", "mean_absolute_error", "error_over_any_order_bound",
    "error_over_simulated_limit", "error_over_default_bound", "unbounded", "misrounded", "lost_components",
    "lost_index", "lost_witness",
)  # fmt: skip
"""Columns of the comparisons that are read only for kept cells."""


def render(run: Run, beside: Related = NO_RELATED) -> str:
    """Return the whole page."""
    hand = at_hand(run)
    lettered = kept_cells.lettered(hand.comparisons)
    worst = kept_cells.worst_of_each(lettered)
    letters = kept_cells.chosen(lettered, worst, ranked_by_bound(failing(hand)))
    whole = run.comparisons.reset_index(drop=True).loc[letters.index].assign(letter=letters)
    return fitted(contents(hand, beside), hand, whole, worst)


def fitted(rest: Mapping[str, Any], run: Run, cells: pd.DataFrame, worst: pd.DataFrame) -> str:
    """Return the page with as many cells in full as it has room for."""
    most, over = kept_cells.MOST, 1
    while over > 0:
        kept = kept_cells.placed_together(cells, most)
        page = template().render(**rest, **of_cells(run, kept, worst)).lstrip()
        over = len(page.encode()) - MOST_BYTES if most else 0
        most = max(0, most - ceil(over / A_PLACE))
    return page


def at_hand(run: Run) -> Run:
    """Return the run without columns that only single cells show, with numbered rows and Python's own strings.

    So 100,000 cells take a third of the time: pandas holds texts as Arrow does, and is slow at taking some of them.
    """
    tables = {name: plain(getattr(run, name)) for name in TABLES}
    return replace(run, **tables)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    table = table.drop(columns=[name for name in IN_FULL if name in table]).reset_index(drop=True)
    return table.astype({name: object for name, kind in table.dtypes.items() if str(kind) == "str"})


@cache
def template() -> Template:
    """Return the page's template, which escapes all text: nothing in a run is markup."""
    world = Environment(
        loader=FileSystemLoader(HERE), autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=fit,
    )  # fmt: skip
    world.filters |= {"grade": CLASSES.__getitem__, "first_operation": first_operation, "short": short}
    world.globals.update(plots=vars(plots), meaning=kept_cells.MEANING, docs=links.page, words=vars(words))
    return world.get_template("page.html.jinja")


def fit(value: Any) -> Any:
    """Return foreign text without control characters, and everything else as it is."""
    return legible(value) if type(value) is str else value


def first_operation(plots: Sequence[Any]) -> list[tuple[bool, list[Any]]]:
    """Return the first operation's plots, to be shown at once, and all others, to be shown on demand."""
    titles = [getattr(plot, "plot", plot).title.partition(",")[0] for plot in plots]
    first = [title == titles[0] for title in titles]
    return [(True, [p for p, its in zip(plots, first, strict=True) if its]),
            (False, [p for p, its in zip(plots, first, strict=True) if not its])]  # fmt: skip


def short(count: int) -> str:
    """Format a count in at most five characters: 950, 9.5k, 950k, 9.5M."""
    for size, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{sign}"
    return str(count)
