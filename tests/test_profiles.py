"""Where errors lie: bins of distance and of magnitude, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.judging.metrics import errors
from harness.judging.profiles import DISTANCE, DISTANCES, EXPONENTS, MAGNITUDE, profile
from harness.numbers.formats import FORMATS
from harness.records import Profile
from harness.truth import Expected, expected

FLOAT64 = FORMATS["float64"]


def where(operation: str) -> tuple[str, str, str, int, str]:
    return operation, "mine", "float64", -1, "numpy"


def profiled(
    operation: str, logits: np.ndarray, actual: np.ndarray, exact: Expected, bound: np.ndarray
) -> tuple[Profile, ...]:
    """The profile of an answer in float64."""
    return profile(where(operation), logits, actual, exact, errors(actual, exact, FLOAT64).ulp, bound, FLOAT64)


def test_a_row_s_errors_fall_into_their_bins() -> None:
    """Distances 0, 1 and 2, answers 0, 1 and 3 ulp off, where 8 ulp are allowed to each."""
    logits = np.array([[2.0, 1.0, 0.0]])
    exact = expected("softmax", logits, [])
    rounded = exact.rounded()
    ulps = np.spacing(rounded)
    actual = rounded + ulps * [[0, 1, 3]]
    found = profiled("softmax", logits, actual, exact, 8 * ulps)
    by_distance = [bin_ for bin_ in found if bin_.by == DISTANCE]
    assert [(bin_.at_least, bin_.below, bin_.elements) for bin_ in by_distance] == [(0, 0.5, 1), (1, 1.5, 1), (2, 3, 1)]
    # each rounded value is itself within half an ulp of the exact one
    assert [round(bin_.max_ulp_error) for bin_ in by_distance] == [0, 1, 3]
    assert [bin_.largest_bound for bin_ in by_distance] == [8, 8, 8]
    assert [bin_.error_over_bound * 8 for bin_ in by_distance] == [bin_.max_ulp_error for bin_ in by_distance]
    # softmax of these is 0.665, 0.245 and 0.09: in [1/2, 1), [1/16, 1/4), and the third too
    by_size = [bin_ for bin_ in found if bin_.by == MAGNITUDE]
    assert [(bin_.at_least, bin_.below, bin_.elements) for bin_ in by_size] == [(1 / 16, 1 / 4, 2), (1 / 2, 1, 1)]


def test_answers_that_are_not_finite_are_in_no_bin() -> None:
    logits = np.array([[0.0, 0.0]])
    exact = expected("softmax", logits, [])
    found = profiled("softmax", logits, np.array([[np.nan, 0.5]]), exact, np.full((1, 2), 1e-16))
    assert [bin_.elements for bin_ in found] == [1, 1]


def test_a_sum_has_no_distances_and_a_zero_no_magnitude() -> None:
    logits = np.zeros((1, 1))
    exact = expected("logsumexp", logits, [])
    actual = np.zeros(exact.hi.shape)
    assert profiled("logsumexp", logits, actual, exact, np.ones(exact.hi.shape)) == ()


@pytest.mark.parametrize("edges", [DISTANCES, EXPONENTS])
def test_bins_leave_nothing_out(edges: np.ndarray) -> None:
    assert (np.diff(edges) > 0).all()
    assert edges[-1] == np.inf
    assert edges[0] in (0.0, -np.inf)
