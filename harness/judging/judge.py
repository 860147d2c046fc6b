"""Judge results against exact values and bounds, which gives comparisons. No framework but NumPy is loaded here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.faults import INTERRUPTED, Fault, Kind, Outcome
from harness.judging import equations, laws, metrics, probes
from harness.judging.causes import causes, main_cause
from harness.judging.chains import residual_shares
from harness.judging.grades import common_factor_share, with_height
from harness.judging.judged_cell import Cell
from harness.judging.metrics import Errors
from harness.judging.pairs import Pairing, Percent
from harness.judging.probes import Measured
from harness.judging.profiles import profile
from harness.judging.rows import comparison, declared_flaw, head, law_rows
from harness.judging.slices import Slice, block_answer, declared, questions
from harness.judging.tally import Peak, Tally, peak
from harness.judging.witness import witness
from harness.numbers.arrays import Floats
from harness.numbers.formats import FORMATS, Format
from harness.operations import as_rows
from harness.questions import blocks
from harness.questions.cases import CASES
from harness.records import Audit, EquationSide, Group, Judgement, Profile, Result, Twins
from harness.truth.bounds import NOTHING, Theory, any_order, blocked_tree, range_free

Answer = NDArray[np.generic]
Results = Mapping[tuple[str, int], Result]
Load = Callable[[Result], Answer]
UNKNOWN = Measured()


def judge(group: Group, results: Results, load: Load, pairing: Pairing, known: Mapping[str, Measured]) -> Judgement:
    """Compute all rows of the tables for one group.

    `results` has the results by backend and block; `load` reads a result's array. `pairing` selects the pairs of
    backends to compare. `known` has what the probes measured, by backend.
    """
    cells = {backend: Cell() for backend in group.backends}
    pairs = {pair: Percent() for pair in pairing(group.backends)}
    audit, offset = Audit(), 0
    for block, rows in enumerate(blocks.boundaries(group.case)):
        answers = {}
        for backend in group.backends:
            found = outcome_of(group, rows, results.get((backend, block)), load)
            if isinstance(found, Fault):
                cells[backend] = cells[backend].without(found)
            else:
                answers[backend] = found
                result = results[backend, block]
                cells[backend] = cells[backend].with_answer(result.sha256, result.reason)
        if answers:
            for asked in questions(group, rows, offset, (answer.dtype.name for answer in answers.values())):
                for backend, answer in answers.items():
                    later = judge_answer(asked, backend, answer, known.get(backend, UNKNOWN), first=block == 0)
                    cells[backend] = cells[backend].merged(later)
                audit += asked.audit
            for a, b in pairing(answers):
                pairs[a, b] = pairs[a, b].merged(answers[a], answers[b])
        offset += int(np.prod(block_answer(group, rows)))
    outcomes = {backend: cell.outcome for backend, cell in cells.items()}
    return Judgement(
        [comparison(group, backend, cell, known.get(backend, UNKNOWN)) for backend, cell in cells.items()],
        [percent.row(group, a, b, outcomes) for (a, b), percent in pairs.items()],
        [law for backend, cell in cells.items() for law in law_rows(group, backend, cell)],
        [row for cell in cells.values() if cell.outcome == Outcome.OK for row in cell.profile],
        [side for backend, cell in cells.items() for side in side_records(group, backend, cell)],
        audit,
    )


def probed(group: Group, results: Results, load: Load) -> tuple[dict[str, float | None], dict[str, Fault]]:
    """Return what a probe measured, by backend, and why backends did not answer it.

    A backend's measurement is the largest over its blocks, and None if a block has no usable answer. The second mapping
    has the fault of the first unanswered block, except for those with an outcome of KNOWN_BEFORE.
    """
    found: dict[str, float | None] = {}
    missing: dict[str, Fault] = {}
    every = blocks.boundaries(group.case)
    asked = [probes.Probe(group, blocks.array(group.case, "logits", group.dtype, rows)) for rows in every]
    for backend in group.backends:
        measured = []
        for block, rows in enumerate(every):
            answer = outcome_of(group, rows, results.get((backend, block)), load)
            measured.append(None if isinstance(answer, Fault) else probes.measure(asked[block], answer))
            if isinstance(answer, Fault) and answer.outcome not in KNOWN_BEFORE:
                missing.setdefault(backend, answer)
        found[backend] = None if None in measured else max(m for m in measured if m is not None)
    return found, missing


KNOWN_BEFORE = (Outcome.UNSUPPORTED, Outcome.ABSENT, Outcome.SKIPPED)
"""Outcomes of a probe that the backend's own cells have too, and that are therefore not reported again."""


