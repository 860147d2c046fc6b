"""What runs inside of a backend's own process: one framework, one request at a time.

Requests and replies are plain types; arrays travel as `.npy` files, inputs with their SHA-256. It needs NumPy and the
framework, nothing else of ours.
"""

from __future__ import annotations

import platform
import re
import signal
from functools import cache
from typing import Any

import numpy as np

from backends import NAMES, OPERATIONS, Backend, load
from harness import arrays

MEMORY_WORDS = re.compile(r"out of memory|can't allocate|cannot allocate|bad_alloc|RESOURCE_EXHAUSTED", re.IGNORECASE)


def serve(channel: Any, framework: str) -> None:
    """Say what came of the framework's import, then answer requests until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle: it stops us itself
    channel.send(opened(framework))
    for request in channel:
        channel.send(computed(request))


def opened(framework: str) -> dict[str, Any]:
    """Import the framework. Its version and this process's habits, or the reason why it is absent."""
    if framework not in NAMES:
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


def computed(request: dict[str, Any]) -> dict[str, str]:
    """Outcome, reason and the file of the answer, for one block at one backend."""
    try:
        backend = loaded(request["backend"])
        arguments = {name: argument(backend, given) for name, given in request["arguments"].items()}
        answer = getattr(backend, OPERATIONS[request["operation"]])(axis=request["axis"], **arguments)
        dtype = arrays.save(request["save"], np.asarray(backend.to_numpy(answer)))
    except MemoryError as error:
        return {"outcome": "out of memory", "reason": described(error)}
    except Exception as error:
        outcome = "out of memory" if MEMORY_WORDS.search(str(error)) else "failed"
        return {"outcome": outcome, "reason": described(error)}
    return {"outcome": "ok", "reason": "", "dtype": dtype}


def argument(backend: Backend, given: Any) -> Any:
    """A number or a word as it is; a file as the framework's array, after its hash is seen to be right."""
    if isinstance(given, int | str):
        return given
    file, dtype, promised = given
    array = arrays.load(file, dtype)
    if arrays.sha256(array) != promised:
        raise ValueError("the input's bytes are not those whose hash came with them")
    return backend.from_numpy(array)


@cache
def loaded(name: str) -> Backend:
    return load(name)


def described(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"


def first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")[:300]
