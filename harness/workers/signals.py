"""Ctrl-C and SIGTERM, kept away from code that must not be interrupted. For the main thread, which alone gets them."""

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
    """Ignore the signals in the body. They take no effect afterwards either."""
    with handled_by(signal.SIG_IGN):
        yield


@contextmanager
def held() -> Iterator[None]:
    """Hold the signals back until the end of the body, where the first that came takes effect."""
    came: list[tuple[int, Any]] = []
    with handled_by(lambda number, frame: came.append((number, frame))):
        yield
    for number, frame in came[:1]:
        if callable(handler := signal.getsignal(number)):
            handler(number, frame)


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Start processes in the body with the signals blocked, until they unblock them: a terminal sends Ctrl-C to all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def heard_again(ignored: Any) -> None:
    """Send Ctrl-C once more, a moment later, if it came in a callback, whose exceptions Python ignores.

    This is a `sys.unraisablehook`.
    """
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
