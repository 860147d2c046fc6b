"""The command line. What each command does stands in `harness/commands`."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run a command: errors that a user can cause are one sentence on stderr and an exit status.

    All that takes a while to import is imported here, so that Ctrl-C is one sentence from the first moment on.
    """
    status: list[int] = []
    try:
        atexit.register(leave, status)  # before all others, so after them
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
    """By that status, where one is set.

    Python 3.11 ends by a signal of its own once Ctrl-C has cut an `exec` of text short, such as each dataclass makes.
    """
    if status:
        sys.stdout.flush()
        os._exit(status[0])


def done() -> int | str | None:
    """The exit status."""
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
        ended("the current folder is not there any more", USAGE)
    try:
        return carried_out()
    except UsageError as error:
        ended(str(error), error.code)
    except OSError as error:  # of a file that has a name, or of a disk: nothing that we could mend
        if error.filename is None and error.errno not in DISK:
            raise
        place = "" if error.filename is None else f" {str(error.filename)!r}"
        ended(f"cannot read or write{place}: {error.strerror}", USAGE)
    except Exception:
        import traceback

        traceback.print_exc()
        ended("this is our own fault", OUR_FAULT)


def terminate(signum: int, frame: object) -> None:
    """SIGTERM loses as little as Ctrl-C does."""
    raise KeyboardInterrupt


def carried_out() -> int | str | None:
    """The command's exit status; KeyboardInterrupt also where the parser of the command line made a status of it."""
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
    print(f"softmax-harness: {sentence}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
