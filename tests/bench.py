"""Speeds, as ratios within one run: `make bench`. The machine is shared and noisy, so bare seconds stand beside only.

- the default suite side by side, over its longest worker measured alone: at most 1.5;
- the distinct programs that the suite has frameworks compile, and the time to the first table;
- `--help`, over an interpreter that starts and does nothing;
- exact values, their audit and bounds, over a textbook NumPy softmax of the same rows.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tabulate import tabulate

from backends import FRAMEWORKS, NAMES, find
from harness import arrays
from harness.bounds import any_order, bound
from harness.formats import FORMATS
from harness.plan import Selection, groups
from harness.reference import audited, expected
from harness.reference.double import in_double
from harness.workload import programs
from tests.command import harness

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt."""


def seconds(work: Callable[[], Any], times: int = 1) -> float:
    """Median of some runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken)


def suite() -> list[list[str]]:
    """The default suite against its workers alone."""
    with tempfile.TemporaryDirectory() as folder:
        side_by_side = seconds(lambda: harness("compare", "--out", Path(folder) / "all"))
        alone = {name: worker_alone(name, Path(folder) / name) for name in FRAMEWORKS}
    longest = max(alone, key=lambda name: alone[name])
    total, most = sum(alone.values()), alone[longest]
    rows = [[f"{name}'s worker alone", f"{taken:.1f} s", f"{taken / most:.2f}"] for name, taken in alone.items()]
    return [
        *rows,
        ["all workers alone, added up", f"{total:.1f} s", f"{total / most:.2f}"],
        [f"make compare over {longest}'s worker (≤ 1.5)", f"{side_by_side:.1f} s", f"{side_by_side / most:.2f}"],
        ["distinct programs: backend, operation, shape, axis, dtype", f"{len(programs(groups(Selection())))}", ""],
    ]


def worker_alone(framework: str, out: Path) -> float:
    """Its import and its own computing, as the run itself measures it."""
    names = [name for name in NAMES if find(name).framework == framework and find(name).by_default]
    harness("compare", "--backend", ",".join(names), "--out", out)
    about = json.loads((out / "run.json").read_text())
    return float(about["frameworks"][framework]["seconds"])


def start_up() -> list[list[str]]:
    empty = seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True), 9)
    shown = seconds(lambda: harness("--help"), 9)
    return [["--help, over an empty interpreter (< 0.3 s)", f"{shown:.2f} s", f"{shown / empty:.1f}"]]


def textbook(logits: Any) -> Any:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def judge() -> list[list[str]]:
    """Exact values, their audit and bounds, over a textbook softmax of the same 1,000 rows of 1,000."""
    logits = np.random.Generator(np.random.Philox(key=1)).normal(scale=3, size=(1000, 1000))
    rows = []
    for pages in ("fresh", "reused"):
        memory(pages)
        for dtype, most in (("float64", 150), ("float32", 4)):
            x, form = logits.astype(arrays.dtype(dtype)), FORMATS[dtype]
            plain = seconds(lambda x=x: textbook(x), 31)  # type: ignore[misc]
            works = {f"bounds of it, {dtype}": lambda x=x, f=form: bound("softmax", x[:100], [], f, any_order)}
            if dtype == "float64":
                works[f"exact softmax by Arb, {dtype} (≤ {most})"] = lambda x=x: expected("softmax", x[:100], [])
            else:
                works[f"exact softmax in float64, for {dtype} (≤ {most})"] = lambda x=x, f=form: in_double(
                    "softmax", x, [], f
                )
                works["the same, audited by Arb"] = lambda x=x, f=form: audited("softmax", x, [], f, 0)
            for what, work in works.items():
                taken = seconds(work, 9) * (10 if "Arb, " in what or "bounds" in what else 1)
                name = f"{what}, over a textbook softmax on {pages} memory"
                rows.append([name, f"{taken:.4f} s", f"{taken / plain:.1f}"])
    return rows


def memory(pages: str) -> None:
    """Large arrays on fresh pages, each touched for the first time, or on those of the array before (glibc alone).

    A textbook softmax spends most of its time on fresh pages, and which it gets depends on what ran before.
    """
    limit = 2**17 if pages == "fresh" else 2**30
    with contextlib.suppress(OSError, AttributeError):
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, limit)


if __name__ == "__main__":
    print(tabulate([*start_up(), *judge(), *suite()], ["what", "taken", "ratio"], disable_numparse=True))  # noqa: T201
