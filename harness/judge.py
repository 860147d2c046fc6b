"""Results × exact values × bounds → comparisons. It runs where no framework but NumPy is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import find
from harness import blocks, metrics, properties
from harness.bounds import Theory, any_order, blocked_tree, bound, range_free, scales
from harness.formats import FORMATS, Format
from harness.grades import common_factor_share, grade, measured_height, with_height
from harness.operations import OPERATIONS, answer_index, answer_shape, as_rows
from harness.pairs import Pairing, Percent
from harness.records import Comparison, Group, Judgement, Property, Result
from harness.reference import Expected, expected
from harness.witness import witness

WITHIN, SHORT, AS_DECLARED, FLAW_GONE = "within bound", "falls short", "flaw as declared", "flaw gone"
VACUOUS = "bound is vacuous"
"""Theory allows anything at some element, and what it does not allow was not seen."""

Answer = NDArray[np.generic]
Results = Mapping[tuple[str, int], Result]
Load = Callable[[Result], Answer]
Heights = Mapping[str, int | None]
"""Summation chains measured for the group's dtype and n, by backend."""


def judge(group: Group, results: Results, load: Load, pairing: Pairing, heights: Heights) -> Judgement:
    """All rows of a group: `results` by backend and block, `load` reads a result's array, `heights` as measured."""
    cells = {backend: Cell() for backend in group.backends}
    pairs = {pair: Percent() for pair in pairing(group.backends)}
    offset = 0
    for block, rows in enumerate(blocks.boundaries(group.case)):
        answers = {}
        for backend in group.backends:
            outcome, reason, answer = read(group, rows, results.get((backend, block)), load)
            if answer is None:
                cells[backend] = cells[backend].without(outcome, reason)
            else:
                answers[backend] = answer
        if answers:
            asked = question(group, rows, offset)
            for backend, answer in answers.items():
                cells[backend] = cells[backend].merged(judged(asked, backend, answer, heights.get(backend)))
            for a, b in pairing(answers):
                pairs[a, b] = pairs[a, b].merged(answers[a], answers[b], asked.form)
        offset += answer_size(group, rows)
    outcomes = {backend: cell.outcome for backend, cell in cells.items()}
    return Judgement(
        [comparison(group, backend, cell, heights.get(backend)) for backend, cell in cells.items()],
        [percent.row(group, a, b, outcomes) for (a, b), percent in pairs.items()],
        [law for backend, cell in cells.items() for law in law_rows(group, backend, cell)],
    )


def heights(group: Group, results: Results, load: Load) -> dict[str, int | None]:
    """The longest summation chain that each backend shows on a probe; None where it did not answer in full."""
    found: dict[str, int | None] = {}
    for backend in group.backends:
        measured = []
        for block, rows in enumerate(blocks.boundaries(group.case)):
            _, _, answer = read(group, rows, results.get((backend, block)), load)
            logits = blocks.array(group.case, "logits", group.dtype, rows)
            measured.append(None if answer is None else measured_height(logits, answer, FORMATS[group.dtype]))
        found[backend] = None if None in measured else max(m for m in measured if m is not None)
    return found


def read(group: Group, rows: blocks.Rows, result: Result | None, load: Load) -> tuple[str, str, Answer | None]:
    """A result's outcome, reason and answer; one of another shape than asked for, or of no known format, is none."""
    if result is None:
        return "not run", "interrupted", None
    if result.outcome != "ok":
        return result.outcome, result.reason, None
    answer = load(result)
    wanted = answer_shape(OPERATIONS[group.operation], block_shape(group, rows), group.axis)
    if answer.shape != wanted:
        return "failed", f"answered with shape {answer.shape}, not {wanted}", None
    if answer.dtype.name not in FORMATS:
        return "failed", f"answered in {answer.dtype.name}, not {group.dtype}", None
    return "ok", "", answer


def block_shape(group: Group, rows: blocks.Rows) -> tuple[int, ...]:
    return (rows[1] - rows[0], *group.case.shape[1:])


def answer_size(group: Group, rows: blocks.Rows) -> int:
    return int(np.prod(answer_shape(OPERATIONS[group.operation], block_shape(group, rows), group.axis)))


