"""Sphinx extension of the book: no page runs the same inline script twice.

A script without a file that is added once the builder exists is listed under two names: Sphinx
hands it to the builder named ``None``, then reads it back from its registry named ``""`` before
it writes the first page, and takes the two for different scripts. jupyter-book always loads
sphinx-thebe, whatever ``launch_buttons`` says; its inline script declares constants, and a second
declaration is an error on every page.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def drop_repeated_inline_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Keep one of the inline scripts of a page that are alike; handles ``html-page-context``."""
    scripts = context["script_files"]
    # In place, as handlers that run later add the scripts of the page to the same list.
    scripts[:] = {_identity(script): script for script in scripts}.values()


def _identity(script: Any) -> Hashable:
    """Tell scripts apart: a file by all that is set, an inline script by all but its name."""
    if script.filename:
        return script
    return script.priority, tuple(sorted(script.attributes.items()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handler with Sphinx."""
    app.connect("html-page-context", drop_repeated_inline_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
