"""What a page shows beside its run, if it is there: findings with their scripts, the atlas, the power tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from harness.findings.record import Finding
from harness.specials.entries import Entry


@dataclass(frozen=True)
class Related:
    """The data beside a run. A part that was not made is None or empty; its section then names the command for it."""

    findings: Sequence[Finding] | None = None
    scripts: Mapping[str, str] = field(default_factory=dict)
    """The text of each script, by the name that a finding gives."""
    atlas: Sequence[Entry] | None = None
    power: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """The tables, by their files' names."""


NO_RELATED = Related()
