"""Folders for what is gone at the end."""

from __future__ import annotations

import tempfile

from harness.errors import UsageError


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for what is gone at the end. UsageError where there is no place for one."""
    try:
        return tempfile.TemporaryDirectory(prefix="softmax-harness-", ignore_cleanup_errors=True)
    except OSError as error:
        said = error.strerror or error
        raise UsageError(f"cannot write to a folder for temporary files, which TMPDIR may name: {said}") from None
