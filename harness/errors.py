"""Exit codes, and the error that a user can cause. When several codes apply, the first in `PRECEDENCE` counts."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

AS_IT_SHOULD_BE, FALLS_SHORT, USAGE, OUR_FAULT, BACKEND_DIED, NOTHING_COMPARED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
PRECEDENCE = (USAGE, OUR_FAULT, INTERRUPTED, BACKEND_DIED, NOTHING_COMPARED, FALLS_SHORT, AS_IT_SHOULD_BE)


DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""Error numbers of a disk that is full or cannot be written to."""


class UsageError(Exception):
    """An error that the user can cause: its message is one clear sentence, its exit code 2."""

    code = USAGE


def unknown(what: str, given: str, valid: Iterable[str]) -> UsageError:
    """Return the error for a name that is not valid. It suggests the nearest valid name, or lists them all."""
    names = list(valid)
    near = nearest(given, names)
    hint = f"did you mean {near!r}?" if near else f"valid names are: {', '.join(names)}."
    return UsageError(f"unknown {what} {given!r}: {hint}")


def nearest(given: str, names: Sequence[str]) -> str | None:
    """Return the name that was probably meant, or None if none is similar."""
    return next(iter(get_close_matches(given, names, n=1, cutoff=0.4)), None)