def outcome_of(group: Group, rows: blocks.Rows, result: Result | None, load: Load) -> Answer | Fault:
    """Return a result's answer, or why there is none that can be judged.

    An answer of a wrong shape or in an unknown format has a fault.
    """
    if result is None:
        return INTERRUPTED
    if result.fault:
        return result.fault
    answer = load(result)
    wanted = block_answer(group, rows)
    if answer.shape != wanted:
        return Fault(Kind.OTHER_SHAPE, answered=str(answer.shape), due=str(wanted))
    if answer.dtype.name not in FORMATS:
        return Fault(Kind.UNKNOWN_DTYPE, answered=answer.dtype.name, due=group.dtype)
    return answer


def judge_answer(asked: Slice, backend: str, answer: Answer, measured: Measured, first: bool = True) -> Cell:
    """Judge one backend's answer for the rows of a question, in the dtype of the answer.

    `first` says that the rows are in the first block of the case, where equations between operations are measured.
    """
    form = FORMATS[answer.dtype.name]
    actual = as_rows(asked.operation, answer, asked.group.axis, asked.n, asked.group.case.classes)[asked.rows]
    bounds = {name: asked.allowed(backend, theory, form) for name, theory in THEORIES.items()}
    within = bounds | {"A": earned(bounds["A"])} | limits(asked, form.u) | of_all_others(asked, backend, form)
    found = Errors(np.empty((4, *actual.shape)))
    tally = metrics.measure(actual, asked.expected, within, form, asked.offset, found.rows)
    if (measured.height is not None or measured.missing) and not tally.peak("B").value <= 1:
        height = asked.n - 1 if measured.height is None else measured.height
        chained, peaks = against_chain(asked, backend, found, form, height)
        bounds["C"], tally = chained, replace(tally, peaks={**tally.peaks, **peaks})
    tally = replace(tally, peaks={**tally.peaks, **by_simulation(asked, backend, found, form, bounds["B"])})
    values, allowed = actual.astype(np.float64), bounds.get("C", bounds["B"])
    return replace(
        worst(asked, actual, found, tally, bounds),
        tally=tally,
        dtype=answer.dtype.name,
        profile=drawn(asked, backend, actual, found, bounds["B"]),
        laws=deviations(asked, values, allowed),
        sides=sides(asked, values, allowed) if first else {},
    )


def earned(bound: Floats) -> Floats:
    """Return a grade's bound with 0 where it is infinite: there only an error of 0 earns the grade."""
    return np.where(np.isinf(bound), 0.0, bound) if bound.max(initial=0.0) == np.inf else bound


def drawn(asked: Slice, backend: str, actual: Answer, found: Errors, bound: Floats) -> tuple[Profile, ...]:
    """Return the error profile of a named case's first rows; nothing for other cases, as sweeps have too many cells."""
    if asked.offset or asked.group.case.name not in CASES:
        return ()
    form = FORMATS[actual.dtype.name]
    return profile(head(asked.group, backend), asked.logits, actual, asked.expected, found.ulp, bound, form)


TWIN_BITS = 13
"""The significand bits of 64 + 255/64. In a shorter format the row that is shifted by 64 is rounded: it is no twin."""
THEORIES: dict[str, Theory] = {"A": range_free, "B": blocked_tree, "any order": any_order}


def limits(asked: Slice, u: float) -> dict[str, Floats]:
    """Return u·scale as a limit named `scale`, or nothing for an operation without a scale."""
    return {} if asked.scale is None else {"scale": u * asked.scale}


def against_chain(
    asked: Slice, backend: str, found: Errors, form: Format, height: int
) -> tuple[Floats, dict[str, Peak]]:
    """Return the error that grade C allows at each element, and the largest shares of C's limits.

    The peaks are by name: `C` of the bound at that height, `digit` of B or a digit, whichever is larger, and `common
    factor` of what remains once the error that a row has in common is removed. The last is missing if an ULP error is
    not finite, or if nothing is known of it.
    """
    chained = asked.allowed(backend, with_height(height), form)
    own = asked.allowed(backend, blocked_tree, form)
    right = np.maximum(own, asked.digit)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_limits = {"C": found.absolute / chained, "digit": found.absolute / right}
    shares = {name: np.where(np.isfinite(found.absolute), share, np.inf) for name, share in of_limits.items()}
    if np.isfinite(found.ulp).all() and (rest := unexplained(asked, backend, found, form, own)) is not None:
        shares["common factor"] = np.where(np.isnan(rest), np.inf, rest)
    return np.minimum(chained, right), {name: peak(share, asked.offset) for name, share in shares.items()}


def unexplained(asked: Slice, backend: str, found: Errors, form: Format, bound: Floats) -> Floats | None:
    """Return the errors that errors of a row's sums do not explain, as shares of what is allowed.

    Return None where no such limit is known: the operation has no known directions, or the backend declares an
    arithmetic of its own.
    """
    about = declared(backend, asked.group.dtype)
    if asked.operation.normalised:
        s = asked.expected.rounded()
        return common_factor_share(asked.logits.astype(np.float64), found.signed, s, form, about.flush)
    if asked.directions is None or replace(about, flush=None) != NOTHING:
        return None
    return residual_shares(np.copysign(found.absolute, found.signed), bound, asked.directions)


