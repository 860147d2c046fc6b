"""Softmax, log-softmax and logsumexp, written out in a stated arithmetic."""

from __future__ import annotations

from harness.truth.simulated.arithmetic import Arithmetic, Numbers
from harness.truth.simulated.rows import Formula, Simulated


def shifted(p: Arithmetic, x: Numbers) -> Numbers:
    return p.minus(x, x.max(axis=-1, keepdims=True))


def softmax(p: Arithmetic, x: Numbers) -> Numbers:
    weights = p.exp(shifted(p, x))
    return p.over(weights, p.sum(weights))


def log_softmax(p: Arithmetic, x: Numbers) -> Numbers:
    distances = shifted(p, x)
    return p.minus(distances, p.log(p.sum(p.exp(distances))))


def logsumexp(p: Arithmetic, x: Numbers) -> Numbers:
    return p.plus(x.max(axis=-1, keepdims=True), p.log(p.sum(p.exp(shifted(p, x)))))


def by_logs(p: Arithmetic, x: Numbers) -> Numbers:
    """Return a softmax as the exp of a log-softmax, as backward passes compute it that keep the latter."""
    return p.exp(log_softmax(p, x))


def with_softmax(rule: Formula, of: Formula = softmax) -> Formula:
    """Return a formula of logits from a rule that takes their softmax. `of`: how the softmax is computed."""
    return lambda p, x, *given: rule(p, of(p, x), *given)


def either(rule: Formula) -> tuple[Formula, Formula]:
    """Return the rule's formulas with a softmax, and with the exp of a log-softmax."""
    return with_softmax(rule), with_softmax(rule, by_logs)


SIMULATED: dict[str, Simulated] = {
    "softmax": Simulated((softmax,), by_element=True),
    "log_softmax": Simulated((log_softmax,)),
    "logsumexp": Simulated((logsumexp,)),
}