@dataclass(frozen=True)
class Question:
    """One block's arguments as (rows, n), and what is known of the answer."""

    group: Group
    arguments: Mapping[str, Any]
    offset: int
    expected: Expected
    bounds: dict[tuple[float | None, Theory, Format], NDArray[np.float64]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return int(self.arguments["logits"].shape[-1])

    @property
    def form(self) -> Format:
        return FORMATS[self.group.dtype]

    def flush(self, backend: str) -> float | None:
        """Below this, zero is as good as the number: as the backend declares."""
        power = find(backend).flushes_below.get(self.group.dtype)
        return None if power is None else 2.0**power

    def allowed(self, backend: str, theory: Theory, form: Format) -> NDArray[np.float64]:
        """The bound, made once for all backends that declare the same flush and answer in the same format."""
        key = self.flush(backend), theory, form
        if key not in self.bounds:
            logits, *beside = self.arguments.values()
            sizes = self.expected.rounded()
            self.bounds[key] = bound(self.group.operation, logits, beside, sizes, form, theory, key[0])
        return self.bounds[key]

    def row(self, number: int) -> dict[str, Any]:
        return {
            name: v if isinstance(v, int) else int(v[number]) if v.ndim == 1 else v[number]
            for name, v in self.arguments.items()
        }


def question(group: Group, rows: blocks.Rows, offset: int) -> Question:
    """The exact values of one block, made once for all backends. `offset`: elements of the case before it."""
    operation, form = OPERATIONS[group.operation], FORMATS[group.dtype]
    made = blocks.arguments(group.case, operation, group.dtype, group.axis, rows)
    arguments = {name: moved(value, group.axis) for name, value in made.items()}
    logits, *beside = arguments.values()
    exact = expected(operation.name, logits, beside, form)
    return Question(group, arguments, offset, exact)


def moved(value: Any, axis: int) -> Any:
    """An argument as (rows, n); labels as (rows,); a number as it is."""
    if isinstance(value, int):
        return value
    return value.reshape(-1) if value.dtype.kind == "i" else np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])


@dataclass(frozen=True)
class Cell:
    """What is known of one backend's answers so far."""

    outcome: str = "ok"
    reason: str = ""
    dtype: str = ""
    """That came back."""
    tally: metrics.Tally = field(default_factory=metrics.Tally)
    witness: str = ""
    bound: float = 0.0
    """What B allows at the witness, in ulp."""
    laws: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def without(self, outcome: str, reason: str) -> Cell:
        """A block went unanswered: the first such says why."""
        return replace(self, outcome=outcome, reason=reason) if self.outcome == "ok" else self

    def merged(self, later: Cell) -> Cell:
        tally = self.tally.merged(later.tally)
        worse = self if self.witness and tally.worst == self.tally.worst else later
        laws = {law: larger(self.laws.get(law, (0.0, 0.0)), found) for law, found in later.laws.items()}
        dtype = later.dtype if self.dtype in ("", later.dtype) else f"{self.dtype} and {later.dtype}"
        return replace(self, dtype=dtype, tally=tally, witness=worse.witness, bound=worse.bound, laws=laws)