def by_simulation(asked: Slice, backend: str, found: Errors, form: Format, bound: Floats) -> dict[str, Peak]:
    """Return the largest error as a share of what honest evaluations explain, or nothing.

    It is asked only where the bound leaves no digit and the answer is in the format under test.
    """
    rows = asked.left_open(backend, bound) if form == asked.form else None
    if rows is None:
        return {}
    return {"simulated": peak(asked.simulated(backend, found.absolute, rows), asked.offset)}


def of_all_others(asked: Slice, backend: str, form: Format) -> dict[str, Floats]:
    """Return the bound B without declarations as the limit `undeclared`; nothing if the backend declares none."""
    plain = declared(backend, asked.group.dtype) == NOTHING
    return {} if plain else {"undeclared": asked.allowed_of(NOTHING, blocked_tree, form)}


def worst(asked: Slice, actual: Answer, found: Errors, tally: Tally, bounds: Mapping[str, Floats]) -> Cell:
    """Return a cell with the worst element's witness, error and bounds, and for a softmax the causes of its error."""
    number, element = divmod(tally.worst - asked.offset, actual.shape[1])
    row, form = asked.certain(number), FORMATS[actual.dtype.name]
    unit = int(metrics.ulp_exponent(row, form)[element])
    bound, chained = (float(bounds[name][number, element]) for name in ("B", "C" if "C" in bounds else "B"))
    share = np.inf if tally.counts.not_finite else quotient(float(found.absolute[number, element]), bound)
    parts: dict[str, float] = {}
    if asked.operation.normalised:
        signed = signed_by_arb(asked, actual, found, number, form)
        parts = causes(asked.logits[number], signed, row.rounded(), element, form) if np.isfinite(signed).all() else {}
    return Cell(
        witness=witness(asked.row(number), element, actual[number], row),
        bound=in_ulp(bound, unit),
        allowed=in_ulp(chained, unit),
        error=a_number(float(found.ulp[number, element])),
        share=share,
        cause=main_cause(parts),
        parts=parts,
        lost=lost(asked, actual, tally.peak("lost").index),
    )


def signed_by_arb(asked: Slice, actual: Answer, found: Errors, number: int, form: Format) -> Floats:
    """Return one row's signed relative errors against Arb's exact values.

    `found` has them already, unless its exact values are from float64.
    """
    return metrics.errors(actual[number], asked.certain(number), form).signed if asked.audits else found.signed[number]


def lost(asked: Slice, actual: Answer, index: int) -> str:
    """Return the witness of the lost component with that index in the case; empty if the index is negative."""
    if index < 0:
        return ""
    number, element = divmod(index - asked.offset, actual.shape[1])
    return witness(asked.row(number), element, actual[number], asked.certain(number))


def quotient(error: float, bound: float) -> float | None:
    """Return an error as a share of its bound, or None for 0/0 and NaN."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return a_number(float(np.divide(error, bound)))


def a_number(value: float) -> float | None:
    """Return the value, or None for NaN."""
    return None if np.isnan(value) else value


def in_ulp(bound: float, unit: int) -> float:
    """Return a bound in units of an ulp of 2^unit; infinite on overflow."""
    with np.errstate(over="ignore"):
        return float(np.ldexp(bound, -unit))


def deviations(asked: Slice, values: Floats, allowed: Floats) -> dict[str, tuple[float, float]]:
    """Measure the laws of the operation: the largest deviation from each, and the largest share of its bound."""
    twins = isinstance(asked.group.case.recipe, Twins) and asked.form.p >= TWIN_BITS
    return laws.deviations(asked.operation.name, values, allowed, asked.n, twins)


def sides(asked: Slice, values: Floats, allowed: Floats) -> dict[tuple[str, bool], tuple[Floats, Floats]]:
    """Compute the sides of equations that this operation's answers give.

    A side may need arguments that only another operation of the equation takes.
    """
    name = asked.operation.name
    arguments = {argument: asked.row_argument(argument) for argument in equations.needed(name)}
    return equations.sides(name, values, allowed, arguments)


def side_records(group: Group, backend: str, cell: Cell) -> list[EquationSide]:
    """Return the sides of a cell's equations as records; none if the cell was not answered in full."""
    if cell.outcome != Outcome.OK:
        return []
    where, flawed = head(group, backend), declared_flaw(backend, group) is not None
    return [EquationSide(law, left, *where, flawed, cell.dtype, *side) for (law, left), side in cell.sides.items()]
