"""A run's page, with what stands beside the run: findings, and the atlas and the power tables from their folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.records import Run
    from reports.html.related import Related

PAGE = "report.html"


def rendered(run: Run, folder: Path, form: str) -> str:
    """Return the run in one of `reports.FORMATS`. Only the HTML page shows what stands beside the run."""
    from reports import html, render

    return html.render(run, beside(folder)) if form == "html" else render(run, form)


def write_page(run: Run, folder: Path) -> None:
    """Write `report.html` beside the run's tables."""
    from harness.runs import store
    from reports import html

    store.write(folder, PAGE, html.render(run, beside(folder)).encode())


def beside(folder: Path) -> Related:
    """Return what stands beside a run. A missing or unreadable atlas or power table is left out.

    Raise UsageError if there is a table of findings that cannot be read.
    """
    from harness.findings import csv_file
    from reports.html.related import Related

    findings = csv_file.read(folder / csv_file.FILE) if (folder / csv_file.FILE).exists() else None
    scripts = {
        finding.snippet: file.read_text(encoding="utf-8", errors="replace")
        for finding in findings or ()
        if (file := csv_file.script(folder, finding))
    }
    return Related(findings, scripts, atlas(folder.parent / "atlas"), power(folder.parent / "power"))


def atlas(folder: Path) -> Any:
    """Return the atlas's entries, or None if there are none or they cannot be read."""
    from harness.specials import Entry

    table = read_table(folder / "atlas.csv")
    try:
        rows = [] if table is None else table.to_dict("records")
        return [Entry(**row | {"asked": int(row["asked"])}) for row in rows] or None
    except (TypeError, ValueError, KeyError):
        return None


def power(folder: Path) -> dict[str, Any]:
    """Return the readable tables of `power`, by the names of their files."""
    from reports.html.detection import CAPTIONS

    tables = {name: read_table(folder / name) for name in CAPTIONS}
    return {name: table for name, table in tables.items() if table is not None}


def read_table(file: Path) -> Any:
    """Return a CSV file as a table of strings, or None if it cannot be read."""
    import pandas as pd

    try:
        return pd.read_csv(file, keep_default_na=False, dtype=str)
    except (OSError, ValueError):
        return None
