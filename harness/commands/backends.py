"""`backends`: lists the frameworks that are installed."""

from __future__ import annotations

from harness.commands.options import Pythons, app, interpreters, show


@app.command("backends")
def list_backends(
    python: Pythons = None,
) -> None:
    """List the installed frameworks and their versions.

    For a framework that is not available, the list gives the reason.
    """
    from tabulate import tabulate

    from harness.workers.inventory import inventory

    rows = inventory(interpreters(python))
    widths = [None, None, None, 88]
    show(tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True, maxcolwidths=widths) + "\n")
