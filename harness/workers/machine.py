"""What a run was made on, as plain data: what decides which kernels ran."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

JUDGE_LIBRARIES = ("numpy", "python-flint", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """System, processor and the judge's own versions."""
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
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_vendor() -> str:
    """Who made the processor: MKL and oneDNN choose their kernels by that too."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor().rpartition(", ")[2] or "unknown"
    found = re.search(r"^(?:vendor_id|CPU implementer)\s*:\s*(\S+)", text, re.MULTILINE)
    return found[1] if found else "unknown"


def cpu_capabilities() -> list[str]:
    """The instruction sets that NumPy finds here: frameworks choose their kernels by them."""
    try:
        from numpy._core._multiarray_umath import __cpu_features__  # type: ignore[import-not-found]
    except ImportError:  # no public name for it up to NumPy 2.4
        return []
    return sorted(name for name, there in __cpu_features__.items() if there)
