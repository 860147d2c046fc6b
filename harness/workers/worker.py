"""The code that runs in a worker process: one framework, one request at a time.

Requests and replies (`request.py`) travel as plain types, followed by the bytes of their arrays (`wire.py`). Apart from
this project's own code, it needs NumPy and the framework, and ml_dtypes for bfloat16 alone.
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
from harness.faults import Fault, FaultError, Kind, sentence
from harness.operations import OPERATIONS, Operation
from harness.questions.variations import CALLS, HELD, Array, laid_out, others
from harness.transcript import transcript
from harness.workers import wire
from harness.workers.request import Recording, Reply, Request, argument

NUMERIC_KINDS = "biufcV"
"""Kinds of NumPy dtypes that are numbers. V stands for dtypes that other packages add, such as bfloat16."""
MEMORY_WORDS = re.compile(r"out of memory|can't allocate|cannot allocate|bad_alloc|RESOURCE_EXHAUSTED", re.IGNORECASE)


def current_folder() -> str:
    """Return the path of the current folder, or an empty string if that folder was removed."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


STARTED = current_folder()
"""The user's current folder, in which the worker was started."""


def serve(channel: Any, framework: str, folder: str = "") -> None:
    """Report the result of the framework's import, then answer requests until the other side closes the channel.

    `folder` becomes the current folder, so that files which a backend leaves there are not left in the user's folder.
    """
    said = sendable(opened(framework))
    with suppress(OSError):
        os.chdir(folder or STARTED)
    channel.send(said)
    for packed in channel:
        request = Request.received(wire.unpacked(packed, channel.receive))
        reply = transcribed(request, request.recording) if request.recording else computed(request)
        wire.send(channel, sendable(reply.plain()))


def sendable(reply: Any) -> Any:
    """Return the reply with each lone surrogate escaped by a backslash. Errors about undecodable file names have some.

    execnet sends UTF-8, which cannot encode them: a backend that merely failed would look like a worker that crashed.
    """
    if isinstance(reply, Mapping):
        return {name: sendable(said) for name, said in reply.items()}
    return reply.encode(errors="backslashreplace").decode() if isinstance(reply, str) else reply


def opened(framework: str) -> dict[str, Any]:
    """Import the framework. Return its version and what is known of this process, or `{"absent": reason}`."""
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


def computed(request: Request) -> Reply:
    """Compute one block by one backend."""
    try:
        backend = loaded(request.backend)
        if backend.remark:
            backend.remark = ""  # left by an earlier question
        answer = answer_of(backend, request)
        remark = " ".join(str(backend.remark).split())
    except Exception as error:
        return Reply(fault_of(error))
    return Reply(remark=remark, answer=answer)


def answer_of(backend: Backend, request: Request) -> Array:
    """Return the answer as a NumPy array. The question is put plainly, or as a variation that must not change it."""
    operation, axis, variation = OPERATIONS[request.operation], request.axis, request.variation
    method = getattr(backend, METHODS_OF[operation.name])

    def call(arguments: Mapping[str, Any]) -> Array:
        later = others(arguments, operation.arguments[0]) if variation == HELD else None
        return unspoilt(backend, method, placed(variation, arguments, axis, operation), axis, later)

    given = {name: argument(value) for name, value in request.arguments.items()}
    if put := CALLS.get(variation):
        return put(call, given, axis, operation, backend)
    return call(given)


def placed(variation: str, arguments: Mapping[str, Any], axis: int, operation: Operation) -> dict[str, Any]:
    """Return the arguments, with each array in the memory layout that the variation gives it."""
    return {
        name: laid_out(variation, name, value, axis, operation.arguments[0]) if is_array(value) else value
        for name, value in arguments.items()
    }


