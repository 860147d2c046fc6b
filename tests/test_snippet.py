"""The script of a finding: it shows what was recorded while that is so, and says so where it no longer is."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import load
from backends.numpy import NumPy
from harness.findings.scripts.claims import (
    Crashes,
    Finding,
    Form,
    Raises,
    Value,
    Writes,
    rational,
    reproduction,
    ulp_exponent,
)
from harness.transcript import transcript
from harness.transcript.script import Transcript

FAR = np.array([[1000.0, 2000.0, 3000.0]])
NEAR = np.array([[0.0, 1.0, 3.0]])


def of(name: str, logits: np.ndarray[Any, Any] = FAR) -> Transcript:
    with np.errstate(all="ignore"):  # overflow is what some of them show
        return transcript(load(name), "softmax", {"logits": logits, "axis": -1})


def run(folder: Path, text: str) -> tuple[int, list[str]]:
    """Exit status and lines of a script in an interpreter that does not know us."""
    file = folder / "shows.py"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-I", str(file)], capture_output=True, text=True, check=False, env=os.environ, timeout=60
    )
    return done.returncode, done.stdout.splitlines()


def assert_says(folder: Path, found: Transcript, finding: Finding, shown: bool) -> list[str]:
    status, lines = run(folder, reproduction("a title", found, finding))
    assert status == (0 if shown else 1), lines
    assert lines[-1].startswith("shown: " if shown else "not shown: ")
    return lines


NAN = Value((0, 2), "nan", "0x1p+0", 1.0, "float64")


@pytest.mark.parametrize(("name", "shown"), [("numpy:naive", True), ("numpy", False)])
def test_nan_where_a_number_belongs(tmp_path: Path, name: str, shown: bool) -> None:
    lines = assert_says(tmp_path, of(name), NAN, shown)
    assert lines[-1].endswith("the answer at [0, 2] is nan, and not 0x1p+0")


def test_an_infinity_is_no_nan(tmp_path: Path) -> None:
    assert_says(tmp_path, of("numpy:naive"), replace(NAN, actual="inf"), False)


EXACT = "0x0.b00ed0a1e84e8a3d5cf5a9d2fbp-4"
"""Near e^1 / (1 + e + e^3), to no bits in particular: an expected value is text here."""


@pytest.mark.parametrize(("allowed", "shown"), [(0.25, True), (2.0**60, False)])
def test_a_number_too_far_off(tmp_path: Path, allowed: float, shown: bool) -> None:
    finding = Value((0, 1), "0x1.p-4", EXACT, allowed, "float64")
    lines = assert_says(tmp_path, of("numpy", NEAR), finding, shown)
    answer = load("numpy").softmax(NEAR, -1)[0, 1]
    ulps = abs(Fraction(float(answer)) - rational(EXACT)) / Fraction(2) ** ulp_exponent(rational(EXACT), "float64")
    assert f"difference in ulp {float(ulps):.6g}" in lines


def test_what_is_allowed_is_not_exceeded_by_itself(tmp_path: Path) -> None:
    """A difference of exactly so many ulp is allowed."""
    answer = float(load("numpy").softmax(NEAR, -1)[0, 1])
    expected = math.nextafter(answer, 1.0).hex()
    finding = Value((0, 1), answer.hex(), expected, 1.0, "float64")
    assert_says(tmp_path, of("numpy", NEAR), finding, False)
    assert_says(tmp_path, of("numpy", NEAR), replace(finding, allowed=0.5), True)


@pytest.mark.parametrize("expected", ["0x1p-1074", "-0x1p+5000", "0x0p+0"])
def test_a_difference_beyond_every_float(tmp_path: Path, expected: str) -> None:
    finding = Value((0, 2), "0x1p+0", expected, 2.0, "float64")
    assert_says(tmp_path, of("numpy"), finding, True)


def test_a_number_where_nan_belongs(tmp_path: Path) -> None:
    finding = Value((0, 0), "0x0p+0", "nan", 0.0, "float64")
    assert_says(tmp_path, of("numpy"), finding, True)
    assert_says(tmp_path, of("numpy:naive"), replace(finding, element=(0, 1)), False)


def test_another_form_than_the_logits(tmp_path: Path) -> None:
    found = of("numpy", NEAR.astype(np.float32))
    assert_says(tmp_path, found, Form("dtype", "float32", "float64"), True)
    assert_says(tmp_path, found, Form("dtype", "float16", "float32"), False)
    assert_says(tmp_path, found, Form("shape", "(1, 3)", "(3,)"), True)
    assert_says(tmp_path, found, Form("shape", "(3,)", "(1, 3)"), False)


def test_an_exception(tmp_path: Path) -> None:
    found = transcript(load("numpy"), "softmax", {"logits": NEAR, "axis": 2})
    assert found.raised == "AxisError"
    assert_says(tmp_path, found, Raises("AxisError"), True)
    assert_says(tmp_path, found, Raises("ValueError"), False)
    assert_says(tmp_path, of("numpy"), Raises("AxisError"), False)


class Scribbles(NumPy):
    def softmax(self, logits: Any, axis: int) -> Any:
        logits -= logits.max(axis=axis, keepdims=True)
        return super().softmax(logits, axis)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize(("backend", "shown"), [(Scribbles(), True), (NumPy(), False)])
def test_an_argument_that_is_written_into(tmp_path: Path, backend: NumPy, shown: bool, step: int) -> None:
    """A view of a larger buffer too."""
    arguments = {"logits": np.repeat(NEAR, step, axis=-1)[..., ::step], "axis": -1}
    found = transcript(backend, "softmax", arguments, watched="logits")
    lines = assert_says(tmp_path, found, Writes("logits"), shown)
    assert lines[-1].endswith("it wrote into its logits")


def test_a_crash(tmp_path: Path) -> None:
    dies = replace(of("numpy"), conversion="os.kill(os.getpid(), 11)")
    assert_says(tmp_path, dies, Crashes(-11), True)
    assert_says(tmp_path, dies, Crashes(7), False)
    assert_says(tmp_path, of("numpy"), Crashes(-11), False)


def test_the_environment_is_set_before_anything_is_imported(tmp_path: Path) -> None:
    text = reproduction('a "title"\\', of("numpy"), NAN, {"OMP_NUM_THREADS": "1"})
    assert text.index("os.environ['OMP_NUM_THREADS'] = '1'") < text.index("import numpy")
    assert text.startswith('"""a \'title\'/"""')
    assert run(tmp_path, text)[0] == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_hexadecimal_numbers_are_read_exactly(number: float) -> None:
    assert rational(number.hex()) == Fraction(number)
    if number:
        assert Fraction(2) ** ulp_exponent(Fraction(number), "float64") == Fraction(math.ulp(number))


@given(st.integers(1 - 2**106, 2**106 - 1), st.integers(-3000, 3000))
def test_more_bits_than_a_float_has(bits: int, exponent: int) -> None:
    text = f"{'-' if bits < 0 else ''}0x0.{abs(bits) << 2:027x}p{exponent:+d}"
    assert rational(text) == Fraction(bits) * Fraction(2) ** (exponent - 106)
