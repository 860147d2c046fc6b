"""Scripts of one or two questions and what was recorded of each, for answers that have no exact value.

An example is NaN in one dtype and 0 in another. A script says `shown: …` only if each side still gives what was
recorded: an exception of the same type, or an array of the same dtype and shape whose numbers agree within 1/64 of
their size, NaN with NaN and infinities with those of the same sign.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.findings.scripts.claims import OPENED, opening, verdict
from harness.transcript.literals import MODULES
from harness.transcript.script import Transcript

JUDGE = """

def outcome(asked):
    try:
        return asked()
    except Exception as error:
        return type(error).__name__


def alike(found, recorded):
    if isinstance(found, str) or isinstance(recorded, str):
        return isinstance(found, str) and isinstance(recorded, str) and found == recorded
    if (found.dtype, found.shape) != (recorded.dtype, recorded.shape):
        return False
    return np.allclose(found.astype(complex), recorded.astype(complex), rtol=1 / 64, atol=0, equal_nan=True)"""


@dataclass(frozen=True)
class NamedQuestion:
    """One question, with its name in words.

    `recorded` is an expression: of an array, or of the name of an exception's type.
    """

    name: str
    transcript: Transcript
    recorded: str


def script_of(
    title: str, sides: Sequence[NamedQuestion], claim: str, environment: Mapping[str, str] | None = None
) -> str:
    """Return the whole script."""
    names = ("one", "two")[: len(sides)]
    note = next((side.transcript.note for side in sides if side.transcript.note), "")
    parts = [opening(title, environment, note), setup(sides), JUDGE]
    parts += [function_of(f"asked_{name}", side) for name, side in zip(names, sides, strict=True)]
    parts.append("\n")
    for name, side in zip(names, sides, strict=True):
        parts.append(f"recorded_{name} = {side.recorded}\n{name} = outcome(asked_{name})")
        parts.append(f"print({f'{side.name}:'!r}, {name}, ' recorded:', recorded_{name})")
    condition = " and ".join(f"alike({name}, recorded_{name})" for name in names)
    return "\n".join([*parts, *verdict(condition, claim)]) + "\n"


def setup(sides: Sequence[NamedQuestion]) -> str:
    """Return the imports and settings of all sides, each line once, without the imports that `opening` has."""
    lines = [line for side in sides for line in side.transcript.setup.splitlines() if line not in OPENED]
    needed = [f"import {name}" for name in MODULES if any(f"{name}." in side.recorded for side in sides)]
    return "\n".join(dict.fromkeys([*needed, *lines]))


def function_of(name: str, side: NamedQuestion) -> str:
    body = textwrap.indent(f"{side.transcript.computation}\n{side.transcript.conversion}", "    ").rstrip()
    returned = "answer" if side.transcript.raised else "actual"
    return f"\n\ndef {name}():  # {side.name}\n{body}\n    return {returned}"
