"""stdout and stderr as a run can rely on them: whatever is behind them, what is finished is not lost for a character.

A character that the stream's encoding has not is written as its escape. What stdout does not take is one sentence; a
reader who has seen enough is none, and changes no exit status; what stderr does not take nobody can be told.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from harness.errors import UsageError


class Stdout(io.TextIOWrapper):
    """UsageError where it takes nothing."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.fails(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.fails(error)

    def fails(self, error: OSError) -> None:
        to_nowhere(self)
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"cannot write to stdout: {error.strerror or error}") from None


class Stderr(Stdout):
    """Silent where it takes nothing."""

    def fails(self, error: OSError) -> None:
        to_nowhere(self)


def to_nowhere(stream: io.TextIOWrapper) -> None:
    """Python writes what is left in a buffer when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def prepared() -> None:
    """Put them in place; one that is closed is one that takes nothing, so that no file of ours gets its number."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free, which is this one
            os.set_inheritable(number, True)
    sys.stdout, sys.stderr = made(Stdout, sys.stdout, 1), made(Stderr, sys.stderr, 2)


def made(kind: type[Stdout], given: TextIO | None, number: int) -> Stdout:
    """One that writes where the given one does, a line at once where that is a terminal."""
    encoding = getattr(given, "encoding", None) or "utf-8"
    binary = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    lines = number == 2 or os.isatty(number)
    return kind(binary, encoding=encoding, errors="backslashreplace", line_buffering=lines)
