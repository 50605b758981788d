"""The book as one PDF."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from stablib.errors import StablibError
from stablib.reproduce.printed import find_browser, for_paper, to_pdf
from stablib.show.widgets.hosted import HostedWidget, module_text

PAGE = """<html><head><title>Book</title><script src="a.js"></script></head><body>
<h1>Book</h1><script type="module">const a = "</div>";
</script><noscript><p>With scripts switched on, this moves.</p></noscript>
<img loading="lazy" src="../../exhibits/LI-F1/figure.png">
<a href="../../exhibits/LI-F1/numbers.csv">data</a>
<a href="../../source/a.py.html#line-5">code</a> <a href="book/welcome.html#here">here</a>
<a href="https://example.org/a.html#x">there</a>
<details class="c"><summary>Claims</summary>told</details>
<h2>Section</h2></body></html>"""


class Greeting(HostedWidget):
    """Draws a heading that its HTML does not hold."""

    _esm = (
        module_text()
        + """
        const widget = { render({ el }) { el.append(html("h2", {}, "Dra" + "wn")); } };
        export default widget;
    """
    )


class Eager(Greeting):
    """The same, and would go on."""

    begins_unasked = True


WIDGETS = (
    "<html><head><title>Book</title></head><body>"
    + Greeting(name="first").static_html()
    + '<span id="document-notebooks/a/b"></span><h1>B</h1>'
    + Greeting(name="greeting", data={"tag": "<details>"}).static_html()
    + Eager(name="eager", picture="<h2>Still</h2>").static_html()
    + "<script>alert(1)</script></body></html>"
)


def test_a_page_without_scripts_stands_alone() -> None:
    made = for_paper(PAGE)
    assert "<script" not in made
    assert "noscript" not in made
    assert made.startswith('<html data-theme="light">')
    assert "<p>With scripts switched on, this moves.</p>" in made
    assert '<img src="exhibits/LI-F1/figure.png">' in made
    assert "<a>data</a>" in made
    assert '<details open class="c">' in made
    assert "<a>code</a>" in made
    assert '<a href="#here">here</a>' in made
    assert '<a href="https://example.org/a.html#x">there</a>' in made


def test_of_scripts_those_that_draw_a_widget_remain() -> None:
    made = for_paper(WIDGETS)
    assert "alert(1)" not in made
    assert made.count('<script type="application/json">') == 3
    assert 'hostStatic(widget, "stablib-greeting")' in made
    assert "stablib-eager" in made
    assert 'hostStatic(widget, "stablib-eager")' not in made


def test_a_widget_is_printed_with_its_address() -> None:
    assert re.findall(r"<code>(.*?)</code>", for_paper(WIDGETS)) == [
        "book/welcome.html#stablib-first",
        "notebooks/a/b.html#stablib-greeting",
        "notebooks/a/b.html#stablib-eager",
    ]
    address = "https://example.org/book/notebooks/a/b.html#stablib-greeting"
    made = for_paper(WIDGETS, "https://example.org/book/")
    assert f'To use it: <a href="{address}">{address}</a>' in made


def test_without_a_browser_nothing_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StablibError, match="needs a browser on the PATH: chromium, "):
        find_browser()


def test_a_browser_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(StablibError, match="^false failed"):
        to_pdf(tmp_path / "page.html", tmp_path / "page.pdf", shutil.which("false") or "false")
    with pytest.raises(StablibError, match="printed nothing"):
        to_pdf(tmp_path / "page.html", tmp_path / "page.pdf", shutil.which("true") or "true")


@pytest.mark.browser
def test_a_page_is_printed_with_its_outline(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(for_paper(PAGE))
    made = to_pdf(page, tmp_path / "book.pdf", find_browser()).read_bytes()
    assert made.startswith(b"%PDF")
    assert b"/Outlines" in made
    # A heading of the first kind begins a page, but not an empty one before the first.
    assert len(re.findall(rb"/Type /Page\b", made)) == 1


@pytest.mark.browser
def test_a_widget_is_printed_as_it_first_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(for_paper(WIDGETS))
    made = to_pdf(page, tmp_path / "book.pdf", find_browser()).read_bytes()
    titles = sorted(re.findall(rb"/Title \((.*?)\)", made))
    assert titles == [b"B", b"Book", b"Drawn", b"Drawn", b"Still"]
