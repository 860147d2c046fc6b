"""What several commands share: the Typer application, options and how they are read, and how a run is shown.

Heavy imports stand inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.commands.page import PAGE, rendered, write_page
from harness.errors import UsageError, unknown

if TYPE_CHECKING:
    from harness.records import Run

app = typer.Typer(
    name="softmax-harness",
    help="Compare softmax and its derivatives across frameworks, against exact values and proved error bounds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def tell_version(asked: bool) -> None:
    from harness import __version__

    if asked:
        show(f"softmax-harness {__version__}\n")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None: ...


Names = Annotated[
    list[str] | None,
    typer.Option(help="Names, or patterns with `*`. Separate them by commas, or repeat the option."),
]
Pythons = Annotated[
    list[str] | None, typer.Option(help="FRAMEWORK=PATH: run this framework with the Python interpreter at PATH.")
]
TimeLimit = Annotated[float, typer.Option(min=0.1, help="Time limit for one block of a case, in seconds.")]
MemoryLimit = Annotated[float, typer.Option(min=0.1, help="Memory limit of one worker process, in GiB.")]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format", help="Output format: terminal, json, csv, markdown, html, junit or github.", metavar="FORMAT"
    ),
]


FailAt = Annotated[
    str | None,
    typer.Option(
        "--fail-at", metavar="GRADE", help="Exit with 1 if a result has this grade or a worse one: A, B, C or F."
    ),
]


def checked_grade(grade: str) -> str:
    from harness.judging.grades import DEMANDS

    if grade not in DEMANDS:
        raise unknown("grade", grade, DEMANDS)
    return grade


def demanded(run: Run) -> Run:
    """Return the run with the verdicts that follow from its own `--fail-at`: so it is shown, and gets its status."""
    from reports.tables.summary import demanding

    return demanding(run, run.about["options"].get("fail_at", "F"))


def path_of(option: str) -> Callable[[str | Path], Path]:
    """Return a parser of paths that raises UsageError for an empty one.

    An unset shell variable gives an empty path, which would mean the current folder.
    """

    def path(given: str | Path) -> Path:
        if not str(given).strip():
            raise UsageError(f"{option} is empty")
        return Path(given)

    return path


Out = Annotated[Path, typer.Option(parser=path_of("--out"), metavar="PATH", help="Folder for the output files.")]
Saved = Annotated[
    Path, typer.Argument(parser=path_of("RUN"), metavar="RUN", help="Folder of a saved run, or its run.json.")
]


def split(option: str, given: list[str] | None) -> tuple[str, ...]:
    """Return the names that an option gives, separated by commas, by repeating the option, or both.

    Raise UsageError if the option is given and names nothing: that is a slip, not a wish for everything.
    """
    names = tuple(name.strip() for text in given or [] for name in text.split(",") if name.strip())
    if given and not names:
        raise UsageError(f"--{option} is empty")
    return names


def checked_format(form: str) -> str:
    from reports import FORMATS

    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    return form


def interpreters(given: list[str] | None, asked: Iterable[str] | None = None) -> dict[str, str]:
    """Return the interpreter's path for each framework, read from `FRAMEWORK=PATH`.

    `asked`: the backends that are asked; by default, all. Raise UsageError if a framework has none among them, is
    unknown or given twice, or if there is no such interpreter.
    """
    from shutil import which

    from backends import FRAMEWORKS, NAMES, find

    frameworks = {find(name).framework for name in (NAMES if asked is None else asked)}
    found: dict[str, str] = {}
    for text in given or []:
        name, sign, path = text.partition("=")
        if not sign or not path:
            raise UsageError(f"--python must be FRAMEWORK=PATH, such as jax=/opt/jax/bin/python; got {text!r}")
        if name not in FRAMEWORKS:
            raise unknown("framework", name, FRAMEWORKS)
        if which(path) is None:
            raise UsageError(f"--python {name}: there is no interpreter at {path!r}")
        if name not in frameworks:
            raise UsageError(f"--python {name}: no backend of {name} is selected")
        if name in found:
            raise UsageError(f"--python names {name} twice; a framework runs with one interpreter")
        found[name] = path
    return found


def checked_pairs(pairs: str) -> Any:
    from harness.judging.pairs import all_pairs, natives_and_variants

    choices = {"natives": natives_and_variants, "all": all_pairs}
    if pairs not in choices:
        raise unknown("value of --pairs", pairs, choices)
    return choices[pairs]


def show(text: str) -> None:
    """Write the text to stdout and flush it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def summarise(run: Run, form: str) -> None:
    """Append the page to the summary of a GitHub step, in the room that is left there, if the format is github.

    Raise UsageError if the summary's file cannot be written.
    """
    from reports import github

    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if form != "github" or not summary:
        return
    file = Path(summary)
    if file.exists() and not file.is_file():  # such as a pipe, where we would wait for a reader
        raise UsageError(f"cannot write to GITHUB_STEP_SUMMARY, {summary!r}: it is not a regular file")
    try:
        written = file.stat().st_size if file.exists() else 0
        with file.open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(github.summary(run, github.MOST_BYTES - written))
    except OSError as error:
        raise UsageError(f"cannot write to GITHUB_STEP_SUMMARY, {summary!r}: {error.strerror or error}") from None


def finish(run: Run, out: Path, form: str) -> None:
    """Write the run and its page to `out`, show it, and say on stderr what was written."""
    from harness.findings import csv_file
    from harness.runs import store
    from reports import render

    csv_file.put_aside(out)
    saved = demanded(store.save(run, out))
    store.write(out, "report.md", render(saved, "markdown").encode())
    write_page(saved, out)
    show(rendered(saved, out, form))
    summarise(saved, form)
    files = ", ".join((PAGE, "report.md", *(f"{name}.csv" for name in store.TABLES), "run.json"))
    print(f"written to {out}: {files}", file=sys.stderr)
