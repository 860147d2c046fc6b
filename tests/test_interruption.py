"""Whatever cuts a run short, what is finished is kept, and nothing goes on behind it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness import compare, plan, runs, signals
from harness.engine import Settings
from harness.errors import UsageError
from harness.journal import Journal
from harness.pairs import natives_and_variants
from harness.records import Group

NUMBER = 10


def asked() -> list[Group]:
    cases = tuple(f"normal:2x{n}" for n in range(2, 2 + NUMBER))
    return plan.groups(plan.Selection(("numpy",), ("softmax",), ("float32",), cases))


def quiet(groups: list[Group]) -> Any:
    return nullcontext(lambda result: None)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path, asked(), "")
    made.begin()
    return made


def carried_out(journal: Journal, tmp_path: Path) -> compare.Comparing:
    return compare.carried_out(asked(), Settings(tmp_path), natives_and_variants, journal, quiet)


def at_the_third(journal: Journal, then: Callable[[], None]) -> None:
    """Something happens as the third unit is written."""
    real, written = journal.add, []

    def add(*given: Any, **named: Any) -> None:
        written.append(given)
        if len(written) == 3:
            then()
        real(*given, **named)

    journal.add = add  # type: ignore[method-assign]


@pytest.mark.parametrize("number", signals.INTERRUPTING)
def test_an_interruption_while_a_unit_is_written_loses_no_cell(
    journal: Journal, tmp_path: Path, number: signal.Signals
) -> None:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        at_the_third(journal, lambda: os.kill(os.getpid(), number))
        work = carried_out(journal, tmp_path)
    finally:
        signal.signal(signal.SIGTERM, before)
    cells = runs.as_run(work, asked(), {}).comparisons
    assert work.partial
    assert sorted(cells.case) == sorted(group.case.name for group in asked())
    assert (cells.outcome == "ok").sum() >= 3


def test_a_disk_that_is_full_ends_the_run_in_one_sentence(journal: Journal, tmp_path: Path) -> None:
    journal.file.unlink()
    journal.file.mkdir()  # what stands there takes no line
    with pytest.raises(UsageError, match="cannot write to"):
        carried_out(journal, tmp_path)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPool")] == []


def test_signals_are_as_they_were_after_a_run(journal: Journal, tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in signals.INTERRUPTING]
    carried_out(journal, tmp_path)
    assert [signal.getsignal(number) for number in signals.INTERRUPTING] == before


@pytest.mark.parametrize("torn", [b'{"unit": "normal:2x3 float32 -1", "part\n', b"{}\n", b"[]\n", b"\xff\n", b"1\n"])
def test_a_line_that_does_not_read_is_asked_again_and_no_other(journal: Journal, tmp_path: Path, torn: bytes) -> None:
    carried_out(journal, tmp_path)
    head, *lines = journal.file.read_bytes().splitlines(keepends=True)
    journal.file.write_bytes(b"".join([head, *lines[:4], torn, *lines[5:]]))
    again = Journal(tmp_path, asked(), "")
    again.resume()
    assert again.done == {json.loads(line)["unit"] for line in [*lines[:4], *lines[5:]]}


def test_held_signals_have_their_effect_at_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals.held():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("what must be whole")
    assert done


def test_ignored_signals_have_none() -> None:
    with signals.ignored():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_plan_of_another_version_is_not_resumed(journal: Journal, tmp_path: Path) -> None:
    other = [dataclasses.replace(group, dtype="float64") for group in asked()]
    with pytest.raises(UsageError, match="another plan"):
        Journal(tmp_path, other, "").resume()
