"""No answer of a backend is our own fault: of any dtype, rank and kind, it ends in a fact or a finding and a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backends import add, find
from harness.errors import UsageError
from harness.findings import Asker, reproduce
from harness.specials import facts_of
from harness.specials.sweep import Widths
from tests.brought import brought_odd
from tests.command import harness
from tests.test_brought import BROUGHT, looked_into

FEW = Widths(widths=(1, 3), others=(3,), first=(3,), alone=(3,), everywhere=False)
CELLS = (
    ("softmax", "normal:2x3", "float32"), ("logsumexp", "atlas:uint8_logits", "uint8"),
    ("softmax", "atlas:one_NaN", "float32"), ("logsumexp", "atlas:0-d", "float32"),
)  # fmt: skip


@pytest.fixture(scope="module")
def asker() -> Iterator[Asker]:
    add(brought_odd.BACKENDS)
    with Asker(modules=("tests.brought.brought_odd",)) as made:
        yield made


@pytest.mark.parametrize("given", brought_odd.GIVEN)
def test_every_answer_has_a_script_or_a_sentence(asker: Asker, given: str) -> None:
    for cell in CELLS:
        try:
            script, told = reproduce.script_and_verdict(asker, f"brought_odd:{given}", *cell)
        except UsageError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert told.startswith(f"brought_odd:{given}: ")
            compile(script, "snippet.py", "exec")


@pytest.mark.filterwarnings("ignore")  # NumPy's, of casts that lose something
@pytest.mark.parametrize("given", brought_odd.GIVEN)
def test_every_answer_is_a_fact(asker: Asker, given: str) -> None:
    with np.errstate(all="ignore"):
        entries = facts_of(find(f"brought_odd:{given}")(), FEW)
    assert {entry.operation for entry in entries} == {"softmax", "logsumexp"}
    assert all(entry.fact for entry in entries)


def test_a_look_into_them_ends_in_findings(tmp_path: Path) -> None:
    names = ("int8", "complex64", "longdouble", "pairs", "nothing", "point", "tuple")
    backends = ",".join(f"brought_odd:{name}" for name in names)
    asked = ("--backend", backends, "--operation", "softmax", "--dtype", "float32", "--case", "normal:2x3")
    found = looked_into(tmp_path, *asked)
    assert {*found.index} == {f"brought_odd:{name}" for name in names}
    assert all(found.status)


def test_an_atlas_of_them_ends_in_entries_and_findings(tmp_path: Path) -> None:
    """A logsumexp of integers that answers in integers has no NaN to be compared with."""
    backends = "brought_odd:int8,brought_odd:pairs,brought_odd:number"
    done = harness("atlas", "--backend", backends, "--out", tmp_path, PYTHONPATH=BROUGHT)
    assert done.returncode == 1, done.stderr
    found = pd.read_csv(tmp_path / "findings.csv", keep_default_na=False)
    assert {*found.backend} == {*backends.split(",")}
    assert all(found.status)
