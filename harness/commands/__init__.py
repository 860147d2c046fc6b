"""The command line: one file a verb; importing this makes them known to `app`.

The only floor that opens files for others, reads arguments and sets the exit status.
"""

from __future__ import annotations

from harness.commands import atlas, backends, baseline, compare, findings, printed, report, versions
from harness.commands.options import app

__all__ = ["app", "atlas", "backends", "baseline", "compare", "findings", "printed", "report", "versions"]

ORDER = (
    "compare",
    "judge",
    "report",
    "diff",
    "versions",
    "findings",
    "reproduce",
    "atlas",
    "power",
    "printed",
    "backends",
)
"""As `--help` lists them."""
app.registered_commands.sort(key=lambda command: ORDER.index(command.name or str(command.callback.__name__)))  # type: ignore[union-attr]
