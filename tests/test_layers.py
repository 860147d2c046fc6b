"""The house: imports run one way, no framework outside of its adapter, none loaded by what judges and tells."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from backends import OURS
from tests import forked
from tests.quick import only

ROOT = Path(__file__).parent.parent
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PACKAGES = ("backends", "harness", "reports")
FLOORS = [
    ["harness.__main__"],
    ["harness.commands"],
    ["reports"],
    ["harness.findings", "harness.power", "harness.baselines"],
    ["harness.runs", "harness.specials"],
    ["harness.workers", "harness.judging"],
    ["harness.questions", "harness.truth", "harness.transcript"],
    ["harness", "harness.operations", "harness.records", "harness.numbers", "harness.faults", "harness.errors"],
    ["backends"],
]
"""Top down. A room imports from the floors below its own alone; on the harness's lowest, from beside it as well."""
RECIPES = {"harness.questions.data", "harness.questions.data.train_digits"}
"""Nothing imports these: they make data files."""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))}


def imported(file: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever it stands; `from package import module` as the module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in FILES else node.module


def room_of(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "harness" else parts[0]


def floor_of(module: str) -> int:
    """From the top."""
    return next(number for number, floor in enumerate(FLOORS) if room_of(module) in floor)


@pytest.mark.parametrize("module", FILES)
def test_imports_run_one_way(module: str) -> None:
    for name in imported(FILES[module]):
        if name.split(".")[0] in PACKAGES and room_of(name) != room_of(module):
            beside = {room_of(name), room_of(module)} <= set(GROUND) and module != "harness"
            assert floor_of(name) > floor_of(module) or beside, f"{module} imports {name}, which is not below it"


GROUND = FLOORS[-2]


def drawn() -> str:
    """The floors with their rooms, each with what it is for: the first sentence of its docstring."""
    return "\n\n".join("\n".join(line(room) for room in floor if room != "harness") for floor in FLOORS) + "\n"


def line(room: str) -> str:
    said = ast.get_docstring(ast.parse(FILES[room].read_text())) or ""
    return f"{room.removeprefix('harness.'):<12} {said.splitlines()[0]}"


def test_the_picture_is_the_code_s(request: pytest.FixtureRequest) -> None:
    head, _, rest = ARCHITECTURE.read_text().partition("```text\n")
    picture, end, tail = rest.partition("```\n")
    if request.config.getoption("--accept"):
        ARCHITECTURE.write_text(f"{head}```text\n{drawn()}{end}{tail}")
        picture = drawn()
    assert picture == drawn()


def test_every_place_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:backends|harness|reports)/[\w/.]*|\w+\.(?:toml|txt))`", ARCHITECTURE.read_text())
    assert len(named) > 20
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_no_import_runs_in_a_circle() -> None:
    """But for a package's face, which shows its own modules, and these one another."""
    graph = {
        module: {name for name in imported(file) if name in FILES and not module.startswith(f"{name}.")}
        for module, file in FILES.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


@pytest.mark.parametrize("module", FILES)
def test_no_framework_is_named_outside_of_its_adapter(module: str) -> None:
    frameworks = {"torch", "tensorflow", "jax", "keras"}
    found = {name.split(".")[0] for name in imported(FILES[module])} & frameworks
    assert found <= {module.removeprefix("backends.").removeprefix("peers.")}, found


IMPORTABLE = [module for module in FILES if module not in RECIPES | {"harness.workers.bootstrap"}]
TOGETHER = ", ".join(IMPORTABLE)


@pytest.mark.parametrize(
    "module",
    only([TOGETHER], [TOGETHER, *IMPORTABLE]),
    ids=lambda module: module if module != TOGETHER else "all",
)
def test_importing_loads_no_framework(module: str) -> None:
    """Each alone, and all in one process."""
    check = f"import sys, {module}; print([m for m in ('torch', 'tensorflow', 'jax', 'keras') if m in sys.modules])"
    done = forked.python(check, cwd=ROOT, environment=os.environ, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_judging_loads_no_framework() -> None:
    """The process that judges a whole run of another process's answers has none in it at the end either."""
    script = """
import sys, tempfile, pathlib
import contextlib
from harness.judging import pairs
from harness.runs import comparing, plan
from harness.runs.journal import Journal
from harness.workers.engine import Settings
if __name__ == "__main__":
    groups = plan.groups(plan.Selection(("torch", "numpy"), ("softmax",), (), ("seed001-123",)))
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(pathlib.Path(folder), groups, "all")
        journal.begin()
        watch = lambda groups: contextlib.nullcontext(lambda result: None)
        comparing.carried_out(groups, Settings(pathlib.Path(folder)), pairs.all_pairs, journal, watch)
        assert len(journal.tables()["comparisons"])
    print([m for m in ("torch", "tensorflow", "jax", "keras") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_answers_without_heavy_imports() -> None:
    """Its speed is measured by `make bench`; this is what makes it fast."""
    check = "import sys, harness.__main__; print([m for m in ('numpy', 'pandas', 'flint', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_adapters_are_read_in_one_sitting() -> None:
    for name in OURS:
        assert len((ROOT / "backends" / f"{name}.py").read_text().splitlines()) < 200
