"""Suites: ours are what they promise, a user's are checked whole, and a run that was cut off goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backends import find
from harness.errors import UsageError
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS
from harness.questions import blocks, families, not_asked, variations
from harness.questions.cases import named
from harness.questions.suites import SUITES, cells, load
from harness.questions.suites.combinations import choices, contradiction
from harness.questions.suites.schema import Sweep
from harness.questions.suites.wishes import by_what_they_can, case_name, matched, of_sweep
from harness.records import Group
from harness.runs import cost
from harness.runs.plan import Selection, groups
from tests.command import ROOT, harness
from tests.quick import only


@cache
def planned(suite: str) -> list[Group]:
    return groups(Selection(suite=suite))


def test_every_width_is_in_the_deep_suite() -> None:
    """1..4099 for three operations in two dtypes, on everybody that compiles nothing for a width."""
    for backend in ("numpy", "torch", "tensorflow"):
        for operation in ("softmax", "log_softmax", "vjp"):
            for dtype in ("float32", "float64"):
                found = {
                    group.case.shape[-1]
                    for group in planned("deep")
                    if (group.operation, group.dtype, group.axis) == (operation, dtype, -1)
                    and backend in group.backends
                    and not group.case.variation
                }
                assert set(range(1, 4100)) <= found, (backend, operation, dtype)


@pytest.mark.parametrize("suite", SUITES)
def test_ours_keep_their_compile_budget(suite: str) -> None:
    cost.within_budget(planned(suite), suite)


SWEEPS = [pytest.param(sweep, id=f"{suite}: {sweep.name}") for suite in SUITES for sweep in load(suite).sweep]


@pytest.mark.parametrize("sweep", SWEEPS)
def test_every_operation_of_a_sweep_is_asked_in_every_way_that_it_can_be(sweep: Sweep) -> None:
    for factors, backends in by_what_they_can(sweep, matched(sweep.backends)):
        asked = {(wish.operation, wish.case.variation or "plain") for wish in of_sweep(sweep, backends[:1])}
        for operation, variation in product(factors["operation"], factors["variation"]):
            possible = completed(factors, {"operation": operation, "variation": variation})
            assert not possible or (operation, variation) in asked
        assert {operation for operation, _ in asked} == set(factors["operation"])


@pytest.mark.parametrize("suite", SUITES)
def test_softmax_itself_is_asked_in_every_layout_and_beside_every_neighbour(suite: str) -> None:
    asked = {group.case.variation for group in planned(suite) if group.operation == "softmax"}
    assert {*variations.LAYOUTS, "again", "alone", "hostile"} <= asked


def test_each_suite_includes_the_one_before() -> None:
    def questions(suite: str) -> set[tuple[str, ...]]:
        return {(g.case.name, g.dtype, g.operation, str(g.axis)) for g in planned(suite)}

    assert questions("quick") < questions("standard") < questions("deep")


def test_every_variation_family_and_operation_is_in_the_standard_suite() -> None:
    asked = [group for group in planned("standard") if not group.probe]
    assert {group.case.variation for group in asked} == {"", *variations.VARIATIONS}
    assert {group.case.name.split(":")[0] for group in asked if ":" in group.case.name} == set(families.FAMILIES)
    assert {group.operation for group in asked} == set(OPERATIONS)


PAIRED = [
    pytest.param(sweep, name, id=f"{suite}: {sweep.name}: {name}", marks=[pytest.mark.slow] * (name != "numpy"))
    for suite in SUITES
    for sweep in load(suite).sweep
    if sweep.choose == "pairs"
    for name in matched(sweep.backends)
]


@pytest.mark.parametrize(("sweep", "backend"), PAIRED)
def test_a_backend_is_asked_every_pair_of_choices_that_it_can_be(sweep: Sweep, backend: str) -> None:
    """Of those that contradict nothing and that some whole choice has; counted in cells that are not refused."""
    [(factors, _)] = by_what_they_can(sweep, (backend,))
    chosen = list(choices(factors, sweep.choose))
    for choice in chosen:
        case = named(case_name(choice))
        assert not_asked.of_variation(case, OPERATIONS[choice["operation"]], case.axes[0], find(backend)) is None
        assert choice["operation"] in find(backend).operations
        assert choice["dtype"] in find(backend).dtypes
        assert contradiction(choice) is None
    there = {pair for choice in chosen for pair in combinations(choice.items(), 2)}
    missing = [
        (a, b)
        for one, other in combinations(factors, 2)
        for a in ((one, value) for value in factors[one])
        for b in ((other, value) for value in factors[other])
        if (a, b) not in there and completed(factors, dict([a, b]))
    ]
    assert not missing
    assert len(chosen) < np.prod([len(values) for values in factors.values()]) / 100


def completed(factors: dict[str, list[object]], begun: dict[str, object]) -> bool:
    """Whether a choice of two can be completed to a whole one without a contradiction."""
    if contradiction(begun):
        return False
    rest = [name for name in factors if name not in begun]
    if not rest:
        return True
    return any(completed(factors, {**begun, rest[0]: value}) for value in factors[rest[0]])


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("family", families.FAMILIES)
def test_a_family_is_finite_and_the_same_in_any_cut(family: str, dtype: str) -> None:
    """Whatever its shape; and a block of rows is those rows of the whole."""
    for shape in ("1", "3x1", "4x7", "5x4/0", "3x5x4/1", "2x3x4/2"):
        case = named(f"{family}:{shape}")
        whole = blocks.array(case, "logits", dtype, (0, case.shape[0]))
        assert whole.shape == case.shape
        assert np.isfinite(whole.astype(np.float64)).all()
        if len(case.shape) > 1 and case.axes[0] % len(case.shape) != 0:
            assert (blocks.array(case, "logits", dtype, (1, case.shape[0])) == whole[1:]).all()


def test_families_are_where_they_say() -> None:
    def made(family: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return blocks.array(named(f"{family}:6x9"), "logits", "float32", (0, 6)).astype(np.float32)

    with np.errstate(over="ignore", under="ignore"):
        assert (np.exp(made("below")) == 0).all()
        assert np.isinf(np.exp(made("above"))).all()
        smallest = np.exp(made("subnormal").astype(np.float64))
    assert ((smallest < 2.0**-126) | (smallest == 1)).all()
    assert (smallest > 2.0**-149).all()
    assert (made("peak").argmax(axis=1)[:3] == [0, 8, 4]).all()
    assert (made("repeated") == made("repeated")[0]).all()
    assert (made("abyss") < -3e38).all()


MISTAKES = """
titel = "a slip"
compile_seconds = -1
[[sweep]]
name = "one"
operation = ["sofmax"]
width = ["9..3", "a..b", 0, 7, "٣..٤", "1..013"]
rows = [-1]
dtype = ["float23"]
familly = ["normal"]
[[sweep]]
name = "two"
operation = ["softmax"]
variation = ["upstream-strided"]
width = [3]
color = "red"
[[sweep]]
name = "three"
operation = ["softmax", "jacobian"]
width = [4096]
rows = [2, 0]
axis = ["first"]
[[named]]
cases = ["digit"]
"""


def test_all_mistakes_are_named_at_once_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(MISTAKES)
    with pytest.raises(UsageError) as error:
        load(str(file))
    said = str(error.value)
    for expected in (
        "title: Field required",
        "titel: there is no such key",
        "compile_seconds: Input should be greater than 0",
        "sweep[1].operation[1]: unknown name 'sofmax'; did you mean 'softmax'?",
        "sweep[1].width[1]: '9..3' is empty: it ends before it begins",
        "sweep[1].width[2]: 'a..b' is neither a number nor a range",
        "sweep[1].width[3]: 0: a width must be between 1 and",
        "sweep[1].width[5]: '٣..٤' is neither a number nor a range",
        "sweep[1].width[6]: '1..013' is neither a number nor a range",
        "sweep[1].rows[1]: Input should be greater than or equal to 0",
        "sweep[1].dtype[1]: unknown name 'float23'; did you mean 'float32'?",
        "sweep[1].familly: there is no such key",
        "sweep[2].color: there is no such key",
        "sweep[2]: its choices contradict each other, so it has no case: softmax has no argument beside",
        "sweep[3]: some of its choices cannot be combined with any other: "
        "operation[2]: whole Jacobians are held up to a width alone; rows[2]: an array of one dimension has one axis",
        "named[1].cases[1]: 'digit' matches nothing; did you mean 'digits'?",
    ):
        assert expected in said, said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("title = ", "is not valid TOML: Invalid value (at "),
        ('title = "t"', "the whole file: the suite is empty"),
        ('title = "t"\ninclude = ["depp"]', "include[1]: unknown name 'depp'; did you mean 'deep'?"),
        ('title = "t"\n[[sweep]]\nname = "n"\noperation = ["softmax"]\nwidth = [3000000]', "a width must be between 1"),
        ('title = "t"\n[[sweep]]\nname = "n"\noperation = ["softmax"]\nwidth = [100000]\nrows = [9999]', "elements"),
        (
            'title = "t"\n[[sweep]]\nname = "n"\noperation = ["softmax"]\nwidth = 7',
            "sweep[1].width: Input should be a valid list",
        ),
    ],
)
def test_a_bad_suite_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    done = harness("compare", "--suite", file)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--suite", "standrad"), "unknown suite 'standrad': did you mean 'standard'?"),
        (("--suite", "none.toml"), "the suite none.toml cannot be read: No such file or directory"),
        (("--case", "norml:3x4"), "unknown family of logits 'norml': did you mean 'normal'?"),
        (("--case", "normal:3xx4"), "unknown case 'normal:3xx4'"),
        (("--case", "normal:3x0"), "a case must have between 1 and"),
        (("--case", "normal:３x17"), "unknown case 'normal:３x17'"),
        (("--case", "normal:3x17/１"), "unknown case 'normal:3x17/１'"),
        (("--case", "normal:03x17"), "unknown case 'normal:03x17'"),
        (("--case", "normal:3x017"), "unknown case 'normal:3x017'"),
        (("--case", "normal:3x17/01"), "unknown case 'normal:3x17/01'"),
        (("--case", "normal:3x17/-0"), "unknown case 'normal:3x17/-0'"),
        (("--case", f"normal:{'1' * 5000}"), "unknown case 'normal:111"),
        (("--case", f"normal:{'x'.join('1' * 65)}"), "a case must have at most 64 dimensions; normal:1x1x"),
        (("--case", "normal:3x4/2"), "axis 2 is out of range for 2 dimensions"),
        (("--case", "normal:3x4@flpped"), "unknown variation 'flpped': did you mean 'flipped'?"),
        (("--case", "normal:3x4;labels=lost"), "unknown kind of labels 'lost': did you mean 'last'?"),
        (
            ("--suite", "quick", "--case", "zeros:2x8*7"),
            "no case of the suite quick matches 'zeros:2x8*7': did",
        ),
        (
            ("--suite", "quick", "--backend", "jax", "--case", "zeros:*"),
            "has nothing that matches all of",
        ),
        (("--resume", "--save-arrays"), "--save-arrays cannot be combined with --resume"),
    ],
)
def test_bad_names_are_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = harness("compare", *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert sentence in done.stderr


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_a_plan_beyond_its_compile_budget_is_refused(tmp_path: Path, option: list[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'title = "t"\ncompile_seconds = 1\n[[sweep]]\nname = "n"\noperation = ["softmax"]\nwidth = ["1..9"]\n'
        'backends = ["jax"]\n'
    )
    done = harness("compare", "--suite", file, *option)
    assert done.returncode == 2
    assert "jax would compile 18 programs" in done.stderr


def test_a_dry_run_asks_nothing(tmp_path: Path) -> None:
    done = harness("compare", "--suite", "deep", "--dry-run", "--out", tmp_path / "none")
    assert done.returncode == 0
    assert not (tmp_path / "none").exists()
    asked = {find(backend).framework for group in planned("deep") for backend in group.backends}
    names, _, costs = done.stdout.partition("framework ")
    assert all(sweep.name in names for sweep in load("deep").sweep)
    assert asked == {line.split()[0] for line in costs.splitlines()[2:6]}
    assert "about" in done.stdout.splitlines()[-1]


def test_a_dry_run_counts_what_its_filters_leave(tmp_path: Path) -> None:
    """In the first table too, where a cell counts once for each table that asks it."""
    file = tmp_path / "mine.toml"
    sweep = '[[sweep]]\nname = "{}"\noperation = ["softmax"]\ndtype = ["{}"]\nwidth = ["1..9"]\n'
    file.write_text('title = "t"\n' + sweep.format("wide", "float64") + sweep.format("narrow", "float32"))
    narrowed = ("--backend", "numpy", "--dtype", "float64", "--case", "normal:3x[1-5]")
    lines = harness("compare", "--suite", file, *narrowed, "--dry-run").stdout.splitlines()
    cells = {line.split()[0]: line.split()[1] for line in lines if len(line.split()) > 1}
    assert (cells["wide"], cells["numpy"]) == ("5", "5")
    assert "narrow" not in cells


def test_a_filter_narrows_a_suite() -> None:
    found = groups(Selection(("numpy",), ("vjp",), ("float32",), ("repeated*",), "quick"))
    assert found
    assert {(g.backends, g.operation, g.dtype, g.case.name.split(":")[0]) for g in found} == {
        (("numpy",), "vjp", "float32", "repeated")
    }


SWEEP = """
title = "ten seconds of NumPy"
[[sweep]]
name = "widths"
operation = ["softmax", "vjp"]
width = ["1..500"]
backends = ["numpy"]
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("signal_", only([signal.SIGKILL], [signal.SIGTERM, signal.SIGKILL]))
def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path: Path, signal_: signal.Signals) -> None:
    suite, out = tmp_path / "mine.toml", tmp_path / "out"
    suite.write_text(SWEEP)
    command = [sys.executable, "-m", "harness", "compare", "--suite", suite, "--out", out]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        journal = out / "journal.jsonl"
        deadline = time.monotonic() + 60
        while not journal.exists() or len(journal.read_bytes().splitlines()) < 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        first.send_signal(signal_)
        assert first.wait(60) == (130 if signal_ == signal.SIGTERM else -signal_)
    before = journal.read_bytes()
    whole = before[: before.rindex(b"\n") + 1]
    done = harness(*command[3:], "--resume")
    assert done.returncode == 0, done.stderr
    assert not journal.exists()
    cells = pd.read_csv(out / "comparisons.csv", keep_default_na=False)
    assert len(cells) == 2000
    assert set(cells.verdict) == {"within bound"}
    assert not cells.duplicated(["operation", "case", "dtype", "axis", "backend"]).any()
    finished = [json.loads(line)["unit"] for line in whole.splitlines()[1:] if not json.loads(line)["partial"]]
    assert len(finished) > 100
    asked_again = int(done.stderr.split("numpy: all ")[1].split()[0])
    assert asked_again == 2000 - 2 * len(set(finished))


