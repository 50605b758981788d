"""The built book, from file:// with the network off."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from tests.browser import axe

pytestmark = pytest.mark.browser

BOOK = Path(__file__).parent.parent.parent / "_build" / "html"
TOC = yaml.safe_load((BOOK.parent.parent / "_toc.yml").read_text())
CHAPTERS = [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [TOC["root"], *CHAPTERS]
NOTEBOOKS = [page for page in PAGES if page.startswith("notebooks/")]


@pytest.fixture(autouse=True)
def built() -> None:
    if not (BOOK / "index.html").is_file():
        if os.environ.get("CI"):
            pytest.fail("the book has not been built")
        pytest.skip("build the book first: make book")


@pytest.mark.parametrize("page", PAGES)
def test_pages_load_nothing_from_outside_and_fit(open_page, page) -> None:
    view = open_page(BOOK / f"{page}.html", width=400, dark=True)
    assert view.evaluate("layoutShift()") < 0.05
    assert view.locator("h1").first.inner_text()
    assert "preset laptop" in view.locator(".stablib-stamp").inner_text()
    assert view.locator('meta[name="description"]').get_attribute("content")
    picture = view.locator('meta[property="og:image"]').get_attribute("content")
    assert (BOOK / page).parent.joinpath(picture).is_file()
    for width, scheme in ((400, "dark"), (1300, "light")):
        view.set_viewport_size({"width": width, "height": 900})
        view.emulate_media(color_scheme=scheme)
        expect(view.locator("html")).to_have_attribute("data-theme", scheme)
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        assert axe.findings(view) == []


def test_formulas_are_rendered(open_page) -> None:
    page = BOOK / "notebooks/local_instability/03_measurement.html"
    view = open_page(page)
    assert view.locator("math").count() > 5
    # Drawn, and not as a row of letters: a fraction is higher than a line.
    assert view.locator("math mfrac").first.bounding_box()["height"] > 25


def test_every_exhibit_has_its_anchor_and_working_links() -> None:
    ids = {path.name for path in (BOOK / "exhibits").iterdir()}
    found = set()
    for name in NOTEBOOKS:
        path = BOOK / f"{name}.html"
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for exhibit in page.select(".exhibit"):
            # After a slash stands which other model it is; ids of pages hold no dots.
            number = str(exhibit["data-exhibit"]).partition("/")[0]
            found.add(number)
            assert page.find(id=number.lower().replace(".", "-")) is not None, number
            for link in exhibit.select(".exhibit-line a"):
                target = (path.parent / str(link["href"]).split("#")[0]).resolve()
                assert target.is_file(), target
    assert ids <= found


def test_a_table_of_many_columns_takes_the_margin(open_page) -> None:
    view = open_page(BOOK / "notebooks/synthesis/what_carries_over.html", width=1280)
    table = view.locator(".exhibit-table").first
    last = table.locator("thead th").last
    last.scroll_into_view_if_needed()
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth")
    # Nothing lies over its last column, and no box around it cuts it off.
    last.click(trial=True)
    expect(last).to_be_in_viewport(ratio=1.0)


def widget(open_page, page: str, name: str, paper: str = "local_instability"):
    view = open_page(BOOK / f"notebooks/{paper}/{page}.html")
    root = view.locator(f'.stablib-widget[data-widget="{name}"]')
    root.wait_for()
    return root


def test_seed_explorer_answers(open_page) -> None:
    root = widget(open_page, "05_results", "seed-explorer")
    before = root.locator("[data-part=summary]").inner_text()
    root.locator("[data-part=method]").select_option(index=1)
    assert root.locator("[data-part=summary]").inner_text() != before
    root.locator("[data-part=list] [role=option]").first.click()
    assert root.locator("[data-part=picked-text]").inner_text()


def test_instability_map_answers(open_page) -> None:
    root = widget(open_page, "03_measurement", "instability-map")
    root.locator("[data-part=next]").click()
    before = root.locator("[data-part=readout]").inner_text()
    root.locator("[data-part=next]").click()
    assert root.locator("[data-part=readout]").inner_text() != before


def test_how_many_seeds_answers(open_page) -> None:
    root = widget(open_page, "03_measurement", "how-many-seeds")
    before = root.locator("[data-part=results]").inner_text()
    root.locator("[data-part=k]").focus()
    root.page.keyboard.press("ArrowRight")
    assert root.locator("[data-part=results]").inner_text() != before


def test_pd_explorer_answers(open_page) -> None:
    root = widget(
        open_page, "03_single_and_double_units", "pd-explorer", "synthetic_irreproducibility"
    )
    before = root.inner_text()
    root.locator("select").first.select_option(index=0)
    assert root.inner_text() != before
    assert "PD" in root.inner_text()


def test_explanation_comparer_answers(open_page) -> None:
    root = widget(open_page, "06_questions", "explanation-comparer", "random_seed")
    before = root.locator("[data-part=summary]").inner_text()
    root.locator("[data-part=list] [role=option]").nth(1).click()
    between = root.locator("[data-part=summary]").inner_text()
    assert between != before
    root.locator("[data-part=kind]").select_option("LIME")
    assert "LIME" in root.locator("[data-part=summary]").inner_text()


def test_descent_answers(open_page) -> None:
    root = widget(open_page, "03_averaging", "descent", "random_seed")
    before = root.inner_text()
    root.locator("[data-part=noise]").focus()
    root.page.keyboard.press("ArrowRight")
    assert root.inner_text() != before


def test_divergence_viewer_answers(open_page) -> None:
    root = widget(open_page, "04_instability", "divergence-viewer", "nondeterminism")
    before = root.locator("[data-part=summary]").inner_text()
    root.locator("[data-part=back]").click()
    between = root.locator("[data-part=summary]").inner_text()
    assert between != before
    root.locator("[data-part=source]").select_option("order")
    early = root.locator("[data-part=summary]").inner_text()
    assert early != between
    root.locator("[data-part=source]").select_option("one bit")
    root.locator("[data-part=onset]").select_option(index=1)
    late = root.locator("[data-part=summary]").inner_text()
    assert late != early
    assert "from epoch" in late


def test_why_this_film_answers(open_page) -> None:
    root = widget(open_page, "35_questions", "why-this-film", "recommender")
    before = root.locator("[data-part=scores]").inner_text()
    root.locator("[data-part=history] input").first.uncheck()
    between = root.locator("[data-part=scores]").inner_text()
    assert between != before
    root.locator("[data-part=permute]").click()
    assert root.locator("[data-part=scores]").inner_text() != between


def test_mitigation_matrix_answers(open_page) -> None:
    root = widget(open_page, "what_carries_over", "mitigation-matrix", "synthesis")
    before = root.locator("tbody th").all_inner_texts()
    root.locator("[data-part=sort-1]").click()
    assert root.locator("tbody th").all_inner_texts() != before
    said = root.locator("[data-part=summary]").inner_text()
    root.locator("tbody td button").nth(9).click()
    assert root.locator("[data-part=summary]").inner_text() != said


@pytest.mark.parametrize("page", PAGES)
def test_a_page_weighs_less_than_two_and_a_half_megabytes(open_page, page) -> None:
    """With all scripts, style sheets, fonts and pictures that it loads."""
    path = BOOK / f"{page}.html"
    view = open_page(path)
    loaded: list[str] = []
    view.on("request", lambda request: loaded.append(request.url))
    view.reload(wait_until="networkidle")
    files = {Path(unquote(urlparse(url).path)) for url in loaded if url.startswith("file:")}
    assert {file.suffix for file in files} >= {".js", ".css", ".woff2"}
    assert sum(file.stat().st_size for file in {path, *files}) < 2_500_000


def test_icons_are_shown(open_page) -> None:
    view = open_page(BOOK / "index.html", width=1300)
    icon = view.locator(".fa-magnifying-glass").first
    assert icon.evaluate("icon => getComputedStyle(icon, '::before').content") != "none"
    assert view.evaluate(
        "document.fonts.load('900 16px \"Font Awesome 6 Free\"').then(fonts => fonts.length)"
    )


def test_wide_tables_are_cards_on_a_phone(open_page) -> None:
    """Nothing of a row is to the right of the screen, and each number names its column."""
    view = open_page(BOOK / "notebooks/local_instability/05_results.html", width=390)
    tables = [t for t in view.locator(".exhibit-table.wide").all() if t.is_visible()]
    assert tables
    for table in tables:
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
    cell = view.locator(".exhibit-table.wide td[data-label]").first
    shown = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert shown.startswith(f'"{cell.get_attribute("data-label")}')


@pytest.mark.parametrize(("width", "most"), [(1280, 1600), (390, 2500)])
def test_the_scorecard_fits_on_few_screens(open_page, width, most) -> None:
    view = open_page(BOOK / "book" / "scorecard.html", width=width)
    assert view.locator(".bd-article").first.evaluate("page => page.scrollHeight") < most
    assert view.evaluate("document.documentElement.scrollWidth") <= width


def test_the_scorecard_is_filtered(open_page) -> None:
    view = open_page(BOOK / "book" / "scorecard.html", width=1280)
    rows = view.locator(".scorecard[data-verdict]")
    status = view.locator(".scorecard-filter [role=status]")
    assert status.inner_text() == f"{rows.count()} of {rows.count()} exhibits"
    verdict = view.locator(".scorecard-filter [data-part=verdict]")
    verdict.select_option("not reproduced")
    shown = [row for row in rows.all() if row.is_visible()]
    assert 0 < len(shown) < rows.count()
    assert status.inner_text() == f"{len(shown)} of {rows.count()} exhibits"
    shown[0].locator("summary").click()
    claims = [row.inner_text() for row in shown[0].locator("tbody tr").all() if row.is_visible()]
    assert claims
    assert all("not reproduced" in claim for claim in claims)
    view.locator(".scorecard-filter [data-part=paper]").select_option(index=1)
    view.locator(".scorecard-filter [data-part=words]").fill("no such word")
    assert status.inner_text() == f"0 of {rows.count()} exhibits"


def test_the_scorecard_is_filtered_by_preset_where_there_are_several(open_page) -> None:
    view = open_page(BOOK / "book" / "scorecard.html", width=1280)
    presets = {row.get_attribute("data-preset") for row in view.locator("[data-preset]").all()}
    preset = ".scorecard-filter [data-part=preset]"
    assert view.locator(preset).count() == (len(presets) > 1)
    view.evaluate(
        """() => {
            document.querySelector(".scorecard-filter").replaceChildren();
            document.querySelector("[data-preset]").dataset.preset = "smoke|laptop";
            filterScorecard();
        }"""
    )
    view.locator(preset).select_option("smoke")
    shown = [row for row in view.locator("[data-preset]").all() if row.is_visible()]
    assert [row.get_attribute("data-preset") for row in shown] == ["smoke|laptop"]


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_searched_for_is_named_as_its_exhibit(open_page, dark) -> None:
    view = open_page(f"{(BOOK / 'search.html').as_uri()}?q=Table+3", width=1280, dark=dark)
    hits = view.locator("#search-results li > a")
    expect(hits.filter(has_text=re.compile(r"^LI-T3 · Table 3"))).not_to_have_count(0)
    for hit in hits.all():
        if hit.get_attribute("href").endswith("#li-t3"):
            assert hit.inner_text().startswith("LI-T3 · Table 3")
    assert axe.findings(view) == []


def test_figures_stay_on_the_dark_page(open_page) -> None:
    page = BOOK / "notebooks/local_instability/appendix.html"
    view = open_page(page, dark=True)
    backgrounds = view.locator(".text_html:has(.exhibit)").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).backgroundColor)"
    )
    assert set(backgrounds) == {"rgba(0, 0, 0, 0)"}


def test_every_exhibit_is_found_in_the_atlas(open_page) -> None:
    page = BOOK / "book" / "atlas.html"
    view = open_page(page)
    links = view.locator(".atlas a")
    named = {link.locator("strong").inner_text() for link in links.all()}
    assert named >= {path.name for path in (BOOK / "exhibits").iterdir()}
    text: dict[Path, str] = {}
    for link in links.all():
        target, _, anchor = link.get_attribute("href").partition("#")
        path = (page.parent / target).resolve()
        assert f'id="{anchor}"' in text.setdefault(path, path.read_text(encoding="utf-8"))
    pictures = view.locator(".atlas img").all()
    assert len(pictures) > 20
    pictures[0].scroll_into_view_if_needed()
    view.wait_for_function("document.querySelector('.atlas img').naturalWidth > 0")
