"""The tables that all formats share: rows and columns of text, computed from a saved run alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace

import pandas as pd

from harness.faults import Outcome, Verdict
from harness.judging.grades import fails
from harness.records import Run
from reports.tables.quality import worst_grade
from reports.tables.text import answered_cells, figure, native, placed

QUESTION = ["operation", "case", "dtype", "axis"]
BAD_VERDICTS = (Verdict.SHORT, Verdict.FLAW_GONE)
TOLERATED = (Verdict.WITHIN, Verdict.VACUOUS, Verdict.UNMEASURED)
QUIET_OUTCOMES = (Outcome.OK, Outcome.SKIPPED, Outcome.UNSUPPORTED)


def failing(run: Run) -> pd.DataFrame:
    """Return the cells that make the exit status 1.

    They are above their bound, a declared flaw that no longer shows, or an exception.
    """
    cells = run.comparisons
    return cells[cells.verdict.isin(BAD_VERDICTS) | (cells.outcome == Outcome.FAILED)]


def demanding(run: Run, fail_at: str) -> Run:
    """Return the run with the verdict `fails` for every cell graded `fail_at` or worse.

    Cells that are declared to be wrong keep their verdict.
    """
    cells = run.comparisons.copy()
    worse = cells.grade.map(lambda given: fails(given, fail_at)).astype(bool)
    cells.loc[worse & cells.verdict.isin(TOLERATED), "verdict"] = Verdict.SHORT
    return replace(run, comparisons=cells)


def excused(run: Run) -> pd.DataFrame:
    """Return answers above their bound that a measured chain explains.

    There is a row for each backend, operation and dtype, with the worst cell.
    """
    cells = ranked_by_bound(
        run.comparisons[(run.comparisons.grade == "C") & (run.comparisons.verdict == Verdict.WITHIN)]
    )
    rows = [
        {
            "backend": backend,
            "operation": operation,
            "dtype": dtype,
            "cells": f"{len(found):,}",
            "worst case": placed(found.iloc[0]["case"], found.iloc[0]["axis"]),
            "error / bound": figure(found.iloc[0].error_over_bound),
            "grade": "C",
            "reason": found.iloc[0].reason,
        }
        for (backend, operation, dtype), found in cells.groupby(["backend", "operation", "dtype"], sort=False)
    ]
    return pd.DataFrame(rows)


def headline(run: Run) -> str:
    """Return one sentence: how much was asked, and what the result is."""
    cells = run.comparisons
    counts = cells.verdict.value_counts()
    within, declared = (int(counts.get(v, 0)) for v in (Verdict.WITHIN, Verdict.AS_DECLARED))
    short, unmeasured = len(failing(run)), int(counts.get(Verdict.UNMEASURED, 0))
    vacuous = int(counts.get(Verdict.VACUOUS, 0))
    gone, other = int(counts.get(Verdict.FLAW_GONE, 0)), cells.outcome[cells.outcome != Outcome.OK].value_counts()
    parts = [f"{within:,} within the proved bound"]
    parts += [f"{declared:,} known limitation{'s' * (declared > 1)}"] * bool(declared)
    parts += [f"{vacuous:,} without a finite bound"] * bool(vacuous)
    parts += [f"{unmeasured:,} inconclusive"] * bool(unmeasured)
    parts += [f"{gone:,} unexpected pass{'es' * (gone > 1)}"] * bool(gone)
    parts += [f"{count:,} {outcome!s}" for outcome, count in sorted(other.items())]
    verdict = f"{short:,} FAIL{'S' * (short == 1)}" if short else "no failures"
    partial = "Interrupted, so incomplete: " if run.about.get("partial") else ""
    return f"{partial}{len(cells):,} cells: {', '.join(parts)}; {verdict}."


def ranked_by_bound(cells: pd.DataFrame) -> pd.DataFrame:
    """Sort by the share of the bound, the largest first. Answers without a share, NaN and infinite ones come before."""
    return cells.sort_values("error_over_bound", ascending=False, kind="stable", na_position="first")


def variants(run: Run) -> pd.DataFrame:
    """Return, for each variant's operations, its largest distance from its framework, in percent, and error in ulp."""
    cells = answered_cells(run)
    cells = cells[~native(cells.backend)]
    own = run.pairs[run.pairs.outcome == Outcome.OK].rename(columns={"b": "backend"})
    own = own[own.a == own.backend.str.split(":").str[0]]
    own = own[[*QUESTION, "backend", "mean_relative_error_percent"]].rename(
        columns={"mean_relative_error_percent": "apart"}
    )
    cells = cells.merge(own[own.apart.abs() < float("inf")], how="left", on=[*QUESTION, "backend"])
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for (backend, operation, dtype), found in cells.groupby(["backend", "operation", "dtype"], sort=False):
        row = rows.setdefault((backend, operation), {"variant": backend, "operation": operation})
        row[f"{dtype}: difference from its framework"] = f"{figure(found.apart.max())} %"
        most = figure(found.error_over_bound.max())
        truth = f"{figure(found.max_ulp_error.max())} ulp ({most}) {worst_grade(found.grade)}"
        row[f"{dtype}: error (error / bound), grade"] = truth
    return pd.DataFrame(rows.values()).fillna("–")


