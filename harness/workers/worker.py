"""What runs inside of a backend's own process: one framework, one request at a time.

Requests and replies are plain types, with their arrays' bytes behind them (`wire.py`). It needs NumPy and the
framework, nothing else of ours.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np

from backends import OPERATIONS as METHODS_OF
from backends import Backend, find, load
from harness.operations import OPERATIONS, Operation
from harness.questions.variations import CALLS, HELD, Array, laid_out, others
from harness.transcript import transcript
from harness.workers import wire

NUMBERS = "biufcV"
"""Kinds of NumPy's dtypes; V has those that others add, as bfloat16."""
MEMORY_WORDS = re.compile(r"out of memory|can't allocate|cannot allocate|bad_alloc|RESOURCE_EXHAUSTED", re.IGNORECASE)


def current_folder() -> str:
    """Its path; nothing where it was removed."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


STARTED = current_folder()
"""Where the user stands."""


def serve(channel: Any, framework: str, folder: str = "") -> None:
    """Say what came of the framework's import, then answer requests until the other side hangs up.

    `folder`: the current one while it answers, so that what a backend leaves there is not left at the user's.
    """
    said = sendable(opened(framework))
    with suppress(OSError):
        os.chdir(folder or STARTED)
    channel.send(said)
    for packed in channel:
        request = wire.unpacked(packed, channel.receive)
        reply = transcribed(request["transcribe"]) if "transcribe" in request else computed(request)
        wire.send(channel, sendable(reply))


def sendable(reply: Mapping[str, Any]) -> dict[str, Any]:
    """The reply with a backslash escape for each lone surrogate, as errors about undecodable file names have them.

    execnet sends UTF-8, which has none: a backend that merely failed would look like a worker that crashed.
    """
    return {name: encodable(said) if isinstance(said, str) else said for name, said in reply.items()}


def encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def opened(framework: str) -> dict[str, Any]:
    """Import the framework. Its version and this process's habits, or the reason why it is absent."""
    try:
        find(framework)
    except KeyError:
        return {"absent": f"this interpreter has no backend {framework!r}"}
    try:
        version = str(loaded(framework).version)
    except ImportError as error:
        return {"absent": first_line(error)}
    except Exception as error:
        return {"absent": f"its import failed: {described(error)}"}
    return {
        "version": version,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "flush_to_zero": bool((np.array([2.0**-1074]) * 1.0 == 0.0).all()),
    }


def computed(request: dict[str, Any]) -> dict[str, Any]:
    """Outcome, reason and the answer, for one block at one backend."""
    try:
        backend = loaded(request["backend"])
        if backend.remark:
            backend.remark = ""  # of a question before
        answer = asked(backend, request)
        remark = " ".join(str(backend.remark).split())
    except MemoryError as error:
        return {"outcome": "out of memory", "reason": described(error)}
    except NoNumbersError as error:
        return {"outcome": "failed", "reason": str(error)}
    except Exception as error:
        outcome = "out of memory" if MEMORY_WORDS.search(str(error)) else "failed"
        return {"outcome": outcome, "reason": described(error)}
    return {"outcome": "ok", "reason": remark, "answer": answer}


def asked(backend: Backend, request: dict[str, Any]) -> Array:
    """The answer, on the host: the question put plainly, or in another way that must not change it."""
    operation, axis = OPERATIONS[request["operation"]], request["axis"]
    variation = request.get("variation", "")
    method = getattr(backend, METHODS_OF[operation.name])

    def call(arguments: Mapping[str, Any]) -> Array:
        later = others(arguments, operation.arguments[0]) if variation == HELD else None
        return unspoilt(backend, method, placed(variation, arguments, axis, operation), axis, later)

    given = {name: argument(value) for name, value in request["arguments"].items()}
    if put := CALLS.get(variation):
        return put(call, given, axis, operation, backend)
    return call(given)


