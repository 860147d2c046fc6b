"""The head of a baseline, as TOML beside its rows: the platform, the versions, why it was accepted, the rows' hash.

It names its rows by their SHA-256, so rows that another `accept` wrote, a merge or an edit are never taken for its own.
That is its last line, and must be there: so a head that was cut off between two lines is noticed too.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.baselines.parsing import damaged, decoded, written_otherwise
from harness.baselines.platform import FrameworkVersions, Platform
from harness.errors import UsageError

FORMAT, VERSION = "softmax-harness baseline", 3
ROWS = "rows_sha256"
Word = Annotated[str, Field(pattern=r"^\S+$")]
Line = Annotated[str, Field(pattern=r"^[^\r\n]*$")]


@dataclass(frozen=True)
class Head:
    """What a baseline says above its rows."""

    platform: Platform
    frameworks: Mapping[str, FrameworkVersions]
    reasons: tuple[str, ...]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Versions(Strict):
    """A framework's entry."""

    versions: Annotated[list[Word], Field(min_length=1)]
    flushes_to_zero: bool


class Document(Strict):
    """The keys of the file, in their order there."""

    format: str
    version: int
    platform: str
    system: Line
    machine: Line
    vendor: Line
    cpu: list[Word]
    threads: Annotated[int, Field(ge=0, lt=10**9)]
    frameworks: Annotated[dict[Word, Versions], Field(default_factory=dict)]
    accepted: list[str]
    rows_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def understood(file: Path, content: bytes) -> Head:
    """Parse a head of that name and content. Raise UsageError if it is damaged."""
    text = decoded(file, content)
    found = document(file, text)
    made_on = Platform(found.system, found.machine, found.vendor, tuple(found.cpu), found.threads)
    if found.platform != made_on.name:
        raise damaged(
            file, place(text, "platform"), f"the platform does not match the lines below it, which give {made_on.name}"
        )
    if made_on.name != file.stem:
        raise damaged(file, place(text, "platform"), f"this is the baseline of another platform, {made_on.name}")
    said = {
        name: FrameworkVersions(tuple(about.versions), about.flushes_to_zero)
        for name, about in found.frameworks.items()
    }
    head = Head(made_on, said, tuple(map(in_one_line, found.accepted)))
    if (anew := text_of(head, found.rows_sha256)) != text:
        raise written_otherwise(file, text, anew)
    return head


def document(file: Path, text: str) -> Document:
    """Return the checked content of a head. Raise UsageError with the line of the first mistake."""
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        at = re.search(r"at line ([0-9]+)", str(error))
        line = int(at[1]) if at else last(text)
        raise damaged(file, line, f"it is not TOML: {error}") from None
    if given.get("format") != FORMAT:
        raise damaged(
            file, place(text, "format"), f"this is not a baseline of this harness: its format is not {FORMAT!r}"
        )
    if given.get("version") != VERSION:
        version = f"format version {given.get('version')!r}; this harness reads {VERSION}"
        raise damaged(file, place(text, "version"), version)
    try:
        return Document.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise damaged(file, place(text, *map(str, first["loc"])), f"{key}: {first['msg']}") from None


def place(text: str, *keys: str) -> int:
    """Return the number of the line of a key, or of the first of the keys above it that has one; else of the last."""
    for length in range(len(keys), 0, -1):
        begin = ".".join(keys[:length]) + " ="
        for number, line in enumerate(text.split("\n"), start=1):
            if line.startswith(begin):
                return number
    return last(text)


def last(text: str) -> int:
    """Return the number of the last line that is not empty."""
    return 1 + text.rstrip("\n").count("\n")


def names(about: bytes, rows: bytes) -> bool:
    """Decide whether a head names these rows as its own."""
    return f'\n{ROWS} = "{hashlib.sha256(rows).hexdigest()}"\n'.encode() in about


def of_other_rows(file: Path, about: bytes, rows: Path, content: bytes) -> UsageError:
    """Return the error for rows that a head does not name."""
    what = f"it is not the SHA-256 of {rows.name}, {hashlib.sha256(content).hexdigest()}"
    why = "one of the two files was edited or merged without the other, or is of another `accept`"
    return damaged(file, place(about.decode(), ROWS), f"{what}: {why}")


def in_one_line(reason: str) -> str:
    """Return a reason as the head holds it, with one space between words."""
    return " ".join(reason.split())


def written(head: Head, rows: bytes) -> str:
    """Return the text of the head of these rows."""
    return text_of(head, hashlib.sha256(rows).hexdigest())


def text_of(head: Head, rows_sha256: str) -> str:
    made_on = head.platform
    lines = [
        f"format = {quoted(FORMAT)}",
        f"version = {VERSION}",
        f"platform = {quoted(made_on.name)}",
        f"system = {quoted(made_on.system)}",
        f"machine = {quoted(made_on.machine)}",
        f"vendor = {quoted(made_on.vendor)}",
        f"cpu = {quoted(made_on.cpu)}",
        f"threads = {made_on.threads}",
        *(framework(name, about) for name, about in sorted(head.frameworks.items())),
        "accepted = [",
        *(f"  {quoted(reason)}," for reason in head.reasons),
        "]",
        f"{ROWS} = {quoted(rows_sha256)}",
    ]
    return "\n".join(lines) + "\n"


def framework(name: str, about: FrameworkVersions) -> str:
    """Return the line of one framework."""
    key = name if re.fullmatch("[A-Za-z0-9_-]+", name) else quoted(name)
    flushes = str(about.flushes).lower()
    return f"frameworks.{key} = {{ versions = {quoted(about.versions)}, flushes_to_zero = {flushes} }}"


def quoted(value: Any) -> str:
    """Return a text or texts as TOML has them. JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
