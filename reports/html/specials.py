"""The atlas on the page: what backends do where softmax has no obvious answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.specials.entries import Entry
from harness.specials.special_inputs import SPECIAL_OPERATIONS
from reports.html.tables import Table, of_frame
from reports.pages import specials


def other_versions(entries: Sequence[Entry], about: Mapping[str, Any]) -> list[str]:
    """Return the frameworks that the atlas asked in a version other than the run's."""
    here = {name: said.get("version") for name, said in about.get("frameworks", {}).items()}
    asked = dict.fromkeys((entry.backend.partition(":")[0], entry.version) for entry in entries)
    return [f"{name} {version}" for name, version in asked if here.get(name, version) != version]


def overview(entries: Sequence[Entry]) -> Iterator[Table]:
    """Yield a table of how many entries are as specified, and one of all that are not."""
    yield of_frame("atlas-counts", "Entries by verdict", specials.counts(entries))
    if amiss := specials.amiss(entries):
        yield of_frame("atlas-amiss", "Not as specified", specials.listed(amiss, specials.DETAILS))


def matrices(entries: Sequence[Entry]) -> Iterator[tuple[str, Table]]:
    """Yield, for each operation, what each backend does in each situation."""
    for operation in SPECIAL_OPERATIONS:
        if len(rows := specials.matrix(entries, operation)):
            caption = f"{operation}: behaviour by special input and backend; ! marks what is not as specified"
            yield operation, of_frame(f"atlas-{operation}", caption, rows)
