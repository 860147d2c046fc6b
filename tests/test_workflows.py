"""What GitHub runs: the action and the workflow parse, no input becomes a part of a script, every command is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import ROOT, harness

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOWS: dict[str, dict[str, Any]] = {
    file.name: yaml.safe_load(file.read_text()) for file in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
JOBS = [job for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()]
STEPS: list[dict[str, Any]] = [*ACTION["runs"]["steps"], *(step for job in JOBS for step in job["steps"])]
SCRIPTS = {step["name"]: step["run"] for step in STEPS if "run" in step}
GIVEN = {"github", "runner", "env"}
"""Contexts that are there whatever the file says."""


def test_every_step_has_a_name_of_its_own() -> None:
    names = [step.get("name") for step in STEPS]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_expression_stands_in_a_script(name: str) -> None:
    """It would be put into the script before the shell reads it: an input could be a command."""
    assert "${{" not in SCRIPTS[name]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_shell_reads_the_script(name: str) -> None:
    done = subprocess.run(["bash", "-n"], input=SCRIPTS[name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_is_in_the_help() -> None:
    named = {command for script in SCRIPTS.values() for command in re.findall(r'(?i)harness" ([a-z]+)', script)}
    assert {"compare", "report", "baseline"} <= named
    told = harness("--help", COLUMNS=200).stdout
    assert not [command for command in sorted(named) if not re.search(rf"^\s*{command} ", told, re.MULTILINE)]


def test_every_option_is_in_its_command_s_help() -> None:
    for script in SCRIPTS.values():
        for command, rest in re.findall(r'(?i)harness" (compare|report) (.*)', script):
            told = harness(command, "--help", COLUMNS=200).stdout
            assert not [option for option in re.findall(r"--[a-z]+", rest) if option not in told]
    told = harness("compare", "--help", COLUMNS=200).stdout
    chosen = re.findall(r'chosen\+=\("(--[a-z]+)=', SCRIPTS["Compare"])
    assert chosen
    assert not [option for option in chosen if option not in told]


def test_actions_are_pinned_to_a_major_version() -> None:
    for step in STEPS:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+|\./", step.get("uses", "./"))


def test_expressions_name_what_is_there() -> None:
    """Inputs are declared, steps have their ids, and each environment variable of a script is given to it."""
    ids = {step["id"] for step in STEPS if "id" in step}
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.(\w+)\.", text)) <= ids
    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            used = set(re.findall(r"\$\{?([A-Z_]+)\b", step["run"]))
            own = {name for name in used if not name.startswith("GITHUB_")}
            assert own == {name for name in step.get("env", {}) if not name.startswith("PIP_")}, step["name"]
            assert step["shell"] == "bash"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_alone(name: str) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job and job["timeout-minutes"] for job in workflow["jobs"].values())


def ran(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """A step's script as the runner starts it, with the action's own defaults for what is not given."""
    (step,) = (step for step in ACTION["runs"]["steps"] if step["name"] == name)
    defaults = {
        variable: str(ACTION["inputs"][match[1]]["default"])
        for variable, value in step["env"].items()
        if (match := re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value))
    }
    script = folder / "script.sh"
    script.write_text(step["run"])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        env=os.environ | defaults | inputs, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "inputs",
    [
        {"GATE": "maybe"}, {"GATE": "bounds\nnone"}, {"FRAMEWORKS": "torch,cuda"}, {"FRAMEWORKS": "torch;id"},
        {"PACKAGES": "--index-url x"}, {"PACKAGES": ". -e x"}, {"PACKAGES": "$(touch here)"}, {"PACKAGES": "`id`"},
        {"INDEX": "http://example.org"}, {"INDEX": "https://example.org --pre"}, {"PYTHON_VERSION": "3.12; id"},
        {"OUT": "/etc"}, {"OUT": "-x"}, {"OUT": ""}, {"OUT": "out/../.."}, {"OUT": "out\n/etc"},
        {"PYTHON_VERSION": "3.9"}, {"BASELINES": "/etc"}, {"BASELINES": "../here"},
    ],
    ids=repr,
)  # fmt: skip
def test_bad_inputs_are_refused(inputs: dict[str, str], tmp_path: Path) -> None:
    done = ran("Check the inputs", tmp_path, **inputs)
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=softmax-harness::")
    assert [file.name for file in tmp_path.iterdir()] == ["script.sh"]


@pytest.mark.parametrize(
    "inputs",
    [
        {}, {"FRAMEWORKS": ""}, {"FRAMEWORKS": "jax", "INDEX": ""}, {"GATE": "baseline", "OUT": "out/mine"},
        {"PACKAGES": ". my-package[all]==1.2 ./wheels/x-1.0-py3-none-any.whl"},
    ],
    ids=repr,
)  # fmt: skip
def test_good_inputs_pass(inputs: dict[str, str], tmp_path: Path) -> None:
    done = ran("Check the inputs", tmp_path, **inputs)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("gate", "code", "baseline", "end"),
    [
        ("bounds", 0, "", 0), ("bounds", 1, "", 1), ("bounds", 4, "", 4), ("bounds", 5, "", 5),
        ("baseline", 0, 0, 0), ("baseline", 0, 1, 1), ("baseline", 1, 0, 0), ("baseline", 4, 1, 1),
        ("baseline", 0, 2, 2), ("baseline", 3, 0, 3), ("baseline", 130, 0, 130), ("baseline", 5, 0, 5),
        ("none", 1, "", 0), ("none", 4, "", 0), ("none", 2, "", 2), ("none", 3, "", 3), ("none", 137, "", 137),
        ("baseline", 127, "", 127), ("none", 0, "", 0),
    ],
)  # fmt: skip
def test_the_gate(gate: str, code: int, baseline: object, end: int, tmp_path: Path) -> None:
    (tmp_path / "out/latest").mkdir(parents=True)
    (tmp_path / "out/latest/run.json").touch()
    done = ran("Pass or fail", tmp_path, GATE=gate, CODE=str(code), BASELINE_CODE=str(baseline))
    assert done.returncode == end


@pytest.mark.parametrize("gate", ["bounds", "baseline", "none"])
@pytest.mark.parametrize("code", [0, 1, 4])
def test_no_gate_passes_without_a_run(gate: str, code: int, tmp_path: Path) -> None:
    done = ran("Pass or fail", tmp_path, GATE=gate, CODE=str(code), BASELINE_CODE="0")
    assert done.returncode == 3


def test_the_command_that_the_action_puts_together(tmp_path: Path) -> None:
    """Whatever an input holds reaches the command as it is; an older run is not taken for this one."""
    (tmp_path / "run.json").touch()
    (tmp_path / "command").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > told\nexit 1\n')
    (tmp_path / "command").chmod(0o755)
    done = ran("Compare", tmp_path, HARNESS="./command", BACKEND="mine, $(id)", CASE="'; id", OUT=".",
               GITHUB_OUTPUT=str(tmp_path / "output"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text().splitlines() == [
        "compare",
        "--out=.",
        "--backend=mine, $(id)",
        "--case='; id",
    ]
    assert (tmp_path / "output").read_text() == "code=1\n"
    assert not (tmp_path / "run.json").exists()


def test_the_readme_s_lines_name_the_action_s_inputs() -> None:
    """The lines that another project pastes are a workflow."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (job,) = yaml.safe_load(text)["jobs"].values()
    (ours,) = (step for step in job["steps"] if "softmax-harness" in step.get("uses", ""))
    assert set(ours["with"]) <= set(ACTION["inputs"])
    assert shlex.split(ours["with"]["packages"])
    assert len(text.splitlines()) <= 16
