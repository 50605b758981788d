"""A table of values with intervals as a picture: a forest plot, one panel a column."""

from __future__ import annotations

import dataclasses
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stablib.show.in_print import in_print
from stablib.show.style import PALETTE, figure
from stablib.show.table import has_named_rows

_NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
#: What :func:`stablib.show.exhibit.with_interval` writes, or a value ± what stands behind it.
_CELL = re.compile(rf"({_NUMBER})(?: \[({_NUMBER}), ({_NUMBER})\]| ± ({_NUMBER}))?")

#: Panels side by side, rows and intervals of a picture that can be read; further panels are below.
_MOST_PANELS, _MOST_ROWS, _FEWEST = 7, 60, 2
#: Inches: of the picture, of a row, and of what stands above and below them.
_WIDTH, _ROW, _AROUND = 9.4, 0.21, 1.2
#: Characters of a line of a row's label, and of all panels' titles side by side.
_LABEL, _TITLES = 34, 84
#: Parts into which all panels' axes side by side are divided, and one that a phone shows alone;
#: panels so narrow that each has room for two numbers alone.
_TICKS, _TICKS_ALONE, _NARROW = 15, 5, 6
#: Rows that each further line of a label takes.
_LINE = 0.75
#: Positive numbers so many times apart are drawn on a logarithmic axis.
_DECADES = 100.0
#: Rows that are left out of an axis at most, of how many one, and how much longer each makes it.
_LEFT_OUT, _OF, _TIMES = 3, 4, 2.5
#: Share of an axis beyond what it shows.
_MARGIN = 0.06
#: Rows, of which one is a unit: between groups, and beyond the first and the last.
_GAP, _EDGE = 0.4, 0.7
#: Name of rows that say what other seeds alone do.
_OTHER_SEEDS = "other seeds"
_HERE, _PAPER, _BEYOND = "here", "the paper", "beyond the axis"
#: Seen on white and on black.
_GREY = "#888888"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column as numbers.

    Parameters
    ----------
    title : str
        Its heading.
    values : ndarray of float64, shape (n_rows, 3)
        Value and ends of its interval; nan where there is none.
    in_brackets : bool
        Whether intervals stand in brackets: they are intervals of confidence.
    paper : ndarray of float64, shape (n_rows,)
        What the paper reports.
    """

    title: str
    values: NDArray[np.float64]
    in_brackets: bool
    paper: NDArray[np.float64]


def columns(frame: pd.DataFrame) -> list[Column]:
    """Read the columns of a table that have intervals.

    Parameters
    ----------
    frame : DataFrame
        A table as an exhibit shows it. A column with ``paper`` in its heading is what the paper
        reports of the first other column whose heading has all its other words.

    Returns
    -------
    list of Column
        Those with intervals in brackets, else those with ``±``.

    Examples
    --------
    >>> table = pd.DataFrame({"loss (nats)": ["1.0 [0.5, 1.5]", "2 [1, 3]"], "paper": ["3", "–"]})
    >>> column, = columns(table)
    >>> column.values.tolist(), column.paper.tolist()
    ([[1.0, 0.5, 1.5], [2.0, 1.0, 3.0]], [3.0, nan])
    """
    titles = [" ".join(name) if isinstance(name, tuple) else str(name) for name in frame.columns]
    read = {title: _read(frame.iloc[:, number]) for number, title in enumerate(titles)}
    of_paper = {title for title in read if "paper" in _words(title)}
    found = []
    for number, (title, values) in enumerate(read.items()):
        if title in of_paper or np.isfinite(values[:, 1]).sum() < _FEWEST:
            continue
        in_brackets = any("[" in str(cell) for cell in frame.iloc[:, number])
        if in_brackets:  # What has none is another kind of number.
            values = np.where(np.isfinite(values[:, 1:2]), values, np.nan)
        found.append(Column(title, values, in_brackets, np.full(len(frame), np.nan)))
    certain = [column for column in found if column.in_brackets]
    kept = certain or found
    for name in of_paper:
        for number, column in enumerate(kept):
            if _words(name) - {"paper"} <= _words(column.title):
                kept[number] = dataclasses.replace(column, paper=read[name][:, 0])
                break
    return kept


@contextmanager
def table_figure(
    frame: pd.DataFrame, *, n_panels: int | None = None, width: float = _WIDTH
) -> Iterator[Figure | None]:
    """Draw a table, and close the picture afterwards.

    Parameters
    ----------
    frame : DataFrame
        A table as an exhibit shows it.
    n_panels : int, optional
        Columns that are drawn, at most: the first ones. By default all.
    width : float, optional
        Inches.

    Yields
    ------
    Figure or None
        Values as dots with their intervals, what the paper reports as diamonds, and what other
        seeds give as a band. None if fewer than two values have an interval.
    """
    shown = columns(frame)[:n_panels]
    known = np.array([np.isfinite(column.values[:, 0]) for column in shown])
    rows = np.flatnonzero(known.any(axis=0)) if shown else np.array([], dtype=int)
    if not _FEWEST <= len(rows) <= _MOST_ROWS:
        yield None
        return
    labels = _labels(frame)
    places, ticks, groups = _places([labels[row] for row in rows])
    height = _AROUND + _ROW * (places[-1] + 1)
    n_lines = math.ceil(len(shown) / _MOST_PANELS)
    n_across = math.ceil(len(shown) / n_lines)
    with figure(width, height * n_lines, columns=n_across, rows=n_lines) as made:
        for axes, column in zip(made.axes, shown, strict=False):
            _draw(axes, column, rows, places, groups, [labels[row][-1] for row in rows])
            title = in_print(column.title)
            wrapped = textwrap.fill(title, _TITLES // n_across, break_long_words=False)
            axes.set_title(wrapped, fontsize=9)
            _few_ticks(axes, n_across)
        for axes in made.axes[len(shown) :]:
            axes.remove()
        first = made.axes[0]
        first.set_yticks(*zip(*ticks, strict=True), fontsize=9)
        first.set_ylim(places[-1] + _EDGE, -_EDGE)
        for leftmost in made.axes[::n_across]:
            leftmost.tick_params(axis="y", labelsize=9)
            _name_groups(leftmost, groups)
        _legend(made)
        yield made


def _few_ticks(axes: Axes, n_across: int) -> None:
    """Let no two numbers below an axis touch."""
    if axes.get_xscale() != "linear":
        return
    axes.locator_params(axis="x", nbins=max(2, min(_TICKS_ALONE, _TICKS // n_across)))
    if n_across >= _NARROW:
        low, high = axes.get_xlim()
        within = [tick for tick in axes.get_xticks() if low <= tick <= high]
        axes.set_xticks(within[:: max(1, len(within) - 1)])


def _name_groups(axes: Axes, groups: Sequence[tuple[float, str]]) -> None:
    """Write the names of groups where the labels of rows stand."""
    for place, group in groups:
        axes.annotate(
            textwrap.shorten(group, _LABEL, placeholder=" …"),
            (0, place),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=9,
            fontweight="bold",
        )


def _words(heading: str) -> set[str]:
    return set(re.split(r"[ ,]+", heading))


def _read(cells: pd.Series) -> NDArray[np.float64]:
    found = np.full((len(cells), 3), np.nan)
    for row, cell in enumerate(cells):
        match = _CELL.match(str(cell))
        if match is None:
            continue
        value, low, high, error = (
            float(text.replace(",", "")) if text else np.nan for text in match.groups()
        )
        ends = (low, high) if np.isnan(error) else (value - error, value + error)
        found[row] = value, *ends
    return found


def _labels(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """What each row is called: its index, or its first cells as far as they are words."""
    if has_named_rows(frame):
        index = frame.index
        return [tuple(map(str, x)) if isinstance(x, tuple) else (str(x),) for x in index]
    n_words = 0
    while n_words < frame.shape[1] - 1 and np.isnan(_read(frame.iloc[:, n_words])).all():
        n_words += 1
    words = frame.iloc[:, : max(n_words, 1)]
    return [tuple(map(str, row)) for row in words.itertuples(index=False)]


def _places(
    labels: Sequence[tuple[str, ...]],
) -> tuple[NDArray[np.float64], list[tuple[float, str]], list[tuple[float, str]]]:
    """Where rows lie from the top; their ticks; and groups of rows, each with a line for its name.

    Rows whose labels differ in the last part alone are a group.
    """
    places: list[float] = []
    ticks: list[tuple[float, str]] = []
    groups: list[tuple[float, str]] = []
    line, latest = 0.0, ""
    for label in labels:
        *above, name = label
        group = in_print(", ".join(above))
        if group != latest:
            line += _GAP * bool(places)
            latest = group
            groups.append((line, group))
            line += 1.0
        lines = textwrap.wrap(in_print(name), _LABEL) or [""]
        middle = line + 0.5 * _LINE * (len(lines) - 1)
        places.append(middle)
        ticks.append((middle, "\n".join(lines)))
        line += 1.0 + _LINE * (len(lines) - 1)
    return np.array(places), ticks, groups


def _draw(
    axes: Axes,
    column: Column,
    rows: NDArray[np.integer],
    places: NDArray[np.float64],
    groups: Sequence[tuple[float, str]],
    names: Sequence[str],
) -> None:
    value, low, high = column.values[rows].T
    paper = column.paper[rows]
    axes.grid(axis="y", visible=False)
    if np.nanmin([value, paper]) <= 0.0 <= np.nanmax([value, paper]):
        axes.axvline(0.0, color=_GREY, linewidth=0.8)
    starts = [start for start, _ in groups] or [-_EDGE]
    ends = [*(start - _GAP for start in starts[1:]), places[-1] + _EDGE]
    for number, name in enumerate(names):
        if _OTHER_SEEDS in name.lower() and np.isfinite(low[number]):
            group = int(np.searchsorted(starts, places[number])) - 1
            interval = (low[number], high[number])
            band = [starts[group], ends[group]]
            axes.fill_betweenx(band, *interval, color=_GREY, alpha=0.25, linewidth=0)
    least, most = np.nanmin([value, low]), np.nanmax([value, high])
    beyond = np.zeros(len(value), dtype=bool)
    if least > 0.0 and most > _DECADES * least:
        axes.set_xscale("log")
    else:
        if np.isnan(paper).all():
            beyond = _cut(axes, value, np.fmin(value, low), np.fmax(value, high), places)
        axes.locator_params(axis="x", nbins=4)
    # A centred interval may leave its value out: it reaches it.
    errors = np.maximum(np.nan_to_num(np.stack([value - low, high - value])), 0.0)
    shown = np.where(beyond, np.nan, value)
    axes.errorbar(shown, places, xerr=errors, label=_HERE, fmt="o", markersize=4, color=PALETTE[0])
    axes.plot(paper, places, "D", markersize=5, color=PALETTE[1], label=_PAPER, zorder=3)
    axes.tick_params(axis="x", labelsize=9)


def _cut(
    axes: Axes,
    value: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    places: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Cut an axis that few rows would stretch, and point to values that lie beyond; says which."""
    kept = within(low, high)
    if kept[np.isfinite(value)].all():
        return np.zeros(len(value), dtype=bool)
    least, most = low[kept].min(), high[kept].max()
    air = _MARGIN * (most - least)
    ends = (least - air, most + air)
    axes.set_xlim(*ends)
    beyond = (value < ends[0]) | (value > ends[1])
    if beyond.any():
        # For the legend alone, which knows no annotations.
        axes.plot([], [], " ", marker=r"$\leftarrow$", color=PALETTE[0], label=_BEYOND)
    for row in np.flatnonzero(beyond):
        side = int(value[row] > most)
        axes.annotate(
            f"{value[row]:.3g}".replace("-", "\u2212"),
            (ends[side], places[row]),
            xytext=(-14 if side else 14, 0),
            textcoords="offset points",
            ha="right" if side else "left",
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "->", "color": PALETTE[0], "shrinkA": 0, "shrinkB": 0},
        )
    return beyond


