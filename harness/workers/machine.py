"""The machine on which a run was made, as plain data: what decides which kernels ran."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

JUDGE_LIBRARIES = ("numpy", "python-flint", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Return the system, the processor, and the versions of Python and of the judge's libraries."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "vendor": cpu_vendor(),
        "cpu": cpu_capabilities(),
        "cores": cores(),
        "threads_per_worker": 1,
        "python": platform.python_version(),
        "judge": {name: version(name) for name in JUDGE_LIBRARIES},
    }


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_vendor() -> str:
    """Return the processor's vendor, or `unknown`: MKL and oneDNN choose their kernels by it too."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor().rpartition(", ")[2] or "unknown"
    found = re.search(r"^(?:vendor_id|CPU implementer)\s*:\s*(\S+)", text, re.MULTILINE)
    return found[1] if found else "unknown"


def cpu_capabilities() -> list[str]:
    """Return the instruction sets that NumPy finds here: frameworks choose their kernels by them."""
    try:
        from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[import-not-found]
    except ImportError:  # up to NumPy 2.4 there is no public name for it
        return []
    return sorted(name for name, there in __cpu_features__.items() if there)
