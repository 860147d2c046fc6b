"""What a page tells of beside its run, where it is there: findings with their scripts, the atlas, the power tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from harness.findings.record import Finding
from harness.specials.entries import Entry


@dataclass(frozen=True)
class Beside:
    """None, or empty, where it was not made: its section then says by which command it is."""

    findings: Sequence[Finding] | None = None
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Text by the name that a finding gives."""
    atlas: Sequence[Entry] | None = None
    power: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Tables by their files' names."""


NOTHING = Beside()
