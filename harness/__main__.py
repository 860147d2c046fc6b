"""The command line. What each command does stands in `harness/commands`."""

from __future__ import annotations

import signal
import sys
import traceback

from harness.commands import app
from harness.errors import INTERRUPTED, OUR_FAULT, UsageError


def terminate(signum: int, frame: object) -> None:
    """SIGTERM loses as little as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> None:
    """Run a command: errors that a user can cause are one sentence on stderr and an exit status."""
    signal.signal(signal.SIGTERM, terminate)
    try:
        app()
    except UsageError as error:
        print(f"softmax-harness: {error}", file=sys.stderr)
        sys.exit(error.code)
    except KeyboardInterrupt:
        print("softmax-harness: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception:
        traceback.print_exc()
        print("softmax-harness: this is our own fault", file=sys.stderr)
        sys.exit(OUR_FAULT)


if __name__ == "__main__":
    main()
