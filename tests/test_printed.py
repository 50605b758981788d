"""The book as one PDF."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from stablib.errors import StablibError
from stablib.reproduce.printed import find_browser, to_pdf, without_scripts

PAGE = """<html><head><title>Book</title><script src="a.js"></script></head><body>
<h1>Book</h1><script type="module">const a = "</div>";
</script><noscript><p>With scripts switched on, this moves.</p></noscript>
<img src="../../exhibits/LI-F1/figure.png"><a href="../../exhibits/LI-F1/numbers.csv">data</a>
<a href="../../source/a.py.html#line-5">code</a> <a href="book/welcome.html#here">here</a>
<a href="https://example.org/a.html#x">there</a>
<details class="c"><summary>Claims</summary>told</details>
<h2>Section</h2></body></html>"""


def test_a_page_without_scripts_stands_alone() -> None:
    made = without_scripts(PAGE)
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
    page.write_text(without_scripts(PAGE))
    made = to_pdf(page, tmp_path / "book.pdf", find_browser()).read_bytes()
    assert made.startswith(b"%PDF")
    assert b"/Outlines" in made
    # A heading of the first kind begins a page, but not an empty one before the first.
    assert len(re.findall(rb"/Type /Page\b", made)) == 1
