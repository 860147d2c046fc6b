"""`judge` and `report`: judge or show a saved run again, without asking any backend."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.commands.options import (
    FailAt,
    FormatOption,
    Out,
    Saved,
    app,
    checked_format,
    checked_grade,
    checked_pairs,
    demanded,
    finish,
    path_of,
    show,
    summarise,
)
from harness.commands.page import PAGE, rendered, write_page
from harness.errors import UsageError


@app.command("judge")
def judge_again(
    place: Annotated[
        Path,
        typer.Argument(parser=path_of("RUN"), metavar="RUN", help="Folder of a run made with --save-arrays."),
    ],
    out: Out = Path("out/judged"),
    form: FormatOption = "terminal",
    pairs: Annotated[
        str,
        typer.Option(
            help="natives: compare frameworks pairwise, and each variant with its framework. all: every pair."
        ),
    ] = "natives",
) -> None:
    """Judge the saved arrays of a run again.

    No backend is run.
    """

    from harness.runs import exit_status, store
    from harness.runs.run import judged_again
    from harness.truth import check_preconditions
    from harness.workers.scratch import temporary

    checked_format(form)
    pairing = checked_pairs(pairs)
    folder = store.folder_of(place)
    old = store.read(folder)
    if out.resolve() == folder.resolve():
        raise UsageError("--out is the folder of the saved run; choose another folder for the new run")
    store.writable(out)
    check_preconditions()
    with temporary() as scratch:
        run = judged_again(folder, old, pairing, Path(scratch))
    finish(run, out, form)
    raise typer.Exit(exit_status.exit_code(demanded(run)))


@app.command()
def report(
    place: Saved = Path("out/latest"),
    form: FormatOption = "terminal",
    fail_at: FailAt = None,
    write: Annotated[
        bool, typer.Option(help="Also write report.html and report.md into the folder of the run.")
    ] = False,
) -> None:
    """Render a saved run, optionally with another --fail-at."""
    from harness.runs import exit_status, store
    from reports import render
    from reports.tables import summary

    checked_format(form)
    run, folder = store.read(place), store.folder_of(place)
    run = demanded(run) if fail_at is None else summary.demanding(run, checked_grade(fail_at))
    if write:
        store.writable(folder)
        store.write(folder, "report.md", render(run, "markdown").encode())
        write_page(run, folder)
        print(f"written to {folder}: {PAGE}, report.md", file=sys.stderr)
    show(rendered(run, folder, form))
    summarise(run, form)
    raise typer.Exit(0 if fail_at is None else exit_status.exit_code(run))
