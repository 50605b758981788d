"""Tables as pictures."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from stablib.metrics import Interval
from stablib.show.exhibit import with_interval
from stablib.show.table_figure import columns, table_figure, within

TABLE = pd.DataFrame(
    {
        "accuracy (%)": ["89.0 ± 0.2", "88.9 ± 0.3", "88.0 ± 0.1"],
        "MASSIVE gain (%), all": ["–", "38.4 [35.1, 41.7]", "-4.0 [-9.5, 1.5]"],
        "MASSIVE paper (%)": ["–", "34.5", "–"],
        "CLINC150 gain (%)": ["2.9 % differ", "1.5e-03 [1.0e-03, 2e-03]; +1 points", "3 [1, 4]"],
    },
    index=["Control", "SWA", "Control, other seeds"],
)


@pytest.mark.parametrize("digits", [0, 1, 3])
@pytest.mark.parametrize("found", [(1234.5678, -2.0, 5000.0), (-0.25, -0.5, 0.125)])
def test_what_is_written_with_an_interval_is_read_again(found: tuple, digits: int) -> None:
    written = with_interval(found[0], Interval(*found[1:]), digits)
    (column,) = columns(pd.DataFrame({"gain": [written, written]}))
    np.testing.assert_allclose(column.values, [found, found], atol=0.5 * 10.0**-digits)


def test_intervals_and_what_the_paper_reports_are_read() -> None:
    gain, other = columns(TABLE)
    assert gain.title == "MASSIVE gain (%), all"
    np.testing.assert_array_equal(gain.values[1:], [[38.4, 35.1, 41.7], [-4.0, -9.5, 1.5]])
    np.testing.assert_array_equal(gain.paper, [np.nan, 34.5, np.nan])
    # A number without an interval, in a column of intervals, is of another kind.
    assert np.isnan(other.values[0]).all()
    np.testing.assert_array_equal(other.values[1], [1.5e-3, 1e-3, 2e-3])


def test_headings_of_two_lines_are_read_as_one() -> None:
    frame = TABLE.set_axis(pd.MultiIndex.from_tuples([t.split(" ", 1) for t in TABLE]), axis=1)
    assert [column.title for column in columns(frame)] == [c.title for c in columns(TABLE)]


def test_standard_deviations_are_drawn_where_there_is_no_interval() -> None:
    (column,) = columns(TABLE[["accuracy (%)"]])
    np.testing.assert_allclose(column.values[0], [89.0, 88.8, 89.2])


def test_a_picture_has_a_panel_a_column_and_a_line_a_row() -> None:
    with table_figure(TABLE) as made:
        assert made is not None
        first, _ = made.axes
        labels = [label.get_text() for label in first.get_yticklabels()]
        assert labels == ["SWA", "Control, other seeds"]
        (diamonds,) = (line for line in first.lines if line.get_label() == "the paper")
        assert diamonds.get_xdata()[0] == 34.5
        (band,) = (c for c in first.collections if len(c.get_paths()[0].vertices) > 4)
        reached = band.get_paths()[0].vertices[:, 0]
        assert (reached.min(), reached.max()) == (-9.5, 1.5)
        assert [text.get_text() for text in made.legends[0].get_texts()] == ["here", "the paper"]
    with table_figure(TABLE, n_panels=1) as made:
        assert made is not None
        assert len(made.axes) == 1


def test_groups_of_rows_have_their_names_and_bands_of_their_own() -> None:
    index = pd.MultiIndex.from_product([["CNN", "BiLSTM"], TABLE.index])
    frame = pd.concat([TABLE, TABLE]).set_axis(index)
    with table_figure(frame) as made:
        assert made is not None
        first = made.axes[0]
        assert [text.get_text() for text in first.texts] == ["CNN", "BiLSTM"]
        bands = [c for c in first.collections if len(c.get_paths()[0].vertices) > 4]
        (_, above), (below, _) = (np.sort(b.get_paths()[0].vertices[:, 1])[[0, -1]] for b in bands)
        assert above < below


def test_many_columns_stand_in_two_lines() -> None:
    cells = ["1 [0, 2]", "3 [2, 4]"]
    frame = pd.DataFrame({f"on data {k}": cells for k in range(9)}, index=["SWA", "L2"])
    with table_figure(frame) as made:
        assert made is not None
        titles = [axes.get_title().replace("\n", " ") for axes in made.axes]
        assert titles == list(frame)
        made.draw_without_rendering()
        labelled = [
            axes.get_title()[-1]
            for axes in made.axes
            if any(label.get_visible() for label in axes.yaxis.get_majorticklabels())
        ]
        assert labelled == ["0", "5"]


@pytest.mark.parametrize("n_columns", [2, 3, 4, 5, 7])
def test_no_two_numbers_below_the_panels_touch(n_columns: int) -> None:
    """Accuracies and churns of five figures, which four ticks have no room for."""
    values = {f"accuracy {k} (%)": [88.75 + 0.1 * k, 89.31] for k in range(n_columns)}
    cells = {
        name: [with_interval(value, Interval(value - 0.05, value + 0.05), 2) for value in column]
        for name, column in values.items()
    }
    with table_figure(pd.DataFrame(cells, index=["SWA", "L2"])) as made:
        assert made is not None
        made.canvas.draw()
        boxes = [
            label.get_window_extent()
            for axes in made.axes
            for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
            if axes.get_xlim()[0] <= place <= axes.get_xlim()[1]
        ]
        assert len(boxes) >= n_columns
        lines = sorted({round(box.y0) for box in boxes})
        for line in lines:
            ends = sorted((box.x0, box.x1) for box in boxes if round(box.y0) == line)
            for (_, right), (left, _) in itertools.pairwise(ends):
                assert right < left


def test_long_labels_are_told_apart() -> None:
    long = "top layer of all-MiniLM-L6-v2 at a learning rate of {}, five runs"
    cells = ["1 [0, 2]", "3 [2, 4]"]
    with table_figure(pd.DataFrame({"r": cells}, index=[long.format(r) for r in (1, 2)])) as made:
        assert made is not None
        labels = [label.get_text() for label in made.axes[0].get_yticklabels()]
        assert [label.replace("\n", " ") for label in labels] == [long.format(r) for r in (1, 2)]
        assert max(len(line) for label in labels for line in label.split("\n")) <= 34


def test_words_in_the_first_columns_name_the_rows() -> None:
    frame = TABLE.reset_index(names="method")
    frame.insert(0, "data", "MASSIVE")
    with table_figure(frame) as made:
        assert made is not None
        assert [text.get_text() for text in made.axes[0].texts] == ["MASSIVE"]
        assert made.axes[0].get_yticklabels()[0].get_text() == "SWA"


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"classes": ["18", "150"]}),
        pd.DataFrame({"gain": ["1 [0, 2]", "–"]}),
        pd.DataFrame({"gain": ["1 [0, 2]"] * 1000}),
        pd.DataFrame(),
    ],
)
def test_tables_without_intervals_or_with_too_many_rows_have_no_picture(frame) -> None:
    with table_figure(frame) as made:
        assert made is None


def test_magnitudes_have_a_logarithmic_axis() -> None:
    cells = ["2.7e-08 [2.2e-08, 3.4e-08]", "6.3e-03 [5.3e-03, 7.5e-03]"]
    with table_figure(pd.DataFrame({"PD": cells}, index=["linear", "tower"])) as made:
        assert made is not None
        assert made.axes[0].get_xscale() == "log"


def test_an_axis_is_not_stretched_by_few_rows_but_points_to_them() -> None:
    cells = ["5 [3, 7]", "9 [2, 16]", "7 [-4, 19]", "-251 [-329, -172]", "8 [-90, 106]"]
    cells += ["6 [4, 8]", "3 [1, 5]", "8 [6, 10]"]
    with table_figure(pd.DataFrame({"gain": cells}, index=list("abcdefgh"))) as made:
        assert made is not None
        (axes,) = made.axes
        low, high = axes.get_xlim()
        (said,) = axes.texts
        (dots, _, _) = axes.containers[0]
        explained = [text.get_text() for text in made.legends[0].get_texts()]
    assert explained == ["here", "beyond the axis"]
    assert -30 < low < -4
    assert 19 < high < 45
    assert said.get_text() == "\u2212251"
    assert said.xy == (low, 3.0)
    # The row with the long interval has its value in sight.
    assert np.flatnonzero(~np.isfinite(dots.get_xdata())).tolist() == [3]


@pytest.mark.parametrize(
    "values", [[1, 1.1, 5, 9, 14], [1, 1.1, 5, 5.1], [10, 12, 40, 42, 45], [1, 2, 6], [0, 0, 0, 1]]
)
def test_of_few_rows_and_of_groups_none_is_cut(values: list[float]) -> None:
    assert within(np.array(values), np.array(values)).all()


def test_where_a_paper_reports_values_no_row_is_cut() -> None:
    frame = pd.DataFrame(
        {"gain": ["5 [3, 7]", "9 [2, 16]", "-251 [-329, -172]"], "paper": ["4", "5", "6"]}
    )
    with table_figure(frame) as made:
        assert made is not None
        assert made.axes[0].get_xlim()[0] < -329
