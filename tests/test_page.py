"""The page in a real browser: what a reader does with it, by mouse and keys, light and dark, with scripts and without.

Skipped where there is no Chromium, unless SOFTMAX_HARNESS_REQUIRE names `chromium`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports import html
from reports.html import kept_cells
from tests.conftest import REQUIRED
from tests.pages import BACKWARDS, SCRIPT, beside, hostile, real_run

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESKTOP, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's own."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        assert "chromium" not in REQUIRED, "Chromium must be there and is not"
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With few cells in full, so that axe is done with it in seconds."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_cells, "MOST", 60)
        page = html.render(hostile(real_run(folder)), beside())
    (folder / "report.html").write_text(page, encoding="utf-8")
    return folder / "report.html"


@pytest.fixture
def visit(browser: Any, file: Path) -> Iterator[Any]:
    """Opens the page in a window of its own. In the end nothing was asked of a network, and the console is empty."""
    contexts, heard = [], []

    def opened(place: str = "", size: tuple[int, int] = DESKTOP, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("request", lambda request: heard.append(request.url) if request.url != file.as_uri() else None)
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.goto(file.as_uri() + place)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert [told for told in heard if not told.startswith((file.as_uri(), "data:"))] == []


def column(tab: Any, table: str, number: int) -> list[str]:
    """The texts of a table's visible rows."""
    return tab.locator(f"#{table} tbody tr:visible > :nth-child({number})").all_inner_texts()


def test_a_letter_leads_to_the_row(visit: Any) -> None:
    """The second click shows the figures, the proofs, the witness in hexadecimal, the histogram and the command."""
    tab = visit()
    tab.locator("#heat td a").first.click()
    dialog = tab.locator("dialog")
    assert dialog.is_visible()
    text = dialog.inner_text()
    for part in ("error / bound", "hexadecimal", "expected", "python -m harness reproduce"):
        assert part in text
    assert dialog.locator("table.bars td").count() > 0
    links = dialog.locator("a[href^='https://']").evaluate_all("nodes => nodes.map(node => node.href)")
    assert any("bounds.md#" in link for link in links)
    assert any("operations.md#" in link for link in links)


def test_a_cell_is_opened_and_closed_by_keys(visit: Any) -> None:
    """A browser tells of a closed dialog in a later task, so that the address is waited for."""
    from playwright.sync_api import expect

    tab = visit()
    tab.locator("#heat td a").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("dialog").is_visible()
    expect(tab).to_have_url(re.compile("cell=cell-"))
    tab.keyboard.press("Escape")
    expect(tab.locator("dialog")).to_be_hidden()
    expect(tab).not_to_have_url(re.compile("cell="))
    assert tab.evaluate("document.activeElement.closest('#heat') !== null")


@pytest.mark.parametrize("key", ["Control", "Shift"])
def test_a_click_for_another_window_stays_the_browser_s(visit: Any, key: str) -> None:
    tab = visit()
    with tab.context.expect_page() as opened:
        tab.locator("#heat td a").first.click(modifiers=[key])
    assert not tab.locator("dialog").is_visible()
    opened.value.locator("dialog").wait_for(state="visible")


@pytest.mark.parametrize("place", ["#100%", "#cell=cell-%", "#cell-999999999", "#find.cells=%zz&sort.cells=9", "#=&&"])
def test_any_address_is_a_page(visit: Any, place: str) -> None:
    tab = visit(place)
    assert tab.locator("#theme").inner_text() in ("Dark", "Light")
    assert not tab.locator("dialog").is_visible()


def test_going_back_closes_a_cell(visit: Any) -> None:
    tab = visit()
    tab.locator("#heat td a").first.click()
    tab.go_back()
    tab.locator("dialog").wait_for(state="hidden")


def test_a_table_sorts_by_its_exact_numbers(visit: Any) -> None:
    tab = visit()
    button = tab.locator("#cells thead th button", has_text="error / bound")
    before = column(tab, "cells", 9)
    button.click()
    head = tab.locator("#cells thead th:nth-child(9)")
    assert head.get_attribute("aria-sort") == "descending"
    button.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    exact = tab.locator("#cells tbody td:nth-child(9)").evaluate_all(
        "nodes => nodes.map(node => parseFloat(node.dataset.value ?? node.textContent)).filter(Number.isFinite)"
    )
    assert exact == sorted(exact)
    assert len(exact) > 10
    button.click()
    assert head.get_attribute("aria-sort") is None
    assert column(tab, "cells", 9) == before


