"""The exact values, against an engine that shares no code with Arb, and where they are hardest to know."""

from __future__ import annotations

from math import fsum
from typing import Any

import mpmath
import numpy as np
import pytest

from harness.judging.metrics import measure
from harness.numbers import arrays
from harness.numbers.formats import FORMATS
from harness.operations import CLASSES, OPERATIONS
from harness.questions import blocks, drawing
from harness.records import Audit, Case, Normal, Twins
from harness.truth import AuditError, Expected, audit, audited, check_preconditions, deviation, expected, float64
from harness.truth import preconditions as module
from harness.truth.exact.balls import LOWEST_EXPONENT
from tests.asking import beside
from tests.quick import only


def value(exact: Expected, row: int, element: int) -> mpmath.mpf:
    hi, lo, exponent = (part[row, element] for part in (exact.hi, exact.lo, exact.exponent))
    return (mpmath.mpf(float(hi)) + mpmath.mpf(float(lo))) * mpmath.mpf(2) ** int(exponent)


def definition(operation: str, x: list[float], beside: list[Any]) -> list[mpmath.mpf]:
    """The formulas as one writes them on a blackboard, without a care for cancellation, in thousands of bits."""
    if operation.startswith("layer"):
        return layer(operation, x, *beside)
    if operation == "logsumexp":
        return [mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(v)) for v in x))]
    s = blackboard([mpmath.mpf(v) for v in x])
    return of_softmax(operation, s, [[mpmath.mpf(w) for w in b] if isinstance(b, list) else b for b in beside])


def blackboard(x: list[mpmath.mpf]) -> list[mpmath.mpf]:
    weights = [mpmath.exp(v) for v in x]
    return [w / mpmath.fsum(weights) for w in weights]


def of_softmax(operation: str, s: list[mpmath.mpf], beside: list[Any]) -> list[mpmath.mpf]:  # noqa: PLR0912 — a table
    n = range(len(s))

    def total(term: Any) -> mpmath.mpf:
        return mpmath.fsum(term(i) for i in n)

    def second(i: int, j: int, k: int) -> mpmath.mpf:
        """∂²s_i / ∂x_j ∂x_k."""
        return s[i] * (((i == j) - s[j]) * ((i == k) - s[k]) - s[j] * ((j == k) - s[k]))

    j = [[s[i] * ((i == k) - s[k]) for k in n] for i in n]
    name = (
        operation.removeprefix("soft_")
        .removesuffix("_mean")
        .removesuffix("_sum")
        .replace("_mean_gradient", "_gradient")
    )
    match name, beside:
        case "softmax", _:
            return s
        case "log_softmax", _:
            return [mpmath.log(p) for p in s]
        case "jacobian", _:
            return [j[i][k] for i in n for k in n]
        case "jacobian_row", [index]:
            return j[index]
        case (("vjp" | "jvp"), [v]):
            return [total(lambda i, k=k: v[i] * j[i][k]) for k in n]
        case "hvp", [v, t]:
            return [total(lambda i, k=k: total(lambda m: v[i] * second(i, k, m) * t[m])) for k in n]
        case "log_softmax_vjp", [v]:
            return [total(lambda i, k=k: v[i] * ((i == k) - s[k])) for k in n]
        case "log_softmax_jvp", [t]:
            return [total(lambda k, i=i: ((i == k) - s[k]) * t[k]) for i in n]
        case "log_softmax_jacobian", _:
            return [(i == k) - s[k] for i in n for k in n]
        case "cross_entropy_hvp", [_, t]:
            return [total(lambda m, k=k: j[k][m] * t[m]) for k in n]
        case "mean_squared_error", [y]:
            return [(s[y] - 1) ** 2]
        case "mean_squared_error_gradient", [y]:
            return [2 * (s[y] - 1) * j[y][k] for k in n]
        case "cross_entropy", [y]:
            p = y if isinstance(y, list) else [mpmath.mpf(i == y) for i in n]
            return [-total(lambda i: p[i] * mpmath.log(s[i]))]
        case "cross_entropy_gradient", [y]:
            p = y if isinstance(y, list) else [mpmath.mpf(i == y) for i in n]
            return [s[k] - p[k] for k in n]
    raise AssertionError(operation)


