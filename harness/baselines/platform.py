"""The platform on which answers may agree bit for bit: system, processor maker, instruction sets, threads per worker.

Versions of frameworks are not part of it: an upgrade is compared with what was accepted before it. Flushing to zero
is not part of it either. It depends on each framework's own process, and a run that asks fewer frameworks is made on
the same platform.
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
"""Instruction sets by which kernels are chosen, under the names that every NumPy from 2.0 on uses.

Names that later versions brought (AVX512BF16, VAES, X86_V3) are left out, so that the judge's own NumPy can be
upgraded.
"""
WIDEST = ("AVX512F", "AVX2", "AVX", "SSE2", "SVE", "ASIMD", "VSX4", "VXE2", "RVV")
"""Instruction sets by which a platform is named, in order: the first one that it has is used."""


@dataclass(frozen=True)
class Platform:
    """What decides which kernels run, apart from the frameworks themselves."""

    system: str
    machine: str
    vendor: str
    cpu: tuple[str, ...]
    threads: int

    @property
    def name(self) -> str:
        """Return a file name: readable, with six hexadecimal digits of a hash of all fields."""
        vendor = re.sub("^genuine|^authentic|[^a-z0-9]", "", self.vendor.lower())
        widest = next((name.lower() for name in WIDEST if name in self.cpu), "unknown-cpu")
        digits = hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:6]
        name = f"{self.system}-{self.machine}-{vendor}-{widest}-{self.threads}t-{digits}".lower()
        return re.sub("[^a-z0-9_.-]", "-", name)


@dataclass(frozen=True)
class FrameworkVersions:
    """The versions in which a framework gave its accepted answers, and whether the last flushed subnormals to zero."""

    versions: tuple[str, ...]
    flushes: bool

    def __str__(self) -> str:
        return " and ".join(self.versions) + ", flushes to zero" * self.flushes


def platform(about: Mapping[str, Any]) -> Platform:
    """Return the platform that a run was made on. `about`: its `run.json`. Raise UsageError if it is incomplete."""
    try:
        found = about["environment"]
        cpu = tuple(sorted(KERNELS & set(found["cpu"])))
        system, vendor = found["system"].split(" ")[0], found.get("vendor", "unknown")
        return Platform(system, found["machine"], vendor, cpu, int(found["threads_per_worker"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the run's run.json does not describe its environment: {error!r}") from None


def frameworks(about: Mapping[str, Any]) -> dict[str, FrameworkVersions]:
    """Return the frameworks that took part in a run, those with a version."""
    return {
        name: FrameworkVersions((said["version"],), bool(said.get("flush_to_zero")))
        for name, said in sorted(about.get("frameworks", {}).items())
        if "version" in said
    }


def changes(before: Mapping[str, FrameworkVersions], after: Mapping[str, FrameworkVersions]) -> list[str]:
    """Return what has changed in the frameworks that both sides have, one text each."""
    return [
        f"{name} {before[name]} → {said}"
        for name, said in after.items()
        if name in before and str(before[name]) != str(said)
    ]


def moved(before: Platform, after: Platform) -> list[str]:
    """Return a text, in a list, that says how the platforms differ; an empty list if they are the same."""
    if before == after:
        return []
    gone, come = (sorted({*a.cpu} - {*b.cpu}) for a, b in ((before, after), (after, before)))
    sets = [f"{word} {' '.join(names)}" for word, names in (("without", gone), ("with", come)) if names]
    return [", ".join([f"{before.name} → {after.name}", *sets])]
