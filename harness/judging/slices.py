"""One block of a case as the judge has it: its arguments row by row, the exact values, and what theory allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import find
from harness.judging.digits import digit
from harness.judging.probes import answer_dtype
from harness.numbers.formats import DIGIT, FORMATS, Format
from harness.operations import OPERATIONS, Operation, answer_shape, lengths
from harness.questions import blocks
from harness.records import Audit, Group
from harness.truth import Expected, audited, checked, expected, float64
from harness.truth.bounds import Declared, Theory, bound
from harness.truth.simulated import Honest, Rows, honest, leaves_no_digit, simulates, sizes

SLICE_ELEMENTS = 2**16
"""Answers that are judged together: what bounds the judge's memory, whatever the block."""
LARGE = 100_000
"""Answers of a case, from which on float64 will do where it can."""
PER_ROW = ("logits", "inputs", "cotangent", "tangent", "labels", "classes", "distribution")
"""Arguments with a part for each row; the others are the same for all."""


@dataclass(frozen=True)
class Question:
    """Some rows of one block. `start`: of them, in the block; `offset`: elements of the case's answer before them."""

    group: Group
    arguments: Mapping[str, Any]
    start: int
    offset: int
    expected: Expected
    audits: list[Audit]
    """What was checked of exact values that came from float64; empty where all are Arb's."""
    by_arb: dict[int, Expected] = field(default_factory=dict)
    finest: Format = FORMATS["float64"]
    """The finest format of the answers: in whose ulp the exact values are known to 2^-10."""
    bounds: dict[tuple[Declared, Theory, Format], NDArray[np.float64]] = field(default_factory=dict)
    simulations: dict[bytes, Honest] = field(default_factory=dict)
    """By the rows that theory says nothing of."""

    @property
    def operation(self) -> Operation:
        return OPERATIONS[self.group.operation]

    @property
    def n(self) -> int:
        return int(self.logits.shape[-1])

    @property
    def form(self) -> Format:
        return FORMATS[self.group.dtype]

    @property
    def logits(self) -> NDArray[np.generic]:
        """The case's own rows, whatever the operation calls them."""
        own: NDArray[np.generic] = self.arguments[self.operation.arguments[0]]
        return own

    @property
    def beside(self) -> list[Any]:
        return [self.arguments[name] for name in self.operation.arguments[1:]]

    @property
    def rows(self) -> slice:
        """Where they stand in the block's answers as rows."""
        return slice(None) if self.operation.scalar else slice(self.start, self.start + len(self.logits))

    def allowed(self, backend: str, theory: Theory, form: Format) -> NDArray[np.float64]:
        """The bound, made once for all backends that declare the same and answer in the same format."""
        return self.allowed_of(declared(backend, self.group.dtype), theory, form)

    def allowed_of(self, about: Declared, theory: Theory, form: Format) -> NDArray[np.float64]:
        key = about, theory, form
        if key not in self.bounds:
            self.bounds[key] = bound(self.operation.name, self.logits, self.beside, form, theory, about)
        return self.bounds[key]

    def sizes(self) -> NDArray[np.float64]:
        """What an answer's errors are measured against where it is simulated."""
        return sizes(digit(self.operation.name, self.logits, self.beside) / DIGIT, self.form)

    def honest(self, rows: Rows) -> Honest:
        """What honest evaluations of these rows err by, made once for all backends of which theory says as little."""
        key = rows.tobytes()
        if key not in self.simulations:
            here = [value[rows] if name in PER_ROW else value for name, value in self.arguments.items()]
            kept = slice(None) if self.operation.scalar else rows
            exact, size = self.expected.rounded()[kept], self.sizes()[kept]
            self.simulations[key] = honest(self.operation.name, self.form, here[0], here[1:], exact, size)
        return self.simulations[key]

    def left_open(self, backend: str, bound: NDArray[np.float64]) -> Rows | None:
        """Rows of which honest evaluations are to be asked, as a mask; None where theory speaks of all.

        `bound`: what is proved of the elements.
        """
        if not simulates(self.operation.name, self.form, declared(backend, self.group.dtype)):
            return None
        rows = leaves_no_digit(bound, self.sizes())
        if not rows.any():
            return None
        return np.ones(len(self.logits), bool) if self.operation.rows_together else rows

    def simulated(self, backend: str, absolute: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
        """Errors as shares of what honest evaluations explain; NaN in other rows."""
        shares, kept = np.full(absolute.shape, np.nan), slice(None) if self.operation.scalar else rows
        lost = declared(backend, self.group.dtype).flush or 0.0
        shares[kept] = self.honest(rows).shares(absolute[kept], lost)
        return shares

    @property
    def audit(self) -> Audit:
        return sum(self.audits, start=Audit())

    def certain(self, number: int) -> Expected:
        """One row's exact values by Arb, whatever the others are from: the witness's."""
        row = self.expected.row(number)
        if not self.audits:
            return row
        if number not in self.by_arb:
            here = [value[[number]] if name in PER_ROW else value for name, value in self.arguments.items()]
            exact = expected(self.operation.name, here[0], here[1:])
            worst = checked(self.operation.name, self.expected.row([number]), exact, self.finest)
            self.audits.append(Audit(audited=exact.hi.size, largest_deviation=worst))
            self.by_arb[number] = exact.row(0)
        return self.by_arb[number]

    def row(self, number: int) -> dict[str, Any]:
        """One row's arguments."""
        return {name: own(name, value, number) for name, value in self.arguments.items()}


def own(name: str, value: Any, number: int) -> Any:
    if name not in PER_ROW:
        return value
    return int(value[number]) if value.ndim == 1 else value[number]


def declared(backend: str, dtype: str) -> Declared:
    """What a backend says of its own arithmetic in that dtype."""
    about = find(backend)
    power = about.flushes_below.get(answer_dtype(backend, dtype))
    return Declared(
        None if power is None else 2.0**power,
        about.through_probabilities,
        about.through_entries,
        about.through_logs,
        about.scaled_logits,
        about.difference_step,
    )


def questions(group: Group, rows: blocks.Rows, offset: int, answered: Iterable[str]) -> Iterator[Question]:
    """A block's rows, some at a time, with their exact values, made once for all backends. `answered`: in which dtypes.

    Beyond `LARGE` answers they are float64's, audited by Arb, if no answer is in float64 itself.
    """
    operation = OPERATIONS[group.operation]
    made = blocks.arguments(group.case, operation, group.dtype, group.axis, rows)
    arguments = {name: moved(name, value, group.axis) for name, value in made.items()}
    count, n = arguments[operation.arguments[0]].shape
    width = prod(lengths(operation, n, group.case.classes))
    step = count if operation.rows_together else max(1, SLICE_ELEMENTS // max(1, width))
    finest = max((FORMATS[dtype] for dtype in (group.dtype, *answered)), key=lambda form: form.p)
    fast = operation.name in float64.OPERATIONS and finest.p <= FORMATS["float32"].p and size(group) >= LARGE
    for start in range(0, count, max(1, step)):
        part = {name: value[start : start + step] if name in PER_ROW else value for name, value in arguments.items()}
        logits, *beside = part.values()
        if fast:
            exact, audit = audited(operation.name, logits, beside, finest, start)
            yield Question(group, part, start, offset + start * width, exact, [audit], finest=finest)
        else:
            exact = expected(operation.name, logits, beside)
            yield Question(group, part, start, offset + start * width, exact, [])


def size(group: Group) -> int:
    """Elements of the whole case's answer."""
    return prod(answer_shape(OPERATIONS[group.operation], group.case.shape, group.axis, group.case.classes))


def moved(name: str, value: Any, axis: int) -> Any:
    """An argument as (rows, n); labels as (rows,); what is not a row's own as it is."""
    if name not in PER_ROW:
        return value
    return value.reshape(-1) if value.dtype.kind == "i" else np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])


def block_shape(group: Group, rows: blocks.Rows) -> tuple[int, ...]:
    return (rows[1] - rows[0], *group.case.shape[1:])


def block_answer(group: Group, rows: blocks.Rows) -> tuple[int, ...]:
    """Shape of a block's answer."""
    return answer_shape(OPERATIONS[group.operation], block_shape(group, rows), group.axis, group.case.classes)
