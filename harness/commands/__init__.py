"""The command line: a file for each command or a few related ones. Importing this package registers them with `app`.

This is the only layer that opens files for the others, reads arguments and sets the exit status.
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
"""The order in which `--help` lists them."""
app.registered_commands.sort(key=lambda command: ORDER.index(command.name or str(command.callback.__name__)))  # type: ignore[union-attr]