def transcribed(request: Request, recording: Recording) -> Reply:
    """Record the backend's calls for a request as a script. If that is not possible, remark why."""
    operation, variation, axis = OPERATIONS[request.operation], request.variation, request.axis
    if variation in (*CALLS, HELD):
        return Reply(remark=f"the question is put in another way ({variation}), which is more than one call")
    try:
        given = {name: argument(value) for name, value in request.arguments.items()}
        laid = placed(variation, given, axis, operation) | {"axis": axis}
        backend, method = loaded(request.backend), METHODS_OF[operation.name]
        return Reply(script=asdict(transcript(backend, method, laid, **vars(recording))))
    except Exception as error:
        return Reply(remark=described(error))


def unspoilt(
    backend: Backend,
    method: Callable[..., Any],
    arguments: Mapping[str, Any],
    axis: int,
    later: Mapping[str, Any] | None = None,
) -> Array:
    """Return the method's answer. Raise InputChangedError if it changed its arguments or the memory beside them.

    `later`: the arguments of another question, which is asked before the answer is read.
    """
    before = {name: hashes(value) for name, value in arguments.items() if is_array(value)}
    natives = native_arguments(backend, arguments)
    native = method(axis=axis, **natives)
    if later:
        method(axis=axis, **native_arguments(backend, later))
    answer = numbers(None if native is None else backend.to_numpy(native))
    for name, found in before.items():
        its_own, *around = hashes(arguments[name])
        if its_own != found[0] or not same_bytes(backend.to_numpy(natives[name]), arguments[name]):
            raise InputChangedError(Fault(Kind.ARGUMENT_CHANGED, argument=name))
        if around != found[1:]:
            raise InputChangedError(Fault(Kind.MEMORY_CHANGED, argument=name))
    return answer


def native_arguments(backend: Backend, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: backend.from_numpy(value) if is_array(value) else value for name, value in arguments.items()}


class InputChangedError(FaultError):
    """A backend changed its arguments, or the memory beside them."""


def numbers(answer: Any) -> Array:
    """Return a copy of the answer as an array. Raise NoNumbersError unless it is an array of numbers or one number."""
    copy = np.array(answer)
    if copy.dtype.kind in NUMERIC_KINDS:
        return copy
    if isinstance(answer, np.ndarray):
        raise NoNumbersError(Fault(Kind.NO_NUMBERS, answered=copy.dtype.name))
    raise NoNumbersError(Fault(Kind.NO_ARRAY, answered="None" if answer is None else type(answer).__name__))


class NoNumbersError(FaultError):
    """The answer does not consist of numbers, so it cannot be judged."""


def hashes(array: Array) -> list[bytes]:
    """Return the SHA-256 of an array and, if it is a view of a larger buffer, that of the whole buffer."""
    buffer = array
    while getattr(buffer, "base", None) is not None:
        buffer = buffer.base  # type: ignore[assignment]
    whole = np.asarray(buffer)
    all_of_it = array.flags.c_contiguous and array.nbytes == whole.nbytes
    return [digest(array)] if all_of_it else [digest(array), digest(whole)]


def digest(array: Array) -> bytes:
    return hashlib.sha256(array.tobytes()).digest()


def same_bytes(a: Any, b: Array) -> bool:
    """Decide whether both arrays have the same bytes."""
    return np.asarray(a).tobytes() == b.tobytes()


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


@cache
def loaded(name: str) -> Backend:
    """Load a backend, once, in the user's current folder: it may name a library by a path relative to that folder."""
    here = os.open(".", os.O_RDONLY)  # a descriptor leads back even to a folder that was removed
    try:
        with suppress(OSError):
            os.chdir(STARTED)
        return load(name)
    finally:
        os.fchdir(here)
        os.close(here)


def described(error: Exception) -> str:
    return sentence(fault_of(error))


def fault_of(error: Exception) -> Fault:
    """Return the fault of an exception, which is a backend's own unless it is a `FaultError`."""
    if isinstance(error, FaultError):
        return error.fault
    for_memory = isinstance(error, MemoryError) or MEMORY_WORDS.search(str(error))
    kind = Kind.RAISED_FOR_MEMORY if for_memory else Kind.RAISED
    return Fault(kind, first_line(error), type(error).__name__)


def first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")[:300]
