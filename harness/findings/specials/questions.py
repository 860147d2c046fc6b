"""One question of the atlas, asked of a worker that stays alive: its rows, their layout, and the facts it gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backends import find
from harness.faults import Fault
from harness.findings.asker import Asker
from harness.findings.record import ATLAS
from harness.operations import OPERATIONS
from harness.specials.entries import Seen
from harness.specials.facts import Answer, tell
from harness.specials.sheets import LAYOUT_AXES, Sheet, SheetRow, arguments, label
from harness.specials.special_inputs import ASKED_ALONE
from harness.specials.sweep import alone, side_by_side
from harness.transcript.script import Transcript
from harness.workers.request import Request


def spelt(situation: str) -> str:
    return ATLAS + situation.replace(" ", "_")


@dataclass(frozen=True)
class SpecialQuestion:
    """An operation of a backend in one situation. The sheet's first row is the one that it is about."""

    backend: str
    operation: str
    situation: str
    sheet: Sheet
    layout: str

    @property
    def axis(self) -> int:
        return LAYOUT_AXES[self.layout]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the logits."""
        rows, n = len(self.sheet.rows), self.sheet.n
        return {"last": (rows, n), "first": (n, rows), "alone": (n,), "0-d": ()}[self.layout]

    def with_rows(self, rows: list[SheetRow], layout: str = "") -> SpecialQuestion:
        n = len(rows[0].logits) if rows else self.sheet.n
        situations = tuple(dict.fromkeys(row.situation for row in rows if row.situation)) or (self.situation,)
        return replace(self, sheet=Sheet(situations, rows, n, self.sheet.dtype), layout=layout or self.layout)

    def in_dtype(self, dtype: str) -> SpecialQuestion:
        return replace(self, sheet=Sheet(self.sheet.situations, self.sheet.rows, self.sheet.n, dtype))

    def of(self, backend: str) -> SpecialQuestion:
        return replace(self, backend=backend)


def where_seen(backend: str, operation: str, situation: str, seen: Seen) -> SpecialQuestion:
    """Return the question as the survey asked it, with a row in front for which the fact was seen."""
    separate = any(one.name == situation for one in ASKED_ALONE)
    sheet = alone(situation, seen.width, seen.dtype) if separate else side_by_side(seen.width, seen.dtype)
    rows = sorted(sheet.rows, key=lambda row: (row.situation != situation, row.position not in seen.positions))
    question = SpecialQuestion(backend, operation, situation, sheet, seen.axis)
    return question.with_rows(rows) if rows else question


def outcome(asker: Asker, question: SpecialQuestion, again: bool = False) -> Answer | Fault:
    """Return the answer, or why there is none. `again`: whether it is asked once more after a crash, as in a survey."""
    return asker.answered(request(question), again).found


def facts(question: SpecialQuestion, asked: Answer | Fault) -> set[str]:
    """Return all facts that an answer or a fault gives about the question's situation."""
    about = find(question.backend)
    dtype = question.sheet.dtype
    told = tell(question.operation, question.sheet, question.layout, about.answers_in.get(dtype, dtype), asked)
    return {one.fact for one in told if one.situation == question.situation}


def request(question: SpecialQuestion) -> Request:
    given = arguments(question.sheet, question.operation, question.layout)
    return Request(question.backend, question.operation, question.axis, given)


def transcript(asker: Asker, question: SpecialQuestion, stand_ins: bool = False) -> Transcript | str:
    """Return the transcript of a question, or a sentence that says why there is none."""
    return asker.written(request(question), stand_ins)


def in_brackets(question: SpecialQuestion) -> str:
    """Return the rows' logits in words, as in "[nan, 0], [1, 2]", or with labels, as in "[0, 0] label -1"."""
    labelled = "labels" in OPERATIONS[question.operation].arguments
    rows = question.sheet.rows or [SheetRow(np.zeros(0), label=0)]
    return ", ".join(f"{of_row(row)}{f' label {label(row)}' if labelled else ''}" for row in rows[:MOST])


def of_row(row: SheetRow) -> str:
    return f"[{', '.join(map(number_text, row.logits[:MOST]))}{more(row)}]"


MOST = 6
"""The largest number of numbers in a row, and of rows, that are written down."""


def number_text(number: Any) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def more(row: SheetRow) -> str:
    return f", … {len(row.logits)} in all" if len(row.logits) > MOST else ""
