"""Backends that end their process, each in its own way, for the worker that asks them: their framework is their own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backends.numpy import NumPy

MARKER = "DEADLY_MARKER"
"""The environment variable that names a file, which `once` makes when it dies."""


class Deadly(NumPy):
    """Right. Its variants end the process."""

    framework, operations = "deadly", ("softmax",)


def variant(function: Callable[..., Any]) -> type[NumPy]:
    return type(function.__name__, (Deadly,), {"variant": function.__name__, "softmax": function})


@variant
def segfault(b: NumPy, logits: Any, axis: int) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


@variant
def leaves(b: NumPy, logits: Any, axis: int) -> Any:
    os._exit(7)


@variant
def hangs(b: NumPy, logits: Any, axis: int) -> Any:
    time.sleep(3600)


@variant
def hoards(b: NumPy, logits: Any, axis: int) -> Any:
    kept = []
    while True:
        kept.append(np.ones(2**22))  # 32 MiB at a time


@variant
def once(b: NumPy, logits: Any, axis: int) -> Any:
    """As if an earlier question had spoilt its memory: in a fresh process it is right."""
    marker = Path(os.environ[MARKER])
    if not marker.exists():
        marker.touch()
        os._exit(9)
    return NumPy.softmax(b, logits, axis)


class Stillborn(Deadly):
    framework = "stillborn"

    def __init__(self) -> None:
        os.kill(os.getpid(), signal.SIGILL)


class Gone(Deadly):
    framework = "gone"

    def __init__(self) -> None:
        raise ImportError("there is no such library")


BACKENDS = (Deadly, segfault, leaves, hangs, hoards, once, Stillborn, Gone)
