"""The atlas as one Markdown page, and as a few lines for a terminal: pure functions of its entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from harness.findings.record import Finding
from harness.specials.entries import Entry
from harness.specials.policies import AS_DECLARED, UNDECLARED, VERDICTS
from harness.specials.special_inputs import DERIVATIVES, SITUATIONS, SPECIAL_OPERATIONS, VALUE_OPERATIONS
from reports import terminal
from reports.markdown import escaped, grid, section
from reports.pages import findings
from reports.tables import words

READING = (
    "Each entry states what one backend returns for one special input, over all tested dtypes, axes, widths and "
    "positions. *right*: within the proved bound of the exact value; if some logits are -inf, this refers to the other "
    "elements. An entry is compared with what `policies.toml` specifies for the backend. It is inconsistent if the "
    "behaviour varies and is not specified to vary. `docs/atlas.md` explains the other terms."
)


def render(entries: Sequence[Entry], found: Sequence[Finding] = ()) -> str:
    """Return the whole page, with the findings first."""
    return "\n\n".join(part for part in sections(entries, found) if part) + "\n"


def sections(entries: Sequence[Entry], found: Sequence[Finding]) -> Iterator[str]:
    yield "# Atlas of special inputs"
    yield f"**{escaped(headline(entries))}**"
    yield f"**Findings: {escaped(findings.headline(found))}**"
    yield from findings.by_kind(found)
    yield "## Entries"
    yield READING
    yield grid(counts(entries))
    yield from section("Not as specified", listed(amiss(entries), DETAILS))
    yield from section(
        "Known variations",
        listed(known(entries), KNOWN),
        "These variations are specified, with a reason. If one disappears, that is an error.",
    )
    yield from section(
        "Not specified, but consistent", listed([e for e in entries if e.verdict == UNDECLARED], DETAILS)
    )
    for title, operations in (("Values", VALUE_OPERATIONS), ("Derivatives", DERIVATIVES)):
        yield f"## {title}"
        for operation in operations:
            if len(rows := matrix(entries, operation)):
                yield f"### {escaped(operation)}"
                yield grid(rows)
    yield from section("Specified behaviour and its sources", declarations(entries))


def brief(entries: Sequence[Entry], found: Sequence[Finding] = ()) -> str:
    """Return text for a terminal: the number of entries and of findings, and all that is not as specified."""
    parts = [headline(entries), f"Findings: {findings.headline(found)}"]
    if len(rows := listed(amiss(entries), DETAILS)):
        parts.append(terminal.grid(rows.drop(columns=["observations", "example"])))
    return "\n\n".join(parts) + "\n"


def headline(entries: Sequence[Entry]) -> str:
    number = Counter(entry.verdict for entry in entries)
    told = ", ".join(f"{number[verdict]} {words.verdict(verdict)}" for verdict in VERDICTS if number[verdict])
    asked = sum(entry.asked for entry in entries)
    return f"{len(entries)} entries for {len(backends(entries))} backends: {told or 'none'} ({asked} observations)"


def backends(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.backend for entry in entries))


def amiss(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that differ from their declaration, or that vary and are not declared to."""
    return [entry for entry in entries if entry.verdict not in (AS_DECLARED, UNDECLARED)]


def counts(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return the number of entries by verdict, a row per backend."""
    number = Counter((entry.backend, entry.verdict) for entry in entries)
    versions = {entry.backend: entry.version for entry in entries}
    return pd.DataFrame(
        [
            {"backend": name, "version": versions[name]}
            | {words.verdict(verdict): number[name, verdict] for verdict in VERDICTS}
            for name in backends(entries)
        ]
    )


WHERE = {"backend": "backend", "special input": "situation", "operation": "operation"}
DETAILS = WHERE | {
    "verdict": "verdict", "behaviour": "fact", "varies by": "varies_by", "specified": "policy",
    "observations": "asked", "example": "example",
}  # fmt: skip
KNOWN = WHERE | {"varies by": "varies_by", "specified": "policy", "source": "source"}
"""The columns of tables, with the field of an entry that each one shows."""


def listed(entries: Sequence[Entry], columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per entry."""
    return pd.DataFrame(
        [{title: words.verdict(getattr(entry, name)) for title, name in columns.items()} for entry in entries]
    )


def known(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that vary, and are declared to."""
    return [entry for entry in entries if entry.verdict == AS_DECLARED and entry.varies_by]


def matrix(entries: Sequence[Entry], operation: str) -> pd.DataFrame:
    """Return a row per situation and a column per backend, with ! for what is not as specified."""
    asked = {(entry.situation, entry.backend): entry for entry in entries if entry.operation == operation}
    names = [name for name in backends(entries) if any(backend == name for _, backend in asked)]
    rows = [
        {"special input": situation} | {name: cell(asked.get((situation, name))) for name in names}
        for situation in SITUATIONS
        if any(there == situation for there, _ in asked)
    ]
    return pd.DataFrame(rows)


def cell(entry: Entry | None) -> str:
    if entry is None:
        return ""
    return entry.fact if entry.verdict in (AS_DECLARED, UNDECLARED) else f"! {entry.fact}"


def declarations(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return each declaration once, with all operations and backends that it is made for."""
    said: dict[tuple[str, str, str], dict[str, dict[str, None]]] = {}
    for entry in entries:
        if entry.policy:
            about = said.setdefault((entry.situation, entry.policy, entry.source), {"operation": {}, "backend": {}})
            about["operation"][entry.operation] = about["backend"][entry.backend] = None
    return pd.DataFrame(
        [
            {
                "special input": situation,
                "operations": ", ".join(name for name in SPECIAL_OPERATIONS if name in about["operation"]),
                "backends": ", ".join(about["backend"]),
                "behaviour": policy,
                "source": source,
            }
            for (situation, policy, source), about in said.items()
        ]
    )
