"""What other people's checks say of the mutants: `python -m harness.power.peers FRAMEWORK JOB OUT`, its own process.

Checks of values compare an answer with the exact value, rounded once. Checks of derivatives compare a mutant's
derivative with differences of the mutant's own function, in float64. If a check objects to a right answer to a
question, what it says of mutants at that question is not counted. The objection is reported as a false alarm.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from backends import OPERATIONS as METHOD_OF
from backends import Backend, add
from harness.judging.probes import answer_dtype
from harness.operations import OPERATIONS, lengths
from harness.power import mutants, right
from harness.power.differentiable import posed
from harness.power.planting import Mutant
from harness.questions import blocks
from harness.questions.cases import named
from harness.records import Case, Normal
from harness.truth import expected

CUSTOMARY = Case("customary", "randn of 32 rows and 10 columns", Normal(1), (32, 10))
Check = Callable[..., str]


@dataclass(frozen=True)
class Asked:
    """One question. `case` is a case's name, and all rows of its first block are asked."""

    operation: str
    case: str
    dtype: str
    axis: int = -1

    @property
    def arguments(self) -> dict[str, Any]:
        """Return new copies of the arguments, because some mutants write into them."""
        case, operation = case_of(self.case), OPERATIONS[self.operation]
        made = blocks.arguments(case, operation, self.dtype, self.axis, blocks.boundaries(case)[0])
        return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in made.items()}


@dataclass(frozen=True)
class Said:
    """What one check said of one backend over a set of questions. `asked`: the number of questions it was asked."""

    checker: str
    questions: str
    backend: str
    asked: int
    objected: int
    differs: bool
    """True if any of its answers there has other bits than NumPy's own formulas give. If not, no check could object."""
    case: str = ""
    """The first question to whose answer the check objected."""
    objection: str = ""
    kind: str = "values"
    """What it checks: `values`, against the exact ones, or `gradients`, against differences."""


def case_of(name: str) -> Case:
    return CUSTOMARY if name == CUSTOMARY.name else named(name)


def answer(backend: Backend, asked: Asked) -> Any:
    operation = OPERATIONS[asked.operation]
    reduction = {"reduction": operation.reduction} if operation.reduction else {}
    method = getattr(backend, METHOD_OF[asked.operation])
    return method(axis=asked.axis, **asked.arguments, **reduction)


@cache
def exact(asked: Asked, dtype: str) -> Any:
    """Return the exact answer, rounded once to that dtype."""
    operation, given = OPERATIONS[asked.operation], asked.arguments
    first = given[operation.arguments[0]]
    rows = [right.by_rows(name, value, asked.axis) for name, value in given.items()]
    found = right.nearest(expected(operation.name, rows[0], rows[1:]), dtype)
    classes = len(given.get("weights", ()))
    width = prod(lengths(operation, first.shape[asked.axis], classes))
    return right.in_shape(operation, found.reshape(-1, width), first.shape, asked.axis, classes)


def of_values(check: Check, backend: Backend, asked: Asked) -> str:
    return check(answer(backend, asked), exact(asked, answer_dtype(backend.title(), asked.dtype)))


def of_derivatives(check: Check, backend: Backend, asked: Asked) -> str:
    problem = posed(backend, asked.operation, asked.arguments, asked.axis)
    return check(problem.function, problem.x, problem.pull, problem.push)


def objection(ask: Callable[[Check, Backend, Asked], str], check: Check, backend: Backend, asked: Asked) -> str:
    """Return what a check says. An exception is an objection too, whatever the check."""
    try:
        return ask(check, backend, asked)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def concerning(backend: type[Backend], questions: Iterable[Asked]) -> list[Asked]:
    """Return the questions that a backend can be asked.

    The customary question is asked in one dtype, that of the first claimed question.
    """
    claimed = [asked for asked in questions if asked.operation in backend.operations and asked.dtype in backend.dtypes]
    return [asked for asked in claimed if asked.case != CUSTOMARY.name or asked.dtype == claimed[0].dtype]


def said_of_all(
    checker: str, ask: Callable[[Check, Backend, Asked], str], check: Check, title: str, questions: Sequence[Asked]
) -> Iterator[Said]:
    """Yield what a check says of correct backends, at all questions, and then of mutants.

    A mutant is asked the questions at which the check did not object to a correct backend, until the first objection.
    """
    useful = dict.fromkeys(questions)
    natives: tuple[type[Backend], ...] = (Mutant, *right.CLAIMS)
    for native in natives:
        said = [(asked, objection(ask, check, native(), asked)) for asked in concerning(native, questions)]
        alarms = [(asked, text) for asked, text in said if text]
        for asked, _ in alarms:
            useful.pop(asked, None)
        yield Said(checker, title, native.title(), len(said), len(alarms), False, *first(alarms))
    for mutant in mutants.MUTANTS:
        yield of_mutant(checker, ask, check, title, mutant, list(useful))


def of_mutant(
    checker: str,
    ask: Callable[[Check, Backend, Asked], str],
    check: Check,
    title: str,
    mutant: type[Mutant],
    useful: Sequence[Asked],
) -> Said:
    backend = mutant()
    questions = concerning(mutant, useful)
    for number, asked in enumerate(questions):
        if text := objection(ask, check, backend, asked):
            return Said(checker, title, mutant.title(), number + 1, 1, True, *first([(asked, text)]))
    return Said(checker, title, mutant.title(), len(questions), 0, any(shows(backend, asked) for asked in questions))


def shows(mutant: Backend, asked: Asked) -> bool:
    """Decide whether the mutant's answer has other bits than NumPy's own formulas give, or is an exception."""
    try:
        return bool(np.asarray(answer(mutant, asked)).tobytes() != np.asarray(answer(Mutant(), asked)).tobytes())
    except Exception:
        return True


def first(alarms: Sequence[tuple[Asked, str]]) -> tuple[str, str]:
    if not alarms:
        return "", ""
    asked, text = alarms[0]
    return f"{asked.operation} {asked.case} {asked.dtype}", text[:200]


def carried_out(framework: str, job: Mapping[str, Mapping[str, list[list[Any]]]]) -> Iterator[Said]:
    """Yield what a framework's checks say. `job`: sets of questions by title, for values and for gradients."""
    peers = import_module(f"backends.peers.{framework}")
    for kind, ask, checks in (("values", of_values, peers.VALUES), ("gradients", of_derivatives, peers.GRADIENTS)):
        for checker, check in checks.items():
            for title, questions in job[kind].items():
                for said in said_of_all(checker, ask, check, title, [Asked(*entry) for entry in questions]):
                    yield replace(said, kind=kind)


def main(framework: str, job: str, out: str) -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    add(mutants.BACKENDS)
    add(right.BACKENDS)
    try:
        found: Any = [asdict(said) for said in carried_out(framework, json.loads(Path(job).read_text()))]
    except ImportError as error:
        found = {"absent": str(error)}
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
