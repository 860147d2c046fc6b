"""What is installed: every framework is imported in a worker of its own, so a run finds the same as is said here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from backends import FRAMEWORKS, NAMES, find
from harness.workers.process import Limits, Worker
from harness.workers.scratch import temporary
from harness.workers.watchdog import WorkerDiedError


def inventory(interpreters: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row for each framework: its version and variants, or the reason why it is absent."""
    with temporary() as folder, ThreadPoolExecutor(len(FRAMEWORKS)) as pool:
        looks = [pool.submit(look, name, interpreters.get(name, sys.executable), Path(folder)) for name in FRAMEWORKS]
        return [look.result() for look in looks]


def look(framework: str, interpreter: str, folder: Path) -> dict[str, str]:
    worker = Worker(framework, interpreter, Limits(), folder / quote(framework, safe=""))
    try:
        about = worker.open()
    except WorkerDiedError as died:
        about = {"absent": f"{died.outcome} while it was imported: {died.reason}"}
    except OSError as error:
        about = {"absent": f"its interpreter does not start: {error}"}
    finally:
        worker.stop()
    variants = [find(name).variant for name in NAMES if find(name).framework == framework and find(name).variant]
    return {
        "framework": framework,
        "version": about.get("version", "absent"),
        "Python": about.get("python", "–"),
        "variants, or why not": about.get("absent", ", ".join(variants)),
    }
