"""Turn cells into rows of the tables: write the figures into columns and decide the verdict."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from fnmatch import fnmatchcase
from math import inf

import numpy as np

from backends import find
from harness.faults import Fault, Kind, Outcome, Verdict, columns, sentence
from harness.judging.grades import grade, without_digit
from harness.judging.judged_cell import Cell
from harness.judging.probes import Measured, answer_dtype
from harness.judging.tally import QUANTILES, Counts, Tally
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, answer_index
from harness.records import Comparison, EquationSide, Group, Property
from harness.truth.simulated import MULTIPLE


def declared_flaw(backend: str, group: Group) -> str | None:
    """Return the declared reason why this backend fails on this group, or None."""
    for flaw in find(backend).flaws:
        at = ((group.case.name, flaw.case), (group.operation, flaw.operation), (group.dtype, flaw.dtype))
        if all(fnmatchcase(name, pattern) for name, pattern in at):
            return flaw.reason
    return None


def comparison(group: Group, backend: str, cell: Cell, measured: Measured) -> Comparison:
    """Return the row of a cell. It has figures only if every block was answered."""
    if cell.fault:
        return bare(group, backend, cell.fault)
    flaw, strange = declared_flaw(backend, group), other_dtype(group, backend, cell)
    given = grade(cell.tally)
    unknown = measured.missing if given == "C" and measured.height is None else ""
    fault = strange or (None if flaw else without_a_digit(given, cell.tally))
    explained = by_its_chain(given, measured) or beyond_simulation(cell.tally)
    reason = sentence(fault) if fault else flaw or unknown or explained or cell.remark
    judged = Comparison(
        *head(group, backend),
        Outcome.OK,
        reason,
        **columns(fault),
        verdict=Verdict.SHORT if strange else Verdict.UNMEASURED if unknown else verdict(cell.tally, flaw is not None),
        grade="" if unknown else given,
        bound=cell.bound,
        worst_ulp_error=cell.error,
        worst_error_over_bound=cell.share,
        worst_allowed_ulp=cell.allowed,
        measured_chain=measured.height,
        measured_exp_error=measured.exp if OPERATIONS[group.operation].normalised else None,
        cause=cell.cause,
        cause_in_u=json.dumps(cell.parts) if cell.parts else "",
        witness=cell.witness,
        lost_witness=cell.lost,
        answer=one_hash(cell.answers),
    )
    return with_places(with_counts(with_errors(judged, cell.tally), cell.tally.counts), group, cell.tally)


def by_its_chain(given: str, measured: Measured) -> str:
    """Return a sentence on the measured chain that grade C is due to; otherwise empty."""
    if given != "C" or measured.height is None:
        return ""
    return f"a sum in chains of {measured.height:,} additions"


def without_a_digit(given: str, tally: Tally) -> Fault | None:
    """Return the fault of an F that only lacks a digit; None for any other answer."""
    return Fault(Kind.NO_DIGIT) if given == "F" and without_digit(tally) else None


def one_hash(answers: tuple[str, ...]) -> str:
    """Return the only block's SHA-256, or the SHA-256 of the blocks' digests joined."""
    return answers[0] if len(answers) == 1 else hashlib.sha256("".join(answers).encode()).hexdigest()


def other_dtype(group: Group, backend: str, cell: Cell) -> Fault | None:
    """Return the fault of an answer whose dtype is not the one that the backend claims; otherwise None."""
    claimed = answer_dtype(backend, group.dtype)
    return None if cell.dtype == claimed else Fault(Kind.OTHER_DTYPE, answered=cell.dtype, due=claimed)


def beyond_simulation(tally: Tally) -> str:
    """Return a sentence if an answer is above the simulated limit and would be no F without it; otherwise empty."""
    share = tally.peak("simulated").value
    proved = replace(tally, peaks={name: found for name, found in tally.peaks.items() if name != "simulated"})
    if share <= 1 or grade(proved) == "F":
        return ""
    return f"simulated: {share * MULTIPLE:.3g} times the worst honest evaluation's error, where {MULTIPLE:g} is allowed"


def explained_in_some_order(error_over_any_order_bound: float | None) -> bool:
    """Decide whether some order of summation may explain an answer; None means that its bound is infinite."""
    return error_over_any_order_bound is None or not error_over_any_order_bound > 1


def with_errors(row: Comparison, tally: Tally) -> Comparison:
    mean_absolute, mean_relative, bias, mean_ulp = tally.means()
    median, p90, p99 = (interval(tally.quantile(share)) for share in QUANTILES)
    finite = not tally.counts.not_finite
    relative, absolute = tally.peak("relative").figure, tally.peak("absolute").figure
    return replace(
        row,
        smallest_rtol=relative if finite and not tally.counts.missed_zeros + tally.counts.relative_overflows else inf,
        smallest_atol=absolute if finite else inf,
        error_over_bound=tally.peak("B").figure,
        error_over_any_order_bound=of_any_order(tally),
        error_over_simulated_limit=tally.peak("simulated").figure,
        error_over_default_bound=tally.peak("undeclared").figure,
        max_relative_error=relative,
        mean_relative_error_percent=percent(mean_relative),
        max_ulp_error=tally.peak("ulp").figure,
        mean_ulp_error=mean_ulp,
        max_ulp_error_ftz=tally.peak("ulp, flushed forgiven").figure,
        median_ulp_error=median,
        p90_ulp_error=p90,
        p99_ulp_error=p99,
        ulp_histogram=json.dumps(tally.histogram[: max(np.flatnonzero(tally.histogram), default=-1) + 1]),
        max_scaled_error=tally.peak("scale").figure,
        bias_percent=percent(bias),
        max_absolute_error=absolute,
        mean_absolute_error=mean_absolute,
    )


def of_any_order(tally: Tally) -> float | None:
    """Return the share of the any-order bound; None if it is 0 although there are errors: the bound is infinite."""
    share = tally.peak("any order").figure
    return None if share == 0 and tally.peak("absolute").value > 0 else share


def with_counts(row: Comparison, counts: Counts) -> Comparison:
    return replace(
        row,
        nan_count=counts.nan,
        infinity_count=counts.infinity,
        zero_references=counts.zero_references,
        missed_zeros=counts.missed_zeros,
        relative_overflows=counts.relative_overflows,
        subnormal_references=counts.subnormal_references,
        flushed_to_zero=counts.flushed,
        misrounded=counts.misrounded,
        unbounded=counts.unbounded,
        lost_components=counts.lost,
        elements=counts.elements,
    )


def with_places(row: Comparison, group: Group, tally: Tally) -> Comparison:
    return replace(
        row,
        max_relative_index=place(group, tally.peak("relative").index),
        max_absolute_index=place(group, tally.peak("absolute").index),
        max_ulp_index=place(group, tally.peak("ulp").index),
        worst_index=place(group, tally.worst),
        lost_index=place(group, tally.peak("lost").index),
    )


def percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def interval(ends: tuple[float, float] | None) -> str:
    """Format a histogram's bin as `0` or `(above, up to]`; None gives an empty text."""
    return "" if ends is None else "0" if ends[1] == 0 else f"({ends[0]:g}, {ends[1]:g}]"


