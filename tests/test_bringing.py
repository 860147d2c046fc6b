"""A kernel that somebody brings is asked what NumPy is, in its own name alone; what keeps it from that is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import backends
from backends import Backend, third_party
from backends.base import OPERATIONS
from backends.jax import Jax
from backends.numpy import NumPy
from backends.torch import Torch
from harness.numbers.formats import FORMATS
from harness.truth.bounds import Declared, any_order, bound
from tests import bringing
from tests.command import ROOT, harness


@pytest.fixture(scope="module")
def zeros(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bringing.brought(tmp_path_factory.mktemp("zeros"), bringing.ZEROS)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bringing.brought(tmp_path_factory.mktemp("right"), bringing.RIGHT)


def recipe() -> list[str]:
    """What README's workflow has the action ask, as the action words it."""
    import yaml

    text = (ROOT / "README.md").read_text()
    workflow = yaml.safe_load(text.split("## In your CI")[1].split("```yaml")[1].split("```")[0])
    given = workflow["jobs"]["softmax"]["steps"][-1]["with"]
    assert given["gate"] == "bounds"
    return [f"--{name}={value}" for name, value in given.items() if name in ("backend", "operation", "case", "suite")]


def test_the_recipe_for_ci_fails_a_kernel_of_zeros(zeros: Path, tmp_path: Path) -> None:
    done = harness("compare", *recipe(), "--out", tmp_path, PYTHONPATH=zeros)
    assert done.returncode == 1, done.stderr
    assert re.search(r"[1-9][0-9,]* FAIL\b", done.stdout)
    cells = pd.read_csv(tmp_path / "comparisons.csv")
    softmax = cells[(cells.operation == "softmax") & (cells.outcome == "ok")]
    its = softmax[softmax.backend == "mine"]
    assert len(its) >= (softmax.backend == "numpy").sum()
    assert (its.verdict == "fails").all()


def test_the_framework_s_own_results_are_not_the_kernel_s(zeros: Path, tmp_path: Path) -> None:
    few = ("--case", "digits", "--operation", "softmax,log_softmax,cross_entropy,jacobian", "--dtype", "float32")
    done = harness("compare", "--backend", "mine", *few, "--out", tmp_path, PYTHONPATH=zeros)
    assert done.returncode == 1, done.stderr
    cells = pd.read_csv(tmp_path / "comparisons.csv").set_index("operation")
    assert set(cells.loc[["softmax", "jacobian"]].verdict) == {"fails"}
    assert set(cells.loc[["log_softmax", "cross_entropy"]].outcome) == {"unsupported"}
    assert cells.loc["log_softmax"].reason == "mine defines softmax: its log_softmax would be that of numpy"


COUNTING = """
import json, sys
from harness.runs.plan import Selection, groups
from collections import Counter
from backends import unsupported
planned = groups(Selection(suite=sys.argv[1], backends=tuple(sys.argv[2:])))
seen = Counter()
for group in planned:
    for name in group.backends:
        if not group.probe and not unsupported(name, group.operation, group.dtype):
            seen[name, group.operation, group.case.name, group.dtype, group.axis] += 1
print(json.dumps([key for key in seen if ":" not in key[0]]))
"""


