"""The command line: the only floor that opens files for others, reads arguments and sets the exit status.

Heavy imports stand inside of the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.errors import INTERRUPTED, OUR_FAULT, UsageError, unknown

if TYPE_CHECKING:
    from harness.plan import Selection
    from harness.records import Run

app = typer.Typer(
    name="softmax-harness",
    help="Compares softmax and its derivatives across frameworks, against exact values and proved bounds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DEFECTS_ALONE = ("defect",)
"""What the quick suite looks into; the others look into accuracy and policy too."""
Names = Annotated[list[str] | None, typer.Option(help="Names or patterns, comma-separated or repeated.")]


def split(option: str, given: list[str] | None) -> tuple[str, ...]:
    """`a,b` and repeated options alike; an option that names nothing is a slip, and not a wish for everything."""
    names = tuple(name.strip() for text in given or [] for name in text.split(",") if name.strip())
    if given and not names:
        raise UsageError(f"--{option} names nothing")
    return names


def checked_format(form: str) -> str:
    from reports import FORMATS

    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    return form


def interpreters(given: list[str] | None) -> dict[str, str]:
    """`jax=PATH` for each framework named."""
    from shutil import which

    from backends import FRAMEWORKS

    found = {}
    for text in given or []:
        name, sign, path = text.partition("=")
        if not sign or not path:
            raise UsageError(f"--python takes FRAMEWORK=PATH, as in jax=/opt/jax/bin/python, and not {text!r}")
        if name not in FRAMEWORKS:
            raise unknown("framework", name, FRAMEWORKS)
        if which(path) is None:
            raise UsageError(f"--python {name}: there is no interpreter at {path!r}")
        found[name] = path
    return found


@app.command()
def compare(
    backend: Names = None,
    operation: Names = None,
    dtype: Names = None,
    case: Names = None,
    out: Annotated[Path, typer.Option(help="Folder for what is written.")] = Path("out/latest"),
    form: Annotated[str, typer.Option("--format", help="terminal, json, csv or markdown, on stdout.")] = "terminal",
    python: Annotated[list[str] | None, typer.Option(help="FRAMEWORK=PATH: run it under that interpreter.")] = None,
    pairs: Annotated[str, typer.Option(help="natives: frameworks pairwise, variants against their own; or all.")] = (
        "natives"
    ),
    time_limit: Annotated[float, typer.Option(min=0.1, help="Seconds that one block may take.")] = 120.0,
    memory_limit: Annotated[float, typer.Option(min=0.1, help="GiB that one worker may hold.")] = 4.0,
    save_arrays: Annotated[bool, typer.Option(help="Keep the answers, so that `judge` can judge them again.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Frameworks side by side; one a core by default.")] = None,
    suite: Annotated[str, typer.Option(help="quick, standard, deep, or a TOML file; quick by default.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Say what would be asked and how long it takes; ask nothing.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out that was interrupted.")] = False,
) -> None:
    """Ask the backends for the same softmaxes and derivatives, and judge every answer against the exact value."""
    import tempfile

    from harness import cost, plan, store
    from harness.engine import Settings
    from harness.journal import Journal
    from harness.process import Limits

    checked_format(form)
    pairing = checked_pairs(pairs)
    if resume and save_arrays:
        raise UsageError("--save-arrays keeps a run's arrays from its beginning: it does not go with --resume")
    selection = plan.Selection(
        split("backend", backend), split("operation", operation), split("dtype", dtype), split("case", case), suite
    )
    groups = plan.groups(selection, probe_all=save_arrays)
    if dry_run:
        print(cost.told(groups))
        return
    cost.within_budget(groups, selection.suite)
    named_interpreters = interpreters(python)
    store.writable(out)
    with tempfile.TemporaryDirectory(prefix="softmax-harness-") as scratch:
        settings = Settings(Path(scratch), Limits(time_limit, memory_limit), named_interpreters, jobs)
        journal = Journal(out, groups, pairs)
        (journal.resume if resume else journal.begin)()
        run, code = carry_out(groups, settings, pairing, selection, journal, out if save_arrays else None)
    finish(run, out, form)
    if not selection.of_its_own and not run.about["partial"]:
        look_into(run, out, named_interpreters, DEFECTS_ALONE if suite in ("", "quick") else None, settings.limits)
        print(f"written to {out}: findings.csv, findings.md", file=sys.stderr)
    if not run.about["partial"]:
        journal.close()
    else:
        print(f"what is finished stands in {journal.file}; --resume goes on from there", file=sys.stderr)
    raise typer.Exit(code)


def checked_pairs(pairs: str) -> Any:
    from harness.pairs import all_pairs, natives_and_variants

    choices = {"natives": natives_and_variants, "all": all_pairs}
    if pairs not in choices:
        raise unknown("choice of pairs", pairs, choices)
    return choices[pairs]


def carry_out(
    groups: Any, settings: Any, pairing: Any, selection: Selection, journal: Any, keep: Path | None
) -> tuple[Run, int]:
    """Run it, with progress on stderr: the run, not yet saved, and its exit status."""
    import dataclasses

    from harness import compare as comparing
    from harness import runs
    from harness.archive import Archive
    from harness.progress import Progress
    from harness.reference import check_preconditions

    check_preconditions()
    work = comparing.carried_out(groups, settings, pairing, journal, Progress, Archive(keep) if keep else None)
    options = {
        "selection": dataclasses.asdict(selection),
        "limits": dataclasses.asdict(settings.limits),
        "interpreters": dict(settings.interpreters),
    }
    run = runs.as_run(work, groups, options)
    for name, reason in runs.absent_by_name(run.comparisons, selection.backends).items():
        print(f"{name} was asked for by name and is absent: {reason}", file=sys.stderr)
    for fault in work.faults:
        print(f"our own fault: {fault}", file=sys.stderr)
    code = runs.exit_code(run.comparisons, work.partial, work.faults, selection.backends, work.probed.unanswered)
    return run, code


def finish(run: Run, out: Path, form: str) -> None:
    """Write the run and its page, show it, and say where it is."""
    from harness import store
    from reports import render

    saved = store.save(run, out)
    store.write(out, "report.md", render(saved, "markdown").encode())
    show(render(saved, form))
    print(f"written to {out}: report.md, comparisons.csv, pairs.csv, properties.csv, run.json", file=sys.stderr)


def show(text: str) -> None:
    """On stdout; a reader who has seen enough of it changes no exit status."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code(run: Run) -> int:
    """Of a saved run, by what stands in it."""

    from harness import runs

    about = run.about
    unanswered = about.get("unanswered_probes", [])
    return runs.exit_code(run.comparisons, bool(about["partial"]), about.get("faults", []), (), unanswered)


