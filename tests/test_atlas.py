"""The atlas: planted wrong backends are told from right ones, and the installed frameworks do what is declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import NAMES, add, find
from backends.numpy import NumPy
from harness.errors import UsageError
from harness.specials import Entry, by_default, facts_of, survey
from harness.specials.coincidences import settled
from harness.specials.entries import Seen, entries
from harness.specials.policies import AS_DECLARED, DIFFERS, INCONSISTENT, UNDECLARED, VERDICTS, ours, parsed
from harness.specials.special_inputs import SITUATIONS, Situation
from harness.specials.sweep import Widths, rows
from reports.pages import specials as page
from reports.tables import words
from tests import touchy
from tests.command import ROOT, harness
from tests.conftest import REQUIRED

PLANTED = Path(__file__).parent / "planted"
TINY = Widths(widths=(8,), others=(8,), first=(), everywhere=False)
SMALL = Widths(widths=(1, 2, 3, 4, 8, 17, 130), others=(8,), first=(8,), alone=(3,))
Entries = dict[tuple[str, str], Entry]


class Right(NumPy):
    """By another name, so that only what is declared of everybody is known of it."""

    framework = "right"

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        terms = np.where(distribution == 0, 0, distribution * self.log_softmax(logits, axis))
        return -terms.sum(axis=axis)


def by_question(backend: type[NumPy], sweep: Widths = SMALL) -> Entries:
    return {(entry.situation, entry.operation): entry for entry in facts_of(backend(), sweep)}


@pytest.fixture(scope="module")
def right() -> Entries:
    return by_question(Right)


def test_what_is_right_is_as_declared_of_everybody(right: Entries) -> None:
    assert {entry.verdict for entry in right.values()} <= {AS_DECLARED, UNDECLARED}
    declared = {key for key, entry in right.items() if entry.verdict == AS_DECLARED}
    for situation in ("one NaN", "one -inf", "ties", "huge finite values", "all far below 0", "axis of size 1"):
        assert {(situation, operation) for operation in ("softmax", "log_softmax", "vjp", "jvp")} <= declared


def test_every_situation_is_asked_of_every_operation_that_it_names(right: Entries) -> None:
    assert set(right) == {
        (name, operation) for name, situation in SITUATIONS.items() for operation in situation.operations
    }


def test_no_number_is_left_unjudged(right: Entries) -> None:
    assert not [entry for entry in right.values() if "unjudged" in entry.fact]


def changed(**methods: Any) -> type[NumPy]:
    """Right, but for these methods; only they are asked."""
    return type("Wrong", (Right,), {"framework": "wrong", "operations": tuple(methods), **methods})


def shifted(b: NumPy, logits: Any, axis: int, top: Any) -> Any:
    weights = np.exp(logits - top)
    return weights / weights.sum(axis=axis, keepdims=True)


def masked_row_by_width(b: NumPy, logits: Any, axis: int) -> Any:
    """A fully masked row is 0 in narrow rows, and NaN in wide ones."""
    s = NumPy.softmax(b, logits, axis)
    gone = np.isneginf(logits).all(axis=axis, keepdims=True)
    return np.where(gone & (logits.shape[axis] < 128), 0, s).astype(s.dtype)


def masked_row_by_dtype(b: NumPy, logits: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    gone = np.isneginf(logits).all(axis=axis, keepdims=True)
    return np.where(gone & (s.dtype == np.float32), 0, s).astype(s.dtype)


def masked_row_by_axis(b: NumPy, logits: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    gone = np.isneginf(logits).all(axis=axis, keepdims=True)
    return np.where(gone & (axis == 0), 0, s).astype(s.dtype)


def nan_lost_in_the_tail(b: NumPy, logits: Any, axis: int) -> Any:
    """The last element of rows of 17 is not looked at for NaN."""
    rows = np.moveaxis(logits, axis, -1).copy()
    if rows.shape[-1] == 17:
        rows[..., -1] = np.nan_to_num(rows[..., -1], nan=0.0, posinf=np.inf, neginf=-np.inf)
    return np.moveaxis(NumPy.softmax(b, rows, -1), -1, axis)


def nan_swallowed(b: NumPy, logits: Any, axis: int) -> Any:
    """The maximum of C's fmax, and exp(NaN) taken for 0."""
    top = np.fmax.reduce(logits, axis=axis, keepdims=True)
    weights = np.nan_to_num(np.exp(logits - top), nan=0.0)
    return weights / weights.sum(axis=axis, keepdims=True)


