"""Each widget in a page without kernel, server and network, driven as a reader would."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from scipy.spatial.distance import jaccard
from scipy.stats import entropy, spearmanr

from stablib.metrics import label_counts, label_entropy
from stablib.mitigation import ASWA, WeightAverager
from stablib.models.item_model import ItemModel
from stablib.show.widgets import (
    Effects,
    Parameter,
    descent,
    divergence_viewer,
    explanation_comparer,
    how_many_seeds,
    instability_map,
    mitigation_matrix,
    pd_explorer,
    rerun_panel,
    seed_explorer,
    train_again,
    train_pairs,
    why_this_film,
)
from stablib.show.widgets.hosted import HostedWidget, module_text
from stablib.training import Task

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("error")]

NAMES = ["alarm", "lists", "<b>music</b>"]
HOSTILE = "<img src=x onerror=alert(1)></script>"
WIDGETS = [
    "seed-explorer",
    "instability-map",
    "how-many-seeds",
    "pd-explorer",
    "explanation-comparer",
    "descent",
    "divergence-viewer",
    "why-this-film",
    "mitigation-matrix",
    "train-again",
    "train-pairs",
    "rerun-panel",
]
FRAME = """<!doctype html>
<html lang="en"{attributes}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Widgets</title></head>
<body style="margin: 8px">{body}</body></html>"""

Sample = dict[str, Any]


def item_model(seed: int) -> ItemModel:
    """A model of twelve items whose attention is not even, with statistics of norms of its own."""
    model = ItemModel(12, 4, 3, (6, 5), 2, np.random.default_rng(seed))
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in ("history", "targets"):
                parameter.mul_(150.0)
            if "running" in name:
                parameter.add_(torch.rand(parameter.shape, generator=rng))
            if name == "item_bias":
                parameter.copy_(torch.randn(parameter.shape, generator=rng))
    return model.eval()


def effect(reduction: float, low: float, high: float) -> dict[str, Any]:
    return {
        "reduction": reduction,
        "low": low,
        "high": high,
        "gain": -0.5,
        "gain_low": -1.25,
        "gain_high": 0.25,
        "trainings": 3,
        "failed": 0,
        "unit": "ensemble",
        "accuracies": [90.0, 91.5, 89.2],
        "apart": [4.0, 4.25, 4.5],
    }


PLAIN_RUNS = {"accuracies": [90.5, 90.0, 89.0, 91.0], "apart": [6.0, 6.25, 5.5, 7.25]}


def few_pairs() -> HostedWidget:
    """As little to train as there can be."""
    made = train_pairs([0.6, 0.2], [2.0, -1.0], name="streams")
    made.n_pairs, made.log2_examples = 1, 10
    return made


MODELS = {"seed 1": item_model(1), "seed 2": item_model(2)}
FILMS = {
    "histories": [[0, 2, 3, 5, 7], [1, 4, 6]],
    "candidates": [[1, 4, 6, 8, 9], [0, 2, 10, 11, 3]],
}


def weights_of(model: ItemModel) -> dict[str, Any]:
    return {name: p.detach().numpy() for name, p in model.named_parameters()}


def odds_of_films(model: ItemModel, history: list[int], items: list[int]) -> Any:
    """Log-odds of items by torch."""
    with torch.no_grad():
        logits = model(torch.tensor(history), torch.tensor(items), np.full(len(items), -1))
    return (logits[:, 1] - logits[:, 0]).double().numpy()


class Halves:
    """An experiment that halves its number."""

    def price(self, values: Any) -> str:
        return "Nothing."

    def run(self, values: Any, tell: Any) -> Effects:
        return Effects({"half": (values["number"] / 2,) * 3}, "")


def halving() -> HostedWidget:
    """A panel of two numbers, with a published result."""
    return rerun_panel(
        Halves(),
        [Parameter("number", 4, 2, 9, "what is halved"), Parameter("rate", 0.5, 0.1, 1.0, "how")],
        effect="Half of it",
        data="Nothing is trained here.",
        command="stablib reproduce halves",
        published=Effects({"half": (2.0, -1.0, 3.0)}, f"1 run {HOSTILE}"),
        elsewhere="other.html",
        name="halving",
    )


@pytest.fixture(scope="module")
def explained() -> dict[str, Any]:
    """Two methods, five runs, twelve texts of 4 to 15 tokens; every third has LIME, with zeros."""
    rng = np.random.default_rng(21)
    sizes = range(4, 16)
    tokens = [[f"w{text}-{at}" for at in range(size)] for text, size in enumerate(sizes)]
    tokens[0][0] = HOSTILE
    explanations: dict[str, dict[str, list[Any]]] = {}
    for method in ("Control", "ASWA"):
        lime = [rng.dirichlet(np.ones(n), 5) if n % 3 == 0 else None for n in sizes]
        for shares in lime:
            if shares is not None:
                shares[1, shares[1].argmin()] = 0.0
                shares /= shares.sum(axis=1, keepdims=True)
        attention = [rng.dirichlet(np.full(n, 0.7), 5) for n in sizes]
        explanations[method] = {"attention": attention, "LIME": lime}
    return {
        "explanations": explanations,
        "tokens": tokens,
        "scores": {method: rng.random((5, 12)) for method in explanations},
        "gold": np.arange(12) % 2,
        "label_names": ["negative", "positive"],
        "seeds": {"Control": range(100, 105), "ASWA": range(200, 205)},
    }


@pytest.fixture(scope="module")
def parted() -> dict[str, Any]:
    """Twins that part tenfold at each of five points; of two sources, with two images."""
    rng = np.random.default_rng(5)
    unchanged = {"loss": np.linspace(2.0, 1.0, 5), "logits": rng.normal(size=(5, 2, 3))}
    twins = {}
    for source, n_twins in (("one bit", 3), ("order", 2)):
        twins[source] = {
            1: {
                "distance": 1e-6 * 10.0 ** np.arange(5) * np.arange(1, n_twins + 1)[:, None],
                "disagreement": np.linspace(0.0, 0.4, 5) * np.ones((n_twins, 1)),
                "loss": unchanged["loss"] + 0.1 * np.arange(n_twins)[:, None],
                "logits": unchanged["logits"] + rng.normal(size=(n_twins, 5, 2, 3)),
            }
        }
    shallow = {"order": {1: {**twins["order"][1], "distance": np.full((2, 5), 3e-9)}}}
    late = np.array([0.0, 0.0, 0.0, 0.004, 0.02]) * np.ones((2, 1))
    twins["order"][4] = {**twins["order"][1], "distance": late}
    return {
        "networks": {
            "ResNet-6": {"unchanged": unchanged, "twins": twins},
            "linear model": {"unchanged": unchanged, "twins": shallow},
        },
        "steps": [1, 10, 100, 1000, 2844],
        "gold": [0, 2],
        "label_names": NAMES,
        "texts": [HOSTILE, "test image 2"],
    }


@pytest.fixture(scope="module")
def widgets(
    sample: Sample,
    points: pd.DataFrame,
    pair_weights: dict[tuple[str, int], Any],
    explained: dict[str, Any],
    parted: dict[str, Any],
) -> dict[str, HostedWidget]:
    labels = {"Control": sample["control_labels"], "TGTSS": sample["tgtss_labels"]}
    described = {
        "gold": sample["gold"],
        "label_names": NAMES,
        "texts": [HOSTILE, *(f"utterance {i}" for i in range(1, sample["gold"].size))],
    }
    quantities = {
        method: {
            "mu_m": sample[f"{key}_chances"].mean(axis=0),
            "sigma_m": sample[f"{key}_chances"].std(axis=0),
            "LE_m": label_entropy(sample[f"{key}_labels"]),
        }
        for method, key in (("Control", "control"), ("TGTSS", "tgtss"))
    }
    quantities["Control"]["LE_s"] = label_entropy(sample["control_labels"][:6])
    trajectories = {"Control": sample["control_curves"], "TGTSS": sample["tgtss_curves"]}
    return {
        "seed-explorer": seed_explorer(
            labels,
            seeds={"Control": range(100, 112), "TGTSS": range(200, 212)},
            trajectories=trajectories,
            name="explorer",
            **described,
        ),
        "instability-map": instability_map(quantities, name="map", **described),
        "how-many-seeds": how_many_seeds(
            labels, baseline="Control", gold=sample["gold"], name="many"
        ),
        "pd-explorer": pd_explorer(
            points, pair_weights, truth=np.linspace(-3, 3, 32), name="pairs"
        ),
        "explanation-comparer": explanation_comparer(**explained, name="comparer"),
        "descent": descent(name="saddle", seed=3),
        "divergence-viewer": divergence_viewer(**parted, name="parting"),
        "why-this-film": why_this_film(
            {name: weights_of(model) for name, model in MODELS.items()},
            **FILMS,
            titles=[HOSTILE, *(f"film {k}" for k in range(1, 12))],
            name="film",
        ),
        "mitigation-matrix": mitigation_matrix(
            {
                "heads": {
                    "SWA": effect(15, 12, 18),
                    "L2": effect(-4, -9, -1),
                    HOSTILE: effect(2, -3, 7),
                },
                "images": {"SWA": effect(1, -2, 4), "L2": effect(30, 20, 41)},
                "words": {
                    "SWA": {**effect(9, 5, 12), "gain_high": -0.1},
                    "L2": {**effect(100, 100, 100), "failed": 2},
                },
            },
            plain={"heads": PLAIN_RUNS, "images": PLAIN_RUNS, "words": PLAIN_RUNS},
            methods=["SWA", "L2", HOSTILE],
            reasons={w: {HOSTILE: "not trained here"} for w in ("images", "words")},
            name="matrix",
        ),
        "train-again": train_again(
            Task(
                {"train": np.eye(6), "test": np.eye(3, 6)},
                {"train": np.arange(6) % 3, "test": np.arange(3)},
                3,
            ),
            texts=[HOSTILE, "one", "two"],
            label_names=NAMES,
            name="again",
        ),
        "train-pairs": few_pairs(),
        "rerun-panel": halving(),
    }


@pytest.fixture
def show(
    open_page: Callable[..., Page], widgets: dict[str, HostedWidget], tmp_path: Path
) -> Callable[..., Page]:
    """Open a page with all widgets, several on one page as in the book."""

    def show_page(attributes: str = "", **options: Any) -> Page:
        body = "\n".join(widget.static_html() for widget in widgets.values())
        path = tmp_path / "page.html"
        path.write_text(FRAME.format(attributes=attributes, body=body), encoding="utf-8")
        return open_page(path, **options)

    return show_page


def widget_of(page: Page, name: str) -> Locator:
    return page.locator(f'[data-widget="{name}"]')


def part(widget: Locator, name: str) -> Locator:
    return widget.locator(f'[data-part="{name}"]')


def table_rows(widget: Locator, name: str) -> dict[str, list[str]]:
    """Read a table as row header to cells."""
    rows = part(widget, name).locator("tbody tr").all()
    return {
        row.locator("th").inner_text(): [cell.inner_text() for cell in row.locator("td").all()]
        for row in rows
    }


def point_of(points: pd.DataFrame, curve: str, window: int, examples: int) -> Any:
    """One row of the points."""
    where = (points["curve"] == curve) & (points["log2_window"] == window)
    return points[where & (points["log2_examples"] == examples)].iloc[0]


SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def power(exponent: int) -> str:
    """A power of two as the widgets write it."""
    return f"2{str(exponent).translate(SUPERSCRIPTS)}"


def read_number(text: str) -> float:
    """A number as the widgets write it, 1.25·10⁻⁴ too."""
    back = {value: key for key, value in SUPERSCRIPTS.items()}
    return float(text.replace("·10", "e").translate(back))


def numbers_in(text: str) -> list[float]:
    """Numbers of a sentence from "PD" on: PD, the ends of its interval, the loss."""
    found = re.findall(r"\d[\d.]*(?:·10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text.split("PD ")[1])
    return [read_number(number) for number in found]


def expected_numbers(row: Any) -> Any:
    return pytest.approx([row[name] for name in ("pd", "pd_low", "pd_high", "loss")], rel=0.006)


def drawn_rows(widget: Locator) -> list[int]:
    """Rows, counted from 0, that the view says it drew."""
    text = part(widget, "drawn").inner_text()
    return [int(number) - 1 for number in re.findall(r"\d+", text.split("runs")[1])]


def test_seed_explorer_compares_the_two_chosen_runs(
    show: Callable[..., Page], sample: Sample
) -> None:
    widget = widget_of(show(), "seed-explorer")
    part(widget, "method").select_option("TGTSS")
    part(widget, "run-a").select_option(label="seed 203")
    part(widget, "run-b").select_option(label="seed 207")
    a, b, gold = sample["tgtss_labels"][3], sample["tgtss_labels"][7], sample["gold"]
    differ = int(np.sum(a != b))
    assert differ > 0
    expect(part(widget, "summary")).to_contain_text(
        f"TGTSS: seed 203 and seed 207 agree on {80 - differ} of 80 examples"
    )
    expect(part(widget, "summary")).to_contain_text(f"differ on {differ}.")
    assert table_rows(widget, "agreement") == {
        "both right": [str(np.sum((a == gold) & (b == gold)))],
        "only seed 203 right": [str(np.sum((a == gold) & (b != gold)))],
        "only seed 207 right": [str(np.sum((a != gold) & (b == gold)))],
        "both wrong, same label": [str(np.sum((a != gold) & (a == b)))],
        "both wrong, other labels": [str(np.sum((a != gold) & (b != gold) & (a != b)))],
    }
    expect(widget.get_by_role("option").filter(has_text="gold")).to_have_count(differ)


def test_seed_explorer_searches_sorts_and_filters(
    show: Callable[..., Page], sample: Sample
) -> None:
    widget = widget_of(show(), "seed-explorer")
    labels, gold = sample["control_labels"], sample["gold"]
    differing = np.flatnonzero(labels[0] != labels[1])
    options = part(widget, "list").get_by_role("option")
    entropies = [
        float(text.split("LEₘ ")[1])
        for text in part(widget, "list").locator(".sw-detail").all_inner_texts()
    ]
    assert entropies == sorted(entropies, reverse=True)
    part(widget, "order").select_option("position")
    assert [int(option.get_attribute("data-id") or -1) for option in options.all()] == list(
        differing
    )
    part(widget, "gold").select_option(label="lists")
    expect(options).to_have_count(int(np.sum(gold[differing] == 1)))
    part(widget, "gold").select_option("-1")
    part(widget, "search").fill("UTTERANCE 1")
    wanted = [i for i in differing if f"utterance {i}".startswith("utterance 1")]
    expect(part(widget, "listed")).to_have_text(
        f"{len(wanted)} of {len(differing)} differences listed."
    )


def test_seed_explorer_shows_the_picked_example(show: Callable[..., Page], sample: Sample) -> None:
    widget = widget_of(show(), "seed-explorer")
    option = part(widget, "list").get_by_role("option").nth(2)
    example = int(option.get_attribute("data-id") or -1)
    before = part(widget, "trajectories").inner_html()
    option.click()
    counts = label_counts(sample["control_labels"], 3)[example]
    expect(part(widget, "picked-text")).to_have_text(
        HOSTILE if example == 0 else f"utterance {example}"
    )
    shown = part(widget, "label-counts").get_by_role("listitem").all_inner_texts()
    assert sum(int(text.split()[-1]) for text in shown) == 12
    assert len(shown) == np.sum(counts > 0)
    rows = table_rows(widget, "methods-table")
    for method, key in (("Control", "control"), ("TGTSS", "tgtss")):
        *predicted, entropy_cell = rows[method]
        assert sum(map(int, predicted)) == 12
        assert entropy_cell == f"{label_entropy(sample[f'{key}_labels'])[example]:.3f}"
    assert part(widget, "trajectories").inner_html() != before


def test_seed_explorer_by_keyboard_alone(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "seed-explorer")
    page.keyboard.press("Tab")
    expect(part(widget, "method")).to_be_focused()
    summary = part(widget, "summary").inner_text()
    page.keyboard.press("ArrowDown")
    expect(part(widget, "summary")).not_to_have_text(summary)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('[data-part=list]') !== null"):
            break
    page.keyboard.press("Home")
    first = part(widget, "picked-text").inner_text()
    page.keyboard.press("ArrowDown")
    expect(part(widget, "picked-text")).not_to_have_text(first)
    expect(part(widget, "list").get_by_role("option", selected=True)).to_be_focused()


def test_keys_pick_nothing_from_an_empty_list(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "seed-explorer")
    picked = part(widget, "picked-text").inner_text()
    part(widget, "search").fill("in no text")
    expect(part(widget, "list")).to_have_text("Nothing to list.")
    part(widget, "list").focus()
    for key in ("ArrowDown", "ArrowUp", "Home", "End"):
        page.keyboard.press(key)
        expect(part(widget, "picked-text")).to_have_text(picked)


def test_texts_with_html_stay_text(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "instability-map")
    part(widget, "list").get_by_role("option").filter(has_text="<img").click()
    expect(part(widget, "readout")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert page.locator(".stablib-widget b").count() == 0
    assert page.get_by_text(NAMES[2]).count() > 0


def test_map_switches_method_axes_and_gold_label(show: Callable[..., Page], sample: Sample) -> None:
    widget = widget_of(show(), "instability-map")
    summary = part(widget, "summary")
    for method in ("Control", "TGTSS"):
        part(widget, "method").select_option(method)
        mean = label_entropy(sample[f"{method.lower()}_labels"]).mean()
        expect(summary).to_contain_text(f"{method}: 80 of 80 examples selected")
        expect(summary).to_contain_text(f"mean LEₘ {mean:.3f} nats")
    expect(part(widget, "plot").locator("circle.sw-point")).to_have_count(80)
    part(widget, "y").select_option("LE_m")
    expect(part(widget, "plot")).to_contain_text("LEₘ: label entropy over runs (nats)")
    part(widget, "gold").select_option(label="alarm")
    expect(summary).to_contain_text(f"of {np.sum(sample['gold'] == 0)} examples")
    part(widget, "y").select_option("LE_s")
    expect(summary).to_have_text("LEₛ not computed for TGTSS.")


def test_map_is_brushed_by_pointer_and_picked_by_click(
    show: Callable[..., Page], sample: Sample
) -> None:
    page = show()
    widget = widget_of(page, "instability-map")
    plot = part(widget, "plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 45, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 50, steps=3)
    page.mouse.up()
    ends = [
        float(part(widget, name).input_value()) for name in ("x-from", "x-to", "y-from", "y-to")
    ]
    mean = sample["control_chances"].mean(axis=0)
    spread = sample["control_chances"].std(axis=0)
    inside = (mean >= ends[0]) & (mean <= ends[1]) & (spread >= ends[2]) & (spread <= ends[3])
    assert 0 < inside.sum() < 80
    expect(part(widget, "summary")).to_contain_text(f"{inside.sum()} of 80 examples selected")
    expect(part(widget, "list").get_by_role("option")).to_have_count(int(inside.sum()))
    part(widget, "clear").click()
    expect(part(widget, "summary")).to_contain_text("80 of 80")
    point = plot.locator("circle.sw-level-high").last.bounding_box()
    assert point
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    expect(part(widget, "hover")).to_contain_text("σₘ")
    page.mouse.down()
    page.mouse.up()
    expect(part(widget, "readout")).to_contain_text("LEₘ")
    expect(plot.locator(".sw-ring")).to_have_count(1)


def test_map_by_keyboard_alone(show: Callable[..., Page], sample: Sample) -> None:
    page = show()
    widget = widget_of(page, "instability-map")
    order = np.argsort(sample["control_chances"].mean(axis=0), kind="stable")
    part(widget, "plot").focus()
    page.keyboard.press("Home")
    expect(part(widget, "readout")).to_contain_text(
        f"utterance {order[0]}\u2069" if order[0] else "<"
    )
    page.keyboard.press("ArrowRight")
    expect(part(widget, "readout")).to_contain_text(
        f"utterance {order[1]}\u2069" if order[1] else "<"
    )
    part(widget, "x-from").focus()
    page.keyboard.type("0.9")
    page.keyboard.press("Enter")
    inside = np.sum(sample["control_chances"].mean(axis=0) >= 0.9)
    expect(part(widget, "summary")).to_contain_text(f"{inside} of 80 examples selected")
    part(widget, "plot").focus()
    page.keyboard.press("Escape")
    expect(part(widget, "summary")).to_contain_text("80 of 80 examples selected")


def test_map_refuses_ends_that_select_nothing(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "instability-map")
    summary, problem = part(widget, "summary"), part(widget, "problem")

    def type_in(name: str, text: str) -> None:
        part(widget, name).fill(text)
        part(widget, name).press("Enter")

    type_in("x-from", "0.5")
    selected = summary.inner_text()
    type_in("x-to", "0.1")
    expect(problem).to_have_text("x to must be more than x from.")
    expect(part(widget, "x-to")).to_have_attribute("aria-invalid", "true")
    type_in("x-to", "7")
    expect(problem).to_have_text("x to must be a number from 0.00 to 1.00.")
    assert summary.inner_text() == selected
    type_in("x-to", "0.9")
    expect(problem).to_have_text("")
    expect(part(widget, "x-to")).not_to_have_attribute("aria-invalid", "true")
    assert summary.inner_text() != selected
    type_in("y-from", "0.0001")
    type_in("y-to", "0.0002")
    expect(summary).to_have_text("Control: none of 80 examples lies in the selection.")


@pytest.mark.parametrize("clicks", [0, 1, 3])
def test_how_many_seeds_agrees_with_the_metrics(
    show: Callable[..., Page], sample: Sample, clicks: int
) -> None:
    widget = widget_of(show(), "how-many-seeds")
    part(widget, "k").fill("5")
    for _ in range(clicks):
        part(widget, "resample").click()
    rows = drawn_rows(widget)
    assert len(set(rows)) == 5
    control = label_entropy(sample["control_labels"][rows])
    tgtss = label_entropy(sample["tgtss_labels"][rows])
    cells = {name.split(". ")[1]: values for name, values in table_rows(widget, "results").items()}
    reduction = 100 * (1 - tgtss.sum() / control.sum())
    assert cells["Control"][0].startswith(f"{control.sum():.1f} [")
    assert cells["TGTSS"][0].startswith(f"{tgtss.sum():.1f} [")
    assert cells["TGTSS"][1].startswith(f"{reduction:.1f} [")
    assert cells["Control"][1:3] == ["–", str(np.sum(control > 0))]
    right = (sample["control_labels"][rows] == sample["gold"]).mean()
    assert cells["Control"][3] == f"{100 * right:.1f}\u00a0%"
    low, high = map(float, cells["TGTSS"][1].split(" ", 1)[1].strip("[]").split(", "))
    assert low < high
    first = "Control" if control.sum() < tgtss.sum() else "TGTSS"
    expect(part(widget, "summary")).to_contain_text(f"The most stable here: {first};")


def test_how_many_seeds_with_all_runs_has_one_answer(
    show: Callable[..., Page], sample: Sample
) -> None:
    widget = widget_of(show(), "how-many-seeds")
    part(widget, "k").fill("12")
    total = label_entropy(sample["control_labels"]).sum()
    expect(part(widget, "summary")).to_contain_text(
        f"LEₘ of Control sums to {total:.1f} nats (all runs: {total:.1f})"
    )
    expect(part(widget, "summary")).to_contain_text("all 12 runs: the same.")
    expect(part(widget, "ranks").get_by_role("img")).to_have_attribute(
        "aria-label", "0 of 2 methods have another place than among all runs"
    )
    reduction = label_entropy(sample["tgtss_labels"]).sum() / total
    exact = f"{100 * (1 - reduction):.1f}"
    cells = table_rows(widget, "results")["1. TGTSS"]
    assert cells[1] == f"{exact} [{exact}, {exact}]"


def test_how_many_seeds_redraws_the_same_runs_for_the_same_click(
    show: Callable[..., Page],
) -> None:
    seen = []
    for _ in range(2):
        widget = widget_of(show(), "how-many-seeds")
        first = drawn_rows(widget)
        part(widget, "resample").click()
        seen.append((first, drawn_rows(widget)))
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[0][1]


def test_how_many_seeds_by_keyboard_alone(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "how-many-seeds")
    part(widget, "k").focus()
    page.keyboard.press("ArrowRight")
    expect(part(widget, "k-value")).to_have_text("11 of 12")
    expect(part(widget, "summary")).to_contain_text("With 11 of 12 runs")
    before = drawn_rows(widget)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(part(widget, "drawn")).to_contain_text("Draw 2")
    assert drawn_rows(widget) != before


def test_pd_explorer_says_what_the_chosen_point_is(
    show: Callable[..., Page], points: pd.DataFrame
) -> None:
    widget = widget_of(show(), "pd-explorer")
    summary = part(widget, "summary")
    expect(summary).to_contain_text(
        "1 unit, relu, adagrad 0.1; window 2⁸ mini-batches (point 3 of 3); after 2¹⁴ examples. "
        "Same init (relu 1): PD"
    )
    row = point_of(points, "relu 1", 8, 14)
    assert numbers_in(summary.inner_text()) == expected_numbers(row)
    part(widget, "examples").fill("1")
    part(widget, "window").fill("1")
    expect(part(widget, "window-value")).to_have_text("2⁴ = 16")
    expect(summary).to_contain_text("window 2⁴ mini-batches (point 2 of 3); after 2¹³ examples")
    row = point_of(points, "relu 1", 4, 13)
    assert numbers_in(summary.inner_text()) == expected_numbers(row)
    for curve, kind in (("relu 1", "chosen"), ("linear", "reference"), ("identity 1", "")):
        cells = table_rows(widget, "curves")[f"{curve} ({kind})" if kind else curve]
        row = point_of(points, curve, 4, 13)
        assert read_number(cells[0]) == pytest.approx(row["pd"], rel=0.006)
        assert read_number(cells[2]) == pytest.approx(row["loss"], rel=0.006)


def test_pd_explorer_plays_to_the_last_checkpoint(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "pd-explorer")
    part(widget, "examples").fill("0")
    play = part(widget, "play")
    play.click()
    expect(play).to_have_text("Pause")
    expect(part(widget, "summary")).to_have_attribute("aria-live", "off")
    expect(part(widget, "examples-value")).to_have_text("2¹⁴ (16K)")
    expect(play).to_have_text("Play")
    expect(part(widget, "summary")).to_have_attribute("aria-live", "polite")
    part(widget, "examples").fill("1")
    expect(part(widget, "examples-value")).to_have_text("2¹³ (8.2K)")


def test_pd_explorer_offers_what_the_model_has(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "pd-explorer")
    enabled = {
        name: part(widget, name).locator("option:not([disabled])")
        for name in ("activation", "beta", "optimizer", "init")
    }
    expect(enabled["activation"]).to_have_text(["relu", "identity"])
    expect(part(widget, "beta")).to_be_disabled()
    expect(enabled["init"]).to_have_text(["same", "distinct", "both"])
    part(widget, "activation").select_option("identity")
    expect(enabled["init"]).to_have_text(["same"])
    part(widget, "model").select_option("1024-512")
    expect(part(widget, "activation")).to_have_value("smelu")
    expect(enabled["beta"]).to_have_text(["0.5", "2"])
    expect(enabled["optimizer"]).to_have_text(["sgd 0.1"])
    expect(part(widget, "examples")).to_have_attribute("max", "1")
    expect(part(widget, "examples-value")).to_have_text("2¹³ (8.2K)")
    summary = part(widget, "summary")
    expect(summary).to_contain_text("1024-512, smelu (β 0.5), sgd 0.1")
    expect(summary).to_contain_text("after 2¹³ examples. Same init (smelu 0.5)")
    part(widget, "beta").select_option("2")
    expect(summary).to_contain_text("(smelu 2)")
    part(widget, "activation").select_option("swish")
    expect(enabled["beta"]).to_have_text(["2"])
    expect(summary).to_contain_text("(<b>swish</b>)")
    part(widget, "model").select_option("linear")
    expect(part(widget, "activation")).to_be_disabled()
    expect(summary).to_contain_text("linear, adagrad 0.1; window")


def test_pd_explorer_tells_streams_apart(
    open_page: Callable[..., Page], points: pd.DataFrame, tmp_path: Path
) -> None:
    longer = points[(points["curve"] == "relu 1") & (points["log2_examples"] > 12)]
    longer = longer.assign(curve="relu 1, long", stream=15, pd=0.5, pd_high=0.5)
    longer["log2_examples"] += 1
    both = pd.concat([points, longer], ignore_index=True)
    path = tmp_path / "streams.html"
    body = pd_explorer(both, {}, name="streams").static_html()
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    widget = widget_of(open_page(path), "pd-explorer")
    for at, shown in enumerate(
        ["2¹² of 2¹⁴", "2¹³ of 2¹⁴", "2¹⁴ of 2¹⁴", "2¹⁴ of 2¹⁵", "2¹⁵ of 2¹⁵"]
    ):
        part(widget, "examples").fill(str(at))
        expect(part(widget, "examples-value")).to_have_text(shown)
    part(widget, "examples").fill("2")
    expect(part(widget, "summary")).to_contain_text("(relu 1): PD")
    part(widget, "examples").fill("3")
    expect(part(widget, "summary")).to_contain_text("(relu 1, long): PD 0.500")
    # No linear curve has as long a stream, and so none is the reference.
    expect(part(widget, "curves")).not_to_contain_text("linear")
    # Distinct initial weights were tried on the shorter stream alone.
    part(widget, "init").select_option("distinct")
    expect(part(widget, "summary")).to_contain_text("after 2¹⁴ examples. Distinct init (relu 1, d")


def test_pd_explorer_compares_initial_weights(
    show: Callable[..., Page], points: pd.DataFrame
) -> None:
    widget = widget_of(show(), "pd-explorer")
    dots = part(widget, "window-plot").locator(".sw-dot")
    expect(dots).to_have_count(3)
    part(widget, "init").select_option("both")
    expect(dots).to_have_count(6)
    same, distinct = (
        part(widget, "summary")
        .inner_text()
        .split("Same init (relu 1): ")[1]
        .split(" Distinct init (relu 1, diff): ")
    )
    for curve, text in (("relu 1", same), ("relu 1, diff", distinct)):
        assert numbers_in(text) == expected_numbers(point_of(points, curve, 8, 14))


def test_pd_of_zero_lies_at_the_bottom(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "pd-explorer")
    part(widget, "window").fill("0")
    expect(part(widget, "summary")).to_contain_text("PD 0 (interval 0 to 0)")
    heights = part(widget, "window-plot").evaluate(
        """plot => {
             const zero = [...plot.querySelectorAll("g[transform^='translate(0 ']")]
               .find(mark => mark.textContent === "0");
             const middle = mark => mark.getBoundingClientRect().top
               + mark.getBoundingClientRect().height / 2;
             return [middle(zero.querySelector("line")),
                     ...[...plot.querySelectorAll(".sw-dot")].map(middle)];
           }"""
    )
    assert heights[1] == pytest.approx(heights[0], abs=1)
    assert max(heights[2:]) < heights[0] - 20


def test_pd_explorer_tells_when_the_window_was_not_seen_whole(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "pd-explorer")
    summary = part(widget, "summary")
    # 2⁸ batches of 2⁵ examples: seen whole after 2¹³, not after 2¹².
    part(widget, "examples").fill("1")
    expect(summary).not_to_contain_text("have not seen the same")
    part(widget, "examples").fill("0")
    expect(summary).to_contain_text(
        "A window holds 2¹³ examples: after 2¹², the two models have not seen the same ones."
    )


def test_pd_explorer_shows_the_weights_that_were_kept(
    show: Callable[..., Page], pair_weights: dict[tuple[str, int], Any]
) -> None:
    widget = widget_of(show(), "pd-explorer")
    about = part(widget, "weights-about")
    weights = part(widget, "weights")
    a, b = pair_weights["relu 1", 8].astype(np.float32)
    gaps = np.abs(a - b)
    expect(about).to_contain_text("after all 2¹⁴ examples: 35 weights a model")
    found = re.findall(r"\d+\.\d+", about.inner_text())
    expected = [np.sqrt(np.mean(gaps**2)), gaps.max()]
    assert [float(number) for number in found] == pytest.approx(expected, rel=0.006)
    expect(about).to_contain_text(f"(weight {gaps.argmax() + 1})")
    assert (weights.locator("svg[role=img] .sw-weights-a").get_attribute("d") or "").count(
        "M"
    ) == 35
    part(widget, "window").fill("1")
    expect(about).to_have_text("The weights at window 2⁴ were not kept; those at 2⁸ were.")
    expect(weights.locator("svg")).to_have_count(0)
    part(widget, "activation").select_option("identity")
    expect(about).to_have_text("The weights of this model were not kept.")
    part(widget, "model").select_option("linear")
    part(widget, "examples").fill("0")
    expect(about).to_contain_text("Window 2⁴, after all 2¹⁴ examples, not after 2¹²: 33 weights")
    expect(weights).to_contain_text("truth")
    assert (weights.locator("svg[role=img] .sw-truth").get_attribute("d") or "").count("M") == 32


def test_pd_explorer_picks_a_window_by_pointer(
    show: Callable[..., Page], points: pd.DataFrame
) -> None:
    page = show()
    widget = widget_of(page, "pd-explorer")
    for plot, window in (("window-plot", 4), ("loss-plot", 0)):
        dot = part(widget, plot).locator(".sw-dot").nth(window // 4)
        dot.scroll_into_view_if_needed()
        box = dot.bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(part(widget, "hover")).to_contain_text(f"relu 1, window {power(window)}: PD")
        page.mouse.down()
        page.mouse.up()
        expect(part(widget, "summary")).to_contain_text(f"window {power(window)} mini-batches")
        expect(part(widget, plot).locator(".sw-ring")).to_have_count(1)


@pytest.mark.parametrize("plot", ["window-plot", "loss-plot"])
def test_pd_explorer_by_keyboard_alone(show: Callable[..., Page], plot: str) -> None:
    page = show()
    widget = widget_of(page, "pd-explorer")
    summary = part(widget, "summary")
    part(widget, "model").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.dataset.part === '{plot}'"):
            break
    page.keyboard.press("Home")
    expect(summary).to_contain_text("point 1 of 3")
    page.keyboard.press("ArrowRight")
    expect(summary).to_contain_text("point 2 of 3")
    expect(part(widget, plot)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(summary).to_contain_text("point 3 of 3")
    page.keyboard.press("ArrowLeft")
    expect(summary).to_contain_text("point 2 of 3")
    part(widget, "activation").focus()
    page.keyboard.press("ArrowDown")
    expect(summary).to_contain_text("1 unit, identity")
    expect(part(widget, "activation")).to_be_focused()


def is_top(shares: Any) -> Any:
    """The 20 % of tokens with the largest shares, rounded up."""
    count = int(np.ceil(round(0.2 * shares.size, 9)))
    return np.isin(np.arange(shares.size), np.argsort(-shares, kind="stable")[:count])


def listed_texts(widget: Locator) -> list[int]:
    options = part(widget, "list").get_by_role("option").all()
    return [int(option.get_attribute("data-id") or -1) for option in options]


def test_comparer_measures_as_scipy_does(
    show: Callable[..., Page], explained: dict[str, Any]
) -> None:
    widget = widget_of(show(), "explanation-comparer")
    part(widget, "method-right").select_option("ASWA")
    part(widget, "run-left").select_option(label="seed 103")
    part(widget, "run-right").select_option(label="seed 202")
    for text in (7, 11):
        part(widget, "list").locator(f'[data-id="{text}"]').click()
        left = explained["explanations"]["Control"]["attention"][text][3]
        right = explained["explanations"]["ASWA"]["attention"][text][2]
        scores = [explained["scores"][m][row, text] for m, row in (("Control", 3), ("ASWA", 2))]
        cells = {name: values[0] for name, values in table_rows(widget, "agreement").items()}
        found = [
            float(value.split("\u00a0")[0].split(" ")[0].replace("\u2212", "-"))
            for value in cells.values()
        ]
        expected = [
            entropy(left, right),
            entropy(right, left),
            100 * jaccard(is_top(left), is_top(right)),
            spearmanr(left, right).statistic,
            abs(scores[0] - scores[1]),
        ]
        # Half of the last digit shown, and for relative entropy what quantisation may change.
        assert np.all(np.abs(np.subtract(found, expected)) < [0.001, 0.001, 0.051, 6e-4, 6e-4])
        assert next(iter(cells)) == "Relative entropy, left to right"
        expect(part(widget, "summary")).to_contain_text(f"Text {text + 1}, attention. Control, s")


def test_comparer_shows_shares_as_numbers_and_marks_the_top(
    show: Callable[..., Page], explained: dict[str, Any]
) -> None:
    widget = widget_of(show(), "explanation-comparer")
    part(widget, "list").locator('[data-id="10"]').click()
    for side, row in (("left", 0), ("right", 1)):
        shares = explained["explanations"]["Control"]["attention"][10][row]
        items = part(widget, f"tokens-{side}").locator("li")
        expect(items).to_have_count(shares.size)
        assert items.locator(".sw-word").all_inner_texts() == explained["tokens"][10]
        numbers = [
            float(t.split("\u00a0")[0]) for t in items.locator(".sw-share").all_inner_texts()
        ]
        np.testing.assert_allclose(numbers, 100 * shares, atol=0.051)
        marked = ["sw-top" in (item.get_attribute("class") or "") for item in items.all()]
        np.testing.assert_array_equal(marked, is_top(shares))
        score = explained["scores"]["Control"][row, 10]
        expect(part(widget, f"about-{side}")).to_have_text(
            f"Says {'positive' if score > 0.5 else 'negative'}, "
            f"{'as gold' if score <= 0.5 else 'gold is negative'}; p(positive) = {score:.3f}."
        )
    expect(part(widget, "tokens-left").locator(".sw-top .sw-word").first).to_have_css(
        "text-decoration-line", "underline"
    )


def test_comparer_sorts_by_the_left_methods_disagreement(
    show: Callable[..., Page], explained: dict[str, Any]
) -> None:
    widget = widget_of(show(), "explanation-comparer")
    part(widget, "method-right").select_option("ASWA")
    for method in ("Control", "ASWA"):
        part(widget, "method-left").select_option(method)
        means = []
        for shares in explained["explanations"][method]["attention"]:
            top = [is_top(run) for run in shares]
            pairs = [(a, b) for a in range(5) for b in range(a)]
            means.append(np.mean([jaccard(top[a], top[b]) for a, b in pairs]))
        order = listed_texts(widget)
        assert sorted(order) == list(range(12))
        assert np.diff(np.array(means)[order]).max() <= 1e-6
        for text in order[:3]:
            expect(part(widget, "list").locator(f'[data-id="{text}"]')).to_contain_text(
                f"disagreement {100 * means[text]:.1f}\u00a0%"
            )
    part(widget, "order").select_option("position")
    assert listed_texts(widget) == list(range(12))
    part(widget, "order").select_option("text")
    titles = part(widget, "list").locator(".sw-title").all_inner_texts()
    assert titles[0].startswith("<img")
    part(widget, "gold").select_option(label="positive")
    assert set(listed_texts(widget)) == set(range(1, 12, 2))
    part(widget, "search").fill("W1-0 w1")
    assert listed_texts(widget) == [1]
    expect(part(widget, "listed")).to_have_text("1 of 12 texts with attention listed.")


def test_comparer_lists_and_shows_only_texts_with_the_kind(
    show: Callable[..., Page], explained: dict[str, Any]
) -> None:
    widget = widget_of(show(), "explanation-comparer")
    part(widget, "list").locator('[data-id="0"]').click()
    part(widget, "kind").select_option("LIME")
    assert set(listed_texts(widget)) == {2, 5, 8, 11}
    expect(part(widget, "summary")).to_have_text(
        "Text 1 has no explanation of the kind LIME; those listed have one."
    )
    expect(part(widget, "body")).to_be_hidden()
    part(widget, "list").locator('[data-id="8"]').click()
    expect(part(widget, "body")).to_be_visible()
    # Run 1 gives one token 0 and run 0 does not; the other way round nothing is infinite.
    left, right = explained["explanations"]["Control"]["LIME"][8][:2]
    assert np.isinf(entropy(left, right))
    cells = [values[0] for values in table_rows(widget, "agreement").values()]
    assert cells[0] == "infinite nats"
    assert float(cells[1].split(" ")[0]) == pytest.approx(entropy(right, left), abs=0.002)


def test_comparer_takes_a_run_from_the_row_of_all(
    show: Callable[..., Page], explained: dict[str, Any]
) -> None:
    page = show()
    widget = widget_of(page, "explanation-comparer")
    part(widget, "list").locator('[data-id="6"]').click()
    runs = part(widget, "runs").get_by_role("listitem")
    expect(runs).to_have_count(5)
    for row, run in enumerate(runs.all()):
        expect(run).to_contain_text(f"p {explained['scores']['Control'][row, 6]:.2f}")
        shares = explained["explanations"]["Control"]["attention"][6][row]
        filled = run.locator("rect").evaluate_all(
            "bars => bars.map(bar => bar.classList.contains('sw-top'))"
        )
        np.testing.assert_array_equal(filled, is_top(shares))
    widget.get_by_role("button", name="seed 104 as left run").click()
    expect(part(widget, "name-left")).to_have_text("Left: Control, seed 104")
    part(widget, "method-right").select_option("ASWA")
    pressed = widget.locator('button[aria-pressed="true"]')
    expect(pressed).to_have_count(1)
    widget.get_by_role("button", name="seed 102 as right run").focus()
    page.keyboard.press("Enter")
    expect(part(widget, "name-right")).to_have_text("Right: Control, seed 102")
    expect(widget.get_by_role("button", name="seed 102 as right run")).to_be_focused()
    expect(pressed).to_have_count(2)


def test_comparer_by_keyboard_alone(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "explanation-comparer")
    part(widget, "method-left").focus()
    page.keyboard.press("ArrowDown")
    expect(part(widget, "name-left")).to_have_text("Left: ASWA, seed 200")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('[data-part=list]') !== null"):
            break
    page.keyboard.press("Home")
    before = part(widget, "summary").inner_text()
    page.keyboard.press("ArrowDown")
    expect(part(widget, "summary")).not_to_have_text(before)
    expect(part(widget, "list").get_by_role("option", selected=True)).to_be_focused()


def torch_descent(start: tuple[float, float], averaged: bool) -> tuple[Any, Any]:
    """Noise-free descent by torch: weights after each step, and with which each epoch ends."""
    model = torch.nn.Module()
    model.weights = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = torch.optim.SGD([model.weights], lr=0.05, momentum=0.8)
    averager = WeightAverager(ASWA(), model) if averaged else None
    steps, ends = [], []
    for _ in range(6):
        for _ in range(15):
            optimizer.zero_grad()
            x, y = model.weights
            (x**4 / 4 - x**2 / 2 + y**2).backward()
            optimizer.step()
            if averager:
                averager.step()
            steps.append(model.weights.detach().numpy().copy())
        if averager:
            averager.restart()
        ends.append(model.weights.detach().numpy().copy())
    return np.stack(steps), np.stack(ends)


@pytest.mark.parametrize("method", ["SGD", "ASWA"])
def test_descent_without_noise_is_that_of_torch(
    open_page: Callable[..., Page], tmp_path: Path, method: str
) -> None:
    start = (0.4, 1.3)
    body = f'<script type="module">{module_text("descent.js")}\nwindow.walk = walkDescent;</script>'
    path = tmp_path / "walk.html"
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    settings = {
        "method": method,
        "start": start,
        "seed": 5,
        "learningRate": 0.05,
        "noise": 0,
        "momentum": 0.8,
        "steps": 15,
        "epochs": 6,
    }
    found = open_page(path).evaluate("settings => window.walk(settings)", settings)
    steps, ends = torch_descent(start, averaged=method == "ASWA")
    np.testing.assert_allclose(
        np.array([epoch[1:] for epoch in found["epochs"]]).reshape(-1, 2), steps, atol=1e-6
    )
    np.testing.assert_allclose(found["ends"], ends, atol=1e-6)
    assert found["epochs"][0][0] == list(start)
    assert [epoch[0] for epoch in found["epochs"][1:]] == found["ends"][:-1]


def test_descents_noise_is_normal_and_the_same_for_the_same_seed(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    body = (
        f'<script type="module">{module_text("descent.js")}\nwindow.pairs = normalPairs;</script>'
    )
    path = tmp_path / "noise.html"
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    page = open_page(path)
    draw = "seed => { const next = window.pairs(seed); return Array.from({length: 20000}, next); }"
    first, again, other = (np.array(page.evaluate(draw, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(np.corrcoef([*first.T, *other.T]) - np.eye(4)).max() < 0.03
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(first.std(axis=0), 1, atol=0.02)
    assert np.mean(np.abs(first) > 1.96) == pytest.approx(0.05, abs=0.005)


def test_descent_draws_where_torch_ends(open_page: Callable[..., Page], tmp_path: Path) -> None:
    start = (0.4, 1.3)
    widget = descent(
        name="calm",
        noise=0.0,
        learning_rate=0.05,
        momentum=0.8,
        starts=[start, (-0.4, 1.3)],
        steps=15,
        epochs=6,
    )
    path = tmp_path / "calm.html"
    path.write_text(FRAME.format(attributes="", body=widget.static_html()), encoding="utf-8")
    view = widget_of(open_page(path), "descent")
    rows = table_rows(view, "outcomes")
    for method in ("SGD", "ASWA"):
        x, y = torch_descent(start, averaged=method == "ASWA")[1][-1]
        # Without noise all seeds end in one place; the surface is the same on both sides.
        assert rows[f"{method}, from A"] == [
            f"({x:.3f}, {y:.3f})",
            "0.000",
            "0\u00a0%",
            "100\u00a0%",
        ]
        assert rows[f"{method}, from B"][0] == f"({-x:.3f}, {y:.3f})"
        assert rows[f"{method}, from B"][2] == "100\u00a0%"
        expect(part(view, f"plot-{method}").locator(".sw-dot")).to_have_count(12)


def test_descent_answers_its_controls(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "descent")
    summary = part(widget, "summary")
    expect(summary).to_contain_text("Over 50 seeds of the noise, 3 to 52. SGD with momentum: SD of")
    seen = {summary.inner_text()}
    part(widget, "noise").fill("2")
    seen.add(summary.inner_text())
    part(widget, "seed").fill("40")
    expect(summary).to_contain_text("40 to 89")
    seen.add(summary.inner_text())
    part(widget, "learning-rate").focus()
    page.keyboard.press("ArrowRight")
    expect(part(widget, "learning-rate-value")).to_have_text("0.021")
    seen.add(summary.inner_text())
    part(widget, "start-B-x").focus()
    page.keyboard.press("End")
    expect(part(widget, "start-B-x-value")).to_have_text("1.8")
    seen.add(summary.inner_text())
    assert len(seen) == 5
    for text in ("", "-4", "1.5"):
        part(widget, "seed").fill(text)
        expect(part(widget, "problem")).to_contain_text("must be a whole number from 0 to")
        expect(summary).to_contain_text("40 to 89")
    part(widget, "show-ASWA").uncheck()
    expect(part(widget, "plot-ASWA")).to_be_hidden()
    expect(summary).not_to_contain_text("ASWA")
    assert list(table_rows(widget, "outcomes")) == ["SGD, from A", "SGD, from B"]
    part(widget, "show-SGD").uncheck()
    expect(summary).to_have_text("No method is shown.")
    part(widget, "show-ASWA").check()
    expect(part(widget, "plot-ASWA").locator(".sw-dot")).to_have_count(40)


def test_descents_starts_are_dragged(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "descent")
    handle = part(widget, "plot-SGD").locator(".sw-handle").first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    first = float(part(widget, "start-A-x-value").inner_text())
    second = float(part(widget, "start-A-y-value").inner_text())
    assert 0.2 < first < 1
    assert 1 < second < 1.6
    page.mouse.move(x, y)
    expect(part(widget, "start-A-x-value")).to_have_text(f"{first:g}")
    expect(part(widget, "start-B-x-value")).to_have_text("\u22120.05")


def test_every_control_has_a_name(show: Callable[..., Page]) -> None:
    page = show()
    for name in WIDGETS:
        nameless = widget_of(page, name).evaluate(
            """root => [...root.querySelectorAll("select, input, button, [tabindex='0']")]
                 .filter(control => !(control.labels?.length || control.ariaLabel
                                      || control.textContent.trim()))
                 .map(control => control.outerHTML)"""
        )
        assert nameless == [], name


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_texts_have_contrast(show: Callable[..., Page], dark: bool) -> None:
    page = show(dark=dark)
    for name in WIDGETS:
        text, ground = widget_of(page, name).evaluate(
            """root => ["color", "backgroundColor"].map(property => {
                 const [r, g, b] = getComputedStyle(root)[property].match(/\\d+/g).map(Number);
                 return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
               })"""
        )
        assert (text > 0.8 and ground < 0.2) if dark else (text < 0.2 and ground > 0.8), name


def test_the_books_theme_wins_over_the_system(show: Callable[..., Page]) -> None:
    style = "--pst-color-text-base: rgb(1, 2, 3); --pst-color-background: rgb(250, 251, 252)"
    widget = widget_of(show(f' data-theme="light" style="{style}"', dark=True), "seed-explorer")
    expect(widget).to_have_css("color", "rgb(1, 2, 3)")
    expect(widget).to_have_css("background-color", "rgb(250, 251, 252)")
    expect(widget).to_have_css("color-scheme", "light")


def test_a_phone_needs_no_sideways_scrolling(show: Callable[..., Page]) -> None:
    page = show(width=360)
    for name in WIDGETS:
        expect(part(widget_of(page, name), "summary")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_picture_stays_until_the_widget_is_drawn(
    chromium: Any, open_page: Callable[..., Page], sample: Sample, tmp_path: Path
) -> None:
    widget = how_many_seeds(
        {"Control": sample["control_labels"]},
        baseline="Control",
        gold=sample["gold"],
        name="still",
        picture="<svg id='still'><text y='20'>still picture</text></svg>",
    )
    path = tmp_path / "still.html"
    path.write_text(FRAME.format(attributes="", body=widget.static_html()), encoding="utf-8")
    page = open_page(path)
    expect(widget_of(page, "how-many-seeds")).to_be_visible()
    expect(page.get_by_text("still picture")).to_have_count(0)
    unscripted = chromium.new_context(java_script_enabled=False)
    page = unscripted.new_page()
    page.goto(path.as_uri())
    expect(page.get_by_text("still picture")).to_be_visible()
    unscripted.close()


def test_the_same_widget_twice_on_a_page_works_twice(
    open_page: Callable[..., Page], widgets: dict[str, HostedWidget], tmp_path: Path
) -> None:
    path = tmp_path / "twice.html"
    body = widgets["how-many-seeds"].static_html() * 2
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    both = widget_of(open_page(path), "how-many-seeds")
    expect(both).to_have_count(2)
    part(both.nth(1), "k").fill("3")
    expect(part(both.nth(1), "summary")).to_contain_text("With 3 of 12")
    expect(part(both.nth(0), "summary")).to_contain_text("With 10 of 12")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<img src="http://127.0.0.1:9/picture.png" alt="">', "request to the network"),
        ("<script>console.error('broken')</script>", "console: broken"),
        ("<script>throw new Error('broken')</script>", "error on the page: .*broken"),
    ],
)
def test_a_misbehaving_page_is_noticed(visit: Any, tmp_path: Path, body: str, fault: str) -> None:
    path = tmp_path / "bad.html"
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    with pytest.raises(AssertionError, match=fault), visit(path):
        pass


def test_what_moves_while_a_page_is_loaded_is_noticed(visit: Any, tmp_path: Path) -> None:
    path = tmp_path / "moving.html"
    late = "<script>setTimeout(() => { first.style.height = '300px'; }, 200)</script>"
    body = f'<div id="first"></div><p style="height: 400px">text</p>{late}'
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    with visit(path) as page:
        page.wait_for_function("layoutShift() > 0.1")


def test_divergence_viewer_shows_the_twin_and_the_step_that_are_chosen(
    show: Callable[..., Page], parted: dict[str, Any]
) -> None:
    widget = widget_of(show("divergence-viewer"), "divergence-viewer")
    summary = part(widget, "summary")
    expect(summary).to_contain_text(
        "After step 2,844, twin 1 of “one bit” from the beginning (ResNet-6)"
    )
    part(widget, "source").select_option("order")
    part(widget, "twin").select_option(label="2")
    part(widget, "back").click()
    expect(summary).to_contain_text(
        "After step 1,000, twin 2 of “order” from the beginning (ResNet-6): weights 0.0020 of"
    )
    expect(summary).to_contain_text("30.0\u00a0% of the images")
    expect(summary).to_contain_text("loss 1.350 against 1.250 nats")
    part(widget, "example").select_option(value="1")
    rows = part(widget, "logits").locator("tbody tr")
    runs = parted["networks"]["ResNet-6"]
    own = runs["unchanged"]["logits"][3, 1]
    other = runs["twins"]["order"][1]["logits"][1, 3, 1]
    for k in range(3):
        cells = rows.nth(k).locator("td")
        for cell, value in enumerate((own[k], other[k])):
            expect(cells.nth(cell)).to_have_text(f"{value:z.3f}".replace("-", "\u2212"))
    caption = part(widget, "logits").locator("caption")
    said = [NAMES[k] for k in (own.argmax(), other.argmax())]
    expect(caption).to_contain_text(f"gold {NAMES[2]}: the unchanged run says {said[0]}, the twin")
    expect(caption).to_contain_text(f"the twin {said[1]}")


def test_divergence_viewer_shows_another_network_and_what_differs_there(
    show: Callable[..., Page],
) -> None:
    """Of a source that it lacks, its first is shown; the choice comes back with the network."""
    widget = widget_of(show("divergence-viewer"), "divergence-viewer")
    summary, source = part(widget, "summary"), part(widget, "source")
    part(widget, "network").select_option("linear model")
    expect(summary).to_contain_text("“order” from the beginning (linear model): weights 3.0e-9 of")
    expect(source.locator("option")).to_have_text(["order"])
    expect(source).to_have_value("order")
    part(widget, "network").select_option("ResNet-6")
    expect(summary).to_contain_text("“one bit” from the beginning (ResNet-6)")
    expect(source.locator("option")).to_have_text(["one bit", "order"])


def test_divergence_viewer_shows_twins_that_differ_from_a_later_epoch_on(
    show: Callable[..., Page],
) -> None:
    """The choice stays with the source that has it, and comes back to it."""
    widget = widget_of(show("divergence-viewer"), "divergence-viewer")
    summary, source, onset = (part(widget, name) for name in ("summary", "source", "onset"))
    expect(onset).to_be_disabled()  # A bit is changed at the beginning alone here.
    source.select_option("order")
    expect(onset.locator("option")).to_have_text(["the beginning", "epoch 4"])
    onset.select_option("4")
    expect(summary).to_contain_text("twin 1 of “order” from epoch 4 (ResNet-6): weights 0.020 of")
    part(widget, "back").click()
    expect(summary).to_contain_text("weights 0.0040 of")
    part(widget, "back").click()
    expect(summary).to_contain_text("weights 0 of")
    source.select_option("one bit")
    expect(summary).to_contain_text("“one bit” from the beginning")
    source.select_option("order")
    expect(summary).to_contain_text("“order” from epoch 4")


def test_divergence_viewer_steps_by_key_and_click_and_plays(show: Callable[..., Page]) -> None:
    page = show("divergence-viewer")
    widget = widget_of(page, "divergence-viewer")
    summary = part(widget, "summary")
    part(widget, "point").focus()
    page.keyboard.press("Home")
    expect(summary).to_contain_text("After step 1,")
    page.keyboard.press("ArrowRight")
    expect(summary).to_contain_text("After step 10,")
    expect(part(widget, "point")).to_have_attribute("aria-valuetext", "step 10")
    plot = part(widget, "plot-distance")
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] - 20, "y": 60})
    expect(summary).to_contain_text("After step 2,844,")
    play = part(widget, "play")
    play.click()
    expect(play).to_have_text("Pause")
    expect(play).to_have_text("Play")  # It ends with the last step.
    expect(summary).to_contain_text("After step 2,844,")
    play.click()
    play.click()
    expect(play).to_have_text("Play")


def test_divergence_viewer_draws_where_the_twin_is(
    show: Callable[..., Page], parted: dict[str, Any]
) -> None:
    """Tenfold distances and steps lie on a straight line between logarithmic axes."""
    widget = widget_of(show("divergence-viewer"), "divergence-viewer")
    points = part(widget, "plot-distance").locator("polyline").first.get_attribute("points")
    assert points is not None
    places = np.array([[float(n) for n in point.split(",")] for point in points.split()])[:4]
    assert np.allclose(np.diff(places, axis=0), np.diff(places, axis=0)[0], atol=0.3)
    expect(part(widget, "plot-loss").locator("polyline")).to_have_count(2)


def film_scores(widget: Locator) -> dict[str, list[float]]:
    """Scores in percent and ranks by run, as they are and now."""
    rows = table_rows(widget, "scores")
    return {
        name: [float(cell.removesuffix("\u00a0%")) for cell in cells]
        for name, cells in rows.items()
    }


def expected_film(
    model: ItemModel, history: list[int], items: list[int], candidate: int
) -> tuple[Any, int]:
    """Score in percent, and rank from 1, of a candidate."""
    odds = odds_of_films(model, history, items)
    others = np.delete(odds, candidate)
    score = 100.0 / (1.0 + np.exp(-odds[candidate]))
    return pytest.approx(score, abs=0.051), 1 + int((others >= odds[candidate]).sum())


def test_films_are_scored_and_ranked_as_by_torch(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "why-this-film")
    for user, (history, items) in enumerate(
        zip(FILMS["histories"], FILMS["candidates"], strict=True)
    ):
        part(widget, "user").select_option(value=str(user))
        for candidate in (0, 3):
            part(widget, "candidate").select_option(value=str(candidate))
            found = film_scores(widget)
            for name, model in MODELS.items():
                expected = expected_film(model, history, items, candidate)
                assert tuple(found[name]) == (*expected, *expected)


def test_a_dropped_film_takes_no_part(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "why-this-film")
    history, items = FILMS["histories"][0], FILMS["candidates"][0]
    for place in (1, 3):
        line = widget.locator(f'[data-place="{place}"]')
        line.locator("input").uncheck()
        expect(line.locator(".sw-film-share").first).to_have_text("–")
    left = [item for place, item in enumerate(history) if place not in (1, 3)]
    found = film_scores(widget)
    for name, model in MODELS.items():
        before, after = (expected_film(model, of, items, 0) for of in (history, left))
        assert tuple(found[name]) == (*before, *after)
    expect(part(widget, "summary")).to_contain_text("2 items dropped")
    for place in (0, 2, 4):
        widget.locator(f'[data-place="{place}"] input').click()
    # The last one stays: there would be nothing to attend to.
    expect(widget.locator('[data-part="history"] input:checked')).to_have_count(1)
    part(widget, "reset").click()
    expect(widget.locator('[data-part="history"] input:checked')).to_have_count(5)
    expect(part(widget, "reset")).to_be_disabled()


def test_permuting_moves_the_same_shares_about(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "why-this-film")

    def shares(side: str) -> list[str]:
        texts = widget.locator(f".sw-film-share.sw-{side}").all_inner_texts()
        return [text.removesuffix(" ▲") for text in texts]

    history, items = FILMS["histories"][0], FILMS["candidates"][0]
    model = MODELS["seed 1"]
    with torch.no_grad():
        weights = model.attention(torch.tensor(history), torch.tensor(items[:1]), np.array([-1]))
    expected = sorted(100.0 * weights[0] / weights.sum(), reverse=True)
    before = shares("left")
    numbers = [float(text.removesuffix("\u00a0%")) for text in before]
    assert numbers == pytest.approx(expected, abs=0.051)
    scores = film_scores(widget)
    part(widget, "permute").click()
    assert sorted(shares("left")) == sorted(before)
    part(widget, "permute").click()
    expect(part(widget, "summary")).to_contain_text("attention permuted")
    after = film_scores(widget)
    assert [row[:2] for row in after.values()] == [row[:2] for row in scores.values()]
    assert after != scores


def test_films_answer_runs_and_keys(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "why-this-film")
    part(widget, "run-right").select_option("seed 1")
    expect(part(widget, "summary")).to_contain_text("share a Jaccard index of 1.00")
    first = widget.locator('[data-part="history"] input').first
    first.focus()
    page.keyboard.press("Space")
    expect(first).not_to_be_checked()
    expect(first).to_be_focused()
    part(widget, "user").select_option(value="1")
    expect(widget.locator('[data-part="history"] input:checked')).to_have_count(3)


def matrix_cell(widget: Locator, workload: str, method: str) -> Locator:
    return widget.locator(f'[data-workload="{workload}"][data-method="{method}"]')


def test_the_matrix_is_sorted_by_a_workload_and_back(show: Callable[..., Page]) -> None:
    widget = widget_of(show(), "mitigation-matrix")
    heads = part(widget, "matrix").locator("tbody th")
    expect(heads).to_have_text(["Control", "SWA", "L2", HOSTILE])
    part(widget, "sort-1").click()
    expect(heads).to_have_text(["Control", "L2", "SWA", HOSTILE])
    expect(part(widget, "matrix").locator("thead th").nth(2)).to_have_attribute(
        "aria-sort", "descending"
    )
    part(widget, "sort-0").click()
    expect(heads).to_have_text(["Control", "SWA", HOSTILE, "L2"])
    part(widget, "sort-0").click()
    expect(heads).to_have_text(["Control", "SWA", "L2", HOSTILE])


def test_a_cell_of_the_matrix_opens_its_runs(show: Callable[..., Page]) -> None:
    page = show()
    widget = widget_of(page, "mitigation-matrix")
    summary = part(widget, "summary")
    matrix_cell(widget, "images", "L2").click()
    expect(summary).to_contain_text("L2, images: two ensembles differ on 4.3")
    expect(summary).to_contain_text("30\u00a0% [20, 41] less than plain runs (they differ less)")
    expect(summary).to_contain_text("accuracy −0.5 [−1.3, 0.3] points; 3 ensembles; 3 trainings")
    runs = part(widget, "runs-of-cell")
    expect(runs.locator(".sw-run-dot")).to_have_count(3)
    expect(runs.locator(".sw-plain-dot")).to_have_count(4)
    expect(runs.locator("svg")).to_have_attribute(
        "aria-label", re.compile(r"90\.0, 91\.5, 89\.2; .* 4\.0, 4\.3, 4\.5")
    )
    expect(widget.locator(".sw-legend")).to_contain_text("one ensemble: L2")
    # Where dots lie is what they say: the most accurate one of all is the rightmost.
    places = runs.locator(".sw-run-dot, .sw-plain-dot").evaluate_all(
        "dots => dots.map((dot) => [+dot.getAttribute('cx'), dot.getAttribute('class')])"
    )
    assert max(places)[1] == "sw-run-dot"
    matrix_cell(widget, "images", "Control").click()
    expect(summary).to_contain_text(
        "Control, images: two runs differ on 6.3\u00a0% of the examples"
    )
    expect(summary).to_contain_text("accuracy 90.1\u00a0%; 4 runs.")
    expect(runs.locator(".sw-run-dot")).to_have_count(0)
    expect(runs.locator(".sw-plain-dot")).to_have_count(4)
    cell = matrix_cell(widget, "heads", "L2")
    cell.focus()
    page.keyboard.press("Enter")
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(cell).to_have_attribute("data-verdict", "more")
    expect(summary).to_contain_text("4\u00a0% [1, 9] more than plain runs (they differ more)")
    # What is bought with accuracy, or by learning nothing, is no plain gain.
    matrix_cell(widget, "words", "SWA").click()
    expect(summary).to_contain_text(
        "less than plain runs (they differ less, and are less accurate)"
    )
    matrix_cell(widget, "words", "L2").click()
    expect(summary).to_contain_text("(some learnt next to nothing)")
    expect(summary).to_contain_text("3 ensembles, of which 2 failed;")
    expect(matrix_cell(widget, "words", "L2")).to_contain_text("✕")
    widget.locator('[data-verdict="empty"]').first.click()
    expect(summary).to_contain_text("empty, not trained here")
    expect(part(widget, "runs-of-cell")).to_be_hidden()


def test_the_address_holds_what_is_shown(
    show: Callable[..., Page], open_page: Callable[..., Page]
) -> None:
    """A view can be linked, and a link followed on the page that is open."""
    page = show()
    widget = widget_of(page, "seed-explorer")
    before = part(widget, "summary").inner_text()
    part(widget, "method").select_option("TGTSS")
    part(widget, "run-b").select_option(label="seed 207")
    chosen = part(widget, "summary").inner_text()
    assert chosen != before
    page.wait_for_function("location.hash.includes('method=TGTSS')")
    address = page.url
    assert "#stablib-explorer?" in address
    other = widget_of(open_page(address), "seed-explorer")
    expect(part(other, "summary")).to_have_text(chosen)
    expect(part(other, "method")).to_have_value("TGTSS")
    other.page.evaluate("location.hash = '#stablib-explorer?method=Control'")
    expect(part(other, "method")).to_have_value("Control")


def test_what_is_as_before_leaves_the_address(show: Callable[..., Page]) -> None:
    page = show()
    page.wait_for_timeout(500)  # Longer than a change waits before it stands in the address.
    assert "#" not in page.url
    method = part(widget_of(page, "seed-explorer"), "method")
    method.select_option("TGTSS")
    page.wait_for_function("location.hash.includes('method=TGTSS')")
    method.select_option("Control")
    page.wait_for_function("location.hash === '#stablib-explorer'")


def chosen(page: Page, name: str) -> list[str]:
    """What all controls of a widget show."""
    controls = widget_of(page, name).locator("input, select")
    found: list[str] = controls.evaluate_all("all => all.map(one => `${one.value} ${one.checked}`)")
    return found


@pytest.mark.parametrize("name", WIDGETS)
def test_an_address_that_makes_no_sense_changes_nothing(
    open_page: Callable[..., Page], widgets: dict[str, HostedWidget], tmp_path: Path, name: str
) -> None:
    """Whatever stands in it: of another type, out of range, of no meaning."""
    widget = widgets[name]
    path = tmp_path / "one.html"
    body = widget.static_html()
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    page = open_page(path)
    before = chosen(page, name)
    for text in ("nonsense", "-7", "-7.5", "1e99", "[]", "{}", "null", "[0,999]", '["x"]'):
        query = "&".join(f"{trait}={text}" for trait in [*widget.state(), "data", "no"])
        page.evaluate("hash => { location.hash = hash; }", f"#{widget.element_id}?{query}")
        expect(widget_of(page, name)).to_be_visible()
        page.reload()
        assert page.locator(f"#{widget.element_id}").get_attribute("data-state") == "ready", text
        assert chosen(page, name) == before, text


def test_a_link_cannot_write_into_the_command(
    open_page: Callable[..., Page], widgets: dict[str, HostedWidget], tmp_path: Path
) -> None:
    path = tmp_path / "panel.html"
    body = widgets["rerun-panel"].static_html()
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    link = '#stablib-halving?values={"number":"4; rm -r x","rate":0.5}'
    panel = widget_of(open_page(path.as_uri() + link), "rerun-panel")
    expect(part(panel, "command")).to_have_text(
        "stablib reproduce halves --param number=4 --param rate=0.5"
    )


def test_the_values_of_a_panel_can_be_linked(
    show: Callable[..., Page], open_page: Callable[..., Page]
) -> None:
    page = show()
    part(widget_of(page, "rerun-panel"), "number").fill("7")
    page.wait_for_function("location.hash.includes('values=')")
    panel = widget_of(open_page(page.url), "rerun-panel")
    expect(part(panel, "number")).to_have_value("7")
    expect(part(panel, "command")).to_contain_text("--param number=7 --param rate=0.5")


@pytest.mark.parametrize(
    "values",
    ['{"number":10,"rate":0.5}', '{"number":2.5,"rate":0.5}', '{"number":4}', "null", "[4, 0.5]"],
)
def test_values_that_a_panel_refuses_cannot_be_linked(
    open_page: Callable[..., Page], tmp_path: Path, values: str
) -> None:
    path = tmp_path / "panel.html"
    path.write_text(FRAME.format(attributes="", body=halving().static_html()), encoding="utf-8")
    panel = widget_of(open_page(f"{path.as_uri()}#stablib-halving?values={values}"), "rerun-panel")
    expect(part(panel, "command")).to_contain_text("--param number=4 --param rate=0.5")


def test_the_way_back_leads_back(show: Callable[..., Page]) -> None:
    """A link followed on the open page, and then the browser's own button."""
    page = show()
    method = part(widget_of(page, "seed-explorer"), "method")
    page.evaluate("location.hash = '#stablib-explorer?method=TGTSS'")
    expect(method).to_have_value("TGTSS")
    expect(widget_of(page, "seed-explorer")).to_be_in_viewport()
    page.go_back()
    expect(method).to_have_value("Control")


