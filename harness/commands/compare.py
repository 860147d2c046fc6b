"""`compare`: asks the backends, judges and saves their answers, and looks into what fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.commands.findings import look_into
from harness.commands.options import (
    FailAt,
    FormatOption,
    MemoryLimit,
    Names,
    Out,
    Pythons,
    TimeLimit,
    app,
    checked_format,
    checked_grade,
    checked_pairs,
    demanded,
    finish,
    interpreters,
    show,
    split,
)
from harness.commands.page import PAGE
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.records import Run
    from harness.runs.plan import Selection

DEFECTS_ALONE = ("defect",)
"""The kinds of findings that are looked into after the quick suite; after others, accuracy and policy are too."""


@app.command()
def compare(
    backend: Names = None,
    operation: Names = None,
    dtype: Names = None,
    case: Names = None,
    out: Out = Path("out/latest"),
    form: FormatOption = "terminal",
    python: Pythons = None,
    pairs: Annotated[
        str,
        typer.Option(
            help="natives: compare frameworks pairwise, and each variant with its framework. all: every pair."
        ),
    ] = ("natives"),
    time_limit: TimeLimit = 120.0,
    memory_limit: MemoryLimit = 4.0,
    save_arrays: Annotated[
        bool, typer.Option(help="Save the results as arrays, so that `judge` can judge them again.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="How many frameworks run at the same time. The default is the number of cores."),
    ] = None,
    suite: Annotated[str, typer.Option(help="quick, standard, deep, or a TOML file. The default is quick.")] = "",
    dry_run: Annotated[
        bool, typer.Option(help="Print what would run and the estimated time, and run nothing.")
    ] = False,
    fail_at: FailAt = "F",
    resume: Annotated[bool, typer.Option(help="Continue the interrupted run in --out.")] = False,
) -> None:
    """Compare the backends with exact values and error bounds.

    Every backend computes softmax and its derivatives for the same inputs.
    """
    from functools import partial

    from harness.runs import cost, plan, store
    from harness.runs.journal import Journal
    from harness.workers import signals
    from harness.workers.engine import Settings
    from harness.workers.process import Limits
    from harness.workers.scratch import temporary

    checked_format(form)
    pairing, demand = checked_pairs(pairs), checked_grade(fail_at or "F")
    if resume and save_arrays:
        raise UsageError("--save-arrays cannot be combined with --resume: it saves the arrays of a whole run")
    selection = plan.Selection(
        split("backend", backend), split("operation", operation), split("dtype", dtype), split("case", case), suite
    )
    groups = plan.groups(selection, probe_all=save_arrays)
    if dry_run:
        name = "" if selection.of_its_own else suite or "quick"
        show(cost.cost_tables(groups, name, selection.answering, partial(plan.narrowed, selection)) + "\n")
    cost.within_budget(groups, selection.suite)
    if dry_run:
        return
    named_interpreters = interpreters(python, {name for group in groups for name in group.backends})
    store.writable(out)
    with temporary() as scratch:
        settings = Settings(Path(scratch), Limits(time_limit, memory_limit), named_interpreters, jobs)
        journal = Journal(out, groups, pairs)
        (journal.resume if resume else journal.begin)()
        run, code = carry_out(groups, settings, pairing, selection, journal, demand, out if save_arrays else None)
    with signals.ignored():
        finish(run, out, form)
    if not selection.of_its_own and not run.about["partial"]:
        look_into(run, out, named_interpreters, DEFECTS_ALONE if suite in ("", "quick") else None, settings.limits)
        print(f"written to {out}: findings.csv, findings.md, and an updated {PAGE}", file=sys.stderr)
    if not run.about["partial"]:
        journal.close()
    else:
        print(f"the finished cells are in {journal.file}; --resume continues from there", file=sys.stderr)
    raise typer.Exit(code)


def carry_out(
    groups: Any, settings: Any, pairing: Any, selection: Selection, journal: Any, demand: str, keep: Path | None
) -> tuple[Run, int]:
    """Carry the plan out, with progress on stderr. Return the run, which is not saved yet, and its exit status."""
    import dataclasses

    from harness.commands.progress import Progress
    from harness.runs import comparing, exit_status
    from harness.runs.archive import Archive
    from harness.runs.run import as_run
    from harness.truth import check_preconditions

    check_preconditions()
    work = comparing.carried_out(groups, settings, pairing, journal, Progress, Archive(keep) if keep else None)
    options = {
        "selection": dataclasses.asdict(selection),
        "limits": dataclasses.asdict(settings.limits),
        "interpreters": dict(settings.interpreters),
        "fail_at": demand,
    }
    run = as_run(work, groups, options)
    for sentence in exit_status.unjudged_by_name(run):
        print(sentence, file=sys.stderr)
    for fault in work.faults:
        print(f"internal error: {fault}", file=sys.stderr)
    return run, exit_status.exit_code(demanded(run))
