"""The README's commands are run, its snippet works, and its table is the report's."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import NOTHING_COMPARED
from tests import bench
from tests.command import ROOT, harness
from tests.conftest import REQUIRED
from tests.quick import only

README = (ROOT / "README.md").read_text()
BLOCKS = dict.fromkeys(re.findall(r"```(sh|python|toml)\n(.*?)```", README, re.DOTALL))
LINES = [line.split("#")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make")])
def test_make_knows_the_target(line: str) -> None:
    done = subprocess.run([*shlex.split(line), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


COMMANDS = [line for line in LINES if line.startswith("python -m harness")]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """A command after all before it, in the README's order: the later ones read what the earlier ones wrote."""
    out = str(tmp_path_factory.mktemp("readme"))
    ran: dict[str, subprocess.CompletedProcess[str]] = {}

    def up_to(last: str) -> subprocess.CompletedProcess[str]:
        for line in COMMANDS[len(ran) : COMMANDS.index(last) + 1]:
            ran[line] = harness(*(word.replace("out/mine", out) for word in shlex.split(line)[3:]))
        return ran[last]

    return up_to


@pytest.mark.parametrize("line", only(COMMANDS[:2], COMMANDS))
def test_the_command_works(line: str, done: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    its = done(line)
    if its.returncode == NOTHING_COMPARED and not REQUIRED:
        pytest.skip(its.stderr)
    assert its.returncode == 0, its.stderr


def test_the_snippet_is_a_whole_backend(tmp_path: Path) -> None:
    """As a user brings it: the module, and the metadata that an installed package would have."""
    (snippet,) = (text for kind, text in BLOCKS if kind == "python")
    (entry,) = (text for kind, text in BLOCKS if kind == "toml")
    name, module = re.search(r'(\w+) = "(.*)"', entry).groups()  # type: ignore[union-attr]
    package = tmp_path / module.split(".")[0]
    package.mkdir()
    (package / "__init__.py").touch()
    (package / f"{module.split('.')[1]}.py").write_text(snippet)
    metadata = tmp_path / "my_package-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[softmax_harness.backends]\n{name} = {module}\n")
    done = harness("compare", "--backend", f"numpy,{name}", "--case", "seed00*", "--out", tmp_path / "out",
                   PYTHONPATH=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no failures" in done.stdout


def test_bench_measures_the_judge() -> None:
    """The parts of `make bench` that take no minute: every row has a ratio."""
    rows = bench.judge()
    assert len(rows) == 10
    assert all(float(ratio) > 0 for _, _, ratio in rows)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_the_code_s_links_lead_to_sections_that_are_there() -> None:
    """`docs/bounds.md#layer` in a docstring: that page has a heading `Layer`."""
    files = [file for package in ("backends", "harness", "reports") for file in (ROOT / package).rglob("*.py")]
    linked = {match for file in files for match in re.findall(r"docs/(\w+)\.md#([\w-]+)", file.read_text())}
    assert linked
    for page, section in sorted(linked):
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / f"{page}.md").read_text(), re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, section