def verdict(tally: Tally, declared: bool) -> Verdict:
    """Return the verdict. A declared flaw is strict: it is an error too if the answer is no F."""
    given = grade(tally)
    if given == "F":
        return Verdict.AS_DECLARED if declared else Verdict.SHORT
    return Verdict.FLAW_GONE if declared else Verdict.WITHIN if given else Verdict.VACUOUS


def place(group: Group, flat: int) -> str:
    """Format the index of an element of `as_rows` in the case's answer, as `2,0,1`; empty if it is negative."""
    if flat < 0:
        return ""
    case = group.case
    return ",".join(map(str, answer_index(OPERATIONS[group.operation], case.shape, group.axis, flat, case.classes)))


def bare(group: Group, backend: str, fault: Fault) -> Comparison:
    """Return the row of a cell without an answer."""
    return Comparison(*head(group, backend), fault.outcome, sentence(fault), **columns(fault))


def head(group: Group, backend: str) -> tuple[str, str, str, int, str]:
    """Return the columns that every row of a cell begins with."""
    return group.operation, group.case.name, group.dtype, group.axis, backend


def law_rows(group: Group, backend: str, cell: Cell) -> list[Property]:
    """Return a row for each law that was measured; none if the cell was not answered in full."""
    if cell.outcome != Outcome.OK:
        return []
    where, flawed = head(group, backend), declared_flaw(backend, group) is not None
    return [law_row(where, law, found, flawed, cell.dtype) for law, found in cell.laws.items()]


def equation_row(side: EquationSide, deviation: float, fraction: float) -> Property:
    """Return the row of an equation, which stands with the laws of its left side's operation."""
    where = (side.operation, side.case, side.dtype, side.axis, side.backend)
    return law_row(where, side.law, (deviation, fraction), side.flawed, side.answered)


def law_row(
    where: tuple[str, str, str, int, str], law: str, found: tuple[float, float], flawed: bool, answered: str
) -> Property:
    """Return the row of one law, its deviation in units of u of the answers' dtype.

    `found` is the deviation and its share of the bound. If `answered` names several dtypes, the first one counts.
    """
    deviation, fraction = found
    verdict = Verdict.WITHIN if fraction <= 1 else Verdict.AS_DECLARED if flawed else Verdict.SHORT
    return Property(*where, law, deviation / FORMATS[answered.split(" ", maxsplit=1)[0]].u, fraction, verdict)