def asked(folder: Path, suite: str, *names: str) -> dict[str, set[tuple[Any, ...]]]:
    """The cells that a suite asks of each native, by its name."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, suite, *names],
        cwd=ROOT, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, set[tuple[Any, ...]]] = {}
    for name, *rest in json.loads(done.stdout):
        found.setdefault(name, set()).add(tuple(rest))
    return found


@pytest.mark.parametrize("suite", ["quick", "standard", "deep"])
@pytest.mark.parametrize("names", [(), ("mine", "numpy")])
def test_it_is_asked_whatever_numpy_is(right: Path, suite: str, names: tuple[str, ...]) -> None:
    """Named or not: of what both can be asked, layouts and dtypes, the cells are the same."""
    found = asked(right, suite, *names)
    assert found["numpy"] <= found["mine"]
    assert {key for key in found["mine"] - found["numpy"] if "@threads" not in key[1]} == set()


@pytest.mark.parametrize("suite", ["quick", "standard", "deep"])
def test_a_softmax_alone_is_asked_as_often_as_numpy_s(zeros: Path, suite: str) -> None:
    found = asked(zeros, suite, "mine", "numpy")
    number = {name: sum(key[0] == "softmax" for key in found[name]) for name in ("mine", "numpy")}
    assert number["mine"] >= number["numpy"]
    assert not any(key[0] == "log_softmax" for key in found["mine"])


@pytest.mark.parametrize(
    ("asking", "sentence"),
    [
        (("--operation", "log_softmax"), "cells was judged: unsupported, mine defines softmax: its log_softmax would"),
        (("--dtype", "bfloat16"), "cells was judged: unsupported, mine does not claim bfloat16"),
        (("--suite", "standard", "--case", "*@threads"), "mine was requested by name, but it supports none"),
    ],
)  # fmt: skip
def test_a_name_without_a_judged_cell_is_said(zeros: Path, tmp_path: Path, asking: Any, sentence: str) -> None:
    """By whatever it was filtered out, though another backend is judged."""
    done = harness("compare", "--backend", "mine,torch", *asking, "--out", tmp_path, PYTHONPATH=zeros)
    assert done.returncode == 5, done.stderr
    assert sentence in done.stderr
    assert "mine was requested by name, but " in done.stderr
    for page in (harness("report", tmp_path, "--format", form).stdout for form in ("junit", "github", "markdown")):
        assert "was requested by name" in page


def test_moves_and_baselines_say_it_too(zeros: Path, tmp_path: Path) -> None:
    few = ("--case", "digits", "--dtype", "float32", "--operation", "log_softmax")
    assert harness("compare", "--backend", "numpy", *few, "--out", tmp_path / "a").returncode == 0
    assert (
        harness("compare", "--backend", "mine,numpy", *few, "--out", tmp_path / "b", PYTHONPATH=zeros).returncode == 5
    )
    folder = ("--baselines", tmp_path / "accepted")
    assert harness("baseline", "accept", tmp_path / "a", *folder, "--reason", "as it was").returncode == 0
    for done in (harness("diff", tmp_path / "a", tmp_path / "b"), harness("baseline", "diff", tmp_path / "b", *folder)):
        assert done.returncode == 5
        assert "mine was requested by name" in done.stdout
        assert "Nothing changed" not in done.stdout
    refused = harness("baseline", "accept", tmp_path / "b", *folder, "--reason", "by halves")
    assert refused.returncode == 2
    assert "cannot be accepted: mine was requested by name" in refused.stderr


@pytest.mark.parametrize(
    ("asking", "sentence"),
    [
        (("--operation", "softmax,layer", "--case", "digits"), "--operation layer matches nothing that would run"),
        (("--dtype", "float32,float16", "--case", "digits"), "--dtype float16 matches nothing that would run"),
        (("--case", "digits,chain", "--operation", "vjp"), "--case chain matches nothing that would run"),
    ],
)  # fmt: skip
def test_a_filter_of_which_nothing_is_asked_is_said(asking: tuple[str, ...], sentence: str) -> None:
    done = harness("compare", "--suite", "quick", "--backend", "numpy", *asking)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_variants_without_their_framework_are_absent_and_it_is_said_why(tmp_path: Path) -> None:
    folder = bringing.brought(tmp_path / "path", bringing.ZEROS.replace('"mine"', '"mine"; variant = "fast"'))
    done = harness(
        "compare", "--backend", "mine:fast", "--case", "digits", "--out", tmp_path / "out", PYTHONPATH=folder
    )
    assert done.returncode == 5
    assert "variants of 'mine' (mine:fast) and no class without a variant" in done.stderr


def test_a_method_with_other_names_is_one_sentence(tmp_path: Path) -> None:
    folder = bringing.brought(tmp_path / "path", bringing.ZEROS.replace("logits", "x"))
    done = harness("compare", "--backend", "mine", "--case", "digits", "--out", tmp_path / "out", PYTHONPATH=folder)
    assert done.returncode == 5
    told = (
        "Mine.softmax(self, x, axis) cannot be called as it is, by keyword: its arguments are softmax(self, logits, ax"
    )
    assert done.stderr.count(told) == 1


class Softmax:
    """What a kernel's author writes."""

    def softmax(self, logits: Any, axis: int) -> Any:
        return logits


THROUGH = {
    "softmax", "jacobian", "jacobian_row", "vjp", "jvp", "hvp", "mean_squared_error", "mean_squared_error_gradient",
    "layer", "layer_jacobian",
}  # fmt: skip
"""What autodiff takes of a softmax, in any framework."""
CLOSED_FORMS = {
    "log_softmax_vjp", "log_softmax_jvp", "log_softmax_jacobian", "cross_entropy_gradient",
    "cross_entropy_mean_gradient", "cross_entropy_hvp", "soft_cross_entropy_gradient", "layer_cross_entropy_gradient",
}  # fmt: skip
"""What NumPy's adapter computes from a softmax beside that."""


@pytest.mark.parametrize(("native", "claims"), [(NumPy, THROUGH | CLOSED_FORMS), (Torch, THROUGH), (Jax, THROUGH)])
def test_what_a_softmax_has_a_part_in_is_its_own(native: type[Backend], claims: set[str]) -> None:
    """Closed forms of it, and derivatives through it; no log-softmax, and no loss, that the framework computes."""
    mine = type("Mine", (Softmax, native), {"framework": "mine"})
    assert {name for name in OPERATIONS if third_party.disclaimed(mine, name) is None} == claims


