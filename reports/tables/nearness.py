"""Who is nearest to the truth, and who is furthest from it, by operation and case by case."""

from __future__ import annotations

from functools import cache

import pandas as pd

from harness.errors import UsageError
from harness.faults import Kind, Outcome
from harness.operations import OPERATIONS
from harness.questions.cases import named as case_by_name
from harness.records import Run
from reports.tables import sweeps
from reports.tables.agreement import agreeing, same_bits
from reports.tables.quality import by_grade
from reports.tables.summary import ranked_by_bound
from reports.tables.text import answered_cells, figure, native, placed

ULP = "max_ulp_error_ftz"
"""The column by which frameworks are ranked: the error without zeros that they declare to flush."""
OVERVIEW_DTYPES = ("float64", "float32")
"""The dtypes that every operation is asked in by default."""
OUTLIER = 2.0
"""The furthest is called an outlier if its error is at least so many times the next one's."""


def overview(run: Run) -> pd.DataFrame:
    """Return a row per operation: how far the frameworks agree, and whose answer comes nearest to its bound.

    The distance between frameworks is taken over named cases if there are any: most cases of a sweep are made to be
    near 0, or to cancel.
    """
    of_named = sweeps.named(run)
    cells, pairs = answered_cells(run), agreeing(of_named if len(of_named.comparisons) else run)
    cells = cells[native(cells.backend)]
    dtypes = [dtype for dtype in dict.fromkeys(run.comparisons.dtype) if dtype in OVERVIEW_DTYPES]
    rows = []
    for operation in (name for name in OPERATIONS if (cells.operation == name).any()):
        found, apart = cells[cells.operation == operation], pairs[pairs.operation == operation]
        row = {"operation": operation}
        for dtype in dtypes:
            most = apart.mean_relative_error_percent[apart.dtype == dtype].max()
            row[f"max difference, {dtype}"] = "–" if pd.isna(most) else f"{figure(most)} %"
        worst = ranked_by_bound(found).iloc[0]
        row |= {
            "worst backend": f"{worst.backend}, {worst_error(worst)}",
            "case": f"{placed(worst['case'], worst['axis'])}, {worst['dtype']}",
            "error / bound": figure(worst.worst_error_over_bound),
            "grades": by_grade(found),
            "n": lengths(found),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def lengths(cells: pd.DataFrame) -> str:
    """Return the shortest and the longest axis of these cells, and the median length."""
    each = pd.Series([n for n in map(length, cells["case"], cells.axis) if n])
    if not len(each) or each.min() == each.max():
        return f"{each.min():,}" if len(each) else "–"
    return f"{each.min():,}–{each.max():,}, median {int(each.median()):,}"


@cache
def length(case: str, axis: int) -> int:
    """Return the length of a case's axis.

    Return 0 if a saved run names a case that this version does not have, or has in another shape.
    """
    try:
        return case_by_name(case).shape[axis]
    except (UsageError, IndexError):
        return 0


def worst_error(cell: pd.Series) -> str:
    """Return the error at an answer's worst element, in ulp, or which numbers of it are not finite."""
    odd = " or ".join(["NaN"] * bool(cell.nan_count) + ["infinite"] * bool(cell.infinity_count))
    return odd or f"{figure(cell.worst_ulp_error)} ulp"


def summary(run: Run) -> pd.DataFrame:
    """Return, for each operation and dtype, how far the frameworks agree, who is nearest to the truth, who furthest."""
    cells = answered_cells(run)
    cells = cells[native(cells.backend)]
    pairs = agreeing(run)
    rows = []
    order = {name: number for number, name in enumerate(OPERATIONS)}
    for (operation, dtype), found in sorted(
        cells.groupby(["operation", "dtype"], sort=False), key=lambda item: order[item[0][0]]
    ):
        worst = ranked_by_error(found).drop_duplicates("backend")
        apart = pairs[(pairs.operation == operation) & (pairs.dtype == dtype)].mean_relative_error_percent
        far, near = worst.iloc[0], worst.iloc[-1]
        rows.append(
            {
                "operation": operation,
                "dtype": dtype,
                "max difference": f"{figure(apart.max())} %" if len(apart) else "–",
                "most accurate": f"{near.backend} {figure(near[ULP])} ulp",
                "least accurate": f"{far.backend} {figure(far[ULP])} ulp",
                "case": f"{far.case}",
                "error / bound": figure(far.error_over_bound),
                "grades": by_grade(found),
            }
        )
    return pd.DataFrame(rows)


def ranked_by_error(cells: pd.DataFrame) -> pd.DataFrame:
    """Sort by error, the largest first. NaN, infinities and answers in another dtype rank as infinite."""
    strange = (cells.nan_count + cells.infinity_count > 0) | (cells.fault == Kind.OTHER_DTYPE)
    return cells.assign(rank=cells[ULP].mask(strange, float("inf"))).sort_values(
        "rank", ascending=False, kind="stable", na_position="first"
    )


def truth(run: Run, operation: str, dtype: str) -> pd.DataFrame:
    """Return the largest error in ulp and the grade: a row per case, a column per framework.

    Further columns say who is nearest, who is an outlier, and who agrees bit for bit.
    """
    cells = run.comparisons
    cells = cells[(cells.operation == operation) & (cells.dtype == dtype) & native(cells.backend)]
    rows, alike = [], same_bits(run, operation, dtype)
    for (case, axis), found in cells.groupby(["case", "axis"], sort=False):
        row = {"case": placed(case, axis)}
        for cell in found.itertuples():
            shown = f"{figure(cell.max_ulp_error)} {cell.grade}" if cell.outcome == Outcome.OK else cell.outcome
            row[cell.backend] = shown
        rows.append(row | ranked(found) | {"bit-identical": alike.get((case, axis), "–")})
    return pd.DataFrame(rows).fillna("–")


def ranked(cells: pd.DataFrame) -> dict[str, str]:
    """Return who of one question's backends is nearest to the truth, and who is an outlier.

    The outlier's error is given as a multiple of the next one's.
    """
    order = ranked_by_error(cells[cells.outcome == Outcome.OK])
    if len(order) < 2:
        return {"most accurate": "–", "outlier": "–"}
    far, next_, near = order.iloc[0], order.iloc[1], order.iloc[-1]
    tied = near["rank"] == far["rank"]
    alike = far["rank"] == next_["rank"]  # infinite ones too
    times = 1.0 if alike else far["rank"] / next_["rank"] if next_["rank"] else float("inf")
    return {
        "most accurate": "all equal" if tied else near.backend,
        "outlier": "–" if times < OUTLIER else f"{far.backend}, {figure(times)}× the next",
    }
