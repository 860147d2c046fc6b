"""A saved run as text. Every format is one pure function of the run: no clock, no framework, no recomputation."""

from __future__ import annotations

from collections.abc import Callable

from harness.records import Run
from reports import data, github, html, junit, markdown, terminal

FORMATS: dict[str, Callable[[Run], str]] = {
    "terminal": terminal.render,
    "json": data.json,
    "csv": data.csv,
    "markdown": markdown.render,
    "html": html.render,
    "junit": junit.render,
    "github": github.render,
}


def render(run: Run, form: str) -> str:
    """Return the run in one of `FORMATS`."""
    return FORMATS[form](run)