def look_into(
    run: Run, out: Path, interpreters: dict[str, str], kinds: tuple[str, ...] | None = None, limits: Any = None
) -> Any:
    """Shrink what a run found, show each by a script of its own, and write `findings.csv` and `findings.md`."""
    from harness import store
    from harness.findings import Asker, kept, survey
    from harness.findings.record import KINDS
    from harness.process import Limits
    from reports import findings as page

    with Asker(interpreters, limits or Limits()) as asker:
        found = survey(run, asker, out, lambda text: print(f"looking into {text}", file=sys.stderr), kinds or KINDS)
        found = kept.with_earlier(found, kept.read(out), asker, out)
    kept.write(out, found)
    store.write(out, "findings.md", page.render(found).encode())
    return found


@app.command()
def findings(
    place: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")] = Path("out/latest"),
    python: Annotated[list[str] | None, typer.Option(help="FRAMEWORK=PATH: ask it under that interpreter.")] = None,
) -> None:
    """Shrink whatever a saved run found in the frameworks, and show it by scripts that need nothing of ours."""
    from harness import store
    from harness.findings.record import DEFECT, SHOWN
    from reports import findings as page

    run, folder = store.read(place), place if place.is_dir() else place.parent
    store.writable(folder)
    found = look_into(run, folder, interpreters(python))
    show(page.render(found))
    print(f"written to {folder}: findings.csv, findings.md, findings/", file=sys.stderr)
    raise typer.Exit(int(any(finding.kind == DEFECT and finding.status == SHOWN for finding in found)))


@app.command()
def reproduce(
    cell: Annotated[list[str], typer.Argument(metavar="CELL", help="BACKEND OPERATION CASE DTYPE")],
    python: Annotated[list[str] | None, typer.Option(help="FRAMEWORK=PATH: ask it under that interpreter.")] = None,
) -> None:
    """Print a cell as a script in the framework's own words, without this harness, and run it."""
    from harness.findings import Asker
    from harness.findings.reproduce import asked, checked, ran

    place = checked(" ".join(cell).split())
    with Asker(interpreters(python)) as asker:
        script, told = asked(asker, *place)
        show(script)
        print(told, file=sys.stderr)
        done = ran(asker, place[0], script)
    show(done.text)
    raise typer.Exit(done.status)