def within(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows an axis shows: all but few that would make it several times as long.

    Parameters
    ----------
    low, high : ndarray of float64, shape (n_rows,)
        What each row takes of the axis; NaN for a row without a value.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        False also for rows without a value.

    Examples
    --------
    >>> ends = np.array([1.0, 2.0, 3.0, 2.5, -90.0])
    >>> within(ends - 0.5, ends + 0.5).tolist()
    [True, True, True, True, False]
    """
    known = np.isfinite(low) & np.isfinite(high)
    kept, rows = known, np.flatnonzero(known)
    whole = _span(low, high, rows) if len(rows) else 0.0
    for count in range(1, min(_LEFT_OUT, len(rows) // _OF) + 1):
        spans = [_span(low, high, rows[rows != row]) for row in rows]
        rows = np.delete(rows, int(np.argmin(spans)))
        # One after the other: two that lie on both sides hide each other.
        if whole > _TIMES**count * min(spans) > 0.0:
            kept = np.isin(np.arange(len(low)), rows)
    return kept


def _span(low: NDArray[np.float64], high: NDArray[np.float64], rows: NDArray[np.intp]) -> float:
    return float(high[rows].max() - low[rows].min())


def _legend(made: Figure) -> None:
    """Explain diamonds and arrows, where there are any."""
    handles: dict[str, Artist] = {}
    for axes in made.axes:
        found = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
        diamonds = next(line for line in axes.lines if line.get_label() == _PAPER)
        if not np.isfinite(np.asarray(diamonds.get_xdata(), dtype=float)).any():
            del found[_PAPER]
        handles |= found
    names = [name for name in (_HERE, _PAPER, _BEYOND) if name in handles]
    if names != [_HERE]:
        marks = [handles[name] for name in names]
        made.legend(marks, names, loc="outside lower center", ncols=len(names), fontsize=9)
