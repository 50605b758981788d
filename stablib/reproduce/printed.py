"""The whole book as one PDF: Sphinx's single page, printed by a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from stablib.errors import StablibError

#: What Chromium, and what is made of it, is called on the PATH.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

#: Seconds after which Sphinx, or a browser, has hung.
_PATIENCE = 1800

#: The page as a book: no navigation, a chapter begins on a page of its own, pictures stay whole.
_STYLE = """
@page { size: A4; margin: 18mm 16mm; }
html { font-size: 11px; }
body, .bd-container, .bd-main, .bd-article-container { max-width: none !important; }
.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .bd-header-announcement,
.prev-next-area, .headerlink, .skip-link, #pst-skip-link, .bd-footer, .pst-scroll-pixel-helper,
.copybtn, dialog, .cell_input, details.above-input, .exhibit-links { display: none !important; }
span[id^="document-"] + section { break-before: page; }
h1, h2, h3, h4 { break-after: avoid; }
.exhibit-picture, .stablib-host, .atlas li, figure { break-inside: avoid; }
.stablib-host img { max-width: 100%; }
table { font-size: 0.78rem !important; }
.exhibit-table, .formula { overflow: visible !important; }
a { color: inherit; text-decoration: none; }
"""


def print_book(folder: Path) -> Path:
    """Print the book that was assembled and built in a folder.

    Parameters
    ----------
    folder : Path
        Build folder, with ``source`` and ``html``.

    Returns
    -------
    Path
        ``<folder>/book.pdf``. Figures are as on the pages; a widget is its picture.

    Raises
    ------
    StablibError
        If no browser is on the PATH, or Sphinx or the browser fails.
    """
    browser = find_browser()
    target = folder / "single"
    shutil.rmtree(target, ignore_errors=True)
    builder = str(Path(sys.executable).with_name("jupyter-book"))
    options = ["--path-output", str(target), "--builder", "singlehtml", "--quiet"]
    _run([builder, "build", str(folder / "source"), *options])
    made = target / "_build" / "singlehtml"
    page = made / "book" / "welcome.html"  # The root of the table of contents.
    shutil.copytree(folder / "html" / "exhibits", made / "exhibits")
    still = made / "book.html"
    still.write_text(without_scripts(page.read_text("utf-8")), "utf-8")
    return to_pdf(still, folder / "book.pdf", browser)


def find_browser() -> str:
    """Path of a browser that prints.

    Raises
    ------
    StablibError
        If there is none.
    """
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise StablibError(f"printing needs a browser on the PATH: {', '.join(BROWSERS)}")


def without_scripts(page: str) -> str:
    r"""Make a page that stands alone: what needs scripts is shown as where there are none.

    Parameters
    ----------
    page : str
        HTML of the single page, which lies in a folder of its own.

    Returns
    -------
    str
        HTML for the folder above. Links to other pages lead to the anchors in this one; those to
        files that a PDF does not carry are mere text.

    Examples
    --------
    >>> page = '<head></head><a href="../notebooks/a/b.html#li-t3">T3</a><script>1</script>'
    >>> without_scripts(page).partition("</style>")[2]
    '</head><a href="#li-t3">T3</a>'
    """
    page = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    page = re.sub(r"</?noscript>", "", page)
    page = page.replace("<details", "<details open")  # What is folded would be printed folded.
    page = re.sub(r'(<a\b[^>]*) href="(?:\.\./)+source/[^"]*"', r"\1", page)
    page = re.sub(
        r'(src|href)="(?:\.\./)+exhibits/([^"]*\.(?:png|svg|webp))"', r'\1="exhibits/\2"', page
    )
    page = re.sub(r' href="(?![a-z]+:)[^"#]*\.html#([^"]*)"', r' href="#\1"', page)
    page = re.sub(r'(<a\b[^>]*) href="(?:\.\./)[^"]*"', r"\1", page)
    # A script of the theme would say it, and without it there are no colours.
    page = page.replace("<html", '<html data-theme="light"', 1)
    return page.replace("</head>", f"<style>{_STYLE}</style></head>", 1)


def to_pdf(page: Path, target: Path, browser: str) -> Path:
    """Print a page, with an outline of its headings.

    Parameters
    ----------
    page : Path
        HTML.
    target : Path
        Where to put the PDF.
    browser : str
        Of :func:`find_browser`.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    StablibError
        If the browser fails.
    """
    target.unlink(missing_ok=True)
    options = ["--headless", "--disable-gpu", "--no-pdf-header-footer"]
    options += ["--generate-pdf-document-outline", f"--print-to-pdf={target}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.append("--no-sandbox")  # It cannot be had as root.
    _run([browser, *options, page.resolve().as_uri()])
    if not target.is_file():
        raise StablibError(f"{browser} printed nothing")
    return target


def _run(command: list[str]) -> None:
    name = Path(command[0]).name
    try:
        outcome = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise StablibError(f"{name} did nothing for {_PATIENCE // 60} minutes") from None
    if outcome.returncode:
        last = (outcome.stdout + outcome.stderr).strip().splitlines()[-3:]
        raise StablibError(f"{name} failed: {' '.join(last)}")
