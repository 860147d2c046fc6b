"""The peers are asked about the same mutants, with each framework's checks in a process of its own, side by side.

There are two sets of questions. The customary one is random numbers in 32 rows of 10. The other one is the suite's
own finite cases, put plainly, one per family, as far as they are small: at most `VALUES_UP_TO` logits for checks of
values, and at most `GRADIENTS_UP_TO` for checks by differences, which need many answers each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from harness.operations import OPERATIONS
from harness.power.peers import CUSTOMARY, Said
from harness.records import Case, Group
from harness.workers.machine import cores
from harness.workers.process import environment
from harness.workers.scratch import temporary

PEER_FRAMEWORKS = ("torch", "jax", "numpy")
"""The frameworks whose checks are run; the one that takes longest comes first."""
PEER_DTYPES = ("float32", "float64", "float16")
VALUES_UP_TO, GRADIENTS_UP_TO = 2048, 64
MOST_CASES = {"numpy": 0, "torch": 8, "jax": 5}
"""The number of cases for checks by differences. JAX compiles each of them."""
TIMEOUT = 1500
CUSTOMARY_SET, SUITE_SET = "customary", "suite"


def plain_cases(groups: Iterable[Group], elements: int) -> list[Case]:
    """Return one case per family, the first in the plan. Each named case counts as a family."""
    found: dict[str, Case] = {}
    for group in groups:
        if not group.probe and not group.case.variation and prod(group.case.shape) <= elements:
            found.setdefault(group.case.name.partition(":")[0], group.case)
    return list(found.values())


def job(framework: str, groups: Iterable[Group]) -> dict[str, dict[str, list[list[Any]]]]:
    """Return what a process of `harness.power.peers` is asked."""
    groups = list(groups)
    gradients = plain_cases(groups, GRADIENTS_UP_TO)[: MOST_CASES[framework]]
    return {
        "values": {
            CUSTOMARY_SET: questions([CUSTOMARY], PEER_DTYPES),
            SUITE_SET: questions(plain_cases(groups, VALUES_UP_TO), PEER_DTYPES),
        },
        "gradients": {
            CUSTOMARY_SET: questions([CUSTOMARY], ("float64",)),
            SUITE_SET: questions(gradients, ("float64",)),
        },
    }


def questions(cases: Iterable[Case], dtypes: Iterable[str]) -> list[list[Any]]:
    return [
        [operation, case.name, dtype, axis]
        for case in cases
        for axis in case.axes
        for dtype in dtypes
        for operation in OPERATIONS
    ]


def ask_peers(groups: list[Group]) -> tuple[list[Said], dict[str, str]]:
    """Return what all checks said, and the reason of each framework that said nothing."""
    with temporary() as folder, ThreadPoolExecutor(cores()) as pool:
        replies = dict(
            zip(PEER_FRAMEWORKS, pool.map(partial(ask_framework, groups, Path(folder)), PEER_FRAMEWORKS), strict=True)
        )
    absent = {name: reply for name, reply in replies.items() if isinstance(reply, str)}
    said = [Said(**entry) for _, reply in sorted(replies.items()) if isinstance(reply, list) for entry in reply]
    return said, absent


def ask_framework(groups: list[Group], folder: Path, framework: str) -> list[dict[str, Any]] | str:
    """Return one framework's reply, or why there is none."""
    task, out = folder / f"{framework}-job.json", folder / f"{framework}-said.json"
    task.write_text(json.dumps(job(framework, groups)))
    command = [sys.executable, "-m", "harness.power.peers", framework, str(task), str(out)]
    settings = os.environ | environment()
    try:
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer in {TIMEOUT} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    found: dict[str, str] | list[dict[str, Any]] = json.loads(out.read_text())
    return found["absent"] if isinstance(found, dict) else found
