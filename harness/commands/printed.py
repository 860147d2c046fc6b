"""`printed`: writes what the documents print beside what the frameworks answer today."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.commands.options import Out, Pythons, app, interpreters


@app.command()
def printed(
    out: Out = Path("out/printed"),
    python: Pythons = None,
) -> None:
    """Compare values printed in the documents with computed ones."""
    from harness.findings import printed as numbers
    from harness.findings.asker import Asker
    from harness.runs import store
    from harness.truth import check_preconditions
    from reports.pages import printed as page

    store.writable(out)
    check_preconditions()
    with Asker(interpreters(python)) as asker:
        found = numbers.today(asker)
    store.write(out, "printed.md", page.render(found).encode())
    print(f"written to {out}: printed.md", file=sys.stderr)
