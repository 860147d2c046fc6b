"""What a run found in the installed frameworks, as one Markdown page: defects, accuracy grades and policy apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from harness.findings.record import ACCURACY, DEFECT, KINDS, POLICY, SHOWN, Finding
from reports.markdown import grid
from reports.tables import words
from reports.tables.text import figure, placed

MEANING = {
    DEFECT: "A defect is an error that rounding does not explain, a NaN or infinity where the exact value is finite, "
    "an exception, a crash, or a violated property. Each is shown at the smallest input that was found to reproduce "
    "it, by a script that calls the framework alone. Where no such script can be written, it imports the backend, and "
    "says so.",
    ACCURACY: "An accuracy loss is an error above the bound for pairwise summation that some other order of summation "
    "explains (grade C, or one that a measured chain of that length cannot exclude), or a component that is lost where "
    "terms cancel. It is not a defect.",
    POLICY: "A behaviour difference is a result for a variation of the same input that has other bits, within its "
    "bound, where no framework promises equal bits; or a result for a special input that is as specified, and differs "
    "from that of most other frameworks.",
}


def render(findings: Sequence[Finding]) -> str:
    """Return the whole page."""
    return "\n\n".join(sections(findings)) + "\n"


def sections(findings: Sequence[Finding]) -> Iterator[str]:
    yield "# Findings"
    yield f"**{headline(findings)}**"
    yield from by_kind(findings)


def by_kind(findings: Sequence[Finding]) -> Iterator[str]:
    for kind in KINDS:
        if its := [finding for finding in findings if finding.kind == kind]:
            yield f"## {plural(kind, len(its))}"
            yield MEANING[kind]
            yield grid(table(its))


def headline(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing was found."
    kinds, shown = Counter(finding.kind for finding in findings), sum(f.status == SHOWN for f in findings)
    parts = ", ".join(plural(kind, kinds[kind]) for kind in KINDS if kinds[kind])
    return f"{parts}; {shown} of {len(findings)} reproduced by a script in a fresh interpreter."


def plural(kind: str, count: int) -> str:
    name = words.kind(kind)
    return f"{count} {name}{'' if count == 1 else 'es' if name.endswith('s') else 's'}"


def table(findings: Sequence[Finding]) -> pd.DataFrame:
    return pd.DataFrame([row(finding) for finding in findings])


def row(finding: Finding) -> dict[str, str]:
    place = f" at {finding.at}" if finding.at else ""
    return {
        "class": finding.defect_class or "–",
        "backend": f"{finding.backend} {finding.version}",
        "operation": f"{finding.operation}, {finding.dtype}",
        "violated": f"{finding.property} ({words.verdict(finding.verdict)})"
        if finding.kind == DEFECT
        else finding.property,
        "smallest input": f"{placed(finding.witness, finding.axis)}{place}",
        "actual": decimal(finding.actual),
        "expected": decimal(finding.expected),
        "error / bound": figure(finding.of_bound),
        "cells": f"{finding.cells:,}",
        "script": f"{finding.snippet or '–'}: {words.status(finding.status)}",
    }


def decimal(text: str) -> str:
    """Return a hexadecimal number in decimal, and words as they are."""
    try:
        return f"{float.fromhex(text):.9g}"
    except (ValueError, OverflowError):
        return text
