"""The house: imports run one way, no framework outside of its adapter, none loaded by what judges and tells."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from backends import OURS

ROOT = Path(__file__).parent.parent
PACKAGES = ("backends", "harness", "reports")
# From the ground up. A module may import from floors below its own, and, in `backends` alone, from beside it.
FLOORS = [
    ["backends"],
    ["harness", "harness.errors", "harness.formats", "harness.operations", "harness.environment", "harness.arrays",
     "harness.sums", "harness.signals", "harness.turns", "harness.targets"],
    ["harness.records"],
    ["harness.transcript.symbols", "harness.transcript.literals", "harness.drawing"],
    ["harness.transcript.script", "harness.streams"],
    ["harness.transcript.expressions", "harness.transcript.imported", "harness.transcript.snippet", "harness.vectors"],
    ["harness.transcript.sides"],
    ["harness.transcript.recorder"],
    ["harness.transcript.adapter", "harness.transcript.tidy"],
    ["harness.transcript"],
    ["harness.blocks", "harness.variations", "harness.tally", "harness.percents", "harness.store", "harness.workload",
     "harness.reference.preconditions", "harness.reference.balls", "harness.reference.arguments",
     "harness.bounds.theory", "harness.bounds.scales", "harness.properties", "harness.atlas.sheets", "harness.wire",
     "harness.spool", "harness.simulated.arithmetic"],
    ["harness.families", "harness.bounds.elements", "harness.equations", "harness.reference.exact", "harness.worker",
     "harness.simulated.formulas", "harness.journal", "harness.inputs", "harness.atlas.situations"],
    ["harness.cases", "harness.bounds.products", "harness.bootstrap", "harness.progress",
     "harness.suites.choice", "harness.atlas.sweep"],
    ["harness.bounds.losses", "harness.process", "harness.suites.model"],
    ["harness.bounds.differences", "harness.bounds.layers", "harness.suites.cells", "harness.atlas.policies"],
    ["harness.bounds", "harness.suites", "harness.atlas.entries"],
    ["harness.simulated", "harness.reference.double", "harness.atlas.coincidences"],
    ["harness.reference.audit"],
    ["harness.reference"],
    ["harness.metrics", "harness.witness", "harness.causes", "harness.atlas.truths"],
    ["harness.profiles"],
    ["harness.pairs", "harness.cell", "harness.grades", "harness.probes", "harness.digits", "harness.chains",
     "harness.atlas.facts"],
    ["harness.question", "harness.atlas.asking"],
    ["harness.plan", "harness.rows", "harness.cost", "harness.atlas.survey"],
    ["harness.archive", "harness.sameness", "harness.atlas", "harness.status"],
    ["harness.ledger.cells", "harness.ledger.platform", "harness.versions"],
    ["harness.ledger.text", "harness.ledger.moves", "harness.ledger.apart"],
    ["harness.ledger.accepted"],
    ["harness.ledger.gate", "harness.ledger"],
    ["harness.judge", "harness.engine", "harness.inventory", "harness.units"],
    ["harness.compare", "harness.power", "harness.power.narrow", "harness.findings.record",
     "harness.findings.classes", "harness.findings.shrink", "harness.findings.asking"],
    ["harness.runs", "harness.power.planting", "harness.findings.suspects", "harness.findings.snippets",
     "harness.findings.bits", "harness.printed"],
    ["harness.findings.survey", "harness.findings.atlas.questions", "harness.findings.atlas.suspects"],
    ["harness.findings.kept", "harness.findings.atlas.witness"],
    ["harness.findings.atlas.sides"],
    ["harness.findings.atlas.scripts"],
    ["harness.findings.atlas.survey", "harness.findings.atlas.reproduce"],
    ["harness.findings.atlas"],
    ["harness.findings.reproduce"],
    ["harness.findings"],
    ["harness.power.mutants.arguments", "harness.power.mutants.classics", "harness.power.mutants.derivatives",
     "harness.power.mutants.layouts", "harness.power.mutants.losses", "harness.power.mutants.precision",
     "harness.power.mutants.ranges", "harness.power.mutants.specials", "harness.power.mutants.state",
     "harness.power.mutants.widths", "harness.power.right.rounded", "harness.power.classes",
     "harness.power.differentiable", "harness.power.kills", "harness.power.trial", "harness.power.held_out.values",
     "harness.power.held_out.narrow", "harness.power.held_out.derivatives", "harness.power.held_out.losses"],
    ["harness.power.mutants.narrow", "harness.power.mutants.sizes", "harness.power.right.in_use"],
    ["harness.power.right"],
    ["harness.power.mutants", "harness.power.held_out"],
    ["harness.power.peers"],
    ["harness.power.beside"],
    ["harness.power.alike"],
    ["harness.power.tables"],
    ["harness.power.measuring"],
    ["reports.cells", "reports.data", "reports.links"],
    ["reports.quality", "reports.agreement", "reports.sweeps"],
    ["reports.table"],
    ["reports.troubles", "reports.nearness"],
    ["reports.terminal", "reports.markdown"],
    ["reports.findings", "reports.junit", "reports.github"],
    ["reports.atlas", "reports.power", "reports.printed"],
    ["reports.html.beside", "reports.html.tables", "reports.html.plots", "reports.html.chosen"],
    ["reports.html.cells", "reports.html.curves", "reports.html.detection", "reports.html.headline",
     "reports.html.heatmap", "reports.html.percents", "reports.html.specials", "reports.html.support"],
    ["reports.html.distributions", "reports.html.found"],
    ["reports.html.contents"],
    ["reports.html"],
    ["reports"],
    ["reports.moves"],
    ["harness.commands.page"],
    ["harness.commands.options"],
    ["harness.commands.findings", "harness.commands.saved", "harness.commands.inventory",
     "harness.commands.printed"],
    ["harness.commands.baseline"],
    ["harness.commands.compare", "harness.commands.charts"],
    ["harness.commands.versions"],
    ["harness.commands"],
    ["harness.__main__"],
]  # fmt: skip
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}
RECIPES = {"harness.data", "harness.data.train_digits"}
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


def floor_of(module: str) -> int:
    return 0 if module.split(".", maxsplit=1)[0] == "backends" else FLOOR[module]


@pytest.mark.parametrize("module", [name for name in FILES if name not in RECIPES])
def test_imports_run_one_way(module: str) -> None:
    for name in imported(FILES[module]):
        if name.split(".")[0] in PACKAGES:
            beside = module.split(".", maxsplit=1)[0] == name.split(".")[0] == "backends"
            inside = name.startswith(f"{module}.") or name == "harness"  # a package's face shows its own modules
            assert floor_of(name) < floor_of(module) or beside or inside, (
                f"{module} imports {name}, which is not below it"
            )


def test_the_floors_name_every_module() -> None:
    assert {name for name in FILES if not name.startswith("backends")} - RECIPES == {
        m for m in FLOOR if m != "backends"
    }
    assert all(not set(a) & set(b) for a, b in pairwise(FLOORS))


@pytest.mark.parametrize("module", FILES)
def test_no_framework_is_named_outside_of_its_adapter(module: str) -> None:
    frameworks = {"torch", "tensorflow", "jax", "keras"}
    found = {name.split(".")[0] for name in imported(FILES[module])} & frameworks
    assert found <= {module.removeprefix("backends.").removeprefix("peers.")}, found


@pytest.mark.parametrize("module", [m for m in FILES if m not in RECIPES | {"harness.bootstrap"}])
def test_importing_loads_no_framework(module: str) -> None:
    check = f"import sys, {module}; print([m for m in ('torch', 'tensorflow', 'jax', 'keras') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_judging_loads_no_framework() -> None:
    """The process that judges a whole run of another process's answers has none in it at the end either."""
    script = """
import sys, tempfile, pathlib
import contextlib
from harness import plan, compare, pairs
from harness.engine import Settings
from harness.journal import Journal
if __name__ == "__main__":
    groups = plan.groups(plan.Selection(("torch", "numpy"), ("softmax",), (), ("seed001-123",)))
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(pathlib.Path(folder), groups, "all")
        journal.begin()
        watch = lambda groups: contextlib.nullcontext(lambda result: None)
        compare.carried_out(groups, Settings(pathlib.Path(folder)), pairs.all_pairs, journal, watch)
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
