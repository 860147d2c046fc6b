"""The parser of a baseline's table. Every error names the file, the line, and what a person can see there.

A line is checked as strictly as it is written. So a mistake made by hand, an unfinished merge or a truncated file is
never compared with.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from harness.baselines.cell_columns import (
    ASKED,
    COLUMNS,
    COUNTS,
    FIGURES,
    INPUTS_DIGITS,
    KEY,
    KINDS,
    NO_WORD,
    PARTS,
    words,
)
from harness.errors import UsageError
from harness.faults import Outcome, Verdict
from harness.judging.grades import GRADES
from harness.numbers.formats import FORMATS

CONFLICT = ("\n<<<<<<<", "\n|||||||", "\n=======", "\n>>>>>>>")
"""The marks at the beginning of a line by which git shows a conflict."""
QUOTED = re.compile(r'"[^"]*"')
SPOKEN = tuple(outcome for outcome in Outcome if outcome not in NO_WORD)
"""Outcomes that can be accepted."""
NUMBER = r"([0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|inf)?"
OPEN = f"({'|'.join(PARTS.values())})"
WRITTEN = {
    "operation": r"[a-z0-9_]+", "case": r".+", "dtype": "|".join(FORMATS), "axis": r"-?[0-9]{1,9}", "backend": r".+",
    "suites": r".*", "left_open": rf"({OPEN}( {OPEN})*)?",
    "inputs": rf"([0-9a-f]{{{INPUTS_DIGITS}}})?", "outcome": "|".join(SPOKEN), "answered": r".*", "raised": r".*",
    "verdict": "|".join((*Verdict, "")),
    "grade": "|".join((*map(re.escape, GRADES), "")),
    **dict.fromkeys(FIGURES, NUMBER), **dict.fromkeys(COUNTS, r"[0-9]{0,18}"), "answer": r"([0-9a-f]{64})?",
}  # fmt: skip
"""The pattern that each column's text must match."""
OF_ANSWERS = ("verdict", *COUNTS, "answer")
"""Columns that have an entry exactly where there is an answer."""


def written_otherwise(file: Path, text: str, anew: str) -> UsageError:
    """Return the error for a text that can be read but is not what this version writes.

    It names the first line that differs.
    """
    pairs = zip_longest(text.split("\n"), anew.split("\n"))
    line, (found, due) = next((number, pair) for number, pair in enumerate(pairs, start=1) if pair[0] != pair[1])
    if found is None:
        return damaged(file, line, f"the file is truncated: {due!r} is missing" if due else "the last line has no end")
    return damaged(file, line, "one line too many" if due is None else f"{found!r} is not in the written form, {due!r}")


def damaged(file: Path, line: int, what: str) -> UsageError:
    return UsageError(f"{file}, line {line}: {what}")


def decoded(file: Path, content: bytes) -> str:
    """Return a file's text, after checking for what spoils any file in git.

    Raise UsageError for bytes that are no text, a carriage return or conflict markers.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is damaged: it is not UTF-8 text ({error})") from None
    if "\r" in text:
        ends = f"a line has a carriage return; for git: `*{file.suffix} text eol=lf` in .gitattributes beside the file"
        raise damaged(file, 1 + text.count("\n", 0, text.index("\r")), ends)
    conflicts = [text.find(marker) for marker in CONFLICT if marker in text]
    if conflicts:
        raise damaged(file, 2 + text.count("\n", 0, min(conflicts)), "a merge conflict is not resolved")
    return text


def table(cells: pd.DataFrame) -> str:
    """Return the cells as text: the columns' names, and one line per cell."""
    text: str = cells[COLUMNS].to_csv(index=False, lineterminator="\n")
    return text


def body(file: Path, below: str, head_lines: int = 0) -> pd.DataFrame:
    """Parse the table below a head of so many lines, and check every line."""
    columns = ",".join(COLUMNS)
    if below.partition("\n")[0] != columns:
        raise damaged(file, head_lines + 1, f"expected the names of the columns here: {columns}")
    if not below.endswith("\n"):
        raise damaged(file, head_lines + 1 + below.count("\n"), "the file is truncated: its last line has no end")
    rows = parsed(file, below, head_lines)
    check(file, rows, first_line=head_lines + 2)
    figures = {name: rows[name].replace("", "nan") for name in FIGURES}
    counts = {name: rows[name].where(rows[name] != "") for name in COUNTS}
    return rows.assign(**figures, **counts).astype(KINDS)


def parsed(file: Path, table: str, head_lines: int) -> pd.DataFrame:
    """Return the table as text, one row per line."""
    for number, fields in enumerate(map(fields_of, table.split("\n")[:-1]), start=head_lines + 1):
        if fields != len(COLUMNS):
            raise damaged(file, number, f"{fields} fields, not {len(COLUMNS)}" if fields else "a quote is not closed")
    return pd.read_csv(io.StringIO(table), dtype="str", keep_default_na=False, skip_blank_lines=False, index_col=False)


def fields_of(line: str) -> int:
    """Return the number of fields in a line; 0 if a quote is open at its end."""
    if '"' not in line:
        return line.count(",") + 1
    return 0 if line.count('"') % 2 else QUOTED.sub("", line).count(",") + 1


def check(file: Path, rows: pd.DataFrame, first_line: int) -> None:
    """Raise UsageError for the first line that is not written as it should be."""
    found = [(int(bad.to_numpy().argmax()), what) for bad, what in faults(rows) if bad.any()]
    if found:
        row, what = min(found, key=lambda fault: fault[0])
        raise damaged(file, first_line + row, what.format(**rows.iloc[row]))


def faults(rows: pd.DataFrame) -> Iterator[tuple[pd.Series, str]]:
    """Yield masks of wrong rows, each with a template of what is wrong."""
    for name, pattern in WRITTEN.items():
        yield ~rows[name].str.fullmatch(pattern), f"{name} is {{{name}!r}}"
    for name in ASKED:
        yield ~rows[name].isin([text for text in rows[name].unique() if in_order(text)]), f"{name} is {{{name}!r}}"
    answered = rows.outcome == Outcome.OK
    for name in OF_ANSWERS:
        yield (rows[name] != "") != answered, f"{name} is {{{name}!r}} where the outcome is {{outcome!r}}"
    keys = rows[KEY].assign(axis=pd.to_numeric(rows.axis, errors="coerce"))
    yield keys.duplicated(), "duplicate cell: {operation} {case} {dtype} axis {axis} {backend}"
    further_up = "the lines are not sorted: {operation} {case} {dtype} axis {axis} {backend} belongs above"
    yield unsorted(keys), further_up


def in_order(text: str) -> bool:
    """Decide whether a text is as `words` writes it."""
    try:
        return words(shlex.split(text)) == text
    except ValueError:
        return False


def unsorted(keys: pd.DataFrame) -> pd.Series:
    """Return a mask of the rows whose key is below that of the row before."""
    rank = pd.Series(0, index=keys.index)
    rank[keys.sort_values(KEY, kind="stable").index] = range(len(keys))
    return rank.diff() < 0
