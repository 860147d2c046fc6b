"""`baseline` and `diff`: accept a run's answers, and show what moved since, or between two runs. Nothing is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.commands.options import FailAt, Saved, app, checked_grade, path_of, show
from harness.errors import UsageError, unknown

if TYPE_CHECKING:
    from harness.baselines.moves import Moves

baseline = typer.Typer(
    help="What was accepted on this platform, and whether a run is still as good.", no_args_is_help=True
)
app.add_typer(baseline, name="baseline")

Folder = Annotated[
    Path,
    typer.Option(
        "--baselines",
        parser=path_of("--baselines"),
        metavar="PATH",
        help="Folder of the baselines, a file a platform.",
    ),
]
Factor = Annotated[float, typer.Option("--factor", "-k", min=1.0, help="So many times the accepted error is worse.")]
Format = Annotated[str, typer.Option("--format", help="terminal, json, csv or markdown, on stdout.")]


@baseline.command()
def accept(
    place: Saved,
    reason: Annotated[str, typer.Option(help="Why: it stands in the file's head.")],
    folder: Folder = Path("baselines"),
    drop_gone: Annotated[
        bool, typer.Option(help="Drop accepted cells that the run asked and has not any more.")
    ] = False,
) -> None:
    """Take a run's answers as accepted. Cells that it did not ask stay as they are.

    No other command writes a baseline.
    """
    from harness.baselines import accepted
    from harness.baselines.platform import platform
    from harness.runs import exit_status, store

    if not reason.strip():
        raise UsageError("--reason says nothing")
    run = store.read(place)
    if run.about["partial"] or run.about.get("faults"):
        raise UsageError(f"{place} was interrupted, or the judge failed on some of it: it is not accepted by halves")
    if unjudged := exit_status.unjudged_by_name(run):
        raise UsageError(f"{place} is not accepted: {unjudged[0]}")
    if accepted.spoken(run).empty:
        raise UsageError(f"{place} has nothing to accept: no backend said a word")
    file = accepted.file_of(folder, platform(run.about))
    before = accepted.read(file) if accepted.exists(file) else accepted.empty(run)
    made = accepted.accepted(before, run, reason, drop_gone)
    if not (made.new or made.changed or made.dropped) and made.baseline.frameworks == before.frameworks:
        print(f"{file}: all {made.kept:,} cells are accepted already, nothing is written", file=sys.stderr)
        return
    accepted.write(folder, made.baseline)
    counts = f"{made.new:,} new, {made.changed:,} changed, {made.dropped:,} dropped, {made.kept:,} as they were"
    print(f"{file}: {len(made.baseline.cells):,} cells, {counts}", file=sys.stderr)


@baseline.command()
def diff(
    place: Saved = Path("out/latest"),
    folder: Folder = Path("baselines"),
    factor: Factor = 2.0,
    fail_at: FailAt = None,
    form: Format = "terminal",
) -> None:
    """What moved since it was accepted.

    Exit code 1 if anything did that must be accepted, with the command that accepts it. With --fail-at also if an
    answer is graded so or worse, accepted or not.
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
        typer.Argument(parser=path_of("RUN_A"), metavar="RUN_A", help="The earlier run, or the other machine's."),
    ],
    b: Annotated[Path, typer.Argument(parser=path_of("RUN_B"), metavar="RUN_B")],
    factor: Factor = 2.0,
    form: Format = "terminal",
) -> None:
    """What moved between two saved runs, of two versions or two machines, with the first as the accepted side."""
    from harness.baselines import gate
    from harness.runs import store

    checked_format(form)
    leave(gate.between(store.read(a), store.read(b), (a, b), factor), form)


def leave(moves: Moves, form: str) -> None:
    """Show what moved, and exit with the status that follows from it."""
    from harness.baselines.moves import exit_code
    from reports.pages import moves as pages

    show(pages.render(moves, form))
    raise typer.Exit(exit_code(moves))


def checked_format(form: str) -> None:
    from reports.pages.moves import FORMATS

    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
