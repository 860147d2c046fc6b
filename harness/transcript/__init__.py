"""An adapter's calls as a script in its framework's own words, recorded while the adapter computes.

The script holds the adapter's settings, the exact inputs and every call. Run in a fresh interpreter without this
harness, it gives the same bits (`tests/test_transcript.py`). Recording runs in the framework's own worker process.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from backends import Backend
from harness.operations import ARGUMENTS
from harness.transcript.adapter import aliases, recorded_modules
from harness.transcript.expressions import TranscriptError, dotted, target
from harness.transcript.imported import brought_folders, imported, in_front, is_brought
from harness.transcript.literals import MODULES, literal
from harness.transcript.recorder import Recorder
from harness.transcript.script import Transcript, arranged
from harness.transcript.symbols import real
from harness.transcript.tidy import Block, bare, loads, text, tidy

__all__ = ["Transcript", "TranscriptError", "in_words", "transcribe", "transcript"]

TAKEN = ("answer", "actual", "before", "after", *MODULES)
PLACE = "literal_of_"
"""The prefix of the name that stands for an argument's literal in the syntax tree, which does not keep line breaks."""


def transcribe(backend: Backend, method: str, arguments: Mapping[str, Any]) -> str:
    """Return the script of one question, given arrays of NumPy. The script's last line binds `answer`."""
    return transcript(backend, method, arguments).script


def transcript(
    backend: Backend,
    method: str,
    arguments: Mapping[str, Any],
    stand_ins: bool = False,
    watched: str = "",
    imports: str = "",
) -> Transcript:
    """Return the transcript of one question in the framework's own words.

    If there is none, or if `imports` gives a reason against it, the script imports the backend itself.

    `stand_ins`: compute on zeros and write down the true arguments, for questions that end their process.

    `watched`: an argument whose numbers the computation copies to `before`, and to `after` once all is done.
    """
    if not imports:
        try:
            return in_words(backend, method, arguments, stand_ins, watched)
        except Exception as error:  # a backend from outside may do anything to the recorder
            imports = str(error) if isinstance(error, TranscriptError) else f"{type(error).__name__}: {error}"
    return imported(type(backend), method, arguments, watched, " ".join(imports.split()))


def in_words(
    backend: Backend, method: str, arguments: Mapping[str, Any], stand_ins: bool = False, watched: str = ""
) -> Transcript:
    """Return the transcript in the framework's own words.

    A compiler that cannot look through the recorder is recorded without being run. Raise TranscriptError if the calls
    cannot be written down.
    """
    try:
        return recorded(Recorder(), backend, method, arguments, stand_ins, watched)
    except TranscriptError:
        return recorded(Recorder(uncompiled=True), backend, method, arguments, stand_ins, watched)


def recorded(
    recorder: Recorder, backend: Backend, method: str, arguments: Mapping[str, Any], stand_ins: bool, watched: str
) -> Transcript:
    with recorded_modules(type(backend), recorder):
        own = type(backend)()
        recorder.making, made = False, recorder.taken()
        literals, natives = inputs(own, recorder, arguments, stand_ins)
        if watched:
            copy(own, recorder, natives[watched], "before")
        given = recorder.taken()
        answer, raised = recorded_answer(own, method, natives, recorder)
        computed = recorder.taken()
        short = aliases(own, recorder)
        converted = [] if raised else conversion(own, recorder, answer)
        if watched:  # lazy computations are done once the answer is converted
            copy(own, recorder, natives[watched], "after")
            computed, converted = computed + recorder.taken(), []
    if stand_ins and recorder.looked:
        raise TranscriptError("what it does depends on numbers that only the true arguments have")
    effects = leading_effects(made, loads(made + given + computed))
    script = effects + given + made[len(effects) :] + computed
    tidy(script, recorder, short, TAKEN)
    tidy(converted, recorder, short, TAKEN)
    refuse_uncalled(script)
    first = [statement for statement in script if any(statement is effect for effect in effects)]
    rest = [statement for statement in script if not any(statement is effect for effect in effects)]
    computation = filled(text(rest), literals)
    setup = "\n".join((*found_again(recorder), text(first)))
    return Transcript(arranged(setup, computation), computation, text(converted), raised)