def test_our_own_adapters_disclaim_nothing() -> None:
    assert all(backends.claimed(name) == backends.find(name).operations for name in backends.NAMES)


@pytest.mark.parametrize("name", backends.NAMES)
def test_an_operation_that_is_new_breaks_no_backend(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked of whoever lists no operations, and unsupported where no class of the backend defines it."""
    defined = ", ".join(OPERATIONS)
    monkeypatch.setattr(Backend, "sparsemax", lambda self, logits, axis: logits, raising=False)
    monkeypatch.setitem(OPERATIONS, "sparsemax", "sparsemax")
    assert backends.unsupported(name, "sparsemax", "float32") == f"{name} defines {defined}, and not sparsemax"
    assert backends.disclaims(backends.find(name), "sparsemax")


def of_a_class(**members: Any) -> Callable[[], type[Backend]]:
    return lambda: type("Mine", (NumPy,), {"framework": "mine", **members})


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (of_a_class(framework=""), "Mine.framework is ''"),
        (of_a_class(framework="a:b"), "Mine.framework is 'a:b'"),
        (of_a_class(operations=("softmx",)), "Mine.operations has 'softmx': did you mean 'softmax'?"),
        (of_a_class(operations="softmax"), "Mine.operations is 'softmax', and no tuple"),
        (of_a_class(dtypes=("fp32", "float32")), "Mine.dtypes has 'fp32'"),
        (
            of_a_class(softmax=lambda self, x, dim: x),
            "Mine.softmax(self, x, dim) cannot be called as it is, by keyword",
        ),
        (of_a_class(softmax=lambda self, logits: logits), "Mine.softmax(self, logits) cannot be called as it is"),
        (
            of_a_class(flushes_below={"float32": 3}),
            "Mine.flushes_below has 3 for float32: what may be zero are subnormal",
        ),
        (of_a_class(flushes_below={"fp32": -126}), "Mine.flushes_below has 'fp32'"),
        (of_a_class(difference_step=1e9, operations=("jacobian",)), "Mine.difference_step is 1000000000.0"),
        (of_a_class(difference_step=1e-3), "Mine.difference_step is 0.001, and its operations have 'softmax'"),
        (of_a_class(through_logs="yes"), "Mine.through_logs is 'yes': it is True or False"),
        (of_a_class(largest_n=0), "Mine.largest_n is 0"),
        (lambda: type("Bare", (Backend,), {"framework": "bare"}), "Bare does not define __init__, from_numpy, softmax"),
    ],
)
def test_a_mistake_is_a_sentence(made: Callable[[], type[Backend]], sentence: str) -> None:
    assert any(mistake.startswith(sentence) for mistake in third_party.mistakes(made()))


def test_no_declaration_of_ours_is_beyond_theory() -> None:
    assert [said for name in backends.NAMES for said in third_party.mistakes(backends.find(name))] == []
    assert {name: FORMATS[name].emin for name in FORMATS} == third_party.FLUSHES


@pytest.mark.parametrize("operation", OPERATIONS)
def test_differences_have_a_bound_where_they_may_be_declared(operation: str) -> None:
    x, declared = np.zeros((2, 3)), Declared(difference_step=1e-3)
    given = [] if operation == "jacobian" else [np.array([0, 1])]
    if operation in third_party.DIFFERENCED:
        assert np.isfinite(bound(operation, x, given, FORMATS["float64"], any_order, declared)).all()
    else:
        with pytest.raises(ValueError, match="no bound is known for central differences"):
            bound(operation, x, given, FORMATS["float64"], any_order, declared)


@pytest.mark.parametrize("method", ["softmax", "vjp"])
def test_a_method_that_takes_anything_is_none(method: str) -> None:
    made = of_a_class(**{method: lambda self, *args, **given: args})()
    assert not list(third_party.mistakes(made))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("BACKENDS = ()", "its BACKENDS is empty"),
        ("BACKENDS = (3,)", "its BACKENDS has 3, which is no class of backends.Backend"),
        ("", "failed: AttributeError"),
        (bringing.ZEROS.replace('"mine"', '"numpy"'), "'numpy' is the name of another backend: choose one of its own"),
    ],
)
def test_an_entry_point_that_brings_nothing_is_listed_with_its_reason(
    tmp_path: Path, source: str, sentence: str
) -> None:
    folder = bringing.brought(tmp_path, source)
    done = harness("backends", PYTHONPATH=folder)
    assert done.returncode == 0, done.stderr
    assert sentence in " ".join(done.stdout.split())