def test_the_panel_without_a_kernel_writes_the_command(show: Callable[..., Page]) -> None:
    panel = widget_of(show(), "rerun-panel")
    expect(part(panel, "command")).to_have_text(
        "stablib reproduce halves --param number=4 --param rate=0.5"
    )
    expect(part(panel, "train")).to_have_count(0)
    expect(part(panel, "elsewhere")).to_have_attribute("href", "other.html")
    part(panel, "number").fill("7")
    part(panel, "rate").fill("0.25")
    expect(part(panel, "command")).to_contain_text("--param number=7 --param rate=0.25")
    rows = table_rows(panel, "tries")
    assert rows == {"published": ["2.0 [−1.0, 3.0]", "", f"1 run {HOSTILE}"]}


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("number", "1", "number must be a whole number from 2 to 9."),
        ("number", "10", "number must be a whole number from 2 to 9."),
        ("number", "2.5", "number must be a whole number from 2 to 9."),
        ("number", "", "number must be a whole number from 2 to 9."),
        ("rate", "0", "rate must be a number from 0.1 to 1."),
    ],
)
def test_the_panel_says_what_is_allowed_and_changes_nothing(
    show: Callable[..., Page], name: str, typed: str, said: str
) -> None:
    panel = widget_of(show(), "rerun-panel")
    command = part(panel, "command").inner_text()
    part(panel, name).fill(typed)
    expect(part(panel, "problem")).to_have_text(said)
    expect(part(panel, name)).to_have_attribute("aria-invalid", "true")
    expect(part(panel, name)).to_have_value(typed)
    expect(part(panel, "command")).to_have_text(command)
