"""Ctrl-C and SIGTERM, kept away from what must not be cut in two. For the main thread, which alone hears them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

INTERRUPTING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ignored() -> Iterator[None]:
    """They have no effect, also later."""
    with handled_by(signal.SIG_IGN):
        yield


@contextmanager
def held() -> Iterator[None]:
    """They have their effect at the end."""
    came: list[tuple[int, Any]] = []
    with handled_by(lambda number, frame: came.append((number, frame))):
        yield
    for number, frame in came[:1]:
        if callable(handler := signal.getsignal(number)):
            handler(number, frame)


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes that are started meanwhile hear of them once they say so: a terminal sends Ctrl-C to all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def heard_again(ignored: Any) -> None:
    """A hook for what Python has to ignore: Ctrl-C that came in a callback comes once more, a moment later."""
    if not issubclass(ignored.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return
    again = Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True
    again.start()


@contextmanager
def handled_by(handler: Callable[[int, Any], Any] | signal.Handlers) -> Iterator[None]:
    before = [(number, signal.signal(number, handler)) for number in INTERRUPTING]
    try:
        yield
    finally:
        for number, earlier in before:
            signal.signal(number, earlier)
