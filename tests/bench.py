"""Speeds, as ratios within one run: `make bench`. The machine is shared and noisy, so bare seconds stand beside only.

- the default suite side by side, over its longest worker measured alone: at most 1.5;
- the distinct programs that the suite has frameworks compile, and the time to the first table;
- `--help`, over an interpreter that starts and does nothing;
- exact values, their audit and bounds, over a textbook NumPy softmax of the same rows;
- all figures of a cell, over plainly reading its arrays: at most 6, with at most 1 MB beside them;
- the page of a run of 100,000 cells: under 5 s and under 2 MB.
- `baseline diff` of 100,000 cells, over pandas reading the file alone: under 2 s of computing.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from backends import FRAMEWORKS, NAMES, find
from harness.baselines import accepted, gate
from harness.judging.metrics import measure
from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.records import Comparison, Run
from harness.runs import store
from harness.runs.plan import Selection, groups
from harness.truth import Expected, audited, expected
from harness.truth.bounds import any_order, bound
from harness.truth.float64 import in_double
from harness.workers.load_balancing import programs
from harness.workers.machine import environment
from reports import html
from reports.pages.changes import render
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
    harness("compare", "--backend", ",".join(names), "--jobs", "1", "--out", out)
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


def figures() -> list[list[str]]:
    """All figures of 4 million answers: at once, from memory, and in 64 slabs such as the judge's, from the cache."""
    rows = []
    for dtype in ("float64", "float32"):
        for slabs, limit in ((1, " (≤ 6)"), (64, "")):
            actual, exact, limits = cell(dtype, 2**22 // slabs)
            parts = [actual, exact.hi, exact.lo, exact.exponent, *limits.values()]
            read = lambda p=parts: [np.add.reduce(part, axis=None) for part in p]  # noqa: E731
            work = lambda a=actual, e=exact, b=limits, f=FORMATS[dtype]: measure(a, e, b, f)  # noqa: E731
            plain, taken = in_turn(read, work, slabs)
            name = f"all figures of {slabs} × {actual.size:,} answers, {dtype}, over reading them{limit}"
            rows.append([name, f"{taken:.3f} s, {held(work) / 1000:.0f} kB", f"{taken / plain:.1f}"])
    return rows


def cell(dtype: str, answers: int) -> tuple[Any, Expected, dict[str, Any]]:
    """A softmax some units off, with exact values and bounds such as the judge has."""
    rng, u = np.random.Generator(np.random.Philox(key=2)), FORMATS[dtype].u
    s = textbook(rng.normal(scale=3, size=(answers // 1024, 1024)))
    hi, exponent = np.frexp(s)
    exact = Expected(hi, rng.uniform(0, 2.0**-53, size=s.shape), exponent.astype(np.int32))
    actual = (s * (1 + u * rng.integers(-3, 4, size=s.shape))).astype(arrays.dtype(dtype))
    return actual, exact, {name: s * (u * units) for name, units in (("A", 8.0), ("B", 16.0), ("any order", 2048.0))}


def ledger() -> list[list[str]]:
    """Processor time of a diff of 100,000 cells, one in ten with other bits, from the saved run to the sentence."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        store.save(run_of_cells(100_000, 0), place)
        before = store.read(place)
        file = accepted.write(place, accepted.accepted(accepted.empty(before), before, "bench").baseline)
        after = store.save(run_of_cells(100_000, 10), place)
        plain = computing(lambda: pd.read_csv(file, comment="#", dtype="str"))
        taken = computing(lambda: render(gate.against(after, place, place), "terminal"))
    return [
        ["baseline diff of 100,000 cells, over pandas reading them (< 2 s)", f"{taken:.2f} s", f"{taken / plain:.1f}"]
    ]


def computing(work: Callable[[], Any]) -> float:
    """Median processor seconds, of all threads: what the neighbours take does not count."""
    taken = []
    for _ in range(5):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken)


def run_of_cells(count: int, every: int) -> Run:
    """A run of 8 backends. `every`: one in so many cells has other bits than without."""
    names = [f"numpy:{letter}" for letter in "abcdefgh"]
    rows = [
        Comparison(
            "vjp", f"normal:{number // 8}x7", "float64", -1, names[number % 8], "ok", verdict="within bound", grade="A",
            max_ulp_error=number % 97 / 7, error_over_bound=number % 89 / 97, nan_count=0, infinity_count=0,
            answer=hashlib.sha256(f"{number} {bool(every) and number % every == 0}".encode()).hexdigest(),
        )
        for number in range(count)
    ]  # fmt: skip
    about = {
        "partial": False, "faults": [], "environment": environment(), "frameworks": {}, "cases": {},
        "unanswered_probes": [],
        "options": {"selection": dataclasses.asdict(Selection())},
        "inputs": {f"{row.case} float64": {"logits[0]": row.case, "cotangent[0]": row.case} for row in rows[::8]},
    }  # fmt: skip
    tables = {name: store.frame([], record) for name, record in store.TABLES.items()}
    return Run(about, **{**tables, "comparisons": store.frame(rows, Comparison)})


def in_turn(one: Callable[[], Any], other: Callable[[], Any], times: int) -> tuple[float, float]:
    """Median seconds that each takes for so many times, measured in turn."""

    def repeated(work: Callable[[], Any]) -> float:
        return seconds(lambda: [work() for _ in range(times)])

    taken = [(repeated(one), repeated(other)) for _ in range(9)]
    return median(a for a, _ in taken), median(b for _, b in taken)


def held(work: Callable[[], Any]) -> int:
    """The most bytes that work holds beside what is there before."""
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def page() -> list[list[str]]:
    """A run of NumPy's, its cases repeated under other names up to 100,000 cells, over rendering it as it is."""
    with tempfile.TemporaryDirectory() as folder:
        harness("compare", "--backend", "numpy*", "--out", folder)
        run = store.read(Path(folder))
    many = repeated(run, 100_000)
    plain = seconds(lambda: html.render(run), 3)
    taken = seconds(lambda: html.render(many), 3)
    size = len(html.render(many).encode())
    what = f"page of {len(many.comparisons):,} cells (< 5 s, < 2 MB), over that of {len(run.comparisons):,}"
    return [[what, f"{taken:.2f} s, {size / 1e6:.2f} MB", f"{taken / plain:.1f}"]]


def repeated(run: Run, cells: int) -> Run:
    """The same rows under as many names of cases as it takes; profiles are of named cases, and stay as they are."""
    names = [f":{number}" for number in range(-(-cells // len(run.comparisons)))]
    tables = {
        name: pd.concat([its.assign(case=its["case"] + suffix) for suffix in names], ignore_index=True)
        for name, its in ((name, getattr(run, name)) for name in ("comparisons", "pairs", "properties"))
    }
    cases = {name + suffix: about for name, about in run.about["cases"].items() for suffix in names}
    return replace(run, about={**run.about, "cases": cases}, **tables)


if __name__ == "__main__":
    measured = [*start_up(), *judge(), *figures(), *ledger(), *page(), *suite()]
    print(tabulate(measured, ["what", "taken", "ratio"], disable_numparse=True))  # noqa: T201
