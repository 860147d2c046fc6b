"""Temporary folders."""

from __future__ import annotations

import tempfile

from harness.errors import UsageError


def temporary() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder, removed at the end of its `with`. Raise UsageError if none can be made."""
    try:
        return tempfile.TemporaryDirectory(prefix="softmax-harness-", ignore_cleanup_errors=True)
    except OSError as error:
        said = error.strerror or error
        raise UsageError(f"cannot write to a folder for temporary files, which TMPDIR may name: {said}") from None
