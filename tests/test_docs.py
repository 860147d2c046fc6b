"""The documents hang together: links and their anchors resolve, every operation has its derivation and its bound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.operations import OPERATIONS
from reports import FORMATS
from tests.command import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| \[[^]]+\]\(#([\w-]+)\) \| \[[^]]+\]\(bounds\.md#([\w-]+)\) \|$", re.MULTILINE)
DERIVED = {
    name: (derivation, proof) for name, derivation, proof in ROW.findall((ROOT / "docs/operations.md").read_text())
}
WORDS = (
    "logits", "probabilities", "primal", "tangent", "cotangent", "JVP", "VJP", "Jacobian", "HVP", "cell", "case",
    "operation", "mode", "backend", "framework", "variant", "witness", "ulp", "u", "bound", "height", "common factor",
    "vacuous", "grade", "flaw", "outcome", "axis", "actual", "expected", "comparison", "run", "device",
)  # fmt: skip


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def sections(page: Path) -> dict[str, str]:
    """By its anchor, what stands under each heading, up to the next of its level or above."""
    text = FENCED.sub("", page.read_text())
    headings = list(re.finditer(r"^(#+) (.+)$", text, re.MULTILINE))
    found = {}
    for number, heading in enumerate(headings):
        after = (other.start() for other in headings[number + 1 :] if len(other[1]) <= len(heading[1]))
        found[anchor(heading[2])] = text[heading.end() : next(after, len(text))]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_anchors_resolve(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text()))
    for link in (link for link in links if not link.startswith("http")):
        file, _, section = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not section or section in sections(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_anchor_is_one_section(page: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    assert len({anchor(heading) for heading in headings}) == len(headings)


def test_the_table_of_derivations_has_every_operation_in_order() -> None:
    assert list(DERIVED) == list(OPERATIONS)


def test_every_operation_is_derived_in_its_section(operation: str) -> None:
    section = sections(ROOT / "docs/operations.md")[DERIVED[operation][0]]
    assert f"`{operation}`" in section
    assert "$$" in section


def test_every_operation_has_its_bound_in_its_section(operation: str) -> None:
    section = sections(ROOT / "docs/bounds.md")[DERIVED[operation][1]]
    assert f"`{operation}`" in section
    assert "\\boxed" in section


def glossary() -> dict[str, str]:
    """What stands behind each word."""
    rows = re.findall(r"^\| ([^|]+) \| (.+) \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    return {word: meaning for words, meaning in rows if words != "word" for word in words.split(", ")}


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has_the_word(word: str) -> None:
    assert word in glossary()


def test_every_word_leads_to_where_it_is_shown() -> None:
    assert not [word for word, meaning in glossary().items() if not re.search(r"\[[^]]+\]\([^)]+\)$", meaning)]


def test_reading_names_every_format() -> None:
    written = sections(ROOT / "docs/reading.md")["what-is-written"]
    assert not [form for form in FORMATS if f"`{form}`" not in written]