def larger(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return max(a[0], b[0]), max(a[1], b[1])


def judged(asked: Question, backend: str, answer: Answer, height: int | None) -> Cell:
    """One block of one backend against the exact values, in the dtype that came back."""
    group, form, n = asked.group, FORMATS[answer.dtype.name], asked.n
    actual = as_rows(OPERATIONS[group.operation], answer, group.axis, n)
    found = metrics.errors(actual, asked.expected, form)
    theories = {"A": range_free(n), "B": blocked_tree(n), "any order": any_order(n)}
    bounds = {name: asked.allowed(backend, theory, form) for name, theory in theories.items()}
    if height is not None and not (found.absolute <= bounds["B"]).all():
        chained = asked.allowed(backend, with_height(n, height), form)
        # A bound that is vacuous at that height explains nothing.
        bounds["C"] = np.where(np.isinf(chained), bounds["B"], chained)
    tally = metrics.tally(actual, asked.expected, found, bounds, form, asked.offset)
    tally = replace(tally, peaks={**tally.peaks, **further_peaks(asked, backend, found, "C" in bounds)})
    number, element = divmod(tally.worst - asked.offset, actual.shape[1])
    unit = metrics.ulp_exponent(asked.expected, form)[number, element]
    return Cell(
        tally=tally,
        dtype=answer.dtype.name,
        witness=witness(asked.row(number), element, actual[number], asked.expected.row(number)),
        bound=float(np.ldexp(bounds["B"][number, element], -unit)),
        laws=properties.deviations(group.operation, actual, bounds.get("C", bounds["B"]), n),
    )


def further_peaks(asked: Question, backend: str, found: metrics.Errors, chained: bool) -> dict[str, metrics.Peak]:
    """Where an operation has them: the error over u·scale, and, above B, what no common factor of a row explains."""
    values, arguments = {}, list(asked.arguments.values())
    scale = scales(asked.group.operation, *arguments)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale is not None:
            values["scale"] = found.absolute / (asked.form.u * scale)
        if chained and asked.group.operation == "softmax" and np.isfinite(found.ulp).all():
            logits, s = np.asarray(arguments[0], np.float64), asked.expected.rounded()
            share = common_factor_share(logits, found.signed, s, asked.form, asked.flush(backend))
            values["common factor"] = np.where(np.isnan(share), np.inf, share)
    return {name: metrics.peak(value, asked.offset) for name, value in values.items()}


def declared_flaw(backend: str, group: Group) -> str | None:
    """The reason why this backend is declared to fail here, or None."""
    for flaw in find(backend).flaws:
        at = ((group.case.name, flaw.case), (group.operation, flaw.operation), (group.dtype, flaw.dtype))
        if all(fnmatchcase(name, pattern) for name, pattern in at):
            return flaw.reason
    return None


def comparison(group: Group, backend: str, cell: Cell, height: int | None) -> Comparison:
    """The row of a cell: with figures only if every block was answered."""
    if cell.outcome != "ok":
        return bare(group, backend, cell.outcome, cell.reason)
    tally, counts, flaw = cell.tally, cell.tally.counts, declared_flaw(backend, group)
    mean_absolute, mean_relative, bias, mean_ulp = tally.means()
    median, p90, p99 = (interval(tally.quantile(share)) for share in metrics.QUANTILES)
    strange = "" if cell.dtype == group.dtype else f"answered in {cell.dtype}, not {group.dtype}"
    return replace(
        bare(group, backend, "ok", strange or flaw or ""),
        verdict=SHORT if strange else verdict(tally, flaw is not None),
        grade=grade(tally),
        bound=cell.bound,
        bound_fraction=tally.peak("B").figure,
        any_order_fraction=tally.peak("any order").figure,
        measured_height=height,
        max_relative_error=tally.peak("relative").figure,
        mean_relative_error_percent=percent(mean_relative),
        max_ulp_error=tally.peak("ulp").figure,
        mean_ulp_error=mean_ulp,
        max_ulp_error_ftz=tally.peak("ulp, flushed forgiven").figure,
        median_ulp_error=median,
        p90_ulp_error=p90,
        p99_ulp_error=p99,
        ulp_histogram=json.dumps(tally.histogram[: max(np.flatnonzero(tally.histogram), default=-1) + 1]),
        max_scale_error=tally.peak("scale").figure,
        bias_percent=percent(bias),
        max_absolute_error=tally.peak("absolute").figure,
        mean_absolute_error=mean_absolute,
        nan_count=counts.nan,
        infinity_count=counts.infinity,
        zero_references=counts.zero_references,
        zero_misses=counts.zero_misses,
        subnormal_references=counts.subnormal_references,
        flushed_to_zero=counts.flushed,
        misrounded=counts.misrounded,
        unbounded=counts.unbounded,
        elements=counts.elements,
        max_relative_index=place(group, tally.peak("relative").index),
        max_absolute_index=place(group, tally.peak("absolute").index),
        worst_index=place(group, tally.worst),
        witness=cell.witness,
    )


def percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def interval(ends: tuple[float, float] | None) -> str:
    """A histogram's bin as text: 0, or (above, up to]."""
    return "" if ends is None else "0" if ends[1] == 0 else f"({ends[0]:g}, {ends[1]:g}]"


def verdict(tally: metrics.Tally, declared: bool) -> str:
    """A flaw is declared strictly: where it does not show, that is an error too."""
    if grade(tally) == "F":
        return AS_DECLARED if declared else SHORT
    return FLAW_GONE if declared else VACUOUS if tally.counts.unbounded else WITHIN


def place(group: Group, flat: int) -> str:
    """Where an element of `as_rows` stands in the whole case's answer, as `2,0,1`."""
    if flat < 0:
        return ""
    return ",".join(map(str, answer_index(OPERATIONS[group.operation], group.case.shape, group.axis, flat)))


def bare(group: Group, backend: str, outcome: str, reason: str) -> Comparison:
    """The row of a cell with no figures."""
    return Comparison(group.operation, group.case.name, group.dtype, group.axis, backend, outcome, reason)


def law_rows(group: Group, backend: str, cell: Cell) -> list[Property]:
    """The laws as measured, where the cell was answered in full."""
    if cell.outcome != "ok":
        return []
    head = (group.operation, group.case.name, group.dtype, group.axis, backend)
    flawed, u = declared_flaw(backend, group) is not None, FORMATS[group.dtype].u
    return [
        Property(*head, law, deviation / u, fraction, WITHIN if fraction <= 1 else AS_DECLARED if flawed else SHORT)
        for law, (deviation, fraction) in cell.laws.items()
    ]
