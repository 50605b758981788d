"""Formulas as MathML, which browsers draw without scripts, fonts of ours or a network.

``html_math_renderer: mathml`` chooses it; :mod:`stablib.reproduce.sphinx_extension` registers it.
"""

from __future__ import annotations

import contextlib
import html
import re
import unicodedata
from typing import TYPE_CHECKING

from docutils.nodes import Element, SkipNode
from latex2mathml.converter import convert

#: Letters whose style browsers take from the character alone, and what such characters are called.
_STYLED = re.compile(r'<(m[in]) mathvariant="(bold|double-struck)">(\w|&#x[0-9A-F]+;)</\1>')
_STYLES = {"bold": "MATHEMATICAL BOLD", "double-struck": "MATHEMATICAL DOUBLE-STRUCK"}

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def mathml(formula: str, *, block: bool = False) -> str:
    r"""Write a formula of LaTeX as MathML.

    Parameters
    ----------
    formula : str
        Without the signs around it.
    block : bool, default False
        Whether it stands in a line of its own.

    Examples
    --------
    >>> mathml("x^2")[-53:]
    '<mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    >>> mathml(r"\mathbf x")[-24:]
    '<mi>𝐱</mi></mrow></math>'
    >>> "<mi>ℝ</mi>" in mathml(r"\mathbb R"), "<mi>𝛔</mi>" in mathml(r"\mathbf{\sigma}")
    (True, True)
    """
    return _STYLED.sub(_character, str(convert(formula, display="block" if block else "inline")))


def _character(found: re.Match[str]) -> str:
    tag, style, entity = found.groups()
    letter = html.unescape(entity)
    # Such as "LATIN SMALL LETTER X" or "DIGIT ONE"; some double-struck letters are older.
    name = re.sub(r"(LATIN|GREEK|LETTER) ", "", unicodedata.name(letter))
    for styled in (f"{_STYLES[style]} {name}", f"{style.upper()} {name}"):
        with contextlib.suppress(KeyError):
            letter = unicodedata.lookup(styled)
            break
    return f"<{tag}>{letter}</{tag}>"


def visit_inline(writer: HTML5Translator, node: Element) -> None:
    """Write a formula in a line of text."""
    writer.body.append(mathml(node.astext()))
    raise SkipNode


def visit_block(writer: HTML5Translator, node: Element) -> None:
    """Write a formula in a line of its own, which scrolls where the page is too narrow."""
    content = mathml(node.astext(), block=True)
    attributes = {"tabindex": 0, "role": "region", "aria-label": "Formula"}
    writer.body.append(writer.starttag(node, "div", CLASS="formula", **attributes))
    writer.body.append(f"{content}</div>\n")
    raise SkipNode


def register(app: Sphinx) -> None:
    """Offer it to Sphinx under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
