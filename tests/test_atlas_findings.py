"""What the atlas shows is a finding: of the right kind, at the smallest rows, and shown by a script of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backends import add
from harness.findings import Asker, csv_file
from harness.findings.record import DEFECT, POLICY, SHOWN, Finding
from harness.findings.specials import survey as look_into
from harness.findings.specials.suspects import OTHERS, SpecialSuspect, suspects
from harness.specials import Atlas, survey
from harness.specials.entries import Entry, Key, Seen, entries
from harness.specials.policies import parsed
from harness.specials.sweep import Widths
from reports.pages import specials as page
from tests import odd
from tests.command import ROOT, harness

SMALL = Widths(widths=(1, 2, 3, 4, 8, 17), others=(8,), first=(8,), alone=(3,))
Found = tuple[Path, Atlas, list[Finding]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """An atlas of backends that are odd, and its findings."""
    out = tmp_path_factory.mktemp("atlas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        add(odd.BACKENDS)
        names = [backend.title() for backend in odd.BACKENDS]
        made = survey(names, sweep=lambda backend: SMALL, modules=("tests.odd",))
        return out, made, look_into(made, out, modules=("tests.odd",))


def of(found: Found, backend: str) -> list[Finding]:
    return [finding for finding in found[2] if finding.backend == backend]


def test_nothing_is_found_for_a_right_backend(found: Found) -> None:
    assert any(entry.backend == "odd" for entry in found[1].entries)
    assert of(found, "odd") == []


@pytest.mark.parametrize(
    ("backend", "defect_class", "broken", "witness"),
    [
        ("odd:masked_by_dtype", "C16", "the same whatever the dtype: all -inf", "atlas:all_-inf [-inf]"),
        ("odd:nan_by_width", "C18", "the same whatever the width and position: one NaN", "atlas:one_NaN [0, 0, nan]"),
        ("odd:wrapping", "C15", "a finite number is the exact one: uint logits", "atlas:uint8_logits [0, 1]"),
        (
            "odd:neighbours", "C36", "the same whatever the axis: finite beside all the others",
            "atlas:finite_beside_all_the_others [0, 0], [nan, 0]",  # of one element, every NaN is NaN everywhere
        ),
        ("odd:deadly", "C18", "it answers: +inf", "atlas:one_+inf [inf, 0]"),
    ],
)  # fmt: skip
def test_each_defect_is_found_at_its_smallest(
    found: Found, backend: str, defect_class: str, broken: str, witness: str
) -> None:
    one = next(finding for finding in of(found, backend) if finding.property == broken)
    assert (one.kind, one.defect_class, one.witness, one.status) == (DEFECT, defect_class, witness, SHOWN)


def test_every_script_shows_it_in_a_fresh_interpreter(found: Found) -> None:
    out, _, its = found
    assert {finding.backend for finding in its} == {backend.title() for backend in odd.BACKENDS} - {"odd"}
    for finding in its:
        assert "harness" not in (out / finding.snippet).read_text()
        done = subprocess.run(
            [sys.executable, "-I", out / finding.snippet], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.splitlines()[-1][:6]) == (0, "shown:"), (finding, done.stderr)


def test_an_inconsistency_shows_both_sides(found: Found) -> None:
    [one] = of(found, "odd:masked_by_dtype")
    script = (found[0] / one.snippet).read_text()
    assert script.count("def asked_") == 2
    assert "dtype=np.float16" in script and "dtype=np.float32" in script
    assert (one.actual, one.expected[:3]) == ("[nan]", "[0]")


def test_an_integer_is_held_against_the_exact_value(found: Found) -> None:
    one = next(finding for finding in of(found, "odd:wrapping") if "uint" in finding.witness)
    assert float.fromhex(one.expected) == pytest.approx(0.26894142)
    assert "x - x.max(" in (found[0] / one.snippet).read_text()


@pytest.mark.parametrize(
    ("backend", "wrong", "mended"),
    [
        ("odd:masked_by_dtype", "np.array([-np.inf], dtype=np.float32)", "np.array([-np.inf], dtype=np.float64)"),
        ("odd:wrapping", "dtype=np.uint8)", "dtype=np.uint8).astype(float)"),
        ("odd:deadly", "* 11)", "* 0)"),
    ],
)
def test_a_finding_whose_defect_is_gone_is_stale(
    found: Found, tmp_path: Path, backend: str, wrong: str, mended: str
) -> None:
    """Its script is run again by what keeps findings; mended here as the framework would be."""
    old = replace(of(found, backend)[0], snippet="findings/mended.py")
    file = tmp_path / "findings" / "mended.py"
    file.parent.mkdir()
    script = (found[0] / of(found, backend)[0].snippet).read_text()
    assert wrong in script
    with Asker() as asker:
        file.write_text(script)
        [still] = csv_file.with_earlier([], [old], asker, tmp_path)
        file.write_text(script.replace(wrong, mended))
        [gone] = csv_file.with_earlier([], [old], asker, tmp_path)
    assert still.status == SHOWN
    assert gone.status.startswith("stale: not shown:")


POLICIES = parsed(
    """
    [[policy]]
    situation = "all -inf"
    fact = "NaN everywhere"
    measured = "everybody 1.0"

    [[policy]]
    backend = "torch"
    situation = "all -inf"
    fact = ["0 everywhere", "NaN everywhere"]
    by = "dtype"
    why = "flushed"
    source = "https://example.org"

    [[policy]]
    backend = "jax"
    situation = "all -inf"
    fact = ["0 everywhere", "NaN everywhere"]
    by = "dtype"
    why = "a kernel"
    measured = "jax 1.0"

    [[policy]]
    backend = "tensorflow"
    situation = "all -inf"
    fact = "0 everywhere"
    measured = "tensorflow 1.0"
    """,
    "these.toml",
)


def told(**facts: list[str]) -> list[SpecialSuspect]:
    """Of backends that give these facts to a masked row, one for each dtype."""
    dtypes = ("float32", "float64")
    seen: dict[Key, list[Seen]] = {
        (backend, "softmax", "all -inf"): [
            Seen(fact, dtype, "last", 3) for fact, dtype in zip(given * 2, dtypes, strict=False)
        ]
        for backend, given in facts.items()
    }
    made: list[Entry] = entries(seen, dict.fromkeys(facts, "1.0"), {}, POLICIES)
    return suspects(made, seen, POLICIES)


NAN, ZERO = "NaN everywhere", "0 everywhere"


def test_what_is_alike_everywhere_is_none() -> None:
    assert told(numpy=[NAN]) == []


def test_what_varies_is_policy_where_a_document_says_so_and_else_a_defect() -> None:
    """Declared or not: what was only measured is no policy."""
    assert [s.kind for s in told(torch=[ZERO, NAN])] == [POLICY]
    assert [s.kind for s in told(jax=[ZERO, NAN])] == [DEFECT]
    assert [(s.kind, s.facts, s.expected) for s in told(numpy=[ZERO, NAN])] == [(DEFECT, (ZERO,), NAN)]


def test_what_differs_from_its_declaration_is_a_defect() -> None:
    assert [(s.kind, s.law) for s in told(numpy=[ZERO])] == [(DEFECT, "what is declared")]


def test_what_most_others_do_not_is_a_difference_of_policy() -> None:
    [one] = told(numpy=[NAN], tensorflow=[ZERO])
    assert (one.kind, one.law, one.entry.backend) == (POLICY, OTHERS, "tensorflow")
    assert one.expected == "NaN everywhere (numpy)"


def test_what_is_right_in_a_mode_alone_is_told_of_its_framework() -> None:
    """Of soft labels at −inf, where nobody is declared to give NaN."""
    key = ("soft_cross_entropy", "one -inf")
    seen: dict[Key, list[Seen]] = {
        ("tensorflow", *key): [Seen("NaN", "float32", "last", 3)],
        ("tensorflow:xla", *key): [Seen("right", "float32", "last", 3)],
    }
    made = entries(seen, dict.fromkeys(("tensorflow", "tensorflow:xla"), "1.0"), {"tensorflow:xla": "tensorflow"}, ())
    [one] = suspects(made, seen, ())
    assert (one.kind, one.key, one.facts) == (DEFECT, ("tensorflow", *key), ("NaN",))
    assert (one.expected, one.against) == ("right", "tensorflow:xla")


def test_to_refuse_otherwise_in_a_mode_is_no_finding() -> None:
    key = ("softmax", "0-d")
    seen: dict[Key, list[Seen]] = {
        ("tensorflow", *key): [Seen("raises A", "float32", "0-d", 1)],
        ("tensorflow:xla", *key): [Seen("raises B", "float32", "0-d", 1)],
    }
    policies = parsed(
        "\n".join(
            f'[[policy]]\nbackend = "{backend}"\nsituation = "0-d"\nfact = "raises {fact}"\nmeasured = "1.0"'
            for backend, fact in (("tensorflow", "A"), ("tensorflow:xla", "B"))
        ),
        "modes.toml",
    )
    made = entries(
        seen, dict.fromkeys(("tensorflow", "tensorflow:xla"), "1.0"), {"tensorflow:xla": "tensorflow"}, policies
    )
    assert suspects(made, seen, policies) == []


def test_the_page_lists_findings_first_and_every_text_as_it_is(found: Found) -> None:
    one = replace(of(found, "odd:wrapping")[0], version="2<b>|", actual="*0* `x`", witness="atlas:a_b [<i>]")
    text = page.render(found[1].entries, [one])
    assert text.index("## 1 defect") < text.index("## Entries")
    assert "2\\<b\\>\\|" in text and "\\*0\\* \\`x\\`" in text and "atlas:a\\_b \\[\\<i\\>\\]" in text
    assert "Findings: 1 defect; 1 of 1 reproduced" in page.brief(found[1].entries, [one])


def test_findings_survive_the_table(found: Found, tmp_path: Path) -> None:
    csv_file.write(tmp_path, found[2])
    assert csv_file.read(tmp_path / csv_file.FILE) == found[2]


@pytest.mark.parametrize(
    ("words", "says", "shows"),
    [
        ("numpy softmax atlas:uint8_logits uint8", "numpy: as declared: wrong", "x - x.max("),
        ("numpy vjp atlas:one_NaN float64", "numpy: as declared: NaN everywhere", "np.nan"),
        ("numpy softmax atlas:0-d float32", "numpy: as declared: right", "np.array(-2.0, dtype=np.float32)"),
        ("numpy cross_entropy atlas:label_n float32", "raises IndexError", "recorded_one = 'IndexError'"),
    ],
)
def test_a_cell_of_the_atlas_is_reproduced(words: str, says: str, shows: str) -> None:
    done = harness("reproduce", *words.split())
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("shown:") for line in done.stdout.splitlines())
    assert shows in done.stdout
    assert says in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("numpy softmax atlas:one_NAN float32", "unknown situation 'atlas:one_NAN': did you mean 'atlas:one_NaN'?"),
        ("numpy softmax atlas:label_n float32", "atlas:label_n is not asked of softmax: there are cross_entropy, "),
        (
            "numpy softmax atlas:uint8_logits float32",
            "unknown dtype for numpy at atlas:uint8_logits 'float32': valid",
        ),
        ("numpy softmax atlas:one_NaN bfloat16", "unknown dtype for numpy at atlas:one_NaN 'bfloat16': did you mean"),
        ("numpy:naive logsumexp atlas:one_NaN float32", "is not asked: it does not compute that by itself"),
        ("numpy softmax normal:3x4 uint8", "unknown dtype 'uint8'"),
        ("numpy softmax atlas:one NaN float32", "5 words were given"),
    ],
)
def test_a_cell_that_is_none_is_one_sentence(words: str, sentence: str) -> None:
    done = harness("reproduce", *words.split())
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert sentence in done.stderr


def test_a_backend_that_is_absent_is_one_sentence() -> None:
    done = harness("reproduce", "missing", "softmax", "atlas:one_NaN", "float32", PYTHONPATH=ROOT / "tests" / "planted")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "missing does not answer: absent, No module named 'missing'" in done.stderr
