"""Ctrl-C and SIGTERM, kept away from what must not be cut in two. For the main thread, which alone hears them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
def handled_by(handler: Callable[[int, Any], Any] | signal.Handlers) -> Iterator[None]:
    before = [(number, signal.signal(number, handler)) for number in INTERRUPTING]
    try:
        yield
    finally:
        for number, earlier in before:
            signal.signal(number, earlier)
