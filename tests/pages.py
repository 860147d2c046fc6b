"""A real run whose backends have hostile names, as a page and as the tables that its figures must be found in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.findings import Finding
from harness.records import Run
from harness.runs import store
from reports.html.related import Related
from tests.command import harness

SCRIPT = "<script>document.title = 'owned'</script>\"'&"
BACKWARDS = "\u202eمرحبا"
NAMES = {"numpy:shifted": SCRIPT, "numpy:batch_max": BACKWARDS}
"""Two variants, renamed: without a colon they count as frameworks."""


def real_run(folder: Path) -> Run:
    """Of NumPy alone, which is always there."""
    done = harness("compare", "--backend", "numpy*", "--case", "seed00*,wide,spread", "--out", folder)
    assert done.returncode == 0, done.stderr
    return store.read(folder)


def hostile(run: Run) -> Run:
    """The same with those names, and a cell that falls short."""
    tables = {name: getattr(run, name).replace(NAMES) for name in store.TABLES}
    cells = tables["comparisons"]
    short = cells.index[(cells.backend == SCRIPT) & (cells.outcome == "ok")][0]
    cells.loc[short, ["verdict", "grade", "reason"]] = ["fails", "F", f"{SCRIPT} {BACKWARDS}"]
    cells.loc[short, ["error_over_bound", "worst_error_over_bound"]] = 17.25
    cells.loc[short, ["max_ulp_error", "worst_ulp_error"]] = 1234567.5
    return replace(run, **tables)


def beside() -> Related:
    """One finding with its script."""
    finding = Finding(
        "defect", "C07", "fails", SCRIPT, "1.0", "softmax", "float64", -1, f"bound {BACKWARDS}", "zeros:3", 3,
        "0", "0x0.0p+0", "0x0.5p+0", 17.25, 2, "seed001-123", "findings/one.py", "shown",
    )  # fmt: skip
    return Related([finding], {"findings/one.py": f"print({SCRIPT!r})\n"})
