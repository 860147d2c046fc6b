"""The named cases: inputs that the documents print, their random families, real logits, and where formulas differ.

Shapes are shared on purpose: JAX compiles every operation anew for each shape. `docs/seeds.md` says what comes from
which document.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import prod
from typing import Any

from harness.errors import UsageError, unknown
from harness.questions import families
from harness.questions.blocks import INDEX, UPSTREAM, WEIGHTS
from harness.questions.targets import DISTRIBUTIONS, LABELS
from harness.questions.variations import VARIATIONS
from harness.records import Case, Chain, Normal, Printed, Stored, Twins, Uniform

PRODUCTS = ("softmax", "log_softmax", "logsumexp", "vjp", "jvp")
MATRIX = ("softmax", "jacobian")
LOSSES = ("cross_entropy_mean", "cross_entropy_mean_gradient", "mean_squared_error", "mean_squared_error_gradient")

CASES = {
    case.name: case
    for case in (
        Case(
            "seed000-example",
            "000: one example, X as printed",
            Printed(((1.61124441, 1.9986418, 2.17121789, 2.18079716),)),
            (1, 4),
            operations=(*MATRIX, "jacobian_row"),
            dtypes=("float64",),
        ),
        Case(
            "seed000-matrix",
            "000: softmax over matrices, random((100, 4)) * 4",
            Uniform(0, 4),
            (100, 4),
            operations=("softmax",),
        ),
        Case(
            "seed000-derivative",
            "000: softmax derivative, rand((1, 4)) * 4 + 1",
            Uniform(1, 4),
            (1, 4),
            operations=(*MATRIX, "jacobian_row"),
            dtypes=("float64",),
        ),
        Case(
            "seed000-summed",
            "000: softmax derivative, not finished there: rand((1, 4)) * 4 + 1, and backward(ones)",
            Uniform(1, 4),
            (1, 4),
            operations=("vjp",),
            dtypes=("float64",),
            upstream="ones",
        ),
        Case("seed001-123", "001: [1, 2, 3]", Printed(((1.0, 2.0, 3.0),)), (1, 3), operations=MATRIX),
        Case("seed001-125", "001: [1, 2, 5]", Printed(((1.0, 2.0, 5.0),)), (1, 3), operations=MATRIX),
        Case(
            "seed001-overflow",
            "001: [1000, 2000, 3000], NaN where nothing is taken off",
            Printed(((1000.0, 2000.0, 3000.0),)),
            (1, 3),
            operations=MATRIX,
        ),
        Case(
            "seed002-column",
            "002: the printed 5-class column vector",
            Printed(((0.25,), (-1.0,), (2.3,), (-0.2,), (1.0,))),
            (5, 1),
            axes=(0,),
            operations=MATRIX,
            dtypes=("float64",),
        ),
        Case(
            "seed003-pair",
            "003: [1, 2], test of the Jacobian",
            Printed(((1.0, 2.0),)),
            (1, 2),
            operations=MATRIX,
            dtypes=("float64",),
        ),
        Case(
            "seed003-uniform",
            "003: rand(10, 5), backward and losses against manual gradients",
            Uniform(0, 1),
            (10, 5),
            operations=(*MATRIX, "vjp", "jvp", *LOSSES),
        ),
        Case(
            "seed003-normal",
            "003: randn, NumPy against TensorFlow (10 rows for its 3: one shape less)",
            Normal(1),
            (10, 5),
            operations=(*MATRIX, "vjp"),
        ),
        Case(
            "far-rows",
            "rows 0, 120, …, 1080 below the batch's maximum: where row 18's formula parts",
            Uniform(0, 1, drop=120),
            (10, 5),
            operations=(*MATRIX, "vjp"),
        ),
        Case(
            "axes",
            "softmax along the first and the middle axis of three",
            Normal(2),
            (3, 4, 5),
            axes=(0, 1),
            operations=("softmax", "log_softmax", "vjp"),
            dtypes=("float64",),
        ),
        Case(
            "layer",
            "001: the softmax layer, 5 inputs and 3 classes",
            Normal(1),
            (10, 5),
            operations=("layer", "layer_jacobian", "layer_cross_entropy_gradient"),
        ),
        Case(
            "derivatives",
            "σ = 3: log-softmax and its derivatives, second derivatives, label distributions",
            Normal(3),
            (10, 5),
            operations=(
                "softmax",
                "jvp",
                "log_softmax",
                "log_softmax_vjp",
                "log_softmax_jvp",
                "log_softmax_jacobian",
                "hvp",
                "cross_entropy_hvp",
                "cross_entropy_sum",
                "soft_cross_entropy",
                "soft_cross_entropy_mean",
                "soft_cross_entropy_sum",
                "soft_cross_entropy_gradient",
            ),
        ),
        Case(
            "twins",
            "each row beside itself moved up by 64, or backwards: what a shift and a permutation must not change",
            Twins(),
            (10, 5),
            operations=(*MATRIX, "log_softmax"),
        ),
        Case("wide", "1,000 classes, σ = 3", Normal(3), (8, 1000), operations=(*PRODUCTS, "cross_entropy")),
        Case(
            "spread",
            "logits 100 to 200 apart, σ = 30: a rounded shift costs 100-odd ulp, and theory says so",
            Normal(30),
            (1797, 10),
            operations=("softmax",),
        ),
        Case(
            "sixteen",
            "σ = 3, in 16 bits",
            Normal(3),
            (10, 5),
            operations=("softmax",),
            dtypes=("float16", "bfloat16"),
        ),
        Case("long", "50,000 classes, σ = 3", Normal(3), (2, 50_000), operations=("softmax",)),
        Case(
            "chain",
            "50,000 classes, of which all but one add next to nothing: a chain of additions loses them",
            Chain(),
            (2, 50_000),
            operations=("softmax",),
        ),
        Case(
            "digits",
            "logits of a logistic regression on 1,797 handwritten digits, 10 classes",
            Stored("digits-logits.npy", "ffa1dc0e6e1d0cefacf856a86f80b5466a32f3782b3c1d36020e2d6b88933683"),
            (1797, 10),
            operations=(
                "softmax",
                "log_softmax",
                "jacobian",
                "jacobian_row",
                "vjp",
                "cross_entropy",
                "cross_entropy_mean",
                "cross_entropy_gradient",
            ),
        ),
    )
}


NUMBER = r"[1-9][0-9]{0,17}"
"""The pattern of a positive number in a case's name. A number has one spelling, since another spelling would be another
case, with other numbers drawn."""
GRAMMAR = re.compile(
    rf"(?P<family>[^:]+):(?P<shape>(0|{NUMBER})(x(0|{NUMBER}))*)(/(?P<axis>0|-?{NUMBER}))?(?P<options>(;\w+=\w+)*)",
    re.ASCII,
)
"""The grammar of a synthetic case's name: `normal:3x17`, `ties:4x5x6/1;upstream=ones`."""
CLASSES = ("1", "2", "3", "4", "5", "17", "300")
OPTIONS = {
    "upstream": UPSTREAM, "labels": LABELS, "distribution": DISTRIBUTIONS, "index": INDEX, "weights": tuple(WEIGHTS),
    "classes": CLASSES,
}  # fmt: skip
"""The options in a case's name, which choose the arguments beside the logits, and the kinds that each may have."""
MOST_ELEMENTS = 2**26
MOST_DIMENSIONS = 64
"""The most dimensions of an array in NumPy 2, which no longer has a name for this limit (32 in NumPy 1)."""


