"""What an adapter does as a script: the same bits without this harness, for every backend and operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import find
from harness.numbers.formats import FORMATS
from harness.questions.variations import LAYOUTS
from harness.records import Case, Group, Normal
from harness.transcript.script import Transcript
from harness.workers.input_files import Inputs
from harness.workers.request import Recording, Reply, Request, request_of
from tests.conftest import Asked
from tests.interpreter import Interpreter

TWO_ROWS = Case("transcript", "two rows, two axes", Normal(2), (2, 3), axes=(0, 1))

Interpreters = Callable[[str], Interpreter]


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreters]:
    """One a framework: importing it is what takes time."""
    started: dict[str, Interpreter] = {}

    def of(backend: str) -> Interpreter:
        framework = find(backend).framework
        if framework not in started:
            started[framework] = Interpreter()
        return started[framework]

    yield of
    for each in started.values():
        each.stop()


def request(asked: Asked, operation: str, dtype: str, axis: int, case: Case = TWO_ROWS) -> Request:
    group = Group(operation, case, dtype, axis, (asked.name,))
    return request_of(group, Inputs(asked.folder).arguments(group, 0))


def recorded(asked: Asked, request: Request) -> Reply:
    return asked.driver.ask(replace(request, recording=Recording()))


def transcript_of(asked: Asked, request: Request) -> Transcript:
    reply = recorded(asked, request)
    assert reply.script, reply
    return Transcript(**reply.script)


def assert_same_bits(interpreter: Interpreters, asked: Asked, request: Request) -> Transcript:
    """The worker's answer and its script's, which run in two processes."""
    reply = asked.driver.ask(request)
    assert reply.outcome == "ok", reply
    answer = reply.answer
    transcript = transcript_of(asked, request)
    assert transcript.raised == ""
    assert transcript.computation.splitlines()[-1].startswith("answer = ")
    actual = interpreter(asked.name).actual(transcript.whole)
    assert (actual.dtype, actual.shape) == (answer.dtype, answer.shape), transcript.whole
    assert actual.tobytes() == answer.tobytes(), transcript.whole
    return transcript


def test_a_script_gives_the_same_bits(question: tuple[Asked, str], interpreter: Interpreters) -> None:
    asked, operation = question
    transcript = assert_same_bits(interpreter, asked, request(asked, operation, "float64", 1))
    assert not any(word in transcript.whole for word in ("harness", "backends"))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("operation", ["softmax", "vjp"])
def test_in_every_dtype_and_along_another_axis(
    whole_backend: Asked, interpreter: Interpreters, operation: str, dtype: str
) -> None:
    if find(whole_backend.name).unsupported(operation, dtype):
        pytest.skip(f"{whole_backend.name} does not claim {dtype}")
    assert_same_bits(interpreter, whole_backend, request(whole_backend, operation, dtype, 0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_in_every_layout(ask: Any, interpreter: Interpreters, tmp_path: Path, framework: str, layout: str) -> None:
    if layout not in find(framework).layouts:
        pytest.skip(f"{framework} has no {layout} arrays")
    logits = np.array([[0.1, 2, -3]] * 2, np.float32)  # rows that are alike can be broadcast too
    question = Request(framework, "softmax", 1, {"logits": logits}, layout)
    assert "as_strided" in assert_same_bits(interpreter, ask(framework), question).script


def test_what_is_more_than_one_call_has_no_script(ask: Any) -> None:
    asked = ask("numpy")
    reply = recorded(asked, replace(request(asked, "softmax", "float32", 1), variation="alone"))
    assert reply == Reply(remark="the question is put in another way (alone), which is more than one call")


TORCH_VJP = """\
import numpy as np
import torch
torch.set_num_threads(1)

x = torch.from_numpy(np.array([
    [1.0, 2.0, 3.0],
    [-0.0, 0.1, np.inf],
], dtype=np.float32))
v = torch.from_numpy(np.array([
    [0.5, 0.0, 0.0],
    [1e-45, np.nan, 3.4028235e+38],
], dtype=np.float32))
def f(x):
    return torch.softmax(x, -1)
answer = torch.func.vjp(f, x)[1](v)[0]
"""
TENSORFLOW_VJP = """\
import os
import numpy as np
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

x = tf.constant(np.array([
    [1.0, 2.0, 3.0],
    [-0.0, 0.1, np.inf],
], dtype=np.float32))
v = tf.constant(np.array([
    [0.5, 0.0, 0.0],
    [1e-45, np.nan, 3.4028235e+38],
], dtype=np.float32))
with tf.GradientTape() as tape:
    tape.watch(x)
    values = tf.nn.softmax(x, -1)
answer = tape.gradient(values, x, v)
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("torch", TORCH_VJP),
        pytest.param("tensorflow", TENSORFLOW_VJP),
    ],
)
def test_reads_like_what_a_person_would_send(ask: Any, tmp_path: Path, name: str, expected: str) -> None:
    given = {
        "logits": np.array([[1, 2, 3], [-0.0, 0.1, np.inf]], np.float32),
        "cotangent": np.array([[0.5, 0, 0], [2.0**-149, np.nan, np.finfo(np.float32).max]], np.float32),
    }
    assert transcript_of(ask(name), Request(name, "vjp", -1, given)).script == expected


def test_what_raises_has_a_script_that_raises(ask: Any, interpreter: Interpreters, tmp_path: Path) -> None:
    given = {"logits": np.zeros((2, 3), np.float32), "labels": np.array([0, 3]), "reduction": "none"}
    transcript = transcript_of(ask("torch"), Request("torch", "cross_entropy", -1, given))
    assert transcript.raised == "IndexError"
    assert transcript.conversion == ""
    reply = interpreter("torch").said(transcript.script)
    assert (reply["raised"], reply["message"]) == ("IndexError", "Target 3 is out of bounds.")


def test_a_function_that_the_framework_raises_before_calling_is_written_down(
    ask: Any, interpreter: Interpreters, tmp_path: Path
) -> None:
    """Forward mode on a primal whose rows share their memory (torch 2.13)."""
    given = {"logits": np.zeros((2, 3), np.float32), "tangent": np.ones((2, 3), np.float32)}
    transcript = transcript_of(ask("torch"), Request("torch", "jvp", -1, given, "broadcast"))
    assert "    return torch.softmax(x, -1)" in transcript.script
    assert transcript.raised == interpreter("torch").said(transcript.script)["raised"] == "RuntimeError"