def flaws(run: Run) -> pd.DataFrame:
    """Return the formulas that fail where they are declared to: on what, in how many elements, and why."""
    cells = run.comparisons
    cells = cells[cells.verdict == Verdict.AS_DECLARED]
    cells = cells.assign(formula=cells.backend.str.split(":").str[1])
    rows = []
    for key, same in cells.groupby(["formula", "operation", "case", "dtype", "reason"], sort=False):
        formula, operation, case, dtype, reason = key
        seen = {f"{n} NaN of {size}" for n, size in zip(same.nan_count, same.elements, strict=True) if n}
        rows.append(
            {
                "formula": formula,
                "operation": operation,
                "case": case,
                "dtype": dtype,
                "frameworks": ", ".join(dict.fromkeys(same.backend.str.split(":").str[0])),
                "observed": " / ".join(sorted(seen)) or f"error / bound {figure(same.error_over_bound.max())}",
                "reason": reason,
            }
        )
    return pd.DataFrame(rows)


def laws(run: Run) -> pd.DataFrame:
    """Return the laws that need no reference, with the worst deviation, in units of u, and its share of the bound.

    There is a row for each framework, and one for the worst of all variants.
    """
    held = run.properties[run.properties.verdict != Verdict.AS_DECLARED]
    rows = []
    for law, all_of_it in held.groupby("law", sort=False):
        own = native(all_of_it.backend)
        rows += [law_row(law, backend, found) for backend, found in all_of_it[own].groupby("backend", sort=False)]
        if len(rest := all_of_it[~own]):
            worst = rest.backend[rest.error_over_bound.idxmax()]
            number = rest.backend.nunique()
            rows.append(law_row(law, f"worst of {number} variant{'s' * (number > 1)}: {worst}", rest))
    return pd.DataFrame(rows)


def law_row(law: str, name: str, found: pd.DataFrame) -> dict[str, str]:
    worst = found.loc[found.error_over_bound.idxmax()]
    return {
        "property": law,
        "backend": name,
        "cells": str(len(found)),
        "largest deviation, u": figure(found.deviation_in_u.max()),
        "deviation / bound": figure(worst.error_over_bound),
        "case": f"{placed(worst.case, worst.axis)}, {worst['dtype']}",
    }


def unanswered(run: Run, without: Collection[str] = (Outcome.OK,)) -> pd.DataFrame:
    """Return the cells without an answer, by outcome and reason. `without`: outcomes to leave out."""
    cells = run.comparisons[~run.comparisons.outcome.isin(without)]
    rows = [
        {
            "outcome": str(outcome),
            "cells": str(len(found)),
            "backends": shortened(dict.fromkeys(found.backend)),
            "operations": shortened(dict.fromkeys(found.operation)),
            "reason": reason,
        }
        for (outcome, reason), found in cells.groupby(["outcome", "reason"], sort=False)
    ]
    return pd.DataFrame(rows)


