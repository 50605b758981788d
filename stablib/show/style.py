"""One look for all figures: readable in light and dark pages, and by colour-blind readers."""

from __future__ import annotations

import base64
import io
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.scale import LogTransform
from matplotlib.ticker import LogFormatterSciNotation
from numpy.typing import ArrayLike
from PIL import Image

from stablib.show.in_print import in_print

#: Stands for "the page's text colour" until the SVG is written; occurs in no palette.
_INK = "#010203"
#: What is rasterized, within an SVG.
_EMBEDDED = re.compile(r"(?<=data:image/png;base64,)[^\"]+")
#: Lines behind the data: visible on white and on black.
_GRID = "#8888884d"

#: Inches of a figure on a phone: a page 390 pixels wide shows it a little enlarged.
_NARROW = 4.2
#: Pixels across a card's picture: twice what is shown.
_THUMBNAIL = 480
#: Characters of a line of text on it, and of a legend's name of which no two fit side by side.
_LINE, _LONG_NAME = 24, 20
#: Names of a legend that stays inside a panel; inches of a line of one below.
_FEW_NAMES, _LEGEND_LINE = 5, 0.22

_MARKS = "osD^vXPd"
PALETTE = sns.color_palette("colorblind").as_hex()
#: From low to high, without the ends that a dark or a white page would hide.
VISIBLE = ListedColormap(mpl.colormaps["plasma"](np.linspace(0.39, 0.63, 256)))


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
        Whether the panels share the y axis.
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
            sharey=sharey,
            layout="constrained",
        )
        try:
            yield made
        finally:
            plt.close(made)


def line(
    axes: Axes,
    x: ArrayLike,
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    number: int,
    label: str,
) -> None:
    """Draw a line with intervals; each number has a colour and a mark of its own.

    Parameters
    ----------
    axes : Axes
        Where.
    x, values, low, high : array_like of float, shape (n_points,)
        Places, values, and ends of their intervals. An interval that leaves its value out, as a
        centred one may, reaches it.
    number : int
        Which line it is, counted from 0.
    label : str
        Its name in the legend.
    """
    middle = np.asarray(values, dtype=np.float64)
    ends = np.maximum(np.stack([middle - np.asarray(low), np.asarray(high) - middle]), 0.0)
    axes.errorbar(
        np.asarray(x, dtype=np.float64),
        middle,
        yerr=ends,
        color=PALETTE[number],
        marker=_MARKS[number],
        markersize=5,
        linewidth=1.5,
        label=label,
    )


