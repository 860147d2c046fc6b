"""All that stands on the page, by the names that the template places it by."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from harness.records import Run
from reports import atlas, findings, quality, sweeps, table
from reports.cells import native
from reports.html import (
    cells,
    chosen,
    curves,
    detection,
    distributions,
    found,
    headline,
    heatmap,
    percents,
    specials,
    support,
)
from reports.html.beside import Beside
from reports.html.tables import Table, of_frame

HERE = Path(__file__).parent


def contents(run: Run, kept: pd.DataFrame, beside: Beside) -> dict[str, Any]:
    """`kept`: cells in full, with their letters and addresses."""
    details = list(cells.details(kept))
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return {
        "style": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "about": run.about,
        "total": len(run.comparisons),
        "counts": table.headline(run),
        "headline": headline.sentence(run),
        "environment": list(headline.environment(run.about)),
        "audit": table.audit(run),
        "styles": curves.styles(run),
        "shares": distributions.SHARES,
        **first_screen(run, dict(zip(kept.index, kept.address, strict=True)), beside),
        **sections(run, beside),
        "kept": cells.listed(details),
        "details": details,
        "cells_kept": len(kept),
        "found": list(found.found(beside)),
        "of_cell": found.of_cell,
    }


def first_screen(run: Run, addresses: Mapping[int, str], beside: Beside) -> dict[str, Any]:
    lettered = chosen.lettered(run.comparisons)
    return {
        "frameworks": headline.frameworks(run, addresses),
        "heat": heatmap.heat_map(lettered, addresses, own=True),
        "variants_heat": heatmap.heat_map(lettered, addresses, own=False),
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
    yield of_frame("probes", "What probes show: the longest chain of additions, and exp's error", quality.probes(run))
    yield of_frame("laws", "Laws that need no expected value, at their worst", table.laws(run))
    swept = sweeps.worst(frameworks_alone(run))
    yield of_frame("sweeps", "Sweeps: each framework's answer nearest to its bound, with its grade", swept)
    yield of_frame("bits", "Questions put in another way: in how many the answer has the same bits", sweeps.bits(run))
    yield of_frame("flaws", "Formulas that fail where they are declared to", table.flaws(sweeps.named(run)))
