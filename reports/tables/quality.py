"""How good the answers are, and why they are no better: grades, what probes measured, and the errors' causes."""

from __future__ import annotations

import json

import pandas as pd

from harness.judging.grades import GRADES
from harness.operations import OPERATIONS
from harness.records import Run
from reports.tables.text import answered_cells, figure, native, placed

UNGRADED = "?"
"""The mark of an answer without a grade, as where the bound is vacuous."""


def worst_grade(grades: pd.Series) -> str:
    """Return the worst of some cells' grades."""
    ordered = (*GRADES[:-1], UNGRADED, GRADES[-1])
    return max((str(grade) or UNGRADED for grade in grades), key=ordered.index)


def by_grade(cells: pd.DataFrame) -> str:
    """Return each backend's worst grade, the best first, as in `A numpy, jax · C torch` or `all A`."""
    worst = cells.groupby("backend", sort=False).grade.agg(worst_grade)
    names = {grade: [name for name, its in worst.items() if its == grade] for grade in (*GRADES, UNGRADED)}
    if len(present := {grade: who for grade, who in names.items() if who}) == 1:
        return f"all {next(iter(present))}"
    return " · ".join(f"{grade} {', '.join(who)}" for grade, who in present.items())


def grades(run: Run) -> pd.DataFrame:
    """Return the worst grade of each framework's operations, by dtype, over all cases where no flaw is declared."""
    cells = answered_cells(run)
    dtypes = list(dict.fromkeys(run.comparisons.dtype))
    rows: dict[str, dict[str, str]] = {name: {} for name in OPERATIONS}
    for (operation, backend), found in cells[native(cells.backend)].groupby(["operation", "backend"], sort=False):
        worst = found.groupby("dtype").grade.agg(worst_grade)
        rows[operation][backend] = " / ".join(worst.get(dtype, "–") for dtype in dtypes)
    table = pd.DataFrame.from_dict({name: row for name, row in rows.items() if row}, orient="index")
    return table.rename_axis("operation").reset_index().fillna("–")


def probes(run: Run) -> pd.DataFrame:
    """Return what probes measured: the longest summation chain, by dtype and n, and the error of exp, in u."""
    rows: dict[str, dict[str, str]] = {}
    cells = run.comparisons[["backend", "case", "dtype", "axis", "measured_chain", "measured_exp_error"]]
    for cell in cells[cells.measured_chain.notna()].itertuples():
        shape = run.about["cases"][cell.case]["shape"]
        along = "" if cell.axis % len(shape) == len(shape) - 1 else ", another axis"
        column = f"summation chain, {cell.dtype}, n = {shape[cell.axis]:,}{along}"
        rows.setdefault(cell.backend, {})[column] = f"{cell.measured_chain:,}"
    for cell in cells[cells.measured_exp_error.notna()].itertuples():
        rows.setdefault(cell.backend, {})[f"exp error in u, {cell.dtype}"] = figure(cell.measured_exp_error)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("backend").reset_index().fillna("–")


def causes(run: Run) -> pd.DataFrame:
    """Return the causes of each framework's error in softmax, at its worst element in each dtype, in u."""
    cells = answered_cells(run)
    cells = cells[(cells.cause != "") & native(cells.backend)]
    rows = []
    for (backend, dtype), found in cells.groupby(["backend", "dtype"], sort=False):
        worst = found.loc[found.worst_ulp_error.idxmax()]
        rows.append(
            {
                "backend": backend,
                "dtype": dtype,
                "case": placed(worst["case"], worst["axis"]),
                "error, ulp": figure(worst.worst_ulp_error),
                "largest contribution": worst.cause,
                "contributions, u": ", ".join(
                    f"{cause} {value:+.3g}" for cause, value in json.loads(worst.cause_in_u).items()
                ),
            }
        )
    return pd.DataFrame(rows)
