"""The run on GitHub: annotations as workflow commands, and a step's summary, both within GitHub's limits.

GitHub shows 10 annotations of a kind per step, and refuses a summary above 1 MiB. A command is one line,
`::error title=…::…`. The runner decodes %25, %0D and %0A everywhere in it. It decodes %3A and %2C only in a property,
where : and , would end it. A semicolon ends nothing, and %3B would be shown as it is (actions/runner,
`ActionCommand.cs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.records import Run
from reports import markdown
from reports.tables import failures
from reports.tables.summary import headline
from reports.tables.text import legible

MOST_ANNOTATIONS = 10
MOST_BYTES = 1_000_000
ROOM = 200
"""The number of bytes kept for the sentence that says what was left out, and for each heading that it names."""
LONGEST = 4_000
"""The largest number of characters of a message, before it is escaped."""


def render(run: Run) -> str:
    """Return the annotations, one per line, the worst first; empty if all is as it should be."""
    return "".join(f"{line}\n" for line in commands(run))


def commands(run: Run) -> list[str]:
    """Return one annotation per kind of trouble, with its worst cell. The last may count those that are left out."""
    told = [annotation("error", "softmax-harness", sentence) for sentence in failures.of_the_run(run)]
    told += [annotation("error", *its) for its in by_kind(run)]
    if len(told) <= MOST_ANNOTATIONS:
        return told
    rest = len(told) - MOST_ANNOTATIONS + 1
    return [
        *told[: MOST_ANNOTATIONS - 1],
        annotation("notice", "softmax-harness", f"{rest} more annotations were omitted: {headline(run)}"),
    ]


def by_kind(run: Run) -> Iterator[tuple[str, str]]:
    """Yield title and message for each backend, verdict or outcome, and operation, beginning with the worst cell."""
    cells, kind = failures.of_the_cells(run), ["backend", "verdict", "outcome", "operation"]
    number = cells.groupby(kind).size()
    for cell in cells.drop_duplicates(kind).itertuples():
        rest = number[tuple(getattr(cell, column) for column in kind)] - 1
        more = f" (and {rest:,} similar cell{'s' * bool(rest > 1)})" if rest else ""
        lines = (failures.brief(cell) + more, *failures.details(cell, whole=False))
        yield f"{cell.backend}, {failures.what(cell)}: {failures.name(cell)}", "\n".join(lines)


def annotation(level: str, title: str, message: str) -> str:
    """Return one workflow command on one line."""
    return f"::{level} title={escaped_property(title)}::{escaped(message)}"


def escaped(text: str) -> str:
    """Escape a command's message. Its own newlines are kept, and nothing else in it ends the line."""
    lines = (" ".join(line.split()) for line in legible(text)[:LONGEST].split("\n"))
    return "\n".join(lines).replace("%", "%25").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    return escaped(text).replace(":", "%3A").replace(",", "%2C")


def summary(run: Run, room: int = MOST_BYTES) -> str:
    """Return the Markdown page in at most `room` bytes. Sections that do not fit are left out, and named."""
    page = markdown.render(run)
    if size(page) <= room:
        return page
    found = list(chapters(markdown.sections(run)))
    kept, left_out = [], []
    room -= ROOM * (len(found) + 1)
    for chapter in found:
        if size(chapter) <= room:
            kept.append(chapter)
            room -= size(chapter)
        else:
            left_out.append(chapter.splitlines()[0].lstrip("# "))
    return (
        "".join(kept)
        + f"GitHub limits a summary to 1 MiB. These sections are only in `report.md`: {', '.join(left_out)}.\n"
    )


def chapters(parts: Iterable[str]) -> Iterator[str]:
    """Yield the page's parts, joined from each heading of the second level to the next."""
    chapter = ""
    for part in filter(None, parts):
        if part.startswith("## ") and chapter:
            yield chapter
            chapter = ""
        chapter += f"{part}\n\n"
    yield chapter


def size(text: str) -> int:
    return len(text.encode(errors="replace"))
