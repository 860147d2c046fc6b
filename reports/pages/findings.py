"""What a run found in the installed frameworks, as one Markdown page: defects, accuracy grades and policy apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from harness.findings.record import ACCURACY, DEFECT, KINDS, POLICY, SHOWN, Finding
from reports.markdown import grid
from reports.tables.cells import figure, placed

MEANING = {
    DEFECT: "An answer that no rounding of the assumed kind explains, a NaN or infinity for a finite number, an "
    "exception, a death, a law that is broken. Each at the smallest input that was seen to show it, with a script in "
    "the framework's own words; where there is none, it imports the backend itself, and says so.",
    ACCURACY: "Answers that some order of summation explains, and that are further off than a tree of additions is "
    "(grade C, or beyond what a chain of that length may be said to exclude); or a component is lost where terms "
    "cancel. No defect: what it costs.",
    POLICY: "The same question asked in another way has other bits, all within their bound, and none promises more; or "
    "a special input is answered as is declared, and otherwise than by other frameworks.",
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
    return f"{parts}; {shown} of {len(findings)} shown by their script in a fresh interpreter."


def plural(kind: str, count: int) -> str:
    return f"{count} {kind}{'' if count == 1 else 's'}"


def table(findings: Sequence[Finding]) -> pd.DataFrame:
    return pd.DataFrame([row(finding) for finding in findings])


def row(finding: Finding) -> dict[str, str]:
    place = f" at {finding.at}" if finding.at else ""
    return {
        "class": finding.defect_class or "–",
        "backend": f"{finding.backend} {finding.version}",
        "operation": f"{finding.operation}, {finding.dtype}",
        "broken": f"{finding.property} ({finding.verdict})" if finding.kind == DEFECT else finding.property,
        "smallest witness": f"{placed(finding.witness, finding.axis)}{place}",
        "actual": decimal(finding.actual),
        "expected": decimal(finding.expected),
        "of its bound": figure(finding.of_bound),
        "cells": f"{finding.cells:,}",
        "script": f"{finding.snippet or '–'}: {finding.status}",
    }


def decimal(text: str) -> str:
    """Return a hexadecimal number in decimal, and words as they are."""
    try:
        return f"{float.fromhex(text):.9g}"
    except (ValueError, OverflowError):
        return text
