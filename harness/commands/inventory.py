"""`backends`: what is there."""

from __future__ import annotations

from harness.commands.options import Pythons, app, interpreters


@app.command("backends")
def list_backends(
    python: Pythons = None,
) -> None:
    """What is there, in which version, and why the rest is not."""
    from tabulate import tabulate

    from harness.inventory import inventory

    rows = inventory(interpreters(python))
    print(tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True, maxcolwidths=[None, None, None, 88]))
