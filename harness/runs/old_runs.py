"""Runs of format version 4: their columns and values get today's names, and faults are read from their sentences.

No other module reads sentences. The names and sentences of those runs are spelt here as they were then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.faults import Fault, Kind, Outcome, Verdict, columns

VERSION = 4
COLUMNS = {
    "bound_fraction": "error_over_bound", "bound_fraction_there": "worst_error_over_bound",
    "ulp_error_there": "worst_ulp_error", "allowed_there": "worst_allowed_ulp",
    "any_order_fraction": "error_over_any_order_bound", "undeclared_fraction": "error_over_default_bound",
    "simulated_fraction": "error_over_simulated_limit", "measured_height": "measured_chain",
    "measured_exp": "measured_exp_error", "max_scale_error": "max_scaled_error", "zero_misses": "missed_zeros",
}  # fmt: skip
"""Today's names of columns, by their names in version 4."""
OUTCOMES = {"failed": Outcome.FAILED.value}
VERDICTS = {
    "falls short": Verdict.SHORT.value, "flaw as declared": Verdict.AS_DECLARED.value,
    "flaw gone": Verdict.FLAW_GONE.value, "bound is vacuous": Verdict.VACUOUS.value,
    "chain not measured": Verdict.UNMEASURED.value,
}  # fmt: skip
VALUES = {"outcome": OUTCOMES, "verdict": VERDICTS}
"""Today's values, by column and by their value in version 4. The others are as they were."""
RAISED = r"(?P<type>[^:]*): (?P<message>.*)"
SENTENCES = (
    (Outcome.UNSUPPORTED, Kind.NOT_CLAIMED, "(?P<message>.*)"),
    (Outcome.SKIPPED, Kind.TOO_LARGE, "(?P<message>.*)"),
    (Outcome.ABSENT, Kind.NO_INTERPRETER, "its interpreter does not start: (?P<message>.*)"),
    (Outcome.ABSENT, Kind.NOT_HERE, "(?P<message>.*)"),
    (Outcome.NOT_RUN, Kind.JUDGE_FAILED, f"the judge failed: {RAISED}"),
    (Outcome.NOT_RUN, Kind.INTERRUPTED, ".*"),
    (Outcome.FAILED, Kind.UNREPEATABLE, r"UnrepeatableError: answer (?P<number>\d+) of (?P<of>\d+) .*"),
    (Outcome.FAILED, Kind.ARGUMENT_CHANGED, r"InputChangedError: it wrote into its (?P<argument>\w+)"),
    (Outcome.FAILED, Kind.MEMORY_CHANGED, r"InputChangedError: it wrote beside its (?P<argument>\w+),.*"),
    (Outcome.FAILED, Kind.OTHER_SHAPE, r"answered with shape (?P<answered>\(.*\)), not (?P<due>\(.*\))"),
    (Outcome.FAILED, Kind.UNREADABLE, "answered with what does not read as an array: (?P<message>.*)"),
    (Outcome.FAILED, Kind.NO_ARRAY, "answered with (?P<answered>.*), not an array"),
    (Outcome.FAILED, Kind.NO_NUMBERS, "answered in (?P<answered>.*), which is no number"),
    (Outcome.FAILED, Kind.UNKNOWN_DTYPE, "answered in (?P<answered>.*), not (?P<due>.*)"),
    (Outcome.FAILED, Kind.RAISED, RAISED),
    (Outcome.FAILED, Kind.RAISED, "(?P<type>.*)"),
    (Outcome.CRASHED, Kind.KILLED, r"killed by (?P<signal>SIG\w+)"),
    (Outcome.CRASHED, Kind.EXITED, r"exit code (?P<code>\d+)"),
    (Outcome.CRASHED, Kind.STOPPED, "stopped by us"),
    (Outcome.CRASHED, Kind.WORKER_FAILED, "(the worker itself failed: )?(?P<message>.*)"),
    (Outcome.TIMED_OUT, Kind.NO_ANSWER_IN_TIME, r"no answer in (?P<allowed>[\d.e+-]+) s"),
    (Outcome.TIMED_OUT, Kind.NO_ANSWER_IN_TIME, ".*"),
    (Outcome.OUT_OF_MEMORY, Kind.MEMORY_LIMIT, r"(?P<used>[\d.]+) GiB in use, (?P<allowed>[\d.e+-]+) allowed"),
    (Outcome.OUT_OF_MEMORY, Kind.RAISED_FOR_MEMORY, RAISED),
    (Outcome.OUT_OF_MEMORY, Kind.RAISED_FOR_MEMORY, "(?P<type>.*)"),
    (Outcome.OK, Kind.OTHER_DTYPE, "answered in (?P<answered>.*), not (?P<due>.*)"),
    (Outcome.OK, Kind.NO_DIGIT, "no digit right: .*"),
    (Outcome.OK, Kind.OTHER_BITS_AGAIN, "the same question was answered by other bits when it was asked again"),
    (Outcome.OK, Kind.OTHER_BITS_BESIDE, "its bits depend on what stands in other rows"),
)
"""What each kind of fault was called, by outcome. The first that fits counts."""
NUMBERS = {"number": int, "of": int, "code": int, "used": float, "allowed": float}
IMPORTING, TWICE = "while it was imported: ", ", twice"


def fault(outcome: str, reason: str) -> Fault | None:
    """Return the fault of a cell with this outcome and reason, or None if it has none."""
    importing, twice = reason.startswith(IMPORTING), outcome == Outcome.CRASHED and reason.endswith(TWICE)
    said = reason.removeprefix(IMPORTING)
    said = said.removesuffix(TWICE) if twice else said
    for of, kind, words in SENTENCES:
        if of == outcome and (found := re.fullmatch(words, said, re.DOTALL)):
            given = {key: value for key, value in found.groupdict().items() if value is not None}
            arguments: dict[str, Any] = {key: NUMBERS.get(key, str)(value) for key, value in given.items()}
            return Fault(kind, twice=twice, importing=importing, **arguments)
    return None


def renewed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of version 4 with today's columns and values, and with the columns of faults if it has reasons."""
    there = {name: values for name, values in VALUES.items() if name in table}
    table = table.rename(columns=COLUMNS).assign(**{name: table[name].replace(of) for name, of in there.items()})
    return with_faults(table) if "reason" in table else table


def renewed_about(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a `run.json` of version 4 with today's outcomes."""
    probes = [{**probe, "outcome": outcome(probe).value} for probe in about["unanswered_probes"]]
    return {**about, "unanswered_probes": probes}


def with_faults(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons with the columns of faults, read from the reasons."""
    keys = list(zip(cells.outcome, cells.reason, strict=True))
    found = {key: columns(fault(*key)) for key in dict.fromkeys(keys)}
    return cells.assign(
        **{name: pd.Series([found[key][name] for key in keys], cells.index, "str") for name in columns(None)}
    )


def outcome(entry: Mapping[str, Any]) -> Outcome:
    """Return the outcome of an entry of `arrays.json` or of a probe, whichever version wrote it."""
    return Outcome(OUTCOMES.get(entry["outcome"], entry["outcome"]))
