"""The run as JUnit XML, for a CI that shows tests: a suite per framework, a test case per cell.

A cell passes if it is within its bound, or a known limitation. It is a failure if its numbers would make the exit
status 1, and an error if it raised or its backend died. It is skipped, with the reason, if nothing is said about it.
What makes the exit status but belongs to no cell is an error of the suite `harness`. So a run whose exit status is
not 0 has a failure or an error.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from harness.faults import DEATHS, Outcome, Verdict
from harness.records import Run
from reports.tables import failures
from reports.tables.summary import BAD_VERDICTS
from reports.tables.text import legible

MOST_WITNESSES = 100
"""The number of worst cells whose whole row is in the file. The rows of the others are in `comparisons.csv`."""
SHOWN = (Verdict.WITHIN, Verdict.AS_DECLARED)
SILENT = {
    Verdict.VACUOUS: "the proved bound is infinite at some element",
    Verdict.UNMEASURED: "the error is above the bound, and the summation chain was not measured",
}
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(run: Run) -> str:
    """Return the whole file, with a line per element. It reads no clock: a test case has no time, and a suite has 0."""
    report = JUnitXml("softmax-harness")
    report.append(of_the_harness(run))
    worst = set(failures.of_the_cells(run).index[:MOST_WITNESSES])
    frameworks = run.comparisons.backend.str.split(":").str[0]
    for framework, cells in run.comparisons.groupby(frameworks, sort=False):
        report.append(of_a_framework(run, str(framework), cells, worst))
    report.update_statistics()
    text = report.tostring().decode()
    # the XML library decides how the declaration looks; < and > are escaped in text, so it holds no ><
    return DECLARATION + text[text.index("<testsuites") :].replace("><", ">\n<") + "\n"


def of_the_harness(run: Run) -> TestSuite:
    """Return the suite with one test case: whether the run itself went as it should."""
    suite, case = TestSuite("harness"), TestCase("the run itself", "harness")
    suite.add_property("harness", legible(str(run.about.get("harness", ""))))
    if told := failures.of_the_run(run):
        case.result = worded(Error, told[0], "run", told)
    suite.append(case)
    return suite


def of_a_framework(run: Run, framework: str, cells: pd.DataFrame, worst: set[Any]) -> TestSuite:
    """Return the suite of a framework, with the cells of its variants, in the run's order."""
    suite = TestSuite(legible(framework))
    for key, value in run.about["frameworks"].get(framework, {}).items():
        suite.add_property(legible(str(key)), legible(str(value)))
    suite.extend(test_case(cell, cell.Index in worst) for cell in cells[failures.READ].itertuples())
    return suite


def test_case(cell: Any, whole: bool) -> TestCase:
    """Return a cell's test case. Its name is the same in every run that asks the same."""
    axis = () if cell.axis == -1 else (f"axis {cell.axis}",)
    case = TestCase(legible("/".join((cell.operation, cell.case, cell.dtype, *axis))), legible(cell.backend))
    if (result := result_of(cell, whole)) is not None:
        case.append(result)
    return case


def result_of(cell: Any, whole: bool) -> FinalResult | None:
    """Return a cell's failure, error or skip; None if it passes."""
    if cell.verdict in SHOWN:
        return None
    if cell.verdict in SILENT:
        return worded(Skipped, f"{cell.verdict}: {cell.reason or SILENT[cell.verdict]}")
    if cell.verdict in BAD_VERDICTS:
        kind: type[FinalResult] = Failure
    elif cell.outcome in (Outcome.FAILED, *DEATHS):
        kind = Error
    else:
        return worded(Skipped, failures.brief(cell))
    return worded(kind, failures.brief(cell), failures.what(cell), failures.details(cell, whole) if whole else ())


def worded(kind: type[FinalResult], message: str, type_: str = "", lines: Any = ()) -> FinalResult:
    """Return a result in characters that XML can hold."""
    result = kind(legible(message), legible(type_))
    if text := legible("\n".join(lines)):
        result.text = text
    return result