def no_shift(b: NumPy, logits: Any, axis: int) -> Any:
    return shifted(b, logits, axis, 0)


def maximum_from_0(b: NumPy, logits: Any, axis: int) -> Any:
    return shifted(b, logits, axis, np.maximum(logits.max(axis=axis, keepdims=True), 0))


def maximum_of_the_batch(b: NumPy, logits: Any, axis: int) -> Any:
    return shifted(b, logits, axis, logits.max())


def floored_mask(b: NumPy, logits: Any, axis: int) -> Any:
    """-inf is replaced by -20, which is not far enough."""
    return NumPy.softmax(b, np.where(np.isneginf(logits), -20, logits).astype(logits.dtype), axis)


def through_a_masked_log(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    """The derivative through x·s, which is NaN where x is -inf."""
    return NumPy.vjp(b, logits, cotangent, axis) + 0 * logits


def argmax_of_ties(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    """The shift is differentiated as well: on one side along all ties, on the other along the first."""
    largest = logits == logits.max(axis=axis, keepdims=True)
    mean = (tangent * largest).sum(axis=axis, keepdims=True) / largest.sum(axis=axis, keepdims=True)
    first = np.take_along_axis(tangent, logits.argmax(axis=axis, keepdims=True), axis)
    change = NumPy.jvp(b, logits, tangent, axis) + NumPy.softmax(b, logits, axis) * (mean - first)
    return change.astype(logits.dtype)


def neighbours(b: NumPy, logits: Any, axis: int) -> Any:
    """One NaN in the batch spoils every row."""
    s = NumPy.softmax(b, logits, axis)
    return s * np.nan if np.isnan(logits).any() else s


def nan_in_front(b: NumPy, logits: Any, axis: int) -> Any:
    """The answer's first element is NaN, always."""
    s = NumPy.softmax(b, logits, axis)
    s.flat[0] = np.nan
    return s


@pytest.mark.parametrize(
    ("operation", "wrong", "situation", "by"),
    [
        ("softmax", masked_row_by_width, "all -inf", "width"),
        ("softmax", masked_row_by_dtype, "all -inf", "dtype"),
        ("softmax", masked_row_by_axis, "all -inf", "axis"),
        ("softmax", nan_lost_in_the_tail, "one NaN", "width and position"),
        ("softmax", nan_swallowed, "one NaN", "width"),
        ("softmax", no_shift, "huge finite values", "position"),
        ("softmax", maximum_from_0, "all far below 0", "dtype"),
        ("softmax", maximum_of_the_batch, "finite beside all the others", "axis"),
        ("softmax", floored_mask, "one -inf", "dtype"),
        ("vjp", through_a_masked_log, "one -inf", ""),
        ("jvp", argmax_of_ties, "ties", "dtype and axis and width and position"),
        ("softmax", neighbours, "finite beside all the others", "axis"),
        ("softmax", nan_in_front, "finite beside all the others", "axis and position"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_defect_is_told(operation: str, wrong: Any, situation: str, by: str) -> None:
    """By what it varies, which where a policy knows the situation is no matter: it differs if it does not vary."""
    entry = by_question(changed(**{operation: wrong}))[situation, operation]
    assert entry.verdict == (INCONSISTENT if by else DIFFERS), entry
    assert entry.varies_by.split(":")[0] == by, entry


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=lambda situation: str(situation.name))
def test_no_two_rows_of_a_situation_have_one_position(situation: Situation) -> None:
    """What a defect picks out of them could not be said otherwise."""
    for n in situation.widths or (situation.smallest, 17):
        positions = [row.position for row in rows(situation, n, "float32") if row.situation]
        assert len(set(positions)) == len(positions), positions


def test_what_no_coordinate_explains_is_not_blamed_on_a_repetition() -> None:
    seen = {("wrong", "softmax", "one NaN"): [Seen("right", "float32", "last", 3), Seen("0", "float32", "last", 3)]}
    [entry] = entries(seen, {"wrong": "1.0"}, {}, ())
    assert (entry.verdict, entry.varies_by) == (INCONSISTENT, "nothing that was recorded")


def test_a_known_inconsistency_that_is_gone_differs() -> None:
    known = parsed(
        """
        [[policy]]
        situation = "all -inf"
        operation = "softmax"
        fact = ["NaN everywhere", "0 everywhere"]
        by = "width"
        why = "a kernel of its own for narrow rows"
        measured = "wrong 1.0"
        """,
        "known.toml",
    )
    [still] = [e for e in facts_of(changed(softmax=masked_row_by_width)(), SMALL, known) if e.situation == "all -inf"]
    [gone] = [e for e in facts_of(changed(softmax=NumPy.softmax)(), SMALL, known) if e.situation == "all -inf"]
    [other] = [e for e in facts_of(changed(softmax=masked_row_by_dtype)(), SMALL, known) if e.situation == "all -inf"]
    assert (still.verdict, gone.verdict, other.verdict) == (AS_DECLARED, DIFFERS, INCONSISTENT)


def test_every_mistake_in_a_policy_file_is_named_at_once() -> None:
    text = """
    [[policy]]
    situation = "one NaN"
    fact = "NaN everywhere"
    sauce = "https://example.org"

    [[policy]]
    situation = "one NAN"
    operation = "softmaxx"
    fact = ["a", "b"]
    measured = "x"
    """
    with pytest.raises(UsageError) as caught:
        parsed(text, "mine.toml")
    said = str(caught.value)
    parts = (
        "policy[1].sauce: there is no such key",
        "policy[2].situation[1]: 'one NAN' matches nothing; did you mean 'one NaN'?",
        "policy[2].operation[1]: 'softmaxx' matches nothing",
    )
    assert said.startswith("mine.toml")
    for part in parts:
        assert part in said, said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "needs either `source`, a link, or `measured`"),
        ('source = "https://example.org"\nmeasured = "x"', "needs either `source`, a link, or `measured`"),
        ('source = "ftp://example.org"', "String should match pattern"),
        ('measured = "x"\nby = "width"\nwhy = "y"', "and one has neither"),
    ],
)
def test_a_policy_has_one_ground(line: str, said: str) -> None:
    with pytest.raises(UsageError, match="policy\\[1\\]") as caught:
        parsed(f'[[policy]]\nsituation = "one NaN"\nfact = "NaN everywhere"\n{line}\n', "mine.toml")
    assert said in str(caught.value)


def test_every_policy_of_ours_is_used() -> None:
    """One that no question falls under would forbid nothing."""
    policies = ours()
    used = set()
    for backend in NAMES:
        for situation, about in SITUATIONS.items():
            for operation in set(about.operations) & set(find(backend).operations):
                matching = [i for i, policy in enumerate(policies) if policy.matches(backend, operation, situation)]
                used |= set(matching[-1:])
    assert used == set(range(len(policies))), [policies[i] for i in set(range(len(policies))) - used]


def test_a_crash_is_an_entry_and_only_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of NaN stand beside others in one array: those are asked again without them, in a fresh worker."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    add(touchy.BACKENDS)
    made = survey(["touchy"], sweep=lambda backend: TINY, modules=("tests.touchy",))
    facts = {entry.situation: entry for entry in made.entries}
    dead = {situation for situation, entry in facts.items() if entry.fact == "crashes (SIGSEGV)"}
    assert dead == {"one NaN", "NaN, +inf and -inf"}
    assert {facts[situation].verdict for situation in dead} == {DIFFERS}
    assert facts["one -inf"].verdict == AS_DECLARED
    assert facts["finite beside all the others"].verdict == AS_DECLARED
    assert made.exit_code(()) == 1


def test_an_absent_backend_by_name(tmp_path: Path) -> None:
    done = harness("atlas", "--backend", "missing", "--out", tmp_path, PYTHONPATH=PLANTED)
    assert done.returncode == 5
    assert (tmp_path / "atlas.csv").read_text().startswith("backend,version,operation,situation,defect_class,fact,")
    assert "missing: No module named 'missing'" in done.stderr


def test_a_worker_that_does_not_start(tmp_path: Path) -> None:
    done = harness("atlas", "--backend", "fatal", "--out", tmp_path, PYTHONPATH=PLANTED)
    assert done.returncode == 4
    assert "its worker does not start: killed by SIGILL" in done.stderr


NATIVES = [name for name in by_default() if not find(name).variant]


@pytest.mark.parametrize("name", NATIVES)
def test_installed_frameworks_do_what_is_declared(name: str) -> None:
    """At few widths; `make atlas` asks at all, and of the compiled modes too."""
    made = survey([name], sweep=lambda backend: TINY)
    if name in made.missing:
        assert name not in REQUIRED, made.missing[name]
        pytest.skip(f"{name} is absent: {made.missing[name]}")
    amiss = [entry for entry in made.entries if entry.verdict != AS_DECLARED]
    assert not amiss, "\n".join(f"{e.situation} {e.operation}: {e.verdict}: {e.fact}; {e.policy}" for e in amiss)


def test_the_page_shows_every_text_as_it_is() -> None:
    entry = Entry("a|b", "1", "softmax", "one NaN", "C18", "*0* | `x`", "width: <b>", "", INCONSISTENT, "", 3, "[e]")
    text = page.render([entry])
    assert "a\\|b" in text
    assert "\\*0\\* \\| \\`x\\`" in text
    assert "1 inconsistent" in page.brief([entry])
    assert all(words.verdict(verdict) in text for verdict in VERDICTS)


def zero_where_masked(b: NumPy, logits: Any, axis: int) -> Any:
    """A fully masked row is 0 everywhere, at every width."""
    s = NumPy.softmax(b, logits, axis)
    return np.where(np.isneginf(logits).all(axis=axis, keepdims=True), 0, s).astype(s.dtype)


def derivative_zero_where_masked(b: NumPy, logits: Any, axis: int, **direction: Any) -> Any:
    g = NumPy.vjp(b, logits, *direction.values(), axis)
    return np.where(np.isneginf(logits).all(axis=axis, keepdims=True), 0, g).astype(g.dtype)


def nan_is_one(b: NumPy, logits: Any, axis: int) -> Any:
    """A NaN has all the weight: in a row of one, there is nothing else that could have none."""
    gone = np.isnan(logits)
    s = np.where(gone.any(axis=axis, keepdims=True), 0, NumPy.softmax(b, logits, axis))
    return np.where(gone, 1, s).astype(logits.dtype)


def nothing_beside_nan(b: NumPy, logits: Any, axis: int) -> Any:
    return np.where(np.isnan(logits).any(axis=axis, keepdims=True), 0, NumPy.softmax(b, logits, axis)).astype(
        logits.dtype
    )


def in_integers(b: NumPy, logits: Any, axis: int) -> Any:
    with np.errstate(invalid="ignore"):
        return NumPy.softmax(b, logits, axis).astype(np.int8)


@pytest.mark.parametrize(
    ("operation", "function", "situation", "fact"),
    [
        ("softmax", zero_where_masked, "all -inf", "0 everywhere"),
        ("vjp", derivative_zero_where_masked, "all -inf", "0 everywhere"),
        ("jvp", derivative_zero_where_masked, "all -inf", "0 everywhere"),
        ("softmax", nan_is_one, "one NaN", "1 at the NaN, 0 elsewhere"),
        ("softmax", nothing_beside_nan, "one NaN", "0 everywhere"),
        ("softmax", in_integers, "subnormal result", "0 at the subnormal, 0 or 1 elsewhere in int8"),
    ],
)
def test_facts_that_are_the_same_numbers_in_a_short_row_are_one(
    operation: str, function: Any, situation: str, fact: str
) -> None:
    entry = by_question(changed(**{operation: function}))[situation, operation]
    assert (entry.fact, entry.varies_by) == (fact, "")
    assert entry.verdict != INCONSISTENT


def test_what_short_rows_leave_open_is_told_as_is_declared() -> None:
    """And what longer ones show goes before that: nothing is explained away."""
    [policy] = parsed('[[policy]]\nsituation = "all -inf"\nfact = "uniform"\nmeasured = "x"\n', "known.toml")
    short = Seen("0", "float32", "last", 1, also=frozenset({"uniform", "1"}))
    assert {one.fact for one in settled([short, short], policy)} == {"uniform"}
    assert {one.fact for one in settled([short, short], None)} == {"0"}
    long = Seen("1", "float32", "last", 2)
    assert [one.fact for one in settled([short, long], policy)] == ["1", "1"]
    other = Seen("NaN", "float32", "last", 2)
    assert [one.fact for one in settled([short, other], policy)] == ["uniform", "NaN"]
    assert settled([short, long, Seen("uniform", "float32", "last", 9)], policy)[0].fact == "uniform"
