"""What is assumed of exp, log and division in 16 bits holds at every input, in each framework as it is installed.

Its own namespace is asked, in a process of its own; exact values are float64's, good to 2^-50.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import FRAMEWORKS
from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.records import Case, Printed
from harness.truth.bounds import assumed
from tests.conftest import REQUIRED

ROOT = Path(__file__).parent.parent
NARROW = ("float16", "bfloat16")

ASKED = """
import json, sys
import numpy as np
from backends import find
from harness.numbers import arrays
from harness.numbers.formats import FORMATS

try:
    b = find(sys.argv[1])()
except ImportError as error:
    print(json.dumps({"absent": str(error)}))
    raise SystemExit from None
xp = b.tf.math if hasattr(b, "tf") else b.xp  # its NumPy namespace does not take bfloat16 (2.21)

def of(function, *given):
    return b.to_numpy(function(*(b.from_numpy(part) for part in given))).astype(np.float64)

def error(found, exact, form):
    '''Largest, in u, of those whose exact value is a normal number.'''
    normal = (np.abs(exact) >= form.smallest_normal) & (np.abs(exact) <= form.largest)
    return float((np.abs(found - exact)[normal] / np.abs(exact[normal])).max() / form.u)

told = {}
for dtype in ("float16", "bfloat16"):
    form, kind = FORMATS[dtype], arrays.dtype(dtype)
    every = np.arange(2**16, dtype=np.uint16).view(kind)
    x = every[np.isfinite(every.astype(np.float64))]
    with np.errstate(all="ignore"):
        exact = np.exp(x.astype(np.float64))
    below = exact < form.smallest_normal
    lost = np.abs(of(xp.exp, x) - exact)[below]
    positive = x[x.astype(np.float64) >= form.smallest_normal]
    above_1 = positive[positive >= 1]
    significands = positive[(positive >= 1) & (positive < 2)]
    over, under = (part.ravel() for part in np.meshgrid(significands, significands))
    quotient, reciprocal = over.astype(np.float64) / under.astype(np.float64), of(lambda a: 1 / a, under).astype(kind)
    told[dtype] = {
        "exp": error(of(xp.exp, x), exact, form),
        "exp below the normal numbers, in quanta": float(lost.max() / form.quantum),
        "log": error(of(xp.log, positive), np.log(positive.astype(np.float64)), form),
        "log1p": error(of(xp.log1p, above_1), np.log1p(above_1.astype(np.float64)), form),
        "division": error(of(lambda a, c: a / c, over, under), quotient, form),
        "product with a reciprocal": error(of(lambda a, c: a * c, over, reciprocal), quotient, form),
    }
print(json.dumps(told))
"""


@cache
def told(framework: str) -> dict[str, dict[str, float]]:
    command = [sys.executable, "-c", ASKED, framework]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    about: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if reason := about.get("absent"):
        assert framework not in REQUIRED, f"{framework} must be there and is absent: {reason}"
        pytest.skip(f"{framework} is absent: {reason}")
    return about


@pytest.mark.timeout(120)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_input_of_16_bits_is_within_what_is_assumed(framework: str, dtype: str) -> None:
    found, library = told(framework)[dtype], assumed(FORMATS[dtype])
    assert (library.exp, library.log) == (1, 1)
    assert 0.9 < found["exp"] <= library.exp
    assert 0.9 < max(found["log"], found["log1p"]) <= library.log
    assert found["division"] <= 1


@pytest.mark.timeout(120)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_quotient_by_the_reciprocal_needs_what_is_assumed_of_a_division(framework: str, dtype: str) -> None:
    assert 1.8 < told(framework)[dtype]["product with a reciprocal"] <= assumed(FORMATS[dtype]).division


@pytest.mark.timeout(120)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_exp_is_rounded_below_the_normal_numbers_or_flushed(framework: str, dtype: str) -> None:
    """To zero, and that in bfloat16 alone: what a backend may do there it declares."""
    lost, form = told(framework)[dtype]["exp below the normal numbers, in quanta"], FORMATS[dtype]
    flushed = form.smallest_normal / form.quantum
    assert lost <= assumed(form).exp / 2 or (dtype == "bfloat16" and lost <= flushed)


def pairs_of(dtype: str) -> Case:
    """Rows of a 0 and another logit, down to where its exponential is no normal number: all of them in the format."""
    form = FORMATS[dtype]
    with np.errstate(invalid="ignore"):  # NaN among them
        every = np.arange(2**15, 2**16, dtype=np.uint16).view(arrays.dtype(dtype)).astype(np.float64)
    logits = every[every > np.log(form.smallest_normal) - 2]
    logits = logits[: len(logits) // 8 * 8]
    return Case(f"pairs in {dtype}", "tests", Printed(tuple((0.0, float(x)) for x in logits)), (len(logits), 2))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("operation", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("dtype", NARROW)
def test_so_are_the_ones_inside_of_a_softmax(whole_backend: Any, dtype: str, operation: str) -> None:
    """A kernel may have another exp than the elementwise one. At two terms a sum hides nothing."""
    if whole_backend.driver.framework == "numpy" and dtype == "bfloat16":
        pytest.skip("numpy does not claim bfloat16")
    cell, _ = whole_backend.judged(operation, pairs_of(dtype), dtype, -1)
    assert cell.outcome == "ok", cell.reason
    assert (cell.verdict, cell.grade in ("A+", "A", "B")) == ("within bound", True), cell.witness