@app.command("judge")
def judge_again(
    place: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run made with --save-arrays.")],
    out: Annotated[Path, typer.Option(help="Folder for what is written.")] = Path("out/judged"),
    form: Annotated[str, typer.Option("--format", help="terminal, json, csv or markdown, on stdout.")] = "terminal",
    pairs: Annotated[str, typer.Option(help="natives or all.")] = "natives",
) -> None:
    """Judge a saved run's arrays again, without running anything."""
    import tempfile

    from harness import runs, store
    from harness.reference import check_preconditions

    checked_format(form)
    pairing = checked_pairs(pairs)
    folder = place if place.is_dir() else place.parent
    old = store.read(folder)
    if out.resolve() == folder.resolve():
        raise UsageError("--out is the saved run's own folder: what is judged again is a run of its own")
    store.writable(out)
    check_preconditions()
    with tempfile.TemporaryDirectory(prefix="softmax-harness-") as scratch:
        run = runs.judged_again(folder, old, pairing, Path(scratch))
    finish(run, out, form)
    raise typer.Exit(exit_code(run))


@app.command()
def report(
    place: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its run.json.")] = Path("out/latest"),
    form: Annotated[str, typer.Option("--format", help="terminal, json, csv or markdown.")] = "terminal",
    grade_at: Annotated[str | None, typer.Option(help="A+, A, B or C: what is graded worse falls short.")] = None,
) -> None:
    """Render a saved run again, at another demand if one is given."""
    from harness import store
    from harness.grades import GRADES
    from reports import render, table

    checked_format(form)
    if grade_at is not None and grade_at not in GRADES[:-1]:
        raise unknown("grade", grade_at, GRADES[:-1])
    run = store.read(place)
    if grade_at is not None:
        run = table.demanding(run, grade_at)
    show(render(run, form))
    raise typer.Exit(0 if grade_at is None else exit_code(run))


@app.command()
def atlas(
    backend: Names = None,
    out: Annotated[Path, typer.Option(help="Folder for what is written.")] = Path("out/atlas"),
    python: Annotated[list[str] | None, typer.Option(help="FRAMEWORK=PATH: run it under that interpreter.")] = None,
) -> None:
    """What each backend does on NaN, infinities, masks, odd shapes, dtypes and labels, against what is declared."""
    from backends import NAMES
    from harness import atlas as charting
    from harness import plan, store
    from harness.reference import check_preconditions
    from reports import atlas as page

    patterns = split("backend", backend)
    backends = plan.matching("backend", patterns, NAMES) if patterns else charting.by_default()
    named_interpreters = interpreters(python)
    store.writable(out)
    check_preconditions()
    made = charting.survey(backends, named_interpreters, say=lambda line: print(line, file=sys.stderr))
    for framework, reason in made.missing.items():
        print(f"{framework}: {reason}", file=sys.stderr)
    store.write(out, "atlas.csv", store.csv(store.frame(made.entries, charting.Entry)).encode())
    store.write(out, "atlas.md", page.render(made.entries).encode())
    show(page.brief(made.entries))
    print(f"written to {out}: atlas.md, atlas.csv", file=sys.stderr)
    raise typer.Exit(made.exit_code(plan.named(patterns)))


@app.command()
def power(
    mutant: Annotated[str, typer.Option(help="Name or pattern of the mutants to plant.")] = "*",
    out: Annotated[Path, typer.Option(help="Folder for what is written.")] = Path("out/power"),
    peers: Annotated[bool, typer.Option(help="Ask other people's checks about the same mutants.")] = True,
) -> None:
    """Plant mutants, see which checks kill them and that nothing right is objected to; likewise the peers' checks."""
    from harness import store
    from harness.power import measuring, tables
    from harness.progress import Progress
    from harness.reference import check_preconditions
    from reports import power as page

    store.writable(out)
    check_preconditions()
    found = measuring.measured(mutant, Progress, lambda line: print(line, file=sys.stderr), peers)
    for name, rows in page.FILES.items():
        store.write(out, name, store.csv(rows(found)).encode())
    store.write(out, "power.md", page.render(found).encode())
    show(page.brief(found))
    print(f"written to {out}: power.md, {', '.join(page.FILES)}", file=sys.stderr)
    raise typer.Exit(tables.exit_code(found))


@app.command("backends")
def list_backends(
    python: Annotated[list[str] | None, typer.Option(help="FRAMEWORK=PATH: look there.")] = None,
) -> None:
    """What is there, in which version, and why the rest is not."""
    from tabulate import tabulate

    from harness.inventory import inventory

    rows = inventory(interpreters(python))
    print(tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True, maxcolwidths=[None, None, None, 88]))


def terminate(signum: int, frame: object) -> None:
    """SIGTERM loses as little as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> None:
    """Run a command: errors that a user can cause are one sentence on stderr and an exit status."""
    signal.signal(signal.SIGTERM, terminate)
    try:
        app()
    except UsageError as error:
        print(f"softmax-harness: {error}", file=sys.stderr)
        sys.exit(error.code)
    except KeyboardInterrupt:
        print("softmax-harness: interrupted before anything was compared", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception:
        traceback.print_exc()
        print("softmax-harness: this is our own fault", file=sys.stderr)
        sys.exit(OUR_FAULT)


if __name__ == "__main__":
    main()
