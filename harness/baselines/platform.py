"""Where answers may be the same bit for bit: system, the processor's maker and instruction sets, a worker's threads.

Versions of frameworks are no part of it: an upgrade is compared with what was accepted before it. Neither is flushing
to zero, a habit of each framework's own process: a run that asks fewer frameworks is of the same platform.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from harness.errors import UsageError

KERNELS = frozenset({
    "SSE", "SSE2", "SSE3", "SSSE3", "SSE41", "SSE42", "POPCNT", "AVX", "F16C", "XOP", "FMA3", "FMA4", "AVX2", "AVX512F",
    "AVX512CD", "AVX512ER", "AVX512PF", "AVX5124FMAPS", "AVX5124VNNIW", "AVX512VPOPCNTDQ", "AVX512VL", "AVX512BW",
    "AVX512DQ", "AVX512VNNI", "AVX512IFMA", "AVX512VBMI", "AVX512VBMI2", "AVX512BITALG", "AVX512FP16",
    "NEON", "NEON_FP16", "NEON_VFPV4", "ASIMD", "FPHP", "ASIMDHP", "ASIMDDP", "ASIMDFHM", "SVE",
    "VSX", "VSX2", "VSX3", "VSX4", "VX", "VXE", "VXE2", "RVV",
})  # fmt: skip
"""Instruction sets by which kernels are chosen, as every NumPy from 2.0 on names them.

Names that later ones brought (AVX512BF16, VAES, X86_V3) are left out, so that the judge's own NumPy can be upgraded.
"""
WIDEST = ("AVX512F", "AVX2", "AVX", "SSE2", "SVE", "ASIMD", "VSX4", "VXE2", "RVV")
"""That a platform is called by: the first of them that is there."""


@dataclass(frozen=True)
class Platform:
    """What decides which kernels run, beside the frameworks themselves."""

    system: str
    machine: str
    vendor: str
    cpu: tuple[str, ...]
    threads: int

    @property
    def name(self) -> str:
        """For a file: readable, and a few digits of a hash of all of it."""
        vendor = re.sub("^genuine|^authentic|[^a-z0-9]", "", self.vendor.lower())
        widest = next((name.lower() for name in WIDEST if name in self.cpu), "unknown-cpu")
        digits = hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:6]
        name = f"{self.system}-{self.machine}-{vendor}-{widest}-{self.threads}t-{digits}".lower()
        return re.sub("[^a-z0-9_.-]", "-", name)


@dataclass(frozen=True)
class Framework:
    """In which versions it gave what was accepted, and whether the last flushed subnormal numbers to zero."""

    versions: tuple[str, ...]
    flushes: bool

    def __str__(self) -> str:
        return " and ".join(self.versions) + ", flushes to zero" * self.flushes


def platform(about: Mapping[str, Any]) -> Platform:
    """That a run was made on. `about`: its `run.json`."""
    try:
        found = about["environment"]
        cpu = tuple(sorted(KERNELS & set(found["cpu"])))
        system, vendor = found["system"].split(" ")[0], found.get("vendor", "unknown")
        return Platform(system, found["machine"], vendor, cpu, int(found["threads_per_worker"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the run's run.json does not say what it was made on: {error!r}") from None


def frameworks(about: Mapping[str, Any]) -> dict[str, Framework]:
    """Those that answered in a run."""
    return {
        name: Framework((said["version"],), bool(said.get("flush_to_zero")))
        for name, said in sorted(about.get("frameworks", {}).items())
        if "version" in said
    }


def changes(before: Mapping[str, Framework], after: Mapping[str, Framework]) -> list[str]:
    """What is not as it was, of the frameworks that both sides have."""
    return [
        f"{name} {before[name]} → {said}"
        for name, said in after.items()
        if name in before and str(before[name]) != str(said)
    ]


def moved(before: Platform, after: Platform) -> list[str]:
    """What another platform has that this one has not: a sentence, if they differ."""
    if before == after:
        return []
    gone, come = (sorted({*a.cpu} - {*b.cpu}) for a, b in ((before, after), (after, before)))
    sets = [f"{word} {' '.join(names)}" for word, names in (("without", gone), ("with", come)) if names]
    return [", ".join([f"{before.name} → {after.name}", *sets])]