def shortened(names: Iterable[str], most: int = 4) -> str:
    """Join the first names of a list, with the number of the others, so that they fit a cell."""
    listed = list(names)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")


def shortfalls(run: Run) -> pd.DataFrame:
    """Return the cells that fail, the worst first, with the place of the worst element."""
    cells = ranked_by_bound(failing(run))
    rows = [
        {
            "backend": cell.backend,
            "operation": cell.operation,
            "case": placed(cell.case, cell.axis),
            "dtype": cell.dtype,
            "verdict": cell.verdict or cell.outcome,
            "grade": cell.grade,
            "error / bound": figure(cell.worst_error_over_bound),
            "ulp": figure(cell.worst_ulp_error),
            "NaN/inf": f"{figure(cell.nan_count)}/{figure(cell.infinity_count)}",
            "worst element": cell.worst_index,
            "reason": cell.reason,
        }
        for cell in cells.itertuples()
    ]
    return pd.DataFrame(rows)


def lost(run: Run) -> pd.DataFrame:
    """Return components answered by 0 or with the other sign that no grade tells: how many, and one of them."""
    cells = run.comparisons[(run.comparisons.lost_components > 0).fillna(False)]
    cells = cells[cells.verdict.isin(TOLERATED)]
    rows = []
    for (backend, operation, dtype), found in cells.groupby(["backend", "operation", "dtype"], sort=False):
        first = found.iloc[0]
        said = json.loads(first.lost_witness)
        answered, right = (float.fromhex(said[name]) for name in ("actual", "expected"))
        rows.append(
            {
                "backend": backend,
                "operation": operation,
                "dtype": dtype,
                "cells": f"{len(found):,}",
                "components": f"{found.lost_components.sum():,}",
                "example": f"{placed(first['case'], first['axis'])} at {first.lost_index or '0'}",
                "actual": f"{answered:.3g}",
                "expected": f"{right:.4g}",
            }
        )
    return pd.DataFrame(rows)


def as_declared(run: Run) -> pd.DataFrame:
    """Return who is within a bound only by what it declares of itself, and how many others do not need that there."""
    cells = run.comparisons[(run.comparisons.outcome == Outcome.OK) & run.comparisons.verdict.isin(TOLERATED)]
    leans = ((cells.error_over_default_bound > 1) & (cells.error_over_bound <= 1)).fillna(False)
    alike = cells[~leans & (cells.error_over_bound <= 1)].groupby(QUESTION).size()
    rows = []
    for (backend, operation, dtype), found in cells[leans].groupby(["backend", "operation", "dtype"], sort=False):
        worst = found.loc[found.error_over_default_bound.idxmax()]
        others = int(alike.get(tuple(worst[QUESTION]), 0))
        rows.append(
            {
                "backend": backend,
                "operation": operation,
                "dtype": dtype,
                "cells": f"{len(found):,}",
                "worst case": placed(worst["case"], worst["axis"]),
                "error / own bound": figure(worst.error_over_bound),
                "error / default bound": figure(worst.error_over_default_bound),
                "others within the default bound": f"{others:,}",
            }
        )
    return pd.DataFrame(rows)


def audit(run: Run) -> str:
    """Return one sentence on the exact values that came from float64; empty if all are Arb's."""
    about = run.about.get("audit", {})
    if not about.get("values"):
        return ""
    return (
        f"{about['values']:,} exact values of float32 and narrower formats were computed in float64. Arb recomputed "
        f"{about['audited']:,} of them; the largest difference was {about['largest_deviation']:.1e} ulp."
    )


def frameworks(run: Run) -> pd.DataFrame:
    """Return what took part, in which version, or why it did not."""
    rows = [
        {
            "framework": name,
            "version": about.get("version", "–"),
            "Python": about.get("python", "–"),
            "NumPy": about.get("numpy", "–"),
            "available": f"{about['outcome']}: {about['reason']}" if "outcome" in about else "yes",
        }
        for name, about in run.about["frameworks"].items()
    ]
    return pd.DataFrame(rows)
