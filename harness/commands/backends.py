"""`backends`: lists the frameworks that are installed."""

from __future__ import annotations

from harness.commands.options import Pythons, app, interpreters, show


@app.command("backends")
def list_backends(
    python: Pythons = None,
) -> None:
    """What is there, in which version, and why the rest is not."""
    from tabulate import tabulate

    from harness.workers.inventory import inventory

    rows = inventory(interpreters(python))
    widths = [None, None, None, 88]
    show(tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True, maxcolwidths=widths) + "\n")
