"""What stands beside the logits: each kind is what it says, in any cut; names say it; answers are read late."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from harness.errors import UsageError
from harness.judging.equations import compared, sides
from harness.numbers.formats import FORMATS
from harness.operations import OPERATIONS, answer_shape, lengths
from harness.power import mutants, trial
from harness.power.mutants.sizes import MUTANTS, first_call_of_a_process
from harness.power.planting import Mutant
from harness.questions import blocks, vectors
from harness.questions.cases import OPTIONS, named
from harness.questions.suites import SUITES, load
from harness.questions.suites.wishes import of_sweep
from harness.questions.targets import ENDS, KINDS
from harness.questions.variations import HELD
from harness.records import EquationSide, Group
from harness.truth.bounds import blocked_tree, bound
from harness.truth.exact.expected import expected
from harness.workers.request import Request
from harness.workers.worker import answer_of as answered

SHAPES = ("1", "3x1", "4x7", "5x4/0", "3x5x4/1", "2x3x4x2/2", "1x2x3x2x1x4")
ARGUMENT = {
    "upstream": "cotangent", "labels": "labels", "distribution": "distribution", "index": "index", "weights": "weights",
    "classes": "weights",
}  # fmt: skip
KINDS_OF_ALL = [(option, kind) for option, kinds in OPTIONS.items() for kind in kinds]


def made(name: str, argument: str, dtype: str = "float32", rows: tuple[int, int] | None = None) -> Any:
    case = named(name)
    return blocks.argument(case, argument, dtype, case.axes[0], rows or (0, case.shape[0]))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(("option", "kind"), KINDS_OF_ALL)
def test_a_kind_is_finite_and_the_same_in_any_cut(option: str, kind: str, dtype: str) -> None:
    """Whatever the shape; and a block of rows has those rows of the whole."""
    for shape in SHAPES:
        name, argument = f"normal:{shape};{option}={kind}", ARGUMENT[option]
        whole = np.asarray(made(name, argument, dtype))
        assert np.isfinite(whole.astype(np.float64)).all()
        case = named(name)
        if argument not in ("index", "weights") and case.shape[0] > 1 and case.axes[0] % len(case.shape):
            assert (made(name, argument, dtype, (1, case.shape[0])) == whole[1:]).all()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("n", [1, 2, 17, 300])
def test_vectors_are_where_they_say(dtype: str, n: int) -> None:
    form = FORMATS[dtype]

    def rows(kind: str) -> Any:
        return made(f"normal:6x{n};upstream={kind}", "cotangent", dtype).astype(np.float64)

    assert set(vectors.VECTORS) < set(OPTIONS["upstream"])
    assert 4 * np.abs(rows("large")).sum(axis=1).max() < form.largest
    assert np.abs(rows("large")).max() > 2.0 ** (form.emax - 6 - np.ceil(np.log2(n)))
    assert np.abs(rows("small")).max() <= 2.0 ** (form.emin // 2)
    assert np.abs(rows("subnormal")).max() <= form.smallest_normal
    assert (rows("orthogonal").sum(axis=1) == 0).all()
    assert (rows("constant") == rows("constant")[:, :1]).all()
    assert not (rows("constant")[0] == rows("constant")[1]).any()
    if n == 300:
        sparse, mixed = rows("sparse"), rows("mixed")
        assert 0.05 < (sparse != 0).mean() < 0.25
        assert (np.signbit(sparse) & (sparse == 0)).any()
        assert np.abs(mixed).max() >= 2 * np.median(np.abs(mixed))


def test_labels_are_where_they_say() -> None:
    assert sorted(set(made("normal:9x300;labels=ends", "labels"))) == sorted(end for end in ENDS if end < 300)
    assert made("normal:3x70000;labels=ends", "labels").tolist() == [65537, 65536, 65535]
    assert made("normal:3x5;labels=ends", "labels").tolist() == [4, 4, 4]
    assert len(set(made("normal:9x300;labels=alike", "labels"))) == 1
    logits = blocks.array(named("normal:9x30;labels=likeliest"), "logits", "float32", (0, 9))
    assert (made("normal:9x30;labels=likeliest", "labels") == logits.argmax(axis=1)).all()


@pytest.mark.parametrize("dtype", FORMATS)
def test_distributions_sum_to_what_they_say(dtype: str) -> None:
    def sums(kind: str) -> list[float]:
        return made(f"normal:4x9;distribution={kind}", "distribution", dtype).astype(np.float64).sum(axis=1).tolist()

    assert sums("less") == [0.5, 0.25, 0.5, 0.25]
    assert sums("more") == [2, 4, 2, 4]
    assert sums("zeros") == [0, 1, 0, 1]
    assert sums("onehot") == [1, 1, 1, 1]
    assert np.abs(np.array(sums("rounded")) - 1).max() <= 9 * FORMATS[dtype].u


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if "weights" in OPERATIONS[name].arguments])
def test_a_layer_has_the_classes_that_its_case_says(operation: str) -> None:
    case, about = named("normal:3x5;classes=4"), OPERATIONS[operation]
    given = blocks.arguments(case, about, "float64", -1, (0, 3))
    inputs, *beside = given.values()
    assert expected(operation, inputs, beside).hi.shape == (3, np.prod(lengths(about, 5, 4)))
    assert bound(operation, inputs, beside, FORMATS["float64"], blocked_tree).shape == (
        3,
        np.prod(lengths(about, 5, 4)),
    )
    assert answer_shape(about, case.shape, -1, case.classes)[1:] == lengths(about, 5, 4)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("normal:3x17;labels=last;labels=first", "labels is given twice, as last and as first; give it once"),
        ("normal:3x17;labels=last;labels=last", "labels is given twice"),
        ("normal:3x17;upstream=larg", "unknown kind of upstream 'larg': did you mean 'large'?"),
        ("normal:3x17;label=last", "unknown option of a case 'label': did you mean 'labels'?"),
        ("normal:3x17;distribution=les", "unknown kind of distribution 'les': did you mean 'less'?"),
        ("normal:3x17;index=frist", "unknown kind of index 'frist': did you mean 'first'?"),
        ("normal:3x17;weights=wid", "unknown kind of weights 'wid': did you mean 'wide'?"),
        ("normal:3x17;classes=301", "unknown kind of classes '301': did you mean '300'?"),
    ],
)
def test_a_mistake_in_a_name_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        named(name)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_names_of_the_suites_say_what_was_chosen() -> None:
    """Each argument of each operation is asked in every kind that there is, but for what is out of its range."""
    found: dict[str, set[tuple[str, str]]] = {}
    for suite in SUITES:
        for sweep in load(suite).sweep:
            for wish in of_sweep(sweep, ("numpy",)):
                for option in wish.case.name.partition("@")[0].split(";")[1:]:
                    name, kind = option.split("=")
                    assert str(getattr(wish.case, name)) == kind
                    found.setdefault(wish.operation, set()).add((name, kind))
    for operation, about in OPERATIONS.items():
        for option in OPTIONS:
            if ARGUMENT[option] in about.arguments and operation != "hvp":
                asked = {kind for name, kind in found[operation] if name == option}
                missing = set(OPTIONS[option]) - asked - {"random", "middle", "3"}
                assert missing <= {"300"} or option == "labels", (operation, option, missing)
    assert {kind for name, kind in found["cross_entropy"] if name == "labels"} == set(KINDS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", ["vjp", "log_softmax_vjp", "jvp", "log_softmax_jvp", "hvp"])
def test_there_is_no_bound_where_sums_may_overflow(operation: str, dtype: str) -> None:
    x, form = np.zeros((1, 4)), FORMATS[dtype]
    count = len(OPERATIONS[operation].arguments) - 1
    far, near = ([np.full((1, 4), size)] * count for size in (form.largest / 4, 1.0))
    assert np.isinf(bound(operation, x, far, form, blocked_tree)).all()
    assert np.isfinite(bound(operation, x, near, form, blocked_tree)).all()


def test_a_law_between_products_holds_for_vectors_at_the_end_of_the_range() -> None:
    case = named("normal:3x7;upstream=large")
    x, v, t = (blocks.argument(case, name, "float64", -1, (0, 3)) for name in ("logits", "cotangent", "tangent"))
    given = {"cotangent": v, "tangent": t}
    found: dict[bool, EquationSide] = {}
    for operation, vector in (("jvp", t), ("vjp", v)):
        allowed = bound(operation, x, [vector], FORMATS["float64"], blocked_tree)
        answer = expected(operation, x, [vector]).rounded()
        for (law, left), side in sides(operation, answer, allowed, given).items():
            if law.startswith("⟨"):
                found[left] = EquationSide(law, left, operation, "c", "float64", -1, "b", False, "float64", *side)
    assert compared(found[True], found[False])[2] <= 1


def late(name: str, variation: str) -> Any:
    """A mutant's softmax, asked in that way."""
    [mutant] = [mutant for mutant in MUTANTS if mutant.variant == name]
    logits = blocks.array(named("normal:3x5"), "logits", "float32", (0, 3))
    request = Request(name, "softmax", -1, {"logits": logits}, variation)
    return answered(mutant(), request), expected("softmax", logits, []).rounded()


@pytest.mark.parametrize(
    ("name", "variation", "wrong"),
    [
        ("buffer_of_the_next_call", "", False),
        ("buffer_of_the_next_call", HELD, True),
        ("square_matrix_at_its_other_axis", HELD, False),
    ],
)
def test_an_answer_is_read_after_the_next_one(name: str, variation: str, wrong: bool) -> None:
    answer, right = late(name, variation)
    assert (np.abs(answer - right).max() > 0.01) == wrong


def test_a_first_question_is_the_first_of_its_process() -> None:
    """Whatever was asked before, which may have been a probe: the worker is started anew."""
    names = trial.planted((Mutant, first_call_of_a_process))
    cases = [named(name) for name in ("normal:3x5", "normal:4x17", "normal:4x17@first")]
    groups = [Group("softmax", case, "float32", -1, names[1:]) for case in cases]
    run = trial.compared(groups, mutants.__name__, lambda groups: nullcontext(lambda result: None), once=True)
    found = run.comparisons.set_index("case").verdict
    assert found.to_dict() == {
        "normal:3x5": "fails", "normal:4x17": "within bound", "normal:4x17@first": "fails",
    }  # fmt: skip
