"""Environments for the versions of a framework: what they are made of, and when one is made anew. No pip runs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from backends import NAMES, find
from backends.numpy import NumPy
from backends.torch import Torch
from harness.baselines import versions
from harness.baselines.versions import READY, Environment, environment_of, make, needs, packages
from harness.errors import UsageError


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that would have been carried out, each leaving what it would have left of itself."""
    commands: list[str] = []

    def carried_out(command: list[str], side: Environment) -> str:
        commands.append(command[2])
        if command[2] == "venv":
            Path(command[-1]).mkdir(parents=True, exist_ok=True)
        return "jax==0.9.2\n"

    monkeypatch.setattr(versions, "carried_out", carried_out)
    return commands


MADE = ["venv", "pip", "pip"]
"""An environment, an installation, and what is in it."""


def test_an_environment_is_made_once(tmp_path: Path, ran: list[str]) -> None:
    for _ in range(2):
        make(environment_of("jax==0.9.2"), tmp_path, print)
    assert ran == MADE


def test_an_environment_with_another_numpy_is_made_anew(
    tmp_path: Path, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a new one beside it would differ from it in NumPy too."""
    make(environment_of("jax==0.9.2"), tmp_path, print)
    monkeypatch.setattr(versions, "version", lambda name: "99.1")
    make(environment_of("jax==0.9.2"), tmp_path, print)
    assert ran == 2 * MADE
    assert "numpy==99.1 ml-dtypes==99.1" in (tmp_path / "jax-0.9.2" / READY).read_text()


@pytest.mark.parametrize("content", [b"jax==0.9.2\nnumpy==2.4.6\n", b"", b"\xff"])
def test_an_environment_that_does_not_say_what_it_is_made_of_is_made_anew(
    tmp_path: Path, ran: list[str], content: bytes
) -> None:
    (tmp_path / "jax-0.9.2").mkdir()
    (tmp_path / "jax-0.9.2" / READY).write_bytes(content)
    make(environment_of("jax==0.9.2"), tmp_path, print)
    assert ran == MADE


def test_a_framework_comes_in_its_own_distributions() -> None:
    assert {"numpy", "torch", "tensorflow", "tensorflow-cpu", "jax"} <= set(packages())


@pytest.mark.parametrize("spec", ["array-api-compat==1.9", "ml-dtypes==0.5.3", "pandas==2.3.0"])
def test_what_a_framework_is_used_with_is_none(spec: str) -> None:
    with pytest.raises(UsageError, match="unknown framework package"):
        environment_of(spec)


def test_beside_the_framework_all_is_as_it_is_here() -> None:
    framework, *others = needs(environment_of("torch==2.4.0"))
    assert framework == "torch==2.4.0"
    assert [name.split("==")[0] for name in others] == ["numpy", "ml-dtypes", "array-api-compat"]
    assert needs(environment_of("numpy==2.2.6"))[:1] == ["numpy==2.2.6"]


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> type[NumPy]:
    """A backend that a third party brings."""
    made = type("Own", (NumPy,), {"framework": "own", "package": "Own_Runtime"})
    monkeypatch.setattr(versions, "NAMES", (*NAMES, "own"))
    monkeypatch.setattr(versions, "find", lambda name: made if name == "own" else find(name))
    return made


def test_a_third_party_s_backend_names_its_package(own: type[NumPy]) -> None:
    side = environment_of("own-runtime==1.2")
    assert (side.framework, side.package) == ("own", "own-runtime==1.2")
    assert [name.split("==")[0] for name in needs(side)] == ["own-runtime", "numpy", "ml-dtypes"]


def test_what_its_backend_derives_from_is_there_as_it_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    own = type("Own", (Torch,), {"framework": "own", "package": "own-runtime"})
    monkeypatch.setattr(versions, "NAMES", (*NAMES, "own"))
    monkeypatch.setattr(versions, "find", lambda name: own if name == "own" else find(name))
    found = [name.split("==")[0] for name in needs(environment_of("own-runtime==1.2"))]
    assert found == ["own-runtime", "numpy", "ml-dtypes", "array-api-compat", "torch"]


def test_one_that_names_a_framework_s_package_does_not_take_it(
    own: type[NumPy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "package", "torch")
    assert environment_of("torch==2.4.0").framework == "torch"


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        ({"direct_url.json": '{"url": "file:///src/mine", "dir_info": {}}', "RECORD": "mine.py,,"}, ["mine @ file:///src/mine"]),
        ({"RECORD": "mine.py,,"}, ["mine"]),
        ({}, []),
    ],
    ids=["from a folder", "from an index", "on the path"],
)  # fmt: skip
def test_what_brings_it_is_there_too(
    own: type[NumPy], monkeypatch: pytest.MonkeyPatch, said: dict[str, str], needed: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mine.harness", SimpleNamespace(BACKENDS=(own,)))
    brought = SimpleNamespace(name="mine", read_text=said.get)
    monkeypatch.setattr(versions, "entry_points", lambda group: [SimpleNamespace(module="mine.harness", dist=brought)])
    assert needs(environment_of("own-runtime==1.2"))[3:] == needed
    assert needs(environment_of("own-runtime==1.2"))[:1] == ["own-runtime==1.2"]
