"""Figures for a page, and for a phone."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text
from PIL import Image

from stablib.show import style
from stablib.show.style import figure, narrow, to_svg, to_thumbnail


def sizes(made) -> dict[str, float]:
    """Points of every text that is drawn."""
    return {t.get_text(): t.get_fontsize() for t in made.findobj(Text) if t.get_text()}


def test_panels_of_a_phone_lie_one_below_the_other_with_texts_as_large() -> None:
    with figure(width=8.0, height=3.0, columns=2) as made:
        left, right = made.axes
        for axes in made.axes:
            axes.plot([1, 2], [3, 4], label="a line")
            axes.set_xlabel("steps")
        left.set_ylabel("loss (nats)")
        made.legend(*left.get_legend_handles_labels(), loc="outside lower center")
        before = sizes(made)
        narrow(made)
        made.canvas.draw()
        above, below = (axes.get_window_extent() for axes in made.axes)
        assert above.y0 > below.y1
        assert above.x0 == pytest.approx(below.x0)
        width, height = made.get_size_inches()
        assert width < 5.0
        assert height > 6.0
        after = sizes(made)
        assert {name: after[name] for name in before if name in after} == {
            name: size for name, size in before.items() if name in after
        }
        assert right.get_ylabel() == "loss (nats)"
        assert "a line" in to_svg(made, name="narrow")


def test_nothing_of_a_narrow_figure_lies_outside() -> None:
    """Long names of axes are broken, long names of places turned, and long legends go below."""
    with figure(width=7.6) as made:
        (axes,) = made.axes
        places = ["first convolution", "second convolution", "average pool"]
        for number in range(7):
            mark = "os^vDXP"[number]
            axes.errorbar(
                places, [1, 2, number], 0.1, marker=mark, label=f"the name of line number {number}"
            )
        axes.legend()
        axes.set_xlabel("a layer of the network, from its images to its logits (fraction)")
        axes.set_yticks([1, 6], ["a network for small images", "a network for large images"])
        narrow(made)
        made.canvas.draw()
        assert axes.get_legend() is None
        (legend,) = made.legends
        assert len(legend.get_texts()) == 7
        marks = {line.get_marker() for line in legend.findobj(Line2D)}
        assert marks - {"None", "none"} == set("os^vDXP")  # Not told by colour alone.
        page = made.bbox
        for box in (legend.get_window_extent(), axes.xaxis.label.get_window_extent()):
            assert page.x0 <= box.x0 < box.x1 <= page.x1
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        assert all(box.height > box.width / 2 for box in boxes)


@pytest.mark.parametrize(("height", "expected"), [(2.0, 240), (4.0, 480), (12.0, 480)])
def test_a_card_shows_a_figure_or_the_top_of_a_high_one(height: float, expected: int) -> None:
    with figure(width=4.0, height=height) as made:
        (axes,) = made.axes
        axes.set_facecolor("red")
        axes.grid(visible=False)
        axes.plot([1, 2], color="red", label="a line")
        made.legend(loc="outside lower center")
        made.canvas.draw()
        with Image.open(io.BytesIO(to_thumbnail(made))) as small:
            assert small.size == (480, expected)
            row = [small.convert("RGB").getpixel((x, small.height - 9)) for x in range(80, 440)]
    # The legend stands below the panel, so the top of a high figure has none of it.
    red = [pixel == pytest.approx((254, 0, 0), abs=12) for pixel in row]
    assert all(red) if height > 4.0 else not any(red)


def test_a_narrow_figure_keeps_its_single_panel() -> None:
    with figure(width=3.0, height=2.0) as made:
        narrow(made)
        assert made.get_size_inches() == pytest.approx([3.0, 2.0])


def test_ticks_of_logarithmic_axes_are_as_large_as_others() -> None:
    with figure() as made:
        axes = made.axes[0]
        axes.plot([1, 1024], [1e-8, 2.0])
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        style.raise_powers(made)
        made.canvas.draw()
        texts = {t.get_text() for t in made.findobj(Text)}
    assert {"2⁴", "10⁻⁶"} <= texts
    assert not [text for text in texts if "$" in text or "^" in text]


def luminance(colour: Sequence[float]) -> float:
    """Relative luminance of WCAG 2."""
    parts = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in colour[:3]]
    return float(np.dot([0.2126, 0.7152, 0.0722], parts))


@pytest.mark.parametrize("page", [(1.0, 1.0, 1.0), (18 / 255, 18 / 255, 18 / 255)])
def test_points_of_every_colour_are_seen_on_white_and_on_dark_pages(page: Sequence[float]) -> None:
    for place in np.linspace(0.0, 1.0, 21):
        low, high = sorted((luminance(style.VISIBLE(place)), luminance(page)))
        assert (high + 0.05) / (low + 0.05) >= 3.0


def test_what_is_rasterized_looks_the_same_and_is_a_third_as_large() -> None:
    rng = np.random.default_rng(0)
    with figure() as made:
        axes = made.axes[0]
        axes.scatter(*rng.normal(size=(2, 2000)), c=rng.random(2000), s=9, rasterized=True)
        buffer = io.StringIO()
        made.savefig(buffer, format="svg", dpi=150)
        (before,), (after,) = map(embedded, (buffer.getvalue(), to_svg(made, name="points")))
    assert 3 * len(after) < len(before)
    one, other = (
        np.asarray(Image.open(io.BytesIO(b)).convert("RGBA"), dtype=int) for b in (before, after)
    )
    seen = one[..., 3] > 0
    assert np.abs(one - other)[seen].mean() < 4  # Of 255 levels.


def embedded(svg: str) -> list[bytes]:
    return [base64.b64decode(e) for e in re.findall(r'data:image/png;base64,([^"]+)"', svg)]