def layer(operation: str, x: list[float], weights: list[list[float]], label: int = 0) -> list[mpmath.mpf]:
    """By the chain rule: DS · Dg, and Dxent · DS · Dg."""
    s = blackboard([mpmath.fsum(mpmath.mpf(w) * mpmath.mpf(v) for w, v in zip(row, x, strict=True)) for row in weights])
    t = range(len(s))
    if operation == "layer":
        return s
    if operation == "layer_jacobian":
        return [s[k] * ((k == i) - s[i]) * v for k in t for i in t for v in x]
    return [-1 / s[label] * s[label] * ((label == i) - s[i]) * v for i in t for v in x]


ROWS = {
    "ordinary": [0.3, -1.2, 2.7, 0.0, 1.1],
    "one element": [3.7],
    "saturated": [0.0, 45.0, -2.0],
    "saturated beyond every float": [1000.0, 2000.0, 3000.0],
    "tiny and huge": [1e-300, 700.0, -1e3, 5e-324],
    "all equal": [2.5, 2.5, 2.5],
    "sum of a softmax near a power of two": [0.0, 1e-17],
}
QUICK = ("ordinary", "one element", "saturated beyond every float", "sum of a softmax near a power of two")


@pytest.mark.parametrize("row", only([ROWS[name] for name in QUICK], ROWS.values()), ids=ROWS)
def test_agrees_with_mpmath_on_the_definition(operation: str, row: list[float]) -> None:
    given = beside(operation, 1, len(row), "float64", np.random.Generator(np.random.Philox(key=len(row))))
    exact = expected(operation, np.array([row]), given)
    with mpmath.workprec(20_000):
        for element, true in enumerate(definition(operation, row, [one_row(g) for g in given])):
            close(value(exact, 0, element), true)


def one_row(given: Any) -> Any:
    """What a row's definition is given: weights and numbers whole, of the rest the only row."""
    return given if isinstance(given, int) else given.tolist() if len(given) == CLASSES else given[0].tolist()


def close(found: mpmath.mpf, true: mpmath.mpf) -> None:
    """To 2^-104: the claim of the module, with a bit to spare."""
    if true == 0 or found == 0:
        assert found == true or abs(true) < mpmath.mpf(2) ** -10_000  # the blackboard's own rounding
    else:
        assert abs(found - true) <= abs(true) * mpmath.mpf(2) ** -104


@pytest.mark.parametrize("operation", [o.name for o in OPERATIONS.values() if o.rows_together])
def test_what_runs_over_a_batch_is_its_rows_sum_or_mean(operation: str) -> None:
    about, random = OPERATIONS[operation], np.random.Generator(np.random.Philox(key=3))
    x = random.normal(scale=4, size=(4, 5))
    given = beside(operation, 4, 5, "float64", random)
    exact = expected(operation, x, given)
    with mpmath.workprec(2_000):  # these logits lie within a few units of one another
        rows = [definition(operation, x[k].tolist(), [g[k].tolist() for g in given]) for k in range(4)]
        if about.scalar:
            rows = [[mpmath.fsum(row[0] for row in rows)]]
        for k, row in enumerate(rows):
            for element, true in enumerate(row):
                close(value(exact, k, element), true / 4 if about.reduction == "mean" else true)


def test_a_softmax_just_below_one_has_the_smaller_ulp() -> None:
    exact = expected("softmax", np.array([[1000.0, 2000.0, 3000.0]]), [])
    assert exact.exponent.tolist() == [[-2885, -1442, 0]]


def test_constant_cotangents_give_exact_zeros() -> None:
    exact = expected("vjp", np.array([[0.0, 1.0, 5.0]]), [np.array([[0.1, 0.1, 0.1]])])
    assert (exact.hi == 0).all()