def test_a_table_filters_by_words(visit: Any) -> None:
    tab = visit()
    tab.get_by_label("Filter: The cells on this page, the worst first").fill("vjp float32")
    rows = tab.locator("#cells tbody tr:visible").all_inner_texts()
    assert rows
    assert all("vjp" in row and "float32" in row for row in rows)
    assert f"{len(rows)} of" in tab.locator(".filter [role=status]").last.inner_text()


def test_the_address_carries_the_state(visit: Any) -> None:
    """A reload, and the address in another window, show the same rows in the same order, and the same cell."""
    tab = visit()
    tab.locator("#cells thead th button", has_text="error, ulp").first.click()
    tab.get_by_label("Filter: The cells on this page, the worst first").fill("softmax")
    tab.locator("#theme").click()
    tab.locator("#cells tbody tr:visible a").first.click()
    seen = column(tab, "cells", 7), tab.locator("dialog").inner_text()
    tab.reload()
    again = visit(tab.url[tab.url.index("#") :])
    for window in (tab, again):
        assert (column(window, "cells", 7), window.locator("dialog").inner_text()) == seen
        assert window.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 28)")])
def test_colours_are_the_system_s_until_chosen(visit: Any, scheme: str, ground: str) -> None:
    tab = visit(color_scheme=scheme)
    colour = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(colour) == ground
    tab.locator("#theme").click()
    assert tab.evaluate(colour) != ground


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_axe_finds_nothing(visit: Any, scheme: str, size: tuple[int, int]) -> None:
    """WCAG A and AA, of the page with everything unfolded, and of a cell over it."""
    tab = visit(size=size, color_scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    assert violations(tab, "body") == []
    tab.locator("#heat td a").first.click()
    assert violations(tab, "dialog") == []


def violations(tab: Any, part: str) -> list[tuple[str, str, int]]:
    """Each rule that is broken, where first, and how often."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": WCAG, "resultTypes": ["violations"]}
    found = Axe().run(tab, context=part, options=options).response["violations"]
    return [(rule["id"], rule["nodes"][0]["html"], len(rule["nodes"])) for rule in found]


def test_hostile_names_are_text(visit: Any) -> None:
    tab = visit()
    assert tab.title() == "Softmax across frameworks"
    heads = tab.locator("#heat thead th").all_inner_texts()
    assert SCRIPT in heads
    assert any(BACKWARDS in head for head in heads)
    assert tab.evaluate("document.scripts.length") == 1
    tab.locator("#cells tbody tr:visible a").first.click()
    assert SCRIPT in tab.locator("dialog h2").inner_text()


def test_a_command_is_copied_as_it_stands(visit: Any) -> None:
    tab = visit(permissions=["clipboard-read", "clipboard-write"])
    tab.locator("#heat td a").first.click()
    shown = tab.locator("dialog pre").first.evaluate("node => node.firstChild.textContent")
    tab.locator("dialog button.copy").first.click()
    tab.get_by_role("button", name="Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == shown


def test_a_finding_has_its_script(visit: Any) -> None:
    tab = visit()
    tab.locator(".finding > summary").click()
    tab.locator(".finding details > summary").click()
    assert f"print({SCRIPT!r})" in tab.locator(".finding details pre").inner_text()


def test_without_scripts_all_tables_are_there(visit: Any) -> None:
    plain, whole = visit(java_script_enabled=False), visit()
    assert plain.locator("table").count() == whole.locator("table").count()
    assert plain.locator("#cells tbody tr:visible").count() == whole.locator("#cells tbody tr").count()
    plain.locator("#heat td a").first.click()
    name = plain.url.partition("#")[2]
    assert plain.locator(f"#{name}").is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_is_wider_than_a_phone(visit: Any, scripts: bool) -> None:
    tab = visit(size=PHONE, java_script_enabled=scripts)
    if scripts:
        tab.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        tab.locator("#heat td a").first.click()
        assert tab.evaluate("(d => d.scrollWidth <= d.clientWidth)(document.querySelector('dialog'))")
    else:
        assert tab.locator("main").bounding_box()["width"] <= PHONE[0]


@pytest.mark.parametrize("place", ["", "#theme=dark"])
def test_print_leaves_out_what_needs_hands(visit: Any, place: str) -> None:
    tab = visit(place, color_scheme="dark")
    tab.emulate_media(media="print")
    assert not tab.locator("nav").is_visible()
    assert not tab.locator(".filter").first.is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.locator("#heat").is_visible()


def test_nothing_is_wider_than_paper(visit: Any) -> None:
    """A4 upright between its margins, at 96 dots an inch."""
    tab = visit(size=(718, 1000))
    tab.emulate_media(media="print")
    tab.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    assert tab.evaluate("[...document.querySelectorAll('table')].filter(t => t.offsetWidth > 718).map(t => t.id)") == []
