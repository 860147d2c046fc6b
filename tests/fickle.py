"""Backends that no script shows as they are, for the worker that asks them: their framework's name is their own."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from backends.numpy import NumPy


class Fickle(NumPy):
    """Right, with other bits at every other question: what it counts is its own, and no call of a framework."""

    framework, operations = "fickle", ("softmax",)

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def softmax(self, logits: Any, axis: int) -> Any:
        self.asked += 1
        return np.nextafter(super().softmax(logits, axis), self.asked % 2)


class Hangs(Fickle):
    """Where there is more than one row."""

    variant, operations = "hangs", ("softmax", "vjp")

    def softmax(self, logits: Any, axis: int) -> Any:
        if logits.ndim > 1:
            time.sleep(3600)
        return super().softmax(logits, axis)


class Minding(Fickle):
    """Right, with other bits once it was asked in float64."""

    variant, threaded = "minding", True

    def softmax(self, logits: Any, axis: int) -> Any:
        self.asked = self.asked or logits.dtype == np.float64
        return np.nextafter(NumPy.softmax(self, logits, axis), np.float32(self.asked))


BACKENDS = (Fickle, Hangs, Minding)
