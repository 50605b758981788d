"""One look for all figures: readable in light and dark pages, and by colour-blind readers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

#: Stands for "the page's text colour" until the SVG is written; occurs in no palette.
_INK = "#010203"
#: Lines behind the data: visible on white and on black.
_GRID = "#8888884d"

PALETTE = sns.color_palette("colorblind").as_hex()


@contextmanager
def figure(
    width: float = 6.5, height: float = 4.2, columns: int = 1, *, rows: int = 1, sharey: bool = True
) -> Iterator[Figure]:
    """Make a figure in the book's style, and close it afterwards.

    Parameters
    ----------
    width, height : float
        Inches.
    columns : int, default 1
        Panels side by side.
    rows : int, default 1
        Panels one below the other.
    sharey : bool, default True
        Whether the panels of a row share the y axis.
    """
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings: Any = {
        **sns.axes_style("ticks"),
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "svg.fonttype": "none",
        "font.size": 10,
        "axes.grid": True,
        "grid.color": _GRID,
        "grid.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        **dict.fromkeys(inks, _INK),
    }
    with mpl.rc_context(settings), sns.color_palette("colorblind"):
        made, _ = plt.subplots(
            rows,
            columns,
            figsize=(width, height),
            sharey="row" if sharey else False,
            layout="constrained",
        )
        try:
            yield made
        finally:
            plt.close(made)


def to_svg(made: Figure, *, name: str) -> str:
    """Write a figure as an SVG that takes its text colour from the page.

    Parameters
    ----------
    made : Figure
        A figure of :func:`figure`.
    name : str
        Makes the identifiers inside the SVG unique on a page, and the same in every build.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    # The size in points would keep the picture from shrinking on a phone; the viewBox stays.
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text)
    )


def to_png(made: Figure) -> bytes:
    """Write a figure as a PNG on white, for use outside the book."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=150, facecolor="white")
    return buffer.getvalue()
