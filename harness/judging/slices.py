"""One block of a case as it is judged: its arguments row by row, the exact values, and the errors that are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends import find
from harness.judging.chains import directions
from harness.judging.probes import answer_dtype
from harness.judging.significant_digits import digit
from harness.numbers.formats import DIGIT, FORMATS, Format
from harness.operations import ARGUMENTS, OPERATIONS, Operation, answer_shape, lengths
from harness.questions import blocks
from harness.records import Audit, Group
from harness.truth import Expected, audited, checked, expected, float64
from harness.truth.bounds import Declared, Theory, bound, scales
from harness.truth.simulated import Honest, Rows, honest, leaves_no_digit, simulates, sizes

SLICE_ELEMENTS = 2**16
"""The most elements of an answer that are judged together, in whole rows, which limits memory. A question whose rows
depend on each other is not cut."""
LARGE = 100_000
"""From so many elements of a case's answer on, exact values are computed in float64 where that is accurate enough."""


@dataclass(frozen=True)
class Slice:
    """Some rows of one block, with their arguments and exact values.

    What does not depend on the answers is computed once, for all backends.
    """

    group: Group
    block: blocks.Rows
    arguments: Mapping[str, Any]
    start: int
    """The number of rows of the block before these."""
    offset: int
    """The number of elements of the case's answer before these rows."""
    expected: Expected
    audits: list[Audit]
    """The checks of exact values that were computed in float64; empty if Arb computed all of them."""
    by_arb: dict[int, Expected] = field(default_factory=dict)
    """Exact values that Arb computed for single rows, by row number."""
    finest: Format = FORMATS["float64"]
    """The finest format of the question and its answers. Exact values from float64 are known to 2^-10 of its ulp."""
    bounds: dict[tuple[Declared, Theory, Format], NDArray[np.float64]] = field(default_factory=dict)
    """A cache of the bounds that were asked for."""
    simulations: dict[bytes, Honest] = field(default_factory=dict)
    """A cache of the honest evaluations, by the bytes of the mask of rows."""
    drawn: dict[str, Any] = field(default_factory=dict)
    """A cache of these rows' parts of arguments that only other operations take."""

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
        """The case's own rows, shape (rows, n), which an operation may call `inputs`."""
        own: NDArray[np.generic] = self.arguments[self.operation.arguments[0]]
        return own

    @property
    def beside(self) -> list[Any]:
        """The operation's other arguments, in its order."""
        return [self.arguments[name] for name in self.operation.arguments[1:]]

    @property
    def rows(self) -> slice:
        """The slice of these rows in the block's answer in the shape of `as_rows`."""
        return slice(None) if self.operation.scalar else slice(self.start, self.start + len(self.logits))

    def allowed(self, backend: str, theory: Theory, form: Format) -> NDArray[np.float64]:
        """Return a theory's bound for a backend that answers in that format, shape (rows, elements)."""
        return self.allowed_of(declared(backend, self.group.dtype), theory, form)

    def allowed_of(self, about: Declared, theory: Theory, form: Format) -> NDArray[np.float64]:
        """Return the bound with those declarations. It is computed once for all backends that share it."""
        key = about, theory, form
        if key not in self.bounds:
            self.bounds[key] = bound(self.operation.name, self.logits, self.beside, form, theory, about)
        return self.bounds[key]

    @cached_property
    def scale(self) -> NDArray[np.float64] | None:
        """The sum of each element's terms without their signs; None for an operation without a scale."""
        return scales(self.operation.name, self.logits, *self.beside)

    @cached_property
    def digit(self) -> NDArray[np.float64]:
        """The largest error of each element that leaves one digit right."""
        return digit(self.operation.name, self.logits, self.beside)

    @cached_property
    def directions(self) -> NDArray[np.float64] | None:
        """The directions along which errors of a row's sums move its answer; None if they are not known."""
        return directions(self.operation.name, self.logits, self.beside)

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """The size of each element, against which the errors of honest evaluations are measured."""
        return sizes(self.digit / DIGIT, self.form)

    def row_argument(self, name: str) -> NDArray[np.generic]:
        """Return these rows' part of an argument that the operation may not take itself."""
        if name in self.arguments:
            own: NDArray[np.generic] = self.arguments[name]
            return own
        if name not in self.drawn:
            whole = blocks.argument(self.group.case, name, self.group.dtype, self.group.axis, self.block)
            self.drawn[name] = moved(name, whole, self.group.axis)[self.rows]
        return self.drawn[name]

    def honest(self, rows: Rows) -> Honest:
        """Return the errors of honest evaluations of these rows. They are computed once for all backends."""
        key = rows.tobytes()
        if key not in self.simulations:
            here = list(taken(self.arguments, rows).values())
            kept = slice(None) if self.operation.scalar else rows
            exact, size = self.expected.rounded()[kept], self.sizes[kept]
            self.simulations[key] = honest(self.operation.name, self.form, here[0], here[1:], exact, size)
        return self.simulations[key]

    def left_open(self, backend: str, bound: NDArray[np.float64]) -> Rows | None:
        """Return the rows to compare with honest evaluations, as a mask; None if there are none.

        These are the rows where `bound`, the proved bound, leaves no digit. They are all rows if the operation's rows
        depend on each other. None is also returned if nothing is simulated for this operation, format or backend.
        """
        if not simulates(self.operation.name, self.form, declared(backend, self.group.dtype)):
            return None
        rows = leaves_no_digit(bound, self.sizes)
        if not rows.any():
            return None
        return np.ones(len(self.logits), bool) if self.operation.rows_together else rows

    def simulated(self, backend: str, absolute: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
        """Return the errors in those rows as shares of what honest evaluations explain; NaN in other rows."""
        shares, kept = np.full(absolute.shape, np.nan), slice(None) if self.operation.scalar else rows
        lost = declared(backend, self.group.dtype).flush or 0.0
        shares[kept] = self.honest(rows).shares(absolute[kept], lost)
        return shares

    @property
    def audit(self) -> Audit:
        """All audits taken together."""
        return sum(self.audits, start=Audit())

    def certain(self, number: int) -> Expected:
        """Return one row's exact values by Arb, and audit those of float64 if the rows came from there.

        Raise AuditError if they differ by more than 2^-10 ulp, or in the ulp itself.
        """
        row = self.expected.row(number)
        if not self.audits:
            return row
        if number not in self.by_arb:
            here = list(taken(self.arguments, [number]).values())
            exact = expected(self.operation.name, here[0], here[1:])
            worst = checked(self.operation.name, self.expected.row([number]), exact, self.finest)
            self.audits.append(Audit(audited=exact.hi.size, largest_deviation=worst))
            self.by_arb[number] = exact.row(0)
        return self.by_arb[number]

    def row(self, number: int) -> dict[str, Any]:
        """Return one row's arguments."""
        return {name: own(name, value, number) for name, value in self.arguments.items()}


def taken(arguments: Mapping[str, Any], rows: Any) -> dict[str, Any]:
    """Return the arguments of some rows: a slice, a mask or a list of numbers."""
    return {name: value[rows] if ARGUMENTS[name].per_row else value for name, value in arguments.items()}


def own(name: str, value: Any, number: int) -> Any:
    """Return the part of an argument that belongs to one row, or the argument itself if all rows share it."""
    if not ARGUMENTS[name].per_row:
        return value
    return int(value[number]) if value.ndim == 1 else value[number]


def declared(backend: str, dtype: str) -> Declared:
    """Return what a backend declares about its own arithmetic for logits of that dtype."""
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


def questions(group: Group, rows: blocks.Rows, offset: int, answered: Iterable[str]) -> Iterator[Slice]:
    """Yield a block's rows, some at a time, with their exact values. `answered` has the dtypes of the answers.

    From `LARGE` elements on, the exact values are computed in float64 and audited by Arb, if the format under test and
    all answers are no finer than float32 and the operation has a float64 formula.
    """
    operation = OPERATIONS[group.operation]
    made = blocks.arguments(group.case, operation, group.dtype, group.axis, rows)
    arguments = {name: moved(name, value, group.axis) for name, value in made.items()}
    count, n = arguments[operation.arguments[0]].shape
    width = prod(lengths(operation, n, group.case.classes))
    step = count if operation.rows_together else max(1, SLICE_ELEMENTS // max(1, width))
    finest = max((FORMATS[dtype] for dtype in (group.dtype, *answered)), key=lambda form: form.p)
    fast = operation.name in float64.IN_FLOAT64 and finest.p <= FORMATS["float32"].p and size(group) >= LARGE
    for start in range(0, count, max(1, step)):
        part = taken(arguments, slice(start, start + step))
        logits, *beside = part.values()
        if fast:
            exact, audit = audited(operation.name, logits, beside, finest, start)
            yield Slice(group, rows, part, start, offset + start * width, exact, [audit], finest=finest)
        else:
            exact = expected(operation.name, logits, beside)
            yield Slice(group, rows, part, start, offset + start * width, exact, [])


def size(group: Group) -> int:
    """Return the number of elements of the whole case's answer."""
    return prod(answer_shape(OPERATIONS[group.operation], group.case.shape, group.axis, group.case.classes))


def moved(name: str, value: Any, axis: int) -> Any:
    """Return an argument in shape (rows, n), labels in shape (rows,); one that all rows share is returned as it is."""
    if not ARGUMENTS[name].per_row:
        return value
    return value.reshape(-1) if value.dtype.kind == "i" else np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])


def block_shape(group: Group, rows: blocks.Rows) -> tuple[int, ...]:
    return (rows[1] - rows[0], *group.case.shape[1:])


def block_answer(group: Group, rows: blocks.Rows) -> tuple[int, ...]:
    """Return the shape of a block's answer."""
    return answer_shape(OPERATIONS[group.operation], block_shape(group, rows), group.axis, group.case.classes)
