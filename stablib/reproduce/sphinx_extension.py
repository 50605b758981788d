"""Sphinx extension of the book: links from the reference to the code, and scripts that run once.

A script without a file that is added once the builder exists is listed under two names: Sphinx
hands it to the builder named ``None``, then reads it back from its registry named ``""`` before
it writes the first page, and takes the two for different scripts. jupyter-book always loads
sphinx-thebe, whatever ``launch_buttons`` says; its inline script declares constants, and a second
declaration is an error on every page.
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
import textwrap
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

import stablib
from stablib.reproduce import formulas
from stablib.studies import papers, study_class

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

#: From a page of the reference, ``book/api/….html``, to the code pages of
#: :func:`stablib.reproduce.book.write_sources`.
_SOURCES = "../../source"

#: Characters of a page's description: what searches show.
_DESCRIPTION = 200

#: The figure that a link to a page without one shows.
_OVERVIEW = "SY-F1"

#: Says which colours "auto" means before anything is drawn, to the theme's own script, which comes
#: next. It finds out at the end of the page alone: until then dark readers would see a white one,
#: and lines break elsewhere.
_COLOURS = """<script>
  {
    const mode = localStorage.getItem("mode") || "auto";
    const own = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    localStorage.setItem("theme", mode === "auto" ? own : mode);
  }
</script>"""

#: The heading of an exhibit: its id, and what the paper calls it.
_EXHIBIT = re.compile(r"([A-Z]{2}-[A-Z][0-9.]+) · (?:((?:Table|Figure) [\dA-Z.]+):)?")

#: Loads what searches.
_SEARCHING = re.compile(
    r'\s*<script src="[^"]*\b(?:searchtools|language_data|searchindex)\.js"></script>'
)

#: Stands for a colon while napoleon reads; occurs in no text.
_COLON = "\ue000"


def drop_repeated_inline_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Keep one of the inline scripts of a page that are alike; handles ``html-page-context``."""
    scripts = context["script_files"]
    # In place, as handlers that run later add the scripts of the page to the same list.
    scripts[:] = {_identity(script): script for script in scripts}.values()


def lighten(app: Sphinx, fault: Exception | None) -> None:
    """Take from pages what they load and do not use; handles ``build-finished``.

    The theme's script of all icons there are, 1.5 MB, would replace those of its font, which its
    style sheets show anyway. Its index of all words is for results while one types, which it
    does not show unless asked to; the page of results loads its own.
    """
    if fault is not None:
        return
    script = Path(app.outdir) / "_static" / "scripts" / "fontawesome.js"
    if script.is_file():
        script.write_text("")
        script.with_suffix(".js.map").unlink(missing_ok=True)
    for page in Path(app.outdir).rglob("*.html"):
        if page.name != "search.html":
            page.write_text(_SEARCHING.sub("", page.read_text("utf-8")), "utf-8")


def _identity(script: Any) -> Hashable:
    """Tell scripts apart: a file by all that is set, an inline script by all but its name."""
    if script.filename:
        return script
    return script.priority, tuple(sorted(script.attributes.items()))


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Say in the head of a page what it is about; handles ``html-page-context``."""
    if doctree is None:
        return
    # The source of a formula is no description.
    plain = (p for p in doctree.findall(nodes.paragraph) if not list(p.findall(nodes.math)))
    paragraph = next((p.astext() for p in plain), "")
    about = textwrap.shorten(paragraph, _DESCRIPTION, placeholder=" …")
    title = html.unescape(re.sub("<[^>]*>", "", context.get("title", "")))
    tags = {"og:title": title, "og:description": about, "og:type": "article"}
    tags |= {"og:image": image} if (image := _picture(app, pagename, doctree)) else {}
    lines = [f'<meta property="{key}" content="{html.escape(text)}">' for key, text in tags.items()]
    lines.append(f'<meta name="description" content="{html.escape(about)}">')
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def index_exhibits(app: Sphinx, doctree: nodes.document) -> None:
    """Let a search for "LI-T3" or "Table 3" lead to the exhibit; handles ``doctree-read``.

    A search for part of a heading finds the page alone, whose beginning it would show.
    """
    for section in doctree.findall(nodes.section):
        found = _EXHIBIT.match(section[0].astext())
        if found:
            anchor = found[1].lower().replace(".", "-")
            target = anchor if anchor in section["ids"] else section["ids"][0]
            names = [name for name in found.groups() if name]
            entries = [("single", name, target, "main", None) for name in names]
            section.insert(1, addnodes.index(entries=entries))


def colour_first(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Let a page begin in its reader's colours; handles ``html-page-context``."""
    context["metatags"] = "\n".join([context.get("metatags", ""), _COLOURS])


