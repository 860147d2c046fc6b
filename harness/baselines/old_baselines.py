"""The old form of a baseline, version 2: one file, with the head as lines `# key: value` above the rows. Read only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.baselines.parsing import body, damaged, decoded, table, written_otherwise
from harness.baselines.platform import FrameworkVersions, Platform
from harness.baselines.toml_head import Head, in_one_line
from harness.runs import old_runs

SIGN, VERSION = "# softmax-harness baseline, version ", 2
HEAD = f"{SIGN}{VERSION}"
END = "# end"
"""The last line. A truncated file does not have it, even if it ends between two lines."""
KEYS = ("platform", "system", "machine", "vendor", "cpu", "threads", "framework", "accepted")
"""The keys of the head's lines."""
COLUMN = ("bound_fraction", old_runs.COLUMNS["bound_fraction"])
"""The name of the one column that had another, then and today."""
WORDS = dict([COLUMN]) | old_runs.OUTCOMES | old_runs.VERDICTS
"""Today's words by those of then."""
FRAMEWORK = re.compile(r"(\S+) (\S+(?: and \S+)*?)(, flushes to zero)?")


@dataclass(frozen=True)
class Lines:
    """The lines above the table, as (key, value, line number). `lines`: how many there are."""

    entries: tuple[tuple[str, str, int], ...]
    lines: int

    def all(self, key: str) -> list[str]:
        return [value for name, value, _ in self.entries if name == key]

    def place(self, key: str) -> int:
        """Return the number of the first line with that key; if there is none, of the head's last line."""
        return next((line for name, _, line in self.entries if name == key), self.lines)

    def one(self, file: Path, key: str) -> str:
        found = self.all(key)
        if len(found) != 1:
            raise damaged(file, self.place(key), f"the head has {len(found) or 'no'} lines '# {key}: …', not one")
        return found[0]


def understood(file: Path, content: bytes) -> tuple[Head, pd.DataFrame]:
    """Parse a file of that name and content into its head and its rows. Raise UsageError if it is damaged."""
    text = decoded(file, content)
    lines = lines_above(file, text)
    made_on = platform_of(file, lines)
    if made_on.name != file.stem:
        raise damaged(file, lines.place("platform"), f"this is the baseline of another platform, {made_on.name}")
    rows = body(file, in_words_of_today(text.removesuffix(f"{END}\n").split("\n", lines.lines)[-1]), lines.lines)
    head = Head(made_on, frameworks_of(file, lines), tuple(map(in_one_line, lines.all("accepted"))))
    if (anew := written(head, rows)) != text:
        raise written_otherwise(file, text, anew)
    return head, rows


def lines_above(file: Path, text: str) -> Lines:
    """Parse the head.

    Raise UsageError for another format or version, a truncated file or an unknown key.
    """
    found = re.match(r"(#[^\n]*\n)*", text)
    lines = found[0].split("\n")[:-1] if found else []
    if not lines or not lines[0].startswith(SIGN):
        beside = f"there is no {file.stem}.toml beside it, and in the old form it would begin with {HEAD!r}"
        raise damaged(file, 1, f"this is not a baseline of this harness: {beside}")
    if lines[0] != HEAD:
        raise damaged(file, 1, f"format version {lines[0].removeprefix(SIGN)}; this harness reads {VERSION}")
    if not text.endswith(f"\n{END}\n"):
        raise damaged(file, 1 + text.rstrip("\n").count("\n"), f"the file is truncated: its last line is not {END!r}")
    return Lines(tuple(entry(file, line, number) for number, line in enumerate(lines[1:], start=2)), len(lines))


def entry(file: Path, line: str, number: int) -> tuple[str, str, int]:
    key, sign, value = line.removeprefix("# ").partition(": ")
    if not sign or key not in KEYS:
        raise damaged(file, number, f"{line!r} is not a line of a head")
    return key, value, number


def platform_of(file: Path, found: Lines) -> Platform:
    system, machine, vendor, cpu, threads = (
        found.one(file, key) for key in ("system", "machine", "vendor", "cpu", "threads")
    )
    if not re.fullmatch("[0-9]{1,9}", threads):
        raise damaged(file, found.place("threads"), f"{threads!r} is not a number of threads")
    made_on = Platform(system, machine, vendor, tuple(cpu.split()), int(threads))
    if found.one(file, "platform") != made_on.name:
        raise damaged(
            file, found.place("platform"), f"the platform does not match the lines below it, which give {made_on.name}"
        )
    return made_on


def frameworks_of(file: Path, found: Lines) -> dict[str, FrameworkVersions]:
    said = {}
    for key, value, line in found.entries:
        if key == "framework":
            about = FRAMEWORK.fullmatch(value)
            if not about:
                raise damaged(file, line, f"{value!r} is not a framework with its version")
            said[about[1]] = FrameworkVersions(tuple(about[2].split(" and ")), bool(about[3]))
    return said


def written(head: Head, rows: pd.DataFrame) -> str:
    """Return the text of the whole file."""
    made_on = head.platform
    lines = [
        HEAD,
        f"# platform: {made_on.name}",
        f"# system: {made_on.system}",
        f"# machine: {made_on.machine}",
        f"# vendor: {made_on.vendor}",
        f"# cpu: {' '.join(made_on.cpu)}",
        f"# threads: {made_on.threads}",
        *(f"# framework: {name} {about}" for name, about in sorted(head.frameworks.items())),
        *(f"# accepted: {reason}" for reason in head.reasons),
    ]
    return "\n".join(lines) + f"\n{as_then(rows)}{END}\n"


def as_then(rows: pd.DataFrame) -> str:
    """Return the table as version 2 wrote it."""
    now = {name: {new: old for old, new in words.items()} for name, words in old_runs.VALUES.items()}
    names, text = table(rows.assign(**{name: rows[name].replace(words) for name, words in now.items()})).split("\n", 1)
    return f"{names.replace(COLUMN[1], COLUMN[0])}\n{text}"


def in_words_of_today(rows: str) -> str:
    """Return the text of a table of version 2 with today's words, each where it is a whole field."""
    for then, now in WORDS.items():
        rows = rows.replace(f",{then},", f",{now},")
    return rows
