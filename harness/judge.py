"""Results × exact values × bounds → comparisons. It runs where no framework but NumPy is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import Backend, find
from harness import blocks, metrics, properties
from harness.bounds import bound
from harness.formats import FORMATS, Format
from harness.operations import OPERATIONS, answer_index, answer_shape, as_rows
from harness.records import Comparison, Group, Judgement, Pair, Property, Result
from harness.reference import Expected, expected

WITNESS_ROW_N = 64
WITHIN, SHORT, AS_DECLARED, FLAW_GONE = "within bound", "falls short", "flaw as declared", "flaw gone"
Answers = Mapping[str, NDArray[np.generic]]
Pairing = Callable[[Iterable[str]], list[tuple[str, str]]]


@dataclass(frozen=True)
class Question:
    """One block's inputs, and what is known of the answer."""

    group: Group
    arguments: Mapping[str, Any]
    offset: int
    logits: NDArray[np.generic]
    expected: Expected
    allowed: Mapping[bool, NDArray[np.float64]]
    """The bound, by whether a backend declares that it flushes subnormals."""

    @property
    def n(self) -> int:
        return int(self.logits.shape[-1])


@dataclass(frozen=True)
class Cell:
    """What is known of one backend's answers, blocks merged so far."""

    tally: metrics.Tally = field(default_factory=metrics.Tally)
    witness: str = ""
    laws: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def question(group: Group, rows: blocks.Rows, offset: int) -> Question:
    """The exact values and bounds of one block, made once for all backends."""
    operation, form = OPERATIONS[group.operation], FORMATS[group.dtype]
    arguments = blocks.arguments(group.case, operation, group.dtype, group.axis, rows)
    moved = {name: _moved(value, group.axis) for name, value in arguments.items()}
    logits = moved.pop("logits")
    beside = list(moved.values())
    exact = expected(operation.name, logits, beside, form)
    allowed = {f: bound(operation.name, logits, beside, exact.rounded(), form, f) for f in (False, True)}
    return Question(group, arguments, offset, logits, exact, allowed)


def _moved(value: Any, axis: int) -> Any:
    """An argument as (rows, n); a number as it is."""
    return value if isinstance(value, int) else np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])


def malformed(group: Group, rows: blocks.Rows, answer: NDArray[np.generic]) -> str | None:
    """Why an answer is none: a shape or dtype other than asked for."""
    shape = (rows[1] - rows[0], *group.case.shape[1:])
    wanted = answer_shape(OPERATIONS[group.operation], shape, group.axis)
    if answer.shape != wanted:
        return f"answered with shape {answer.shape}, not {wanted}"
    if answer.dtype.name != group.dtype:
        return f"answered in {answer.dtype.name}, not {group.dtype}"
    return None


def judged(asked: Question, backend: str, answer: NDArray[np.generic]) -> Cell:
    """One block of one backend against the exact values."""
    group, form = asked.group, FORMATS[asked.group.dtype]
    actual = as_rows(OPERATIONS[group.operation], answer, group.axis, asked.n)
    allowed = asked.allowed[find(backend).flushes_subnormals]
    found = metrics.errors(actual, asked.expected, form)
    tally = metrics.tally(actual, asked.expected, found, allowed, asked.offset)
    laws = properties.deviations(group.operation, actual, allowed, asked.n)
    return Cell(tally, witness(asked, actual, _worst(tally) - asked.offset), laws)


def _worst(tally: metrics.Tally) -> int:
    """The worst element: by ULP, or, where an answer is NaN or infinite, the first such."""
    return tally.bound_fraction.index if tally.nan + tally.infinity else tally.ulp.index


def merged(first: Cell, second: Cell) -> Cell:
    tally = first.tally.merged(second.tally)
    witness = first.witness if _worst(tally) == _worst(first.tally) else second.witness
    laws = {law: tuple(map(max, first.laws.get(law, (0, 0)), pair)) for law, pair in second.laws.items()}
    return Cell(tally, witness, laws)  # type: ignore[arg-type]  # map(max) loses the pair's length


def witness(asked: Question, actual: NDArray[np.generic], index: int) -> str:
    """The element's row in hex, exactly: all of it up to n = 64, else the element, the row's maximum, and a hash."""
    row, column = divmod(index, actual.shape[1])
    logits = asked.logits[row]
    shown: dict[str, Any] = {"element": column}
    if asked.n <= WITNESS_ROW_N:
        shown["logits"] = [hexadecimal(x) for x in logits]
    else:
        shown["logit"] = hexadecimal(logits[column % asked.n])
        shown["largest_logit"] = hexadecimal(logits.max())
        shown["row_sha256"] = blocks.sha256(logits)
    for name, value in asked.arguments.items():
        if name != "logits":
            shown[name] = value if isinstance(value, int) else _other(value, asked, row, column)
    shown["actual"] = hexadecimal(actual[row, column])
    shown["expected"] = exact_hexadecimal(asked.expected.row(row), column)
    return json.dumps(shown)


def _other(value: NDArray[np.generic], asked: Question, row: int, column: int) -> Any:
    moved = _moved(value, asked.group.axis)[row]
    return [hexadecimal(v) for v in moved] if asked.n <= WITNESS_ROW_N else hexadecimal(moved[column])


def hexadecimal(value: Any) -> str:
    return float(value).hex()


