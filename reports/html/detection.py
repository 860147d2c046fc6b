"""What the checks are worth: planted mutants, which checks kill them, and which object to right answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from reports.html.tables import Table, of_frame

CAPTIONS = {
    "checkers.csv": "Mutants killed, and right answers objected to, by checker",
    "checks.csv": "Mutants killed by each of this harness's checks",
    "power.csv": "The mutants",
    "peers.csv": "The mutants, and what other people's checks say of each",
}


def tables(found: Mapping[str, pd.DataFrame]) -> Iterator[Table]:
    for name, caption in CAPTIONS.items():
        if name in found:
            rows = found[name]
            words = rows.rename(columns=lambda column: column.replace("_", " ")).astype(str)
            yield of_frame(f"power-{name.removesuffix('.csv')}", caption, words)
