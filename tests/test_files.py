"""What a backend does to the file system is no other backend's loss, and no fault of ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pytest

from harness.errors import UsageError
from harness.numbers import arrays
from harness.workers import wire
from harness.workers.spool import Spool
from tests.command import ROOT, brought, harness

VANDALS = """
import glob, os, shutil, tempfile
import numpy as np
from backends.numpy import NumPy

def files():
    pattern = os.path.join(tempfile.gettempdir(), "softmax-harness-*", "**")
    return [name for name in glob.glob(pattern, recursive=True, include_hidden=True)]

class Vandal(NumPy):
    framework, operations = "vandal", ("softmax",)

    def softmax(self, logits, axis):
        return NumPy.softmax(self, logits, axis)

def acts(act):
    def softmax(self, logits, axis):
        for name in (*files(), "no-such-file"):
            try:
                act(name)
            except OSError:
                pass
        return NumPy.softmax(self, logits, axis)
    return type(act.__name__, (Vandal,), {"variant": act.__name__, "softmax": softmax})

def overwrites(name):
    with open(name, "r+b") as stream:
        stream.write(b"spoilt" * 100)

def truncates(name):
    os.truncate(name, 0)

def deletes(name):
    os.unlink(name)

def links(name):
    os.unlink(name)
    os.symlink("/dev/zero", name)

def removes_folders(name):
    if os.path.isdir(name):
        shutil.rmtree(name)

def leaves_a_file(name):
    with open("left-by-a-backend", "w") as stream:
        stream.write("not here")

def writes_to_all_that_is_open(name):
    for number in range(64):
        try:
            os.write(number, bytes(range(64)))
        except OSError:
            pass

BACKENDS = (Vandal, *map(acts, (overwrites, truncates, deletes, links, removes_folders, leaves_a_file,
                                writes_to_all_that_is_open)))
"""


@pytest.fixture(scope="module")
def vandalised(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, int, str, Path]:
    """Cells, exit code, stderr and the user's folder of one run with all of them."""
    folder = tmp_path_factory.mktemp("vandalised")
    brought(folder / "user", "vandal", VANDALS)
    (folder / "tmp").mkdir()
    done = harness(
        "compare", "--backend", "numpy,vandal*", "--case", "normal:3x17,normal:4x5,uniform:2x300", "--operation",
        "softmax,vjp", "--dtype", "float32", "--time-limit", "4", "--jobs", "2", "--out", folder / "out",
        cwd=folder / "user", PYTHONPATH=f"{ROOT}{os.pathsep}.", TMPDIR=folder / "tmp",
    )  # fmt: skip
    cells = pd.read_csv(folder / "out" / "comparisons.csv", keep_default_na=False)
    return cells, done.returncode, done.stderr, folder


@pytest.mark.parametrize(
    "name", ["overwrites", "truncates", "deletes", "links", "removes_folders", "leaves_a_file"],
)  # fmt: skip
def test_damage_to_files_is_nobody_s_loss(vandalised: tuple[pd.DataFrame, int, str, Path], name: str) -> None:
    cells = vandalised[0]
    assert set(cells[cells.backend == f"vandal:{name}"].verdict) == {"within bound"}


def test_no_other_backend_loses_a_cell(vandalised: tuple[pd.DataFrame, int, str, Path]) -> None:
    cells, code, said, _ = vandalised
    assert code == 4, said
    assert "internal error" not in said
    for name in ("numpy", "vandal"):
        assert set(cells[cells.backend == name].verdict) == {"within bound"}
    deaths = {"crashed", "timed out", "error", "out of memory"}
    assert set(cells[cells.backend == "vandal:writes_to_all_that_is_open"].outcome) <= deaths


def test_nothing_is_left_in_the_user_s_folder(vandalised: tuple[pd.DataFrame, int, str, Path]) -> None:
    folder = vandalised[3]
    left = {file.name for file in (folder / "user").iterdir()} - {"__pycache__"}
    assert left == {"vandal.py", "vandal-0.0.dist-info"}
    assert not list((folder / "tmp").iterdir())


ANY = [
    np.arange(12.0).reshape(3, 4)[:, ::2], np.zeros((0, 3)), np.float32(3), np.array(2.5, ">f8"),
    np.ones(5, arrays.dtype("bfloat16")), np.arange(2**20 + 1, dtype=np.int64), np.array(True),
]  # fmt: skip


@pytest.mark.parametrize("given", ANY, ids=lambda given: f"{np.asarray(given).dtype}{np.shape(given)}")
def test_arrays_travel_bit_for_bit(given: np.ndarray) -> None:  # type: ignore[type-arg]
    array, sent = np.asarray(given), []
    channel = type("Channel", (), {"send": lambda self, item: sent.append(item)})()
    wire.send(channel, {"a": {"b": array, "c": 1}})
    head, *chunks = sent
    found = wire.unpacked(head, lambda: chunks.pop(0))
    assert found["a"]["c"] == 1
    answer = found["a"]["b"].array()
    assert (answer.dtype, answer.shape, answer.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert not chunks


def test_an_array_that_changed_on_its_way_is_refused() -> None:
    sent: list[object] = []
    wire.send(type("Channel", (), {"send": lambda self, item: sent.append(item)})(), {"b": np.zeros(3)})
    with pytest.raises(ValueError, match="changed on their way"):
        wire.unpacked(sent[0], lambda: b"\1" * 24)["b"].array()


@pytest.mark.parametrize("given", ANY, ids=lambda given: f"{np.asarray(given).dtype}{np.shape(given)}")
def test_what_is_kept_is_read_bit_for_bit(tmp_path: Path, given: np.ndarray) -> None:  # type: ignore[type-arg]
    spool = Spool(tmp_path)
    spool.keep(np.float16(1))
    kept = spool.keep(np.asarray(given))
    spool.keep(np.ones(100))
    answer = kept.read()
    assert not list(tmp_path.iterdir())
    assert (answer.dtype, answer.shape, answer.tobytes()) == (given.dtype, np.shape(given), given.tobytes())
    kept.release()


def test_room_is_free_again_once_nothing_in_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.workers.spool.ENOUGH", 1000)
    spool = Spool(tmp_path)
    kept = [spool.keep(np.full(100, number)) for number in range(10)]
    for number, one in enumerate(kept):
        assert (one.read() == number).all()
        one.release()
    assert not spool._parts


def full_after_half(stream: IO[bytes], array: np.ndarray) -> int:  # type: ignore[type-arg]
    stream.write(b"half of it")
    raise OSError(28, "No space left on device")


def test_no_room_is_one_sentence_and_spoils_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    first = spool.keep(np.arange(3))
    with monkeypatch.context() as full:
        full.setattr("harness.workers.spool.write", full_after_half)
        with pytest.raises(UsageError, match=r"cannot write to '.*': No space left"):
            spool.keep(np.ones(3))
    second = spool.keep(np.arange(5))
    assert (first.read() == np.arange(3)).all()
    assert (second.read() == np.arange(5)).all()
