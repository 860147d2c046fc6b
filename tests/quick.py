"""Which parameters of a test are among the quick ones, that `make test` runs; the others run in `make test-all`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def only(quick: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """All values as parameters, of which those that are not quick are marked slow."""
    kept, every = tuple(quick), tuple(values)
    assert kept
    assert all(value in every for value in kept), "a quick value is not among the values"
    return [value if value in kept else slow(value) for value in every]


def slow(value: Any) -> Any:
    """A tuple is the values of several arguments."""
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
