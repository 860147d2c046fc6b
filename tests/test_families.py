"""Every operation has its exact value, its bound and its honest evaluations, each in the file of its family."""

from __future__ import annotations

from importlib import import_module

import pytest

from backends import OPERATIONS as METHODS
from backends.third_party import DIFFERENCED
from harness.operations import ARGUMENTS, FAMILIES, OPERATIONS
from harness.truth.bounds import differences

TRUTHS = {"exact": "EXACT", "bounds": "ROWS", "simulated": "SIMULATED"}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("truth", TRUTHS)
def test_a_family_has_a_file_that_has_all_of_its_operations(truth: str, family: str) -> None:
    rows = getattr(import_module(f"harness.truth.{truth}.{family}"), TRUTHS[truth])
    assert list(rows) == [operation.name for operation in FAMILIES[family]]


def test_every_operation_has_a_method() -> None:
    assert list(METHODS) == list(OPERATIONS)


def test_arguments_are_those_of_the_table(operation: str) -> None:
    [first, *others] = OPERATIONS[operation].arguments
    assert ARGUMENTS[first].kind == "rows"
    assert "rows" not in {ARGUMENTS[name].kind for name in others}


def test_central_differences_that_may_be_declared_are_those_with_a_bound() -> None:
    assert tuple(differences.BOUNDS) == DIFFERENCED
