"""Speeds, as ratios within one run: `make bench`. The machine is shared and noisy, so bare seconds stand beside only.

- the default suite side by side, over its longest worker measured alone: at most 1.5;
- the distinct programs that the suite has frameworks compile, and the time to the first table;
- `--help`, over an interpreter that starts and does nothing;
- exact values and bounds, over a textbook NumPy softmax of the same rows.
"""

from __future__ import annotations

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
from harness.engine import programs
from harness.formats import FORMATS
from harness.plan import Selection, groups
from harness.reference import expected
from tests.command import harness


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
    """Exact values and bounds of 100 rows of 1,000, over a textbook softmax of them."""
    rows = []
    for dtype in ("float64", "float32"):
        form = FORMATS[dtype]
        logits = (
            np.random.Generator(np.random.Philox(key=1)).normal(scale=3, size=(100, 1000)).astype(arrays.dtype(dtype))
        )
        plain = seconds(lambda x=logits: textbook(x), 31)  # type: ignore[misc]
        exact = seconds(lambda x=logits, f=form: expected("softmax", x, [], f), 3)  # type: ignore[misc]
        sizes = expected("softmax", logits, [], form).rounded()
        theory = seconds(lambda x=logits, f=form, s=sizes: bound("softmax", x, [], s, f, any_order(1000)), 9)  # type: ignore[misc]
        rows += [
            [f"exact softmax by Arb, {dtype}, over a textbook softmax", f"{exact:.3f} s", f"{exact / plain:.0f}"],
            [f"bounds of it, {dtype}, over a textbook softmax", f"{theory:.4f} s", f"{theory / plain:.1f}"],
        ]
    return rows


if __name__ == "__main__":
    print(tabulate([*start_up(), *judge(), *suite()], ["what", "taken", "ratio"], disable_numparse=True))  # noqa: T201
