"""What is installed: every framework is imported in a worker of its own, so a run finds the same as is said here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backends import FRAMEWORKS, NAMES, find
from harness.faults import Outcome, sentence
from harness.workers.driver import Driver, NotStartedError
from harness.workers.process import Limits
from harness.workers.scratch import temporary


def inventory(interpreters: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row for each framework: its version and variants, or the reason why it is absent."""
    with temporary() as folder, ThreadPoolExecutor(len(FRAMEWORKS)) as pool:
        looks = [pool.submit(look, name, interpreters.get(name, sys.executable), Path(folder)) for name in FRAMEWORKS]
        return [look.result() for look in looks]


def look(framework: str, interpreter: str, folder: Path) -> dict[str, str]:
    driver, absent = Driver(framework, interpreter, folder, Limits()), ""
    try:
        driver.start()
    except NotStartedError as failed:
        outcome, absent = failed.fault.outcome, sentence(failed.fault)
        absent = absent if outcome == Outcome.ABSENT else f"{outcome} {absent}"
    finally:
        driver.stop()
    about = driver.about
    variants = [find(name).variant for name in NAMES if find(name).framework == framework and find(name).variant]
    return {
        "framework": framework,
        "version": about.get("version", str(Outcome.ABSENT)),
        "Python": about.get("python", "–"),
        "variants, or why not": absent or ", ".join(variants),
    }
