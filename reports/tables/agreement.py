"""How far backends are apart, whichever is right: the documents' percents, and which agree bit for bit."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd

from harness.faults import Outcome
from harness.records import Run
from reports.tables.text import figure, native, placed


def agreeing(run: Run) -> pd.DataFrame:
    """Return pairs of frameworks with a finite percent. It is infinite or NaN by definition if a reference is zero."""
    pairs = run.pairs[(run.pairs.outcome == Outcome.OK) & native(run.pairs.a) & native(run.pairs.b)]
    return pairs[pairs.mean_relative_error_percent.abs() < float("inf")]


def percents(run: Run, operation: str, dtype: str) -> pd.DataFrame:
    """Return the notebook's figure, in percent: a row per case, a column per pair of frameworks.

    Zero references are counted. Pairs of variants of two frameworks have columns too, such as the notebook's own pair.
    """
    pairs = run.pairs
    apart = pairs.a.str.split(":").str[0] != pairs.b.str.split(":").str[0]
    shown = (native(pairs.a) & native(pairs.b)) | (apart & ~native(pairs.a) & ~native(pairs.b))
    pairs = pairs[(pairs.operation == operation) & (pairs.dtype == dtype) & shown]
    rows: dict[str, dict[str, str]] = {}
    for pair in pairs.itertuples():
        row = rows.setdefault(placed(pair.case, pair.axis), {})
        row[f"{pair.a} – {pair.b}"] = percent(pair)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("case").reset_index().fillna("–")


def percent(pair: Any) -> str:
    """Return a pair's figure, with the number of zero references if there are any; otherwise why there is none."""
    if pair.outcome != Outcome.OK:
        return str(pair.outcome)
    value = pair.mean_relative_error_percent
    shown = "nan" if isnan(value) else figure(value)
    zeros = int(pair.zero_references)
    return f"{shown} ({zeros} zero{'s' * (zeros > 1)})" if zeros else shown


def same_bits(run: Run, operation: str, dtype: str) -> dict[tuple[str, int], str]:
    """Return, by case and axis, the frameworks whose answers agree in every bit, as in `torch = jax`."""
    pairs = run.pairs
    pairs = pairs[(pairs.operation == operation) & (pairs.dtype == dtype) & pairs.identical.eq(True)]
    pairs = pairs[native(pairs.a) & native(pairs.b)]
    found: dict[tuple[str, int], list[list[str]]] = {}
    for pair in pairs.itertuples():
        groups = found.setdefault((pair.case, pair.axis), [])
        group = next((g for g in groups if pair.a in g or pair.b in g), None)
        if group is None:
            groups.append([pair.a, pair.b])
        else:
            group += [name for name in (pair.a, pair.b) if name not in group]
    return {key: "; ".join(" = ".join(group) for group in groups) for key, groups in found.items()}
