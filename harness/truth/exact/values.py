"""Exact values of softmax, log-softmax and logsumexp (docs/operations.md#exact-values)."""

from __future__ import annotations

from flint import arb

from harness.truth.exact.rows import Formula, Row, of_softmax


def softmax(row: Row) -> list[arb]:
    total = row.total
    shares = [e / total for e in row.e]
    shares[row.m] = row.share(row.m)
    return shares


def log_softmax(row: Row) -> list[arb]:
    log_total = row.log_total
    return [x - log_total for x in row.shifted]


def logsumexp(row: Row) -> list[arb]:
    return [row.largest + row.log_total]


EXACT: dict[str, Formula] = {
    "softmax": of_softmax(softmax),
    "log_softmax": of_softmax(log_softmax),
    "logsumexp": of_softmax(logsumexp),
}
