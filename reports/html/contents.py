"""All that stands on the page, under the names that the template uses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from harness.records import Run
from reports.html import (
    cell_details,
    curves,
    detection,
    distributions,
    headline,
    heatmap,
    percents,
    shown_findings,
    specials,
    support,
)
from reports.html.related import Related
from reports.html.tables import Table, of_frame
from reports.pages import findings
from reports.pages.specials import headline as of_specials
from reports.tables import failures, quality, summary, sweeps
from reports.tables.text import native

HERE = Path(__file__).parent


def contents(run: Run, beside: Related) -> dict[str, Any]:
    """Return all contents except single cells."""
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return {
        "style": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "about": run.about,
        "total": len(run.comparisons),
        "counts": summary.headline(run),
        "headline": headline.sentence(run),
        "amiss": failures.of_the_run(run),
        "environment": list(headline.environment(run.about)),
        "audit": summary.audit(run),
        "styles": curves.styles(run),
        "shares": distributions.SHARES,
        **sections(run, beside),
        "findings_headline": findings.headline(beside.findings or []),
        "looked_into": beside.findings is not None,
        "found": list(shown_findings.found(beside)),
        "of_cell": shown_findings.of_cell,
    }


def of_cells(run: Run, kept: pd.DataFrame, worst: pd.DataFrame) -> dict[str, Any]:
    """Return the cells in full, and the tables that link to them.

    `kept`: cells with their letters and addresses; `worst`: the cell of each square of the heat maps.
    """
    details, addresses = list(cell_details.details(kept)), dict(zip(kept.index, kept.address, strict=True))
    maps = heatmap.HeatMaps(worst, addresses)
    return {
        "frameworks": headline.frameworks(run, addresses),
        "heat": maps.of_frameworks(run.comparisons),
        "variants_heat": list(maps.of_variants(run.comparisons)),
        "kept": cell_details.listed(details),
        "details": details,
        "cells_kept": len(kept),
    }


def sections(run: Run, beside: Related) -> dict[str, Any]:
    """Return what follows the first screen."""
    return {
        "matrices": list(percents.matrices(run)),
        "pairs": percents.furthest(run),
        "alike": percents.identical_shares(run),
        "distributions": list(distributions.distributions(run)),
        "by_distance": list(curves.by_distance(run)),
        "by_length": list(curves.by_length(run)),
        "why": [part for part in why(run) if part.rows],
        "support": [support.matrix(run), support.variants(run), support.reasons(run)],
        "atlas": list(specials.overview(beside.atlas)) if beside.atlas else [],
        "atlas_apart": specials.other_versions(beside.atlas or (), run.about),
        "atlas_headline": of_specials(beside.atlas) if beside.atlas else "",
        "situations": list(specials.matrices(beside.atlas)) if beside.atlas else [],
        "power": list(detection.tables(beside.power)),
    }


def frameworks_alone(run: Run) -> Run:
    """Return the run without variants, of which there are too many for a column each."""
    return replace(run, comparisons=run.comparisons[native(run.comparisons.backend)])


def why(run: Run) -> Iterator[Table]:
    """Yield tables that other formats have too."""
    yield of_frame("causes", "Contributions to the error of softmax at its worst element, in u", quality.causes(run))
    yield of_frame("probes", "Measured summation chain and exp error", quality.probes(run))
    yield of_frame("laws", "Properties that need no expected value: largest deviations", summary.laws(run))
    swept = sweeps.worst(frameworks_alone(run))
    yield of_frame("sweeps", "Sweeps: largest error / bound of each framework, with its grade", swept)
    yield of_frame("bits", "Variations of the same input: how many results are bit-identical", sweeps.bits(run))
    yield of_frame("flaws", "Known limitations", summary.flaws(sweeps.named(run)))