def placed(variation: str, arguments: Mapping[str, Any], axis: int, operation: Operation) -> dict[str, Any]:
    """The arguments, each array in the layout that the variation gives it."""
    return {
        name: laid_out(variation, name, value, axis, operation.arguments[0]) if is_array(value) else value
        for name, value in arguments.items()
    }


def transcribed(request: dict[str, Any]) -> dict[str, str]:
    """What the backend does to answer, as the parts of a script, or why there is none."""
    operation, variation, axis = OPERATIONS[request["operation"]], request.get("variation", ""), request["axis"]
    if variation in (*CALLS, HELD):
        return {"untranscribed": f"the question is put in another way ({variation}), which is more than one call"}
    try:
        given = {name: argument(value) for name, value in request["arguments"].items()}
        laid = placed(variation, given, axis, operation) | {"axis": axis}
        backend, method = loaded(request["backend"]), METHODS_OF[operation.name]
        how = {name: request[name] for name in ("stand_ins", "watched", "imports") if name in request}
        return asdict(transcript(backend, method, laid, **how))
    except Exception as error:
        return {"untranscribed": described(error)}


def unspoilt(
    backend: Backend,
    method: Callable[..., Any],
    arguments: Mapping[str, Any],
    axis: int,
    later: Mapping[str, Any] | None = None,
) -> Array:
    """The method's answer, if neither the arguments nor what lies beside them in memory has changed after it.

    `later`: what else is asked before the answer is read.
    """
    before = {name: hashes(value) for name, value in arguments.items() if is_array(value)}
    natives = native_arguments(backend, arguments)
    native = method(axis=axis, **natives)
    if later:
        method(axis=axis, **native_arguments(backend, later))
    answer = numbers(None if native is None else backend.to_numpy(native))
    for name, found in before.items():
        its_own, *around = hashes(arguments[name])
        if its_own != found[0] or not alike(backend.to_numpy(natives[name]), arguments[name]):
            raise InputChangedError(f"it wrote into its {name}")
        if around != found[1:]:
            raise InputChangedError(f"it wrote beside its {name}, in the buffer of which that is a view")
    return answer


def native_arguments(backend: Backend, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: backend.from_numpy(value) if is_array(value) else value for name, value in arguments.items()}


class InputChangedError(Exception):
    """A side effect."""


def numbers(answer: Any) -> Array:
    """A copy of the answer, which is an array of numbers or one number. NoNumbersError where it is neither."""
    copy = np.array(answer)
    if copy.dtype.kind in NUMBERS:
        return copy
    if isinstance(answer, np.ndarray):
        raise NoNumbersError(f"answered in {copy.dtype.name}, which is no number")
    raise NoNumbersError(f"answered with {'None' if answer is None else type(answer).__name__}, not an array")


class NoNumbersError(Exception):
    """An answer that cannot be judged, in the words of the reason."""


def hashes(array: Array) -> list[bytes]:
    """Of an array; and, unless it is all of it, of the buffer that it is a view of."""
    buffer = array
    while getattr(buffer, "base", None) is not None:
        buffer = buffer.base  # type: ignore[assignment]
    whole = np.asarray(buffer)
    all_of_it = array.flags.c_contiguous and array.nbytes == whole.nbytes
    return [digest(array)] if all_of_it else [digest(array), digest(whole)]


def digest(array: Array) -> bytes:
    return hashlib.sha256(array.tobytes()).digest()


def alike(a: Any, b: Array) -> bool:
    """Bit for bit."""
    return np.asarray(a).tobytes() == b.tobytes()


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def argument(given: Any) -> Any:
    """A number or a word as it is; an array after its hash is seen to be right."""
    return given.array() if isinstance(given, wire.Received) else given


@cache
def loaded(name: str) -> Backend:
    """Made in the folder that the user stands in: a backend may have a library that it names from there."""
    here = os.open(".", os.O_RDONLY)  # leads back to it where it was removed, too
    try:
        with suppress(OSError):
            os.chdir(STARTED)
        return load(name)
    finally:
        os.fchdir(here)
        os.close(here)


def described(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"


def first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")[:300]
