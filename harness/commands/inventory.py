"""`backends`: what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.commands.options import Pythons, app, interpreters

if TYPE_CHECKING:
    pass


@app.command("backends")
def list_backends(
    python: Pythons = None,
) -> None:
    """What is there, in which version, and why the rest is not."""
    from tabulate import tabulate

    from harness.inventory import inventory

    rows = inventory(interpreters(python))
    print(tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True, maxcolwidths=[None, None, None, 88]))
