"""A backend that NaN kills, for the worker that asks it: its framework's name is its own."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np

from backends.numpy import NumPy


class Touchy(NumPy):
    framework, operations = "touchy", ("softmax",)

    def softmax(self, logits: Any, axis: int) -> Any:
        if np.isnan(logits).any():
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().softmax(logits, axis)


BACKENDS = (Touchy,)
