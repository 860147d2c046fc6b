"""`baseline` and `diff`: accept a run's answers, and show what changed since, or between two runs. Nothing is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.commands.options import FailAt, Saved, app, checked_grade, path_of, show
from harness.errors import UsageError, unknown

if TYPE_CHECKING:
    from harness.baselines.changes import Changes

baseline = typer.Typer(help="Accept the results of a run, and compare later runs with them.", no_args_is_help=True)
app.add_typer(baseline, name="baseline")

Folder = Annotated[
    Path,
    typer.Option(
        "--baselines",
        parser=path_of("--baselines"),
        metavar="PATH",
        help="Folder of the baselines, with two files for each platform.",
    ),
]
Factor = Annotated[
    float,
    typer.Option("--factor", "-k", min=1.0, help="An error above this multiple of the accepted one is much larger."),
]
FormatOption = Annotated[str, typer.Option("--format", help="Output format: terminal, json, csv or markdown.")]


@baseline.command()
def accept(
    place: Saved,
    reason: Annotated[str, typer.Option(help="Why the results are accepted. It is saved in the head of the file.")],
    folder: Folder = Path("baselines"),
    drop_gone: Annotated[bool, typer.Option(help="Remove accepted cells that are missing from this run.")] = False,
) -> None:
    """Accept the results of a run. Accepted cells that the run did not request are kept.

    No other command writes a baseline.
    """
    from harness.baselines import accepted
    from harness.baselines.platform import platform
    from harness.runs import exit_status, store

    if not reason.strip():
        raise UsageError("--reason is empty")
    run = store.read(place)
    if run.about["partial"] or run.about.get("faults"):
        raise UsageError(
            f"{place} is incomplete and cannot be accepted: it was interrupted, or the judge failed on some cells"
        )
    if unjudged := exit_status.unjudged_by_name(run):
        raise UsageError(f"{place} cannot be accepted: {unjudged[0]}")
    if accepted.spoken(run).empty:
        raise UsageError(f"{place} has nothing to accept: no backend gave a result")
    file = accepted.file_of(folder, platform(run.about))
    before = accepted.read(file) if accepted.exists(file) else accepted.empty(run)
    made = accepted.accepted(before, run, reason, drop_gone)
    if not (made.new or made.changed or made.dropped) and made.baseline.frameworks == before.frameworks:
        print(f"{file}: all {made.kept:,} cells are already accepted; the file is unchanged", file=sys.stderr)
        return
    accepted.write(folder, made.baseline)
    counts = f"{made.new:,} new, {made.changed:,} changed, {made.dropped:,} removed, {made.kept:,} unchanged"
    print(f"{file}: {len(made.baseline.cells):,} cells, {counts}", file=sys.stderr)


@baseline.command()
def diff(
    place: Saved = Path("out/latest"),
    folder: Folder = Path("baselines"),
    factor: Factor = 2.0,
    fail_at: FailAt = None,
    form: FormatOption = "terminal",
) -> None:
    """Compare a run with the accepted results.

    The exit code is 1 if a result changed and the change is not accepted; the command that accepts it is printed. With
    --fail-at, it is also 1 if a result has that grade or a worse one, accepted or not.
    """
    from harness.baselines import gate
    from harness.runs import store

    checked_format(form)
    demand = "" if fail_at is None else checked_grade(fail_at)
    leave(gate.against(store.read(place), place, folder, factor, demand), form)


@app.command("diff")
def diff_of_runs(
    a: Annotated[
        Path,
        typer.Argument(parser=path_of("RUN_A"), metavar="RUN_A", help="The run to compare with: the earlier one."),
    ],
    b: Annotated[Path, typer.Argument(parser=path_of("RUN_B"), metavar="RUN_B", help="The later run.")],
    factor: Factor = 2.0,
    form: FormatOption = "terminal",
) -> None:
    """Compare two saved runs.

    The runs may be of two versions, or from two machines.
    """
    from harness.baselines import gate
    from harness.runs import store

    checked_format(form)
    leave(gate.between(store.read(a), store.read(b), (a, b), factor), form)


def leave(moves: Changes, form: str) -> None:
    """Show what changed, and exit with the status that follows from it."""
    from harness.baselines.changes import exit_code
    from reports.pages import changes as pages

    show(pages.render(moves, form))
    raise typer.Exit(exit_code(moves))


def checked_format(form: str) -> None:
    from reports.pages.changes import FORMATS

    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