def test_resuming_needs_the_same_plan(tmp_path: Path) -> None:
    done = harness("compare", "--backend", "numpy", "--case", "seed001-123", "--resume", "--out", tmp_path)
    assert done.returncode == 2
    assert "nothing to resume" in done.stderr
    (tmp_path / "journal.jsonl").write_text('{"plan": "another"}\n')
    done = harness("compare", "--backend", "numpy", "--case", "seed001-123", "--resume", "--out", tmp_path)
    assert done.returncode == 2
    assert "belongs to another plan or version" in done.stderr
    (tmp_path / "journal.jsonl").write_text("<<<<")
    done = harness("compare", "--backend", "numpy", "--case", "seed001-123", "--resume", "--out", tmp_path)
    assert done.returncode == 2
    assert "is damaged" in done.stderr


def test_a_sweep_asks_of_a_long_chain_when_it_needs_to(tmp_path: Path) -> None:
    """No probe is asked before; the answer above B is then asked again with it, and is a C."""
    suite = tmp_path / "mine.toml"
    suite.write_text(
        'title = "t"\n[[sweep]]\nname = "n"\noperation = ["softmax"]\ndtype = ["float32"]\nfamily = ["lost"]\n'
        'rows = [2]\nwidth = [50000]\nbackends = ["torch"]\n'
    )
    done = harness("compare", "--suite", suite, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    [cell] = pd.read_csv(tmp_path / "out" / "comparisons.csv", keep_default_na=False).itertuples()
    assert (cell.grade, int(cell.measured_chain)) == ("C", cell.measured_chain)


def test_a_variation_makes_no_cell_where_it_makes_no_sense() -> None:
    case = named("normal:3x4@broadcast")
    assert not_asked.of_variation(case, OPERATIONS["softmax"], -1, find("numpy"))
    assert not not_asked.of_variation(named("repeated:3x4@broadcast"), OPERATIONS["softmax"], -1, find("numpy"))
    assert not_asked.of_variation(named("normal:3x4@flipped"), OPERATIONS["softmax"], -1, find("torch"))
    assert not_asked.of_variation(named("normal:4@alone"), OPERATIONS["softmax"], -1, find("numpy"))
    assert not [wish for wish in cells(load("deep")) if isinstance(wish, Group)]
