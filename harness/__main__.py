"""The command line. What each command does stands in `harness/commands`."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line. An error that the user can cause becomes one sentence on stderr and an exit status.

    Slow imports happen inside this call, so that Ctrl-C is reported in one sentence from the start.
    """
    status: list[int] = []
    try:
        atexit.register(leave, status)  # registered before all others, so it runs after them
        code = done()
        stop_listening()
        sys.exit(code)
    except KeyboardInterrupt:
        status.append(130)
        ended("interrupted", 130)


def stop_listening() -> None:
    """Ignore signals from here on: the exit status is known, and Python would end by one in its last moments."""
    import signal

    from harness.workers.signals import INTERRUPTING

    for number in INTERRUPTING:
        signal.signal(number, signal.SIG_IGN)


def leave(status: list[int]) -> None:
    """End the process with the status in the list, if there is one.

    Without this, Python 3.11 ends itself by a signal once Ctrl-C has interrupted an `exec` of text, which every
    dataclass makes.
    """
    if status:
        sys.stdout.flush()
        os._exit(status[0])


def done() -> int | str | None:
    """Run the command and return its exit status, or exit with a message if an exception ended it."""
    import signal

    from harness.commands.streams import prepared
    from harness.errors import DISK, OUR_FAULT, USAGE, UsageError
    from harness.workers.signals import heard_again

    prepared()
    signal.signal(signal.SIGTERM, terminate)
    sys.unraisablehook = heard_again
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        ended("the current folder no longer exists", USAGE)
    try:
        return carried_out()
    except UsageError as error:
        ended(str(error), error.code)
    except OSError as error:  # about a named file or a disk: no fault of ours
        if error.filename is None and error.errno not in DISK:
            raise
        place = "" if error.filename is None else f" {str(error.filename)!r}"
        ended(f"cannot read or write{place}: {error.strerror}", USAGE)
    except Exception:
        import traceback

        traceback.print_exc()
        ended("internal error", OUR_FAULT)


def terminate(signum: int, frame: object) -> None:
    """Handle SIGTERM as Ctrl-C, so that it loses no more."""
    raise KeyboardInterrupt


def carried_out() -> int | str | None:
    """Run the command and return its exit status.

    Raise KeyboardInterrupt on Ctrl-C, also where the command-line parser turned it into an exit status.
    """
    from harness.commands import app

    try:
        app()
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            raise KeyboardInterrupt from None
        sys.stdout.flush()
        return end.code
    return 0


def ended(sentence: str, code: int) -> NoReturn:
    """Print the sentence on stderr and exit with the code."""
    print(f"softmax-harness: {sentence}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