class _Powers(LogFormatterSciNotation):
    """Ticks of a logarithmic axis with raised digits; typeset exponents are too small to read."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        text = re.sub(r"[$}]|\\mathdefault{", "", super().__call__(x, pos).replace("^{", "^"))
        return in_print(text.replace(r"\times", " × "))


def raise_powers(made: Figure) -> None:
    """Write the ticks of logarithmic axes so that they can be read on any screen.

    Parameters
    ----------
    made : Figure
        It is changed.
    """
    for axes in made.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for get, put in (
                (axis.get_major_formatter, axis.set_major_formatter),
                (axis.get_minor_formatter, axis.set_minor_formatter),
            ):
                usual = get()
                if type(usual) is LogFormatterSciNotation:
                    base = cast(LogTransform, axis.get_transform()).base
                    put(_Powers(base, labelOnlyBase=usual.labelOnlyBase))


def narrow(made: Figure) -> None:
    """Lay a figure out for a phone: narrower, its panels one below the other.

    Its texts keep their size, and so stay readable where the whole figure would be shrunk.

    Parameters
    ----------
    made : Figure
        A figure of :func:`figure`; it is changed.
    """
    width, height = made.get_size_inches()
    made.set_size_inches(min(width, _NARROW), height * _stack(made))
    for axes in made.axes:
        axes.set_xlabel(textwrap.fill(axes.get_xlabel(), _LINE))
        if sum(len(label.get_text()) for label in axes.get_xticklabels()) > _LINE:
            plt.setp(axes.get_xticklabels(), rotation=30, ha="right")
    inside = [legend for axes in made.axes if (legend := axes.get_legend()) is not None]
    long = [legend for legend in inside if len(legend.get_texts()) > _FEW_NAMES]
    if made.legends or long:
        _below(made, [*made.legends, *long])


def _stack(made: Figure) -> float:
    """Put panels one below the other; return how many times as high the figure becomes."""
    placed = [(axes, spec) for axes in made.axes if (spec := axes.get_subplotspec()) is not None]
    grid = placed[0][1].get_gridspec()
    if grid.ncols == 1 or len(placed) != grid.nrows * grid.ncols:
        return 1.0
    below = made.add_gridspec(len(placed), 1)
    for number, (axes, _) in enumerate(placed):
        first, _ = placed[number - number % grid.ncols]
        axes.set_subplotspec(below[number])
        # Panels that share an axis name it on the outer ones alone.
        axes.tick_params(labelleft=True, labelbottom=True)
        axes.set_ylabel(axes.get_ylabel() or first.get_ylabel())
    return len(placed) / grid.nrows


def _below(made: Figure, legends: Sequence[Legend]) -> None:
    """Put legends below the panels as one, with as many columns as a phone has room for."""
    # What a legend holds of a line with intervals has lost the line's mark; the panels have it.
    drawn = [axes.get_legend_handles_labels() for axes in made.axes]
    handles = {name: handle for pair in drawn for handle, name in zip(*pair, strict=True)}
    entries: dict[str, Any] = {}
    for legend in legends:
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
            entries[text.get_text()] = handles.get(text.get_text(), handle)
        legend.remove()
    columns = 2 if max(map(len, entries)) < _LONG_NAME else 1
    title = legends[0].get_title().get_text() or None
    made.legend(
        list(entries.values()),
        list(entries),
        loc="outside lower center",
        ncols=columns,
        title=title,
        fontsize=legends[0].get_texts()[0].get_fontsize(),
    )
    width, height = made.get_size_inches()
    made.set_size_inches(width, height + _LEGEND_LINE * math.ceil(len(entries) / columns))


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
        metadata = {"Date": None, "Creator": None}
        made.savefig(buffer, format="svg", dpi=150, metadata=metadata)  # Of what is rasterized.
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = _EMBEDDED.sub(lambda found: _with_palette(found[0]), text)
    # The size in points would keep the picture from shrinking on a phone; the viewBox stays.
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text)
    )


def _with_palette(encoded: str) -> str:
    """Write an embedded picture with 256 colours, if that makes it smaller.

    Points of few colours are a quarter as large then, and nobody sees a difference.
    """
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        buffer = io.BytesIO()
        picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(buffer, "png", optimize=True)
    return min(encoded, base64.b64encode(buffer.getvalue()).decode(), key=len)


def to_png(made: Figure) -> bytes:
    """Write a figure as a PNG on white, for use outside the book."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=150, facecolor="white")
    return buffer.getvalue()


def to_thumbnail(made: Figure) -> bytes:
    """Write a drawn figure as a small WebP on white; of a high one its top, a square.

    The figure is not laid out again, nor can it be afterwards.
    """
    whole, buffer = io.BytesIO(), io.BytesIO()
    width, _ = made.get_size_inches()
    made.set_layout_engine("none")  # Which would take half of the time.
    made.savefig(whole, format="png", dpi=_THUMBNAIL / width, facecolor="white")
    # A part alone would be drawn with the legend over its panel.
    with Image.open(whole) as picture:
        across, high = picture.size
        top = picture.convert("RGB").crop((0, 0, across, min(across, high)))
        top.save(buffer, format="webp", quality=80)
    return buffer.getvalue()


def to_pdf(made: Figure) -> bytes:
    """Write a figure as a PDF, for print."""
    buffer = io.BytesIO()
    # Without a date, so that the same figure gives the same bytes.
    with mpl.rc_context({"pdf.fonttype": 42}):
        made.savefig(buffer, format="pdf", dpi=150, metadata={"CreationDate": None})
    return buffer.getvalue()
