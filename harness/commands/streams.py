"""stdout and stderr as a run can rely on them: no finished work is lost because they cannot take what is written.

A character that the stream's encoding lacks is written as a backslash escape. If stdout cannot be written to, that is
one sentence to the user; if its reader has closed the pipe, that is no error and does not change the exit status.
Errors on stderr are ignored, since nobody could be told.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from harness.errors import UsageError


class Stdout(io.TextIOWrapper):
    """A stream that raises UsageError if it cannot be written to, unless its reader has closed the pipe."""

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
    """A stream that ignores errors when it is written to."""

    def fails(self, error: OSError) -> None:
        to_nowhere(self)


def to_nowhere(stream: io.TextIOWrapper) -> None:
    """Redirect the stream to the null device: Python still writes what is left in its buffer when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def prepared() -> None:
    """Put both streams in place of `sys.stdout` and `sys.stderr`.

    A standard descriptor that is closed is opened on the null device, so that no file of ours gets its number. It is
    opened so that writing to stdout fails, as it does on a closed one.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free, which is this one
            os.set_inheritable(number, True)
    sys.stdout, sys.stderr = made(Stdout, sys.stdout, 1), made(Stderr, sys.stderr, 2)


def made(kind: type[Stdout], given: TextIO | None, number: int) -> Stdout:
    """Return a stream that writes to descriptor `number`, line by line for stderr and for a terminal."""
    encoding = getattr(given, "encoding", None) or "utf-8"
    binary = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    lines = number == 2 or os.isatty(number)
    return kind(binary, encoding=encoding, errors="backslashreplace", line_buffering=lines)
