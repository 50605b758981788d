"""The whole book as one PDF: Sphinx's single page, printed by a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from stablib.errors import StablibError

#: What Chromium, and what is made of it, is called on the PATH.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

#: Seconds after which Sphinx, or a browser, has hung.
_PATIENCE = 1800

#: Pixels of the browser's window: the width of the paper between its margins, so that a widget,
#: which measures the window, draws itself as wide as it is printed.
_WINDOW = "672,960"

#: Milliseconds of the page's clock in which widgets draw themselves.
_DRAWING = 10_000

_SCRIPT = re.compile(r"(<script\b.*?</script>)", re.DOTALL)
_DRAWS = re.compile(r'hostStatic\(widget, "([^"]*)"\);\s*</script>$')
_WIDGET = re.compile(r'<div class="stablib-host" id="([^"]*)"( data-unasked)?')
_PLACE = re.compile(rf'id="document-([^"]*)"|{_WIDGET.pattern}')
_ADDRESS = re.compile(r'<link rel="canonical" href="([^"]*)book/welcome\.html"')

#: The page as a book: no navigation, a chapter begins on a page of its own, pictures stay whole.
_STYLE = """
@page { size: A4; margin: 18mm 16mm; }
html { font-size: 11px; }
body, .bd-container, .bd-main, .bd-article-container { max-width: none !important; }
.bd-content, .bd-article { margin: 0 !important; padding: 0 !important; }
.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .bd-header-announcement,
.prev-next-area, .headerlink, .skip-link, #pst-skip-link, .bd-footer, .pst-scroll-pixel-helper,
.copybtn, dialog, .cell_input, details.above-input, .exhibit-links { display: none !important; }
span[id^="document-"] + section { break-before: page; }
h1, h2, h3, h4 { break-after: avoid; }
.exhibit-picture, .stablib-host, .atlas li, figure { break-inside: avoid; }
.stablib-host img { max-width: 100%; }
.sw-scroll table { zoom: 0.75; }
.widget-address { margin: 0.6rem 0 0.2rem; font-size: 0.78rem; break-after: avoid; }
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
        ``<folder>/book.pdf``. Figures are as on the pages; a widget is as it first stands there,
        with its address.

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
    address = _ADDRESS.search((folder / "html" / "book" / "welcome.html").read_text("utf-8"))
    base = address[1] if address else ""
    still = made / "book.html"
    still.write_text(for_paper(page.read_text("utf-8"), base), "utf-8")
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


def for_paper(page: str, base: str = "") -> str:
    r"""Make a page that stands alone: of its scripts, those that draw a widget at once remain.

    Parameters
    ----------
    page : str
        HTML of the single page, which lies in a folder of its own.
    base : str, default ""
        Where the book can be read, if that is known.

    Returns
    -------
    str
        HTML for the folder above. Links to other pages lead to the anchors in this one; those to
        files that a PDF does not carry are mere text. A widget that begins unasked, and would be
        printed half done, is shown as where there are no scripts.

    Examples
    --------
    >>> page = '<head></head><a href="../notebooks/a/b.html#li-t3">T3</a><script>1</script>'
    >>> for_paper(page).partition("</style>")[2]
    '</head><a href="#li-t3">T3</a>'
    """
    unasked = {name for name, begins in _WIDGET.findall(page) if begins}
    parts = _SCRIPT.split(page)
    parts[::2] = map(_still, parts[::2])
    parts[1::2] = (script if _draws(script, unasked) else "" for script in parts[1::2])
    page = _with_addresses("".join(parts), base)
    # A script of the theme would say it, and without it there are no colours.
    page = page.replace("<html", '<html data-theme="light"', 1)
    return page.replace("</head>", f"<style>{_STYLE}</style></head>", 1)


def _draws(script: str, unasked: Collection[str]) -> bool:
    """Whether a script draws a widget at once, or holds what it draws."""
    drawn = _DRAWS.search(script)
    return script.startswith('<script type="application/json">') or (
        drawn is not None and drawn[1] not in unasked
    )


def _still(text: str) -> str:
    """Unfold what is between scripts, and lead its links to where they lead on paper."""
    text = re.sub(r"</?noscript>", "", text)
    text = text.replace("<details", "<details open")  # What is folded would be printed folded.
    text = text.replace(' loading="lazy"', "")  # Nobody scrolls to it.
    text = re.sub(r'(<a\b[^>]*) href="(?:\.\./)+source/[^"]*"', r"\1", text)
    text = re.sub(
        r'(src|href)="(?:\.\./)+exhibits/([^"]*\.(?:png|svg|webp))"', r'\1="exhibits/\2"', text
    )
    text = re.sub(r' href="(?![a-z]+:)[^"#]*\.html#([^"]*)"', r' href="#\1"', text)
    return re.sub(r'(<a\b[^>]*) href="(?:\.\./)[^"]*"', r"\1", text)


def _with_addresses(page: str, base: str) -> str:
    """Say above each widget on which page of the book it can be used."""
    place = "book/welcome"  # The root of the table of contents has no anchor of its own.

    def addressed(found: re.Match[str]) -> str:
        nonlocal place
        if found[1]:
            place = found[1]
            return found[0]
        where = f"{place}.html#{found[2]}"
        shown = f'<a href="{base}{where}">{base}{where}</a>' if base else f"<code>{where}</code>"
        return f'<p class="widget-address">To use it: {shown}</p>\n{found[0]}'

    return _PLACE.sub(addressed, page)


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
    options += [f"--window-size={_WINDOW}", f"--virtual-time-budget={_DRAWING}"]
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
