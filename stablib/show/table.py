"""Tables of a page: every cell is text, and a wide one becomes cards on a phone."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pandas as pd

from stablib.show.in_print import in_print

#: An interval after a value, such as " [1.2, 3.4]"; in a table it gets a line of its own.
_INTERVAL = re.compile(r" (\[-?[\d.e+-]+, -?[\d.e+-]+\])")
#: A cell with several values, such as "1 [0, 2]; 3 [2, 4]": each has a line of its own.
_SEVERAL = re.compile(rf"(?<=<td>)[^<]*{_INTERVAL.pattern}; [^<]*(?=</td>)")

#: Characters that no page shows, and XML does not know.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

#: A card is no table for whoever hears it, unless it is said.
_ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}

#: Tables with so many columns fit no phone.
_WIDE = 5
#: Those with so many are as wide as the page and its margin.
_WIDEST = 7
#: Those with so many are set smaller, else they would not fit there either.
_DENSE = 10


def has_named_rows(frame: pd.DataFrame) -> bool:
    """Whether the index says something, and not only counts."""
    return not isinstance(frame.index, pd.RangeIndex)


def table_html(frame: pd.DataFrame, *, name: str) -> str:
    """Show a frame; every cell and label is text, whatever it contains.

    Parameters
    ----------
    frame : DataFrame
        What to show.
    name : str
        What it is, for readers who hear it. A table may be wider than the page, so it can be
        reached and scrolled with the keyboard.
    """
    table = frame.to_html(border=0, escape=True, na_rep="–", index=has_named_rows(frame))
    several = _SEVERAL.sub(_in_lines, _CONTROL.sub("", table))
    broken = _INTERVAL.sub(r"<br/><small>\1</small>", several)
    n_columns, labelled = _labelled(broken)
    width = " wide" if n_columns >= _WIDE else ""
    if n_columns >= _WIDEST:
        width += " full-width"  # The theme's name: its table of contents gives way.
    if n_columns >= _DENSE:
        width += " dense"
    return (
        f'<div class="exhibit-table{width}" tabindex="0" role="region" '
        f'aria-label="{html.escape(name)}">{in_print(labelled)}</div>'
    )


def _in_lines(found: re.Match[str]) -> str:
    """Break a cell with several values between them."""
    return _INTERVAL.sub(r" <small>\1</small>", found[0]).replace("; ", ";<br/>")


def _labelled(table: str) -> tuple[int, str]:
    """Count columns, and let each cell name its own: on a phone a row is shown as a card."""
    tree = ElementTree.fromstring(table)
    parts = [
        [(cell.text or "") for cell in row for _ in range(int(cell.get("colspan", "1")))]
        for row in tree.iterfind("thead/tr")
    ]
    headings = [", ".join(dict.fromkeys(filter(None, of))) for of in zip(*parts, strict=True)]
    above: list[str] = []
    for row in tree.iterfind("tbody/tr"):
        # A header that spans several rows stands in the first of them alone.
        missing = len(headings) - len(row)
        if missing:
            row.set("data-group", ", ".join(above[:missing]))
        above[missing:] = [cell.text or "" for cell in row.iterfind("th")]
        for cell, heading in zip(row, headings[missing:], strict=True):
            if cell.tag == "td" and heading:
                cell.set("data-label", heading)
    if len(headings) >= _WIDE:
        for part in tree.iter():
            if part.tag in _ROLES:
                part.set("role", _ROLES[part.tag])
        for place, role in (("thead", "columnheader"), ("tbody", "rowheader")):
            for cell in tree.iterfind(f"{place}/tr/th"):
                cell.set("role", role)
    return len(headings), ElementTree.tostring(tree, encoding="unicode", method="html")