def exact_hexadecimal(values: Expected, column: int) -> str:
    """The first 106 bits of an exact value, whatever its exponent: 0x0.…p…"""
    high, low, exponent = (float(part[column]) for part in (values.hi, values.lo, values.exponent))
    bits = abs(int(high * 2.0**53)) << 53 | abs(int(low * 2.0**106))
    return f"{'-' if high < 0 else ''}0x0.{bits << 2:027x}p{int(exponent):+d}" if bits else "0x0p+0"


def flaw(backend: type[Backend], group: Group) -> str | None:
    """The reason why this backend is declared to fail here, or None."""
    for declared in backend.flaws:
        at = ((group.case.name, declared.case), (group.operation, declared.operation), (group.dtype, declared.dtype))
        if all(fnmatchcase(name, pattern) for name, pattern in at):
            return declared.reason
    return None


def comparison(group: Group, backend: str, cell: Cell, form: Format) -> Comparison:
    """The row of a cell that has been answered in full."""
    tally, reason = cell.tally, flaw(find(backend), group)
    falls = tally.bound_fraction.value > 1 or tally.nan + tally.infinity > 0
    verdicts = {(False, True): SHORT, (False, False): WITHIN, (True, True): AS_DECLARED, (True, False): FLAW_GONE}
    mean_absolute, mean_relative, mean_ulp = tally.means()
    worst = answer_index(OPERATIONS[group.operation], group.case.shape, group.axis, _worst(tally))
    return replace(
        row(group, backend, "ok", reason or ""),
        verdict=verdicts[reason is not None, falls],
        bound_fraction=figure(tally.bound_fraction),
        max_relative_error=figure(tally.relative),
        mean_relative_error_percent=None if mean_relative is None else mean_relative * 100,
        max_ulp_error=figure(tally.ulp),
        mean_ulp_error=mean_ulp,
        max_absolute_error=figure(tally.absolute),
        mean_absolute_error=mean_absolute,
        nan_count=tally.nan,
        infinity_count=tally.infinity,
        zero_references=tally.zero_references,
        zero_misses=tally.zero_misses,
        elements=tally.elements,
        worst_index=",".join(map(str, worst)),
        witness=cell.witness,
    )


def figure(peak: metrics.Peak) -> float | None:
    return peak.value if peak.index >= 0 else None


def row(group: Group, backend: str, outcome: str, reason: str) -> Comparison:
    """The row of a cell with no figures."""
    return Comparison(group.operation, group.case.name, group.dtype, group.axis, backend, outcome, reason)


def natives_and_variants(names: Iterable[str]) -> list[tuple[str, str]]:
    """Natives pairwise, and variants against their own native."""
    found = list(names)
    natives = [name for name in found if ":" not in name]
    return [
        (a, b)
        for a, b in combinations(found, 2)
        if (a in natives and b in natives) or (":" in b and a == b.split(":")[0])
    ]


def all_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return list(combinations(names, 2))


def judge(group: Group, results: Mapping[tuple[str, int], Result], load: Any, pairing: Pairing) -> Judgement:
    """All rows of a group: `results` by backend and block, `load` makes a result's array."""
    form = FORMATS[group.dtype]
    cells: dict[str, Cell] = {}
    failed: dict[str, Comparison] = {}
    percents: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    offset = 0
    for block, rows in enumerate(blocks.boundaries(group.case)):
        answers: dict[str, NDArray[np.generic]] = {}
        for backend in group.backends:
            result = results.get((backend, block)) or Result(0, block, backend, "not run", "interrupted")
            if result.outcome == "ok":
                answers[backend] = load(result)
                wrong = malformed(group, rows, answers[backend])
                result = replace(result, outcome="failed", reason=wrong) if wrong else result
            if result.outcome != "ok":
                answers.pop(backend, None)
                failed.setdefault(backend, row(group, backend, result.outcome, result.reason))
        if not answers:
            continue
        asked = question(group, rows, offset)
        offset += asked.expected.hi.size
        for backend, answer in answers.items():
            cell = judged(asked, backend, answer)
            cells[backend] = merged(cells[backend], cell) if backend in cells else cell
        for a, b in pairing(answers):
            percent = metrics.mean_relative_error_percent(answers[a], answers[b])
            percents.setdefault((a, b), []).append((percent, int((answers[a] == 0).sum()), answers[a].size))
    comparisons = [failed.get(b) or comparison(group, b, cells[b], form) for b in group.backends]
    return Judgement(
        comparisons,
        [pair(group, a, b, failed, percents.get((a, b), [])) for a, b in pairing(group.backends)],
        [
            Property(
                group.operation, group.case.name, group.dtype, group.axis, c.backend, law, deviation / form.u, fraction,
                WITHIN if fraction <= 1 else AS_DECLARED if c.verdict == AS_DECLARED else SHORT,
            )
            for c in comparisons if c.outcome == "ok"
            for law, (deviation, fraction) in cells[c.backend].laws.items()
        ],
    )  # fmt: skip


def pair(
    group: Group, a: str, b: str, failed: Mapping[str, Comparison], parts: list[tuple[float, int, int]]
) -> Pair:
    """The notebook's figure: over one block exactly as NumPy gives it, over several the mean weighted by their sizes."""
    head = (group.operation, group.case.name, group.dtype, group.axis, a, b)
    for side in (a, b):
        if side in failed:
            return Pair(*head, failed[side].outcome)
    size = sum(count for _, _, count in parts)
    percent = parts[0][0] if len(parts) == 1 else sum(p * (count / size) for p, _, count in parts)
    return Pair(*head, "ok", percent, sum(zeros for _, zeros, _ in parts))
