"""The class of defect, of forty, that a finding most likely belongs to, by what its smallest witness needs."""

from __future__ import annotations

from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS
from harness.questions.cases import named
from harness.questions.variations import LAYOUTS

BY_VARIATION = {
    "again": "C35", "threads": "C35", "alone": "C36", "hostile": "C36", "dtypes": "C37",
    "held": "C27", "first": "C38",
}  # fmt: skip
BY_FAMILY = {
    "above": "C01", "below": "C02", "abyss": "C02", "mixed": "C02", "shifted": "C03", "gap": "C05", "lost": "C06",
    "masked": "C19", "subnormal": "C34", "scaled": "C32", "ties": "C25",
}  # fmt: skip
BY_CAUSE = {"sum": "C06", "exp": "C33", "flush": "C34"}
"""The class for the measured main cause of a softmax's error (docs/bounds.md#causes)."""
LARGEST_COUNT = 65_504
"""float16's largest number."""


def defect_class(witness: str, operation: str, dtype: str, broken: str, cause: str = "") -> str:
    """Return the class of defect, or an empty string if nothing points to one.

    Writing into an argument comes before all else, then variation, broken property, dtype, family, axis, operation and
    cause.
    """
    if "arguments" in broken:
        return "C27"
    case = named(witness)
    layout = case.variation.removeprefix("upstream-")
    if layout in LAYOUTS:
        return "C10" if layout == case.variation else "C11"
    if case.variation:
        return BY_VARIATION[case.variation]
    if "dtype" in broken:
        return "C37"
    if "component" in broken:
        return "C05"
    if dtype == "float16" and case.shape[case.axes[0]] > LARGEST_COUNT:
        return "C07"
    family = witness.split(":", maxsplit=1)[0]
    if FORMATS[dtype].p < FORMATS["float32"].p or broken.startswith("B:"):
        return "C06"
    if family in BY_FAMILY:
        return BY_FAMILY[family]
    if case.axes[0] not in (-1, len(case.shape) - 1):
        return "C12"
    return OPERATIONS[operation].defect or BY_CAUSE.get(cause, "")
