"""`versions`: compares two versions of one framework on this machine, each in an interpreter of its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.commands.baseline import Factor, FormatOption, checked_format, leave
from harness.commands.options import Names, Pythons, app, interpreters, path_of, show, split
from harness.errors import AS_IT_SHOULD_BE, BACKEND_DIED, FALLS_SHORT, NOTHING_COMPARED, UsageError

if TYPE_CHECKING:
    from harness.baselines.versions import Environment
    from harness.records import Run

COMPARABLE = (AS_IT_SHOULD_BE, FALLS_SHORT, BACKEND_DIED)
"""Exit statuses of `compare` that leave a whole run."""


@app.command("versions")
def compare_versions(
    spec: Annotated[
        list[str] | None,
        typer.Argument(metavar="PACKAGE==VERSION", help="Two versions, for example jax==0.9.2 jax==0.10.2."),
    ] = None,
    python: Pythons = None,
    backend: Names = None,
    operation: Names = None,
    dtype: Names = None,
    case: Names = None,
    suite: Annotated[str, typer.Option(help="quick, standard, deep, or a TOML file. The default is quick.")] = "",
    out: Annotated[
        Path,
        typer.Option(
            parser=path_of("--out"), metavar="PATH", help="Folder for both runs and the virtual environments."
        ),
    ] = Path("out/versions"),
    factor: Factor = 2.0,
    form: FormatOption = "terminal",
    dry_run: Annotated[bool, typer.Option(help="Print the commands, and run nothing.")] = False,
) -> None:
    """Compare two versions of a framework.

    Each version is installed once, by pip, in a virtual environment in OUT/env. To use existing interpreters instead,
    give `--python jax=PATH` twice.
    """
    from harness.baselines import gate, versions
    from harness.runs import store

    checked_format(form)
    sides = two_sides(spec or [], python or [])
    asked = {"operation": operation, "dtype": dtype, "case": case, "suite": [suite] if suite else None}
    asked["backend"] = backends_of(sides[0].framework, split("backend", backend))
    runs = [comparing(side, out, asked) for side in sides]
    if dry_run:
        for side, command in zip(sides, runs, strict=True):
            for line in (*versions.making(side, out / "env"), command):
                show(f"{shlex.join(line)}\n")
        return
    for side, command in zip(sides, runs, strict=True):
        versions.make(side, out / "env", say)
        carry_out(side, command)
    places = (out / sides[0].name, out / sides[1].name)
    both = store.read(places[0]), store.read(places[1])
    check_answered(sides, both)
    leave(gate.between(*both, places, factor), form)


def check_answered(sides: tuple[Environment, Environment], runs: tuple[Run, Run]) -> None:
    """Exit if the framework did not report its version in a run. Raise UsageError if both versions are the same."""
    from harness.baselines.platform import frameworks

    framework, found = sides[0].framework, [frameworks(run.about) for run in runs]
    for side, said in zip(sides, found, strict=True):
        if framework not in said:
            say(f"{side.name}: {framework} did not report its version, so nothing is compared")
            raise typer.Exit(NOTHING_COMPARED)
    a, b = (said[framework] for said in found)
    if all(side.package for side in sides) and a.versions == b.versions:
        raise UsageError(f"{sides[0].package} and {sides[1].package} are the same version: both report {framework} {a}")


def say(line: str) -> None:
    print(line, file=sys.stderr)


def two_sides(specs: list[str], pythons: list[str]) -> tuple[Environment, Environment]:
    """Return the two sides that are compared: versions that are named, interpreters, or one of each.

    Raise UsageError unless they are two different sides of one framework.
    """
    from harness.baselines.versions import Environment, environment_of

    sides = [environment_of(spec) for spec in specs]
    for number, text in enumerate(pythons, start=1):
        (framework, path), *_ = interpreters([text]).items()
        sides.append(Environment(framework, f"{framework}-python{number}", interpreter=path))
    if len(sides) != 2 or sides[0].framework != sides[1].framework or sides[0] == sides[1]:
        raise UsageError(
            "give two versions of one framework, such as jax==0.9.2 jax==0.10.2, or --python jax=PATH twice"
        )
    return sides[0], sides[1]


def backends_of(framework: str, patterns: tuple[str, ...]) -> list[str]:
    """Return the given patterns, or by default patterns that match all of the framework's backends.

    Raise UsageError if a pattern matches a backend of another framework: that one would run under the same interpreter
    on both sides, and its answers would pass for those of the two versions.
    """
    from backends import NAMES, find
    from harness.runs.plan import matching

    if not patterns:
        alike = [name for name in NAMES if name.startswith(framework) and find(name).framework != framework]
        return [framework, f"{framework}:*"] if alike else [f"{framework}*"]
    others = [name for name in matching("backend", patterns, NAMES) if find(name).framework != framework]
    if others:
        raise UsageError(f"--backend: {', '.join(others)}: not a backend of {framework}, whose versions are compared")
    return list(patterns)


def comparing(side: Environment, out: Path, asked: Mapping[str, list[str] | None]) -> list[str]:
    """Return the command that asks one side and saves its answers."""
    from harness.baselines.versions import interpreter

    path = side.interpreter or str(interpreter(out / "env" / side.name))
    words = [word for name, given in asked.items() if given for word in (f"--{name}", ",".join(given))]
    command = [sys.executable, "-m", "harness", "compare", "--python", f"{side.framework}={path}", *words]
    return [*command, "--save-arrays", "--out", str(out / side.name)]


def carry_out(side: Environment, command: list[str]) -> None:
    """Run one side's command, with its progress on stderr. Exit with its status if it leaves nothing to compare."""
    say(f"running {side.name}")
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in COMPARABLE:
        say(f"{side.name}: the run failed, so nothing is compared")
        raise typer.Exit(done.returncode)