def named(name: str) -> Case:
    """Return the case of a name: one of `CASES` or a synthetic one. An `@` begins a variation: `digits@strided`.

    Raise UsageError, with the nearest valid name, for a name that is neither and for an unknown variation.
    """
    plain, at, variation = name.partition("@")
    case = CASES.get(plain) or synthetic(plain)
    if not at:
        return case
    if variation not in VARIATIONS:
        raise unknown("variation", variation, VARIATIONS)
    return replace(case, name=name, variation=variation, stream=case.name)


def synthetic(name: str) -> Case:
    """Return the case of a family of logits in a shape, along an axis, with the options in its name.

    Raise UsageError for a name that does not follow `GRAMMAR`, an unknown family, an axis outside the shape, or
    too many dimensions or elements.
    """
    found = GRAMMAR.fullmatch(name)
    if not found:
        raise unknown("case", name, CASES)
    family, shape = found["family"], tuple(map(int, found["shape"].split("x")))
    if family not in families.FAMILIES:
        raise unknown("family of logits", family, families.FAMILIES)
    if len(shape) > MOST_DIMENSIONS:
        raise UsageError(f"a case must have at most {MOST_DIMENSIONS} dimensions; {name} has {len(shape)}")
    axis = int(found["axis"] or -1)
    if not -len(shape) <= axis < len(shape):
        raise UsageError(f"{name}: axis {axis} is out of range for {len(shape)} dimensions")
    if 0 in shape or prod(shape) > MOST_ELEMENTS:
        raise UsageError(f"{name}: a case must have between 1 and {MOST_ELEMENTS:,} elements")
    return Case(
        name,
        families.described(family),
        families.recipe(family, axis),
        shape,
        (axis,),
        operations=("softmax", "log_softmax", "vjp"),
        **options(name, found["options"]),
    )


def options(name: str, text: str) -> dict[str, Any]:
    """Return the options of a case by name. Raise UsageError for one that is unknown, or that is given twice."""
    pairs = [option.split("=") for option in text.split(";")[1:]]
    given: dict[str, Any] = {}
    for option, value in pairs:
        if option in given:
            raise UsageError(f"{name}: {option} is given twice, as {given[option]} and as {value}; give it once")
        given[option] = value
        if option not in OPTIONS:
            raise unknown("option of a case", option, OPTIONS)
        if value not in OPTIONS[option]:
            raise unknown(f"kind of {option}", value, OPTIONS[option])
    return given | {option: int(value) for option, value in pairs if option == "classes"}
