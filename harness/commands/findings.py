"""`findings` and `reproduce`: show what fails by scripts that run without this harness."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.commands.options import MemoryLimit, Pythons, Saved, TimeLimit, app, interpreters, show
from harness.commands.page import PAGE, write_page

if TYPE_CHECKING:
    from harness.records import Run


def look_into(
    run: Run, out: Path, interpreters: dict[str, str], kinds: tuple[str, ...] | None = None, limits: Any = None
) -> Any:
    """Shrink each finding of a run, show it by a script of its own, and write table and pages. Return all findings."""
    from harness.findings import Asker, survey
    from harness.findings.record import KINDS
    from harness.workers.process import Limits

    with Asker(interpreters, limits or Limits()) as asker:
        found = survey(run, asker, out, say, kinds or KINDS)
        found = kept_with_earlier(found, asker, out)
    write_page(run, out)
    return found


def look_into_atlas(made: Any, out: Path, interpreters: dict[str, str]) -> Any:
    """Show each finding of an atlas by a script of its own, and write the table and the page. Return all findings."""
    from harness.findings import Asker
    from harness.findings.specials import survey

    found = survey(made, out, interpreters, say=say)
    with Asker(interpreters) as asker:
        return kept_with_earlier(found, asker, out)


def kept_with_earlier(found: Any, asker: Any, out: Path) -> Any:
    """Return the findings, followed by earlier ones that were not found again, and write them as a table and a page."""
    from harness.findings import csv_file
    from harness.runs import store
    from reports.pages import findings as page

    found = csv_file.with_earlier(found, csv_file.earlier(out), asker, out)
    csv_file.write(out, found)
    store.write(out, csv_file.PAGE, page.render(found).encode())
    return found


def written(found: Any) -> str:
    """Return the names of the files that findings leave, with the folder of the scripts if there is a script."""
    scripts = ("findings/",) if any(finding.snippet for finding in found) else ()
    return ", ".join(("findings.csv", "findings.md", *scripts))


def say(text: str) -> None:
    print(f"examining {text}", file=sys.stderr)


@app.command()
def findings(
    place: Saved = Path("out/latest"),
    python: Pythons = None,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.1, help="Time limit for one block, in seconds. The default is that of the run."),
    ] = None,
    memory_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Memory limit of one worker, in GiB. The default is that of the run.")
    ] = None,
) -> None:
    """Reduce the failures of a run to their smallest inputs.

    For each of them, a script is written that reproduces it without this harness.
    """
    from harness.findings.record import DEFECT, SHOWN
    from harness.runs import store
    from reports.pages import findings as page

    run, folder = store.read(place), store.folder_of(place)
    store.writable(folder)
    found = look_into(run, folder, interpreters(python), limits=limits(run, time_limit, memory_limit))
    show(page.render(found))
    print(f"written to {folder}: {PAGE}, {written(found)}", file=sys.stderr)
    raise typer.Exit(int(any(finding.kind == DEFECT and finding.status == SHOWN for finding in found)))


def limits(run: Run, seconds: float | None, gigabytes: float | None) -> Any:
    """Return the given limits, and for the rest the run's own, so that what timed out gets the same time again."""
    from harness.workers.process import Limits

    given = {name: value for name, value in (("seconds", seconds), ("gigabytes", gigabytes)) if value is not None}
    return Limits(**(run.about["options"].get("limits", {}) | given))


@app.command()
def reproduce(
    cell: Annotated[list[str], typer.Argument(metavar="CELL", help="BACKEND OPERATION CASE DTYPE")],
    python: Pythons = None,
    axis: Annotated[int | None, typer.Option(help="The axis, if not the first one of the case.")] = None,
    time_limit: TimeLimit = 120.0,
    memory_limit: MemoryLimit = 4.0,
) -> None:
    """Print and run a script that reproduces a cell.

    The script calls the framework alone, without this harness.
    """
    from harness.findings import Asker
    from harness.findings.reproduce import checked, ran, script_and_verdict, words
    from harness.findings.scripts.one_cell import UNSHOWN
    from harness.workers.process import Limits

    place = checked(words(cell))
    with Asker(interpreters(python, place[:1]), Limits(time_limit, memory_limit)) as asker:
        script, told = script_and_verdict(asker, *place, axis)
        show(script)
        print(told, file=sys.stderr)
        done = ran(asker, place[0], script)
        if not done.shown:
            with asker.importing(UNSHOWN):
                other, _ = script_and_verdict(asker, *place, axis)
            again = ran(asker, place[0], other)
            if again.shown:
                print(
                    f"that script does not reproduce it, but this one does; it imports {place[0]} itself",
                    file=sys.stderr,
                )
                show(other)
                done = again
    show(done.text)
    raise typer.Exit(done.status)
