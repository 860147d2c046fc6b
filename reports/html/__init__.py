"""A saved run as one page that needs nothing else: no request, no clock, the same bytes from the same input.

Every figure is in the run's tables, or in what stands beside it; the page keeps the summary and the worst cells.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup

from harness.records import Run
from harness.store import TABLES
from reports import atlas, findings, links, quality, sweeps, table
from reports.cells import native
from reports.html import (
    cells, chosen, curves, detection, distributions, found, headline, heatmap, percents, plots, specials, support,
)  # fmt: skip
from reports.html.beside import NOTHING, Beside
from reports.html.tables import Table, of_frame

HERE = Path(__file__).parent
CLASSES = {"A+": "ap", "A": "a", "B": "b", "C": "c", "F": "f", "!": "s", "✕": "x", "?": "u", "D": "d", "–": "n", "": "n"}
"""Of the style sheet, by letter."""
IN_FULL = (
    "witness", "answer", "worst_index", "max_relative_index", "max_absolute_index", "median_ulp_error",
    "p90_ulp_error", "p99_ulp_error", "max_scale_error", "smallest_rtol", "smallest_atol", "bias_percent",
    "max_absolute_error", "mean_absolute_error", "any_order_fraction", "unbounded", "misrounded",
)  # fmt: skip
"""Columns of the comparisons that are read of kept cells alone."""


def render(run: Run, beside: Beside = NOTHING) -> str:
    """The whole page."""
    hand = at_hand(run)
    kept = chosen.chosen(hand)
    whole = run.comparisons.reset_index(drop=True).loc[kept.index].assign(letter=kept.letter)
    return template().render(**page(hand, whole, beside))


def at_hand(run: Run) -> Run:
    """The run without what only single cells show, its rows numbered, and its texts as Python's own.

    So 100,000 cells take a third of the time: pandas holds texts as Arrow does, and is slow at taking some of them.
    """
    tables = {name: plain(getattr(run, name)) for name in TABLES}
    return replace(run, **tables)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    table = table.drop(columns=[name for name in IN_FULL if name in table]).reset_index(drop=True)
    return table.astype({name: object for name, kind in table.dtypes.items() if str(kind) == "str"})


@cache
def template() -> Template:
    """Whatever stands in a run is text, and never markup."""
    world = Environment(
        loader=FileSystemLoader(HERE), autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    world.filters |= {"grade": CLASSES.__getitem__, "first_operation": first_operation, "short": short}
    world.globals.update(plots=vars(plots), meaning=chosen.MEANING, docs=links.page)
    return world.get_template("page.html.jinja")


def first_operation(plots: Sequence[Any]) -> list[tuple[bool, list[Any]]]:
    """What is shown at once, and what on demand: the first operation's plots, and all others'."""
    titles = [getattr(plot, "plot", plot).title.partition(",")[0] for plot in plots]
    first = [title == titles[0] for title in titles]
    return [(True, [p for p, its in zip(plots, first, strict=True) if its]),
            (False, [p for p, its in zip(plots, first, strict=True) if not its])]  # fmt: skip


def short(count: int) -> str:
    """A count in at most five characters: 950, 9.5k, 950k, 9.5M."""
    for size, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{sign}"
    return str(count)


def page(run: Run, kept: pd.DataFrame, beside: Beside) -> dict[str, Any]:
    """All that the template places, by name. `kept`: cells in full."""
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return {
        "style": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "about": run.about,
        "total": len(run.comparisons),
        "counts": table.headline(run),
        "headline": headline.sentence(run),
        "frameworks": headline.frameworks(run),
        "environment": list(headline.environment(run.about)),
        "audit": table.audit(run),
        "styles": curves.styles(run),
        "shares": distributions.SHARES,
        **first_screen(run, kept.index, beside),
        **sections(run, beside),
        "kept": cells.listed(kept),
        "details": list(cells.details(kept)),
        "found": list(found.found(beside)),
        "of_cell": found.of_cell,
    }


def first_screen(run: Run, kept: Any, beside: Beside) -> dict[str, Any]:
    lettered, known = chosen.lettered(run.comparisons), frozenset(kept)
    return {
        "heat": heatmap.heat_map(lettered, known, own=True),
        "variants_heat": heatmap.heat_map(lettered, known, own=False),
        "findings_headline": findings.headline(beside.findings or []),
        "looked_into": beside.findings is not None,
    }


def sections(run: Run, beside: Beside) -> dict[str, Any]:
    """What follows the first screen."""
    return {
        "matrices": list(percents.matrices(run)),
        "pairs": percents.furthest(run),
        "alike": percents.alike(run),
        "distributions": list(distributions.distributions(run)),
        "by_distance": list(curves.by_distance(run)),
        "by_length": list(curves.by_length(run)),
        "why": [part for part in why(run) if part.rows],
        "support": [support.matrix(run), support.variants(run), support.reasons(run)],
        "atlas": list(specials.overview(beside.atlas)) if beside.atlas else [],
        "atlas_headline": atlas.headline(beside.atlas) if beside.atlas else "",
        "situations": list(specials.matrices(beside.atlas)) if beside.atlas else [],
        "power": list(detection.tables(beside.power)),
    }


def frameworks_alone(run: Run) -> Run:
    """Without variants, of which there are too many for a column each."""
    return replace(run, comparisons=run.comparisons[native(run.comparisons.backend)])


def why(run: Run) -> Iterator[Table]:
    """Tables that other formats have too."""
    yield of_frame("causes", "What each softmax's worst element is off by, split in u", quality.causes(run))
    yield of_frame("probes", "What probes show: the longest chain of additions, and the error of exp", quality.probes(run))
    yield of_frame("laws", "Laws that need no expected value, at their worst", table.laws(run))
    yield of_frame("sweeps", "Sweeps: each backend's answer nearest to its bound, with its grade", sweeps.worst(frameworks_alone(run)))
    yield of_frame("bits", "Questions put in another way: in how many the answer has the same bits", sweeps.bits(run))
    yield of_frame("flaws", "Formulas that fail where they are declared to", table.flaws(sweeps.named(run)))
