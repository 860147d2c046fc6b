"""The page as text: every figure is in the run's tables, a run gives the same bytes, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from harness.operations import OPERATIONS
from harness.records import Run
from harness.runs import store
from harness.specials import Entry
from reports import html
from reports.html import cell_details, headline, kept_cells, specials
from reports.tables import links, summary
from tests.command import ROOT
from tests.pages import SCRIPT, beside, hostile, real_run
from tests.test_docs import DERIVED
from tests.test_formats import run_of, short, unanswered
from tests.test_reports import answered


class Read(HTMLParser):
    """Numbers as (table and column, value), and those of single cells as (row, name, value)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.figures: list[tuple[str, str]] = []
        self.details: list[tuple[int, str, str]] = []
        self.curves: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.row, self.column, self.sources, self.open = -1, -1, [], ""
        self.feed(page)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in given}
        self.open, self.row = tag, int(at.get("data-row", self.row))
        if tag == "table":
            self.sources = []
        if tag == "th" and at.get("scope") == "col":
            self.sources.append(at.get("data-source", ""))
        if tag == "tr":
            self.column = -1
        if tag in ("td", "th"):
            self.column += 1
        if tag == "td" and "data-value" in at and self.column < len(self.sources) and self.sources[self.column]:
            self.figures.append((self.sources[self.column], at["data-value"]))
        if tag == "dd" and "data-value" in at:
            self.details.append((self.row, self.words[-1], at["data-value"]))
        if "data-values" in at:
            self.curves.append((at["data-backend"], at["data-values"]))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return hostile(real_run(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return html.render(run, beside())


def test_figures_of_tables_are_in_the_saved_tables(run: Run, page: str) -> None:
    found = Read(page).figures
    assert len(found) > 100
    saved: dict[str, set[float]] = {}
    for source, value in found:
        table, _, column = source.partition(".")
        numbers = saved.setdefault(source, set(getattr(run, table)[column].dropna().astype(float)))
        assert float(value) in numbers, (source, value)


def test_figures_of_a_cell_are_those_of_its_row(run: Run, page: str) -> None:
    columns = {name: column for column, name in (cell_details.FIGURES | cell_details.COUNTS).items()}
    found = Read(page).details
    assert len({row for row, _, _ in found}) > 20
    for row, name, value in found:
        assert float(run.comparisons[columns[name]][row]) == float(value), (row, name)


def test_curves_go_through_saved_figures(run: Run, page: str) -> None:
    """Of profiles, or of the comparisons."""
    found = Read(page).curves
    assert found
    for backend, values in found:
        figures = (run.profiles, "max_ulp_error"), (run.comparisons, "worst_ulp_error")
        own = pd.concat([table[name][table.backend == backend] for table, name in figures])
        assert set(map(float, values.split())) <= set(own.dropna()), backend


def test_percents_are_the_pairs_own(run: Run, page: str) -> None:
    percents = {*run.pairs.mean_relative_error_percent, *run.pairs.swapped_percent}
    tables = re.findall(r'<table class="matrix">.*?</table>', page, re.DOTALL)
    found = [float(value) for table in tables for value in re.findall(r'data-value="([^"]+)"', table)]
    assert len(found) > 5
    assert set(found) <= percents


def test_the_same_run_gives_the_same_bytes(run: Run, page: str, tmp_path: Path) -> None:
    store.save(run, tmp_path)
    assert html.render(store.read(tmp_path), beside()) == page


@pytest.mark.parametrize("key", ["heat", "heat-variants-float64", "heat-variants-float32"])
def test_every_letter_leads_to_its_cell(page: str, key: str) -> None:
    heat = re.search(rf'<table id="{key}".*?</table>', page, re.DOTALL)
    assert heat
    letters = re.findall(r"<td class=g-(\w+)[^>]*>(<a)?", heat[0])
    targets = re.findall(r'href="#(cell-\d+)"', heat[0])
    assert len(targets) == sum(bool(link) for _, link in letters) > 10
    assert {letter for letter, link in letters if not link} <= {html.CLASSES[kept_cells.NONE]}
    assert all(f"<div id={target} " in page for target in targets)


def test_a_link_to_a_cell_has_its_cell(page: str) -> None:
    assert set(re.findall(r'href="#(cell-\d+)"', page)) == set(re.findall(r"<div id=(cell-\d+) ", page))


def test_what_falls_short_comes_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_cells, "MOST", 3)
    kept = kept_of(run)
    assert kept.address.nunique() == 3
    assert kept.verdict.iloc[0] == "fails"


def kept_of(run: Run) -> pd.DataFrame:
    lettered = kept_cells.lettered(run.comparisons)
    short = summary.ranked_by_bound(summary.failing(run))
    letters = kept_cells.chosen(lettered, kept_cells.worst_of_each(lettered), short)
    return kept_cells.placed_together(run.comparisons.loc[letters.index].assign(letter=letters), kept_cells.MOST)


def test_same_answers_share_a_place_and_others_do_not(run: Run) -> None:
    kept = kept_of(run)
    figures = [name for name in run.comparisons if name != "backend"]
    shared = 0
    for _, same in kept.groupby("address"):
        assert len(same[figures].drop_duplicates()) == 1
        shared += len(same) > 1
    assert shared
    assert kept.address.nunique() == len(kept[figures].drop_duplicates())


def test_the_page_keeps_as_many_cells_as_fit(run: Run, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = len(page.encode())
    for room in (whole, whole - 1, whole - 100_000, 1):
        monkeypatch.setattr(html, "MOST_BYTES", room)
        fitted = html.render(run, beside())
        places = fitted.count("<details class=cell>")
        assert len(fitted.encode()) <= room or places == 0
        assert (fitted == page) is (room == whole)
        assert room in (1, whole) or places >= page.count("<details class=cell>") - 1 - (whole - room) / 1_000


@pytest.mark.parametrize(
    ("number", "short"),
    [
        ("0x1.8000000000000p+1", "0x1.8p+1"),
        ("-0x1.0000000000000p-3", "-0x1p-3"),
        ("0x0.0p+0", "0x0p+0"),
        ("0x0.fd0450p-126", "0x0.fd045p-126"),
        ("0x10p+0", "0x10p+0"),
        ("2.500", "2.500"),
        ("nan", "nan"),
    ],
)
def test_hexadecimal_numbers_lose_only_zeros_that_say_nothing(number: str, short: str) -> None:
    assert cell_details.brief(number) == short
    assert number == "nan" or "p" not in number or float.fromhex(short) == float.fromhex(number)


def test_a_section_without_its_tables_says_how_they_are_made(run: Run) -> None:
    page = html.render(run)
    for command in ("make atlas", "make power", "python -m harness findings RUN"):
        assert command in page


def test_control_characters_are_left_out(run: Run) -> None:
    cells_ = run.comparisons.assign(reason="a\x00b\x1bcd")
    page = html.render(replace(run, comparisons=cells_.assign(outcome="error", verdict="")))
    assert "abcd" in page
    assert not set("\x00\x1b") & set(page)


def test_names_are_text(page: str) -> None:
    assert SCRIPT not in page
    assert "&lt;script&gt;document.title" in page
    assert page.count("<script>") == 1


def test_the_headline_names_who_falls_short(page: str) -> None:
    assert re.search(r"<h1>.*fails in 1 of [\d,]+ cells\. The worst is .*: the error is 17 times its bound", page)


PROBE = {"backend": "torch", "outcome": "crashed", "reason": "SIGSEGV"}
SENTENCES: dict[str, tuple[Run, str]] = {
    "right": (run_of(answered("numpy"), answered("jax")), "numpy and jax are all right: rounding explains all 2 resul"),
    "one": (
        run_of(answered("numpy")),
        "numpy is right: rounding explains the one result. The largest ratio of error to bound is ",
    ),
    "short": (run_of(short("jax"), answered("numpy")), "jax fails in 1 of 2 cells. The worst is jax's softmax on "),
    "hardly short": (run_of(short(error_over_bound=1.004)), "the error is 1.004 times its bound"),
    "dead": (run_of(unanswered("crashed"), answered("numpy")), "torch gave no result in 1 of 2 cells: crashed."),
    "short, dead": (
        run_of(unanswered("timed out"), short("jax")),
        " times its bound. torch gave no result in 1 of 2 cells: timed out.",
    ),
    "our fault": (run_of(answered("numpy"), faults=["a thread"]), "Problem with the run: internal error: a thread."),
    "probes": (run_of(answered("numpy"), unanswered_probes=[PROBE]), "the run: 1 probe of torch: crashed: SIGSEGV."),
    "absent": (
        run_of(answered("numpy"), unanswered("absent", "no wheel"), options={"selection": {"backends": ["torch"]}}),
        "Problem with the run: torch was requested by name, but is absent: no wheel.",
    ),
    "unmeasured": (
        run_of(answered("numpy"), answered("jax", verdict="inconclusive", error_over_bound=12.0, grade="")),
        "numpy is right: rounding explains the one result. The largest ratio of error to bound is 0.12, in "
        "numpy's softmax on seed001-123 in float64, an error of 0.75 ulp. There is no verdict on 1 result: ",
    ),
    "vacuous": (run_of(answered("numpy", verdict="no finite bound", grade="")), "There is no verdict on 1 result: "),
    "nothing": (run_of(unanswered("absent")), "No backend gave a result, so there is no verdict."),
    "partial": (run_of(answered("numpy"), partial=True), "Interrupted, so incomplete: numpy is right"),
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_the_first_sentence_is_true(kind: str) -> None:
    run, sentence = SENTENCES[kind]
    said = headline.sentence(run)
    assert sentence in said
    assert ("right" in said) is (kind in ("right", "one", "our fault", "probes", "absent", "unmeasured", "partial"))


def test_an_atlas_of_other_versions_is_called_that() -> None:
    entry = Entry("jax:jit", "0.9.2", *["softmax", "one_NaN", "", "NaN", "", "", "as declared", ""], 1, "")
    about = {"frameworks": {"jax": {"version": "0.10.2"}, "numpy": {"version": "2.4.6"}}}
    assert specials.other_versions([entry, replace(entry, backend="numpy", version="2.4.6")], about) == ["jax 0.9.2"]


def test_links_lead_where_the_documents_derive_and_prove() -> None:
    """Their own tests say that these sections are there."""
    assert {name: about.docs for name, about in OPERATIONS.items()} == DERIVED
    assert links.derivation("vjp") == f"{links.DOCS}/operations.md#{DERIVED['vjp'][0]}"
    assert links.theorem("vjp") == f"{links.DOCS}/bounds.md#{DERIVED['vjp'][1]}"


def test_links_lead_to_this_project_s_documentation() -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Documentation"]
    assert links.DOCS.startswith(about.partition("#")[0])