def _picture(app: Sphinx, pagename: str, doctree: Any) -> str:
    """Address of what a link to a page shows: the first of its figures, or that of all workloads.

    It is a full one if ``html_baseurl`` says where the book is.
    """
    anchors = [name.upper() for each in doctree.findall(nodes.Element) for name in each["names"]]
    exhibits = Path(app.srcdir).parent / "exhibits"
    for exhibit in (*anchors, _OVERVIEW):
        if (exhibits / exhibit / "figure.png").is_file():
            start = app.config.html_baseurl or "../" * pagename.count("/")
            return f"{start}exhibits/{exhibit}/figure.png"
    return ""


def source_link(domain: str, info: dict[str, str]) -> str | None:
    """Where the code of a documented object is shown; what ``sphinx.ext.linkcode`` asks for.

    Parameters
    ----------
    domain : str
        Of Sphinx.
    info : dict of str to str
        The object's ``module`` and its ``fullname`` inside it.

    Returns
    -------
    str or None
        Address as seen from a page of the reference; None for what has no lines of its own, such
        as a constant, or is not stablib's.

    Examples
    --------
    >>> link = source_link("py", {"module": "stablib.metrics", "fullname": "label_entropy"})
    >>> link.rpartition("-")[0]
    '../../source/stablib/metrics/entropy.py.html#line'
    >>> source_link("py", {"module": "stablib.data", "fullname": "SPLITS"}) is None
    True
    """
    if domain != "py" or not info["module"]:
        return None
    place: Any = importlib.import_module(info["module"])
    for name in info["fullname"].split("."):
        place = getattr(place, name, None)
    try:
        code: Any = place.fget if isinstance(place, property) else place
        code = inspect.unwrap(code)
        file, line = inspect.getsourcefile(code), inspect.getsourcelines(code)[1]
    except (TypeError, OSError):
        return None
    package = Path(stablib.__file__).parent
    if file is None or package not in Path(file).parents:
        return None
    return f"{_SOURCES}/{Path(file).relative_to(package.parent).as_posix()}.html#line-{line}"


def leave_out_borrowed(
    app: Sphinx, what: str, name: str, place: object, skip: bool, options: object
) -> bool | None:
    """Leave out members whose text is another library's; handles ``autodoc-skip-member``."""
    of_named_tuple = str(inspect.getdoc(place)).startswith("Alias for field number")
    return True if name == "model_config" or of_named_tuple else None


def hide_colon(
    app: Sphinx, what: str, name: str, place: object, options: object, lines: list[str]
) -> None:
    """Keep napoleon from taking what precedes a colon for the type of an attribute or property."""
    if what in ("attribute", "data", "property"):
        lines[:1] = [line.replace(":", _COLON) for line in lines[:1]]


def show_colon(
    app: Sphinx, what: str, name: str, place: object, options: object, lines: list[str]
) -> None:
    """Undo :func:`hide_colon`; both handle ``autodoc-process-docstring``."""
    lines[:] = [line.replace(_COLON, ":") for line in lines]


def _configure(app: Sphinx, config: Config) -> None:
    # A function cannot stand in _config.yml.
    config.linkcode_resolve = source_link
    # jupyter-book would take these for all options of the theme, and forget its own.
    config.html_theme_options["navbar_persistent"] = []  # Else a header for a second search.
    config.html_context.setdefault("default_mode", "auto")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers with Sphinx."""
    # Autodoc writes inherited annotations into the classes that it documents. pydantic could not
    # resolve them in a subclass that is defined later, so all are defined before.
    for paper in papers():
        study_class(paper)
    app.setup_extension("sphinx.ext.linkcode")
    formulas.register(app)
    app.connect("config-inited", _configure)
    app.connect("autodoc-skip-member", leave_out_borrowed)
    # Napoleon's own handler has the priority 500.
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("doctree-read", index_exhibits)
    app.connect("html-page-context", drop_repeated_inline_scripts)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", colour_first)
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
