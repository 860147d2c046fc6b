"""What the checks detect: planted mutants, which checks detect them, and which flag correct results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from reports.html.tables import Table, of_frame
from reports.tables import words

CAPTIONS = {
    "checkers.csv": "Mutants detected and false positives, by checker",
    "checks.csv": "Mutants detected by each check of this harness",
    "power.csv": "Mutants",
    "peers.csv": "Mutants, and which other checkers detect them",
}


def tables(found: Mapping[str, pd.DataFrame]) -> Iterator[Table]:
    for name, caption in CAPTIONS.items():
        if name in found:
            rows = found[name]
            shown = rows.rename(columns=words.heading).astype(str).map(words.detection)
            yield of_frame(f"power-{name.removesuffix('.csv')}", caption, shown)