def found_again(recorder: Recorder) -> list[str]:
    """Return the statements that let an isolated interpreter find modules that the backend brought with it."""
    folders = brought_folders() if any(map(is_brought, recorder.roots)) else []
    return ["import sys", in_front(folders)] if folders else []


def inputs(
    own: Backend, recorder: Recorder, arguments: Mapping[str, Any], stand_ins: bool
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the arguments' literals by their places in the script, and the framework's own arrays."""
    literals: dict[str, str] = {}
    natives = dict(arguments)
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            expression, short = literal(value), ARGUMENTS[name].short
            literals[f"{PLACE}{name}"] = expression
            array = recorder.assign(ast.Name(f"{PLACE}{name}", ast.Load()), f"{short}_array")
            native = own.from_numpy(recorder.symbol(np.zeros_like(value) if stand_ins else value, array))
            natives[name] = recorder.called(native, short)
    return literals, natives


def recorded_answer(own: Backend, method: str, natives: Mapping[str, Any], recorder: Recorder) -> tuple[Any, str]:
    """Return the framework's answer, or None and the type of the exception that it raised.

    The last statement binds `answer`, unless it is a `with` that raised. Raise TranscriptError for an exception that is
    not the framework's.
    """
    try:
        answer = getattr(own, method)(**natives)
    except Exception as error:
        if recorder.broken or error is not recorder.raised:
            cause = recorder.broken or error
            raise TranscriptError(f"{type(cause).__name__} while it was recorded: {cause}") from cause
        match recorder.blocks[0]:
            case [*_, ast.Assign() | ast.Expr() as last]:
                recorder.blocks[0][-1] = ast.Assign([ast.Name("answer", ast.Store())], last.value)
        return None, type(error).__name__
    recorder.blocks[0].append(ast.Assign([ast.Name("answer", ast.Store())], recorder.node(answer)))
    return real(answer), ""


def conversion(own: Backend, recorder: Recorder, answer: Any) -> Block:
    """Record the conversion of the answer to a NumPy array, `actual`.

    Return the statements, which stay with the recorder as well.
    """
    actual = own.to_numpy(recorder.symbol(answer, ast.Name("answer", ast.Load())))
    node = recorder.node(actual)
    if type(real(actual)) is not np.ndarray:
        node = called_by("numpy.asarray", node)
    recorder.blocks[0].append(ast.Assign([ast.Name("actual", ast.Store())], node))
    return recorder.blocks[0]


def copy(own: Backend, recorder: Recorder, native: Any, name: str) -> None:
    """Record a copy of the array's numbers as they are at this point, under the given name."""
    node = recorder.node(own.to_numpy(native))
    recorder.blocks[0].append(ast.Assign([ast.Name(name, ast.Store())], called_by("numpy.array", node)))


def called_by(function: str, node: ast.expr) -> ast.expr:
    return ast.Call(dotted(function), [node], [])


def leading_effects(made: Block, used: Counter[str]) -> Block:
    """Return the imports and settings that stand before the first thing the adapter made for later use."""
    later = (n for n, s in enumerate(made) if isinstance(s, ast.FunctionDef) or used[target(s)])
    return [bare(statement, used) for statement in made[: next(later, len(made))]]


def refuse_uncalled(block: Block) -> None:
    for node in (node for statement in block for node in ast.walk(statement)):
        if isinstance(node, ast.FunctionDef) and not node.body:
            raise TranscriptError(f"{node.name} was never called, so what it does is not known")


def filled(script: str, literals: Mapping[str, str]) -> str:
    for place, expression in literals.items():
        script = script.replace(place, expression)
    return script
