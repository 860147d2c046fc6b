"""The commands, a file for each question; importing this makes them known to `app`.

The only floor that opens files for others, reads arguments and sets the exit status.
"""

from __future__ import annotations

from harness.commands import charts, compare, findings, inventory, saved
from harness.commands.options import app

__all__ = ["app", "charts", "compare", "findings", "inventory", "saved"]

ORDER = ("compare", "judge", "report", "findings", "reproduce", "atlas", "power", "backends")
"""As `--help` lists them."""
app.registered_commands.sort(key=lambda command: ORDER.index(command.name or str(command.callback.__name__)))  # type: ignore[union-attr]