def test_equal_logits_give_exact_fractions() -> None:
    exact = expected("vjp", np.zeros((1, 3)), [np.array([[1.0, 2.0, 3.0]])])
    assert exact.hi[0, 1] == 0.0
    assert exact.rounded()[0].tolist() == [-1 / 3, 0.0, 1 / 3]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_what_is_a_matter_of_policy(operation: str, bad: float) -> None:
    given = beside(operation, 1, 2, "float64", np.random.Generator(np.random.Philox(key=1)))
    with pytest.raises(ValueError, match="matter of policy"):
        expected(operation, np.array([[0.0, bad]]), given)


@pytest.mark.parametrize("argument", ["cotangent", "tangent", "distribution", "weights"])
def test_refuses_them_in_every_argument(argument: str) -> None:
    operation = next(o.name for o in OPERATIONS.values() if argument in o.arguments)
    given = beside(operation, 1, 2, "float64", np.random.Generator(np.random.Philox(key=1)))
    given[OPERATIONS[operation].arguments.index(argument) - 1][0, 0] = np.nan
    with pytest.raises(ValueError, match=f"of {argument} with NaN or infinity is a matter of policy"):
        expected(operation, np.zeros((1, 2)), given)


@pytest.mark.parametrize(
    ("operation", "given", "sentence"),
    [
        ("cross_entropy", np.array([0, 2]), "label 2 of row 1 is none of the classes 0 to 1"),
        ("cross_entropy", np.array([-1, 0]), "label -1 of row 0 is none of the classes 0 to 1"),
        ("cross_entropy_gradient", np.array([0.0, 1.0]), "labels are integers, and not float64: nothing is cast"),
        ("soft_cross_entropy", np.array([[1.5, -0.5], [0.5, 0.5]]), "row 0 .* has a negative entry, -0.5"),
    ],
)
def test_refuses_labels_that_are_none(operation: str, given: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        expected(operation, np.zeros((2, 2)), [given])


def test_a_layer_s_labels_are_its_classes() -> None:
    with pytest.raises(ValueError, match="label 3 of row 0 is none of the classes 0 to 2"):
        expected("layer_cross_entropy_gradient", np.zeros((1, 9)), [np.zeros((CLASSES, 9)), np.array([3])])


def test_preconditions_hold_here() -> None:
    check_preconditions()


def test_refuses_to_judge_where_subnormals_are_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that flushes: its products with the smallest subnormal are 0."""

    class Flushing(np.ndarray):
        def __mul__(self, other: Any) -> Any:
            product = np.asarray(self) * other
            return np.where(np.abs(product) < 2.0**-1022, 0.0, product)

    real = np.array
    monkeypatch.setattr(module.np, "array", lambda values: real(values).view(Flushing))
    with pytest.raises(module.PreconditionError, match="flushed to zero"):
        check_preconditions()


def test_random_words_are_philox_s() -> None:
    """Random123's published known answer for Philox4x64-10 at key 0 and counter 0; NumPy steps before it draws."""
    known = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert np.random.Philox(key=0, counter=2**256 - 1).random_raw(4).tolist() == known


@pytest.mark.parametrize("rows", [(0, 7), (3, 7), (1, 2), (5, 5)])
def test_any_block_of_a_stream_can_be_made_alone(rows: tuple[int, int]) -> None:
    whole = drawing.words("name", (7, 3), (0, 7)).reshape(7, 3)
    part = drawing.words("name", (rows[1] - rows[0], 3), rows)
    assert part.tolist() == whole[rows[0] : rows[1]].ravel().tolist()


@pytest.mark.parametrize("rows", [(0, 9), (4, 9)])
def test_normal_blocks_are_slices_of_the_whole(rows: tuple[int, int]) -> None:
    case = Case("normal", "", Normal(1), (9, 5))
    whole, part = blocks.array(case, "logits", "float64", (0, 9)), blocks.array(case, "logits", "float64", rows)
    assert part.tobytes() == whole[rows[0] : rows[1]].tobytes()


def test_inputs_are_the_same_bytes_everywhere() -> None:
    """Frozen: another hash here means other inputs, and figures that can't be compared with yesterday's."""
    from harness.questions.cases import CASES

    hashes = {
        name: arrays.sha256(blocks.array(case, "logits", "float32", blocks.boundaries(case)[0]))[:12]
        for name, case in CASES.items()
    }
    assert hashes == FROZEN


FROZEN = {
    "seed000-example": "e636064c9d7c",
    "seed000-matrix": "2c6e13f0a403",
    "seed000-derivative": "c2243354a624",
    "seed000-summed": "2452e0ccb5fd",
    "seed001-123": "50d4e44b6ecc",
    "seed001-125": "5bffb48dc677",
    "seed001-overflow": "a83bebd1455d",
    "seed002-column": "23c47ef550be",
    "seed003-pair": "7a164e75acdd",
    "seed003-uniform": "c34accbc3b16",
    "seed003-normal": "489e0d111183",
    "far-rows": "7b06e1e55de2",
    "axes": "3e48e5cef231",
    "layer": "a5575b00ea2b",
    "derivatives": "84d2ec0aecde",
    "twins": "a1ec8be746e2",
    "wide": "ebf740e05df6",
    "spread": "6dd449be852e",
    "sixteen": "03a985bada90",
    "long": "59c856c20086",
    "chain": "7ff9528a6a4d",
    "digits": "81a027e009cf",
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("n", [1, 2, 5, 300])
def test_label_distributions_sum_to_1_exactly(dtype: str, n: int) -> None:
    case = Case("soft", "", Normal(1), (7, n))
    rows = blocks.argument(case, "distribution", dtype, -1, (0, 7)).astype(np.float64)
    assert ((rows * 128) % 1 == 0).all()
    assert (rows >= 0).all()
    assert [fsum(row) for row in rows] == [1.0] * 7


@pytest.mark.parametrize("p", [[0.25, 0.0, 0.25], [2.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.1, 0.3, 0.7]])
def test_a_gradient_of_labels_of_any_sum_is_that_of_the_loss(p: list[float]) -> None:
    """s·Σp − p, against the derivative of −Σ p·ln s by differences of exact values; s − p is another number."""
    x, step = np.array([[0.5, -1.0, 2.0]]), 2.0**-20
    given = [np.array([p])]

    def loss(moved: int, by: float) -> float:
        there = x + by * (np.arange(3) == moved)
        return float(expected("soft_cross_entropy", there, given).rounded()[0, 0])

    gradient = expected("soft_cross_entropy_gradient", x, given).rounded()[0]
    differences = [(loss(j, step) - loss(j, -step)) / (2 * step) for j in range(3)]
    truncated, rounded = step**2 * sum(p), 2.0**-53 * (8 * sum(p) + 1) / step
    assert np.abs(gradient - differences).max() <= truncated + rounded


def test_twins_are_moved_by_64_or_backwards() -> None:
    x = blocks.array(Case("twins", "", Twins(), (10, 5)), "logits", "float32", (0, 10))
    assert (x[1::4] == x[0::4] + 64).all()
    assert (x[3::4] == x[2::4, ::-1]).all()
    assert len({row.tobytes() for row in x}) == 10


@pytest.mark.parametrize("operation", float64.IN_FLOAT64)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_float64_s_values_are_arb_s_or_left_undecided(operation: str, dtype: str) -> None:
    random = np.random.Generator(np.random.Philox(key=64))
    undecided_of = []
    for n, spread in ((2, 1.0), (10, 30.0), (40, 200.0), (40, 0.001)):
        x = random.uniform(-spread, 0, size=(60, n)).astype(arrays.dtype(dtype))
        given = beside(operation, 60, n, dtype, random)
        fast, undecided, _ = float64.in_double(operation, x, given, FORMATS[dtype])
        slow = expected(operation, x, given)
        kept = ~undecided
        assert deviation(fast.row(kept), slow.row(kept), FORMATS[dtype]) <= 2.0**-10
        assert (fast.exponent[kept] == slow.exponent[kept]).all()  # the same ulp
        undecided_of.append(undecided.mean())
    assert min(undecided_of) < 0.5, "what is left to Arb altogether is no engine"


def test_what_float64_can_t_decide_is_arb_s() -> None:
    """All-equal logits: each answer is a power of two, of which float64 can't know the side."""
    x = np.zeros((40, 4), dtype=np.float32)
    found, audit = audited("softmax", x, [], FORMATS["float32"], 0)
    assert (found.hi == 0.5).all()
    assert (found.exponent == -1).all()
    assert audit == Audit(0, 0, 0.0)


def test_an_audit_finds_values_that_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def slightly_off(*given: Any) -> Any:
        found = float64.in_double(*given)
        values = found.values
        return found._replace(values=Expected(values.hi * (1 + 2.0**-33), values.lo, values.exponent))

    monkeypatch.setattr(audit, "in_double", slightly_off)
    x = np.random.Generator(np.random.Philox(key=5)).normal(size=(100, 10)).astype(np.float32)
    with pytest.raises(AuditError, match="ulp from Arb's, over 2"):
        audited("softmax", x, [], FORMATS["float32"], 0)


def planted(monkeypatch: pytest.MonkeyPatch, change: Any) -> Any:
    """The audit of rows of which one value from float64 is not what it was."""

    def changed(*given: Any) -> float64.Doubles:
        found = float64.in_double(*given)
        values = Expected(found.values.hi.copy(), found.values.lo.copy(), found.values.exponent.copy())
        change(values)
        return found._replace(values=values)

    monkeypatch.setattr(audit, "in_double", changed)
    x = np.random.Generator(np.random.Philox(key=5)).normal(size=(100, 10)).astype(np.float32)
    return audited("softmax", x, [], FORMATS["float32"], 0)


def test_an_audit_finds_a_wrong_exponent_of_a_value_that_is_as_good_as_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """½ from either side: its ulp is halved."""

    def halved(x: np.ndarray[Any, Any], *rest: Any) -> float64.Doubles:
        values = Expected(np.array([[1 - 2.0**-53, 0.5]]), np.zeros((1, 2)), np.array([[-1, 0]], dtype=np.int32))
        return float64.Doubles(values, np.array([False]), np.array([[2.0**-40]]))

    monkeypatch.setattr(audit, "in_double", lambda operation, *given: halved(*given))
    with pytest.raises(AuditError, match="another side of a power of two"):
        audited("softmax", np.zeros((1, 2), np.float32), [], FORMATS["float32"], 0)


def test_an_audit_finds_values_beyond_their_radius(monkeypatch: pytest.MonkeyPatch) -> None:
    def off(values: Expected) -> None:
        values.hi[0, 3] += 2.0**-45 * (-1 if values.hi[0, 3] > 0.75 else 1)

    with pytest.raises(AuditError, match="times its radius from Arb's"):
        planted(monkeypatch, off)
    assert planted(monkeypatch, lambda values: None)[1].audited > 0


@pytest.mark.parametrize("operation", ["softmax", "logsumexp", "vjp"])
def test_float64_s_values_do_not_depend_on_the_layout(operation: str) -> None:
    """Of a first axis the rows come across memory, along which NumPy adds in one chain."""
    random = np.random.Generator(np.random.Philox(key=16))
    x = random.normal(size=(3, 16_384)).astype(np.float32)
    given = beside(operation, 3, 16_384, "float32", random)
    plain = float64.in_double(operation, x, given, FORMATS["float32"])
    across = float64.in_double(operation, np.asfortranarray(x), [*map(np.asfortranarray, given)], FORMATS["float32"])
    for a, b in ((plain.values.hi, across.values.hi), (plain.radius, across.radius)):
        assert a.tobytes() == np.ascontiguousarray(b).tobytes()


def test_a_first_axis_s_values_near_a_half_have_their_own_ulp() -> None:
    """s_0 = ½ − 1.2e-13: a chain of 16,384 additions puts it above, and so halves its errors in ulp."""
    lost, near = np.float32(np.log(0.9) - 53 * np.log(2)), np.float32(-(2.0**-24))  # under half an ulp of the sum each
    x = np.full((16_384, 4), lost)
    with mpmath.workprec(200):
        rest = mpmath.exp(mpmath.mpf(float(near))) + 16_381 * mpmath.exp(mpmath.mpf(float(lost)))
        x[:3] = np.array([[0], [near], [np.float32(mpmath.log(1 + mpmath.mpf(2) ** -41 - rest))]])
    rows = np.moveaxis(x, 0, -1)
    found, audit_ = audited("softmax", rows, [], FORMATS["float32"], 0)
    assert audit_.values > 0
    assert found.exponent[:, 0].tolist() == [-1] * 4
    fast = float64.in_double("softmax", rows, [], FORMATS["float32"])
    audit.within("softmax", fast.values, expected("softmax", rows, []), fast.radius)


def test_a_softmax_is_above_zero_behind_any_mask() -> None:
    exact = expected("softmax", np.array([[0.0, -1e9, -1e30, -3e38, -1e308]]), [])
    assert exact.exponent[0].tolist() == [0, *[LOWEST_EXPONENT] * 4]
    assert (exact.hi >= 0.5).all()
    assert expected("softmax", np.array([[0.0, 0.0, -1e308]]), []).exponent[0, :2].tolist() == [-1, -1]  # just below ½


FAR = {
    "masked": [0.0, 0.3, -1e4, -800.0, -650.0, -2.5],
    "underflowing": [0.0, -700.25, -744.75, -745.5, -90.0, -104.5],
    "masked by all there is": [0.0, 1.0, -3e38, -1e30, -1e9, -3.0],
    "next to the last exponent": [0.0, -(2.0**17), -60_000.0, -100_000.5, -1.0, -2.0],
}


@pytest.mark.parametrize("first", [False, True], ids=["last axis", "first axis"])
@pytest.mark.parametrize("row", FAR.values(), ids=FAR)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_figures_are_the_same_whichever_way_the_exact_values_came(dtype: str, row: list[float], first: bool) -> None:
    """To what the values are known to: 2^-10 of an ulp, and of u where an error is relative."""
    random, form = np.random.Generator(np.random.Philox(key=7)), FORMATS[dtype]
    x = (np.array([row]) + random.uniform(-0.2, 0.2, size=(40, 6))).astype(arrays.dtype(dtype))
    rows = np.moveaxis(np.ascontiguousarray(x.T), 0, -1) if first else x
    answer = np.exp(x.astype(np.float64) - x.astype(np.float64).max(axis=-1, keepdims=True))
    answer = (answer / answer.sum(axis=-1, keepdims=True)).astype(arrays.dtype(dtype))
    answer[::5, 3] = form.quantum  # something for next to nothing
    slow, fast = expected("softmax", rows, []), audited("softmax", rows, [], form, 0)[0]
    limits = {"B": np.full(x.shape, 2.0**-20)}
    one, other = (measure(answer, exact, limits, form) for exact in (slow, fast))
    assert one.counts == other.counts
    assert one.counts.zero_references == 0
    assert one.histogram == other.histogram
    assert one.worst == other.worst
    assert {name: peak.index for name, peak in one.peaks.items()} == {
        name: peak.index for name, peak in other.peaks.items()
    }
    for name, peak in one.peaks.items():
        assert other.peak(name).value == pytest.approx(peak.value, rel=2.0**-9, abs=2.0**-10)
    for a, b in zip(one.means(), other.means(), strict=True):
        assert b == pytest.approx(a, rel=2.0**-9, abs=2.0**-10 * form.u)


def test_far_values_are_within_their_radius_and_no_warning_is_given() -> None:
    """Decided by float64 itself, behind masks that float64's exp has no number for."""
    random = np.random.Generator(np.random.Philox(key=9))
    x = random.uniform(-3, 0, size=(200, 9)).astype(np.float32)
    x[:, 4:] -= random.choice([600.0, 700.0, 745.0, 1e4, 1e5, 3e38], size=(200, 5)).astype(np.float32)
    found, slow = float64.in_double("softmax", x, [], FORMATS["float32"]), expected("softmax", x, [])
    kept = ~found.undecided
    assert 30 < kept.sum() < 160
    audit.checked("softmax", found.values.row(kept), slow.row(kept), FORMATS["float32"])
    audit.within("softmax", found.values.row(kept), slow.row(kept), found.radius[kept])
