"""The widgets' Python side: what goes into a page, and what is refused."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import traitlets
from numpy.typing import NDArray

from stablib.errors import UsageError
from stablib.metrics import label_entropy
from stablib.show.widgets import (
    Effects,
    Parameter,
    RerunPanel,
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
from stablib.show.widgets.hosted import (
    HostedWidget,
    asset,
    decode_array,
    encode_array,
    script_json,
)
from stablib.training import Task

pytestmark = pytest.mark.filterwarnings("error")

N_RUNS, N_EXAMPLES, N_STEPS = 6, 40, 300
NAMES = ["alarm", "lists", "<b>music</b>"]
HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!-- <script>"]

STARTS = [[0.05, 1.6], [-0.05, 1.6]]

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def gold() -> NDArray[Any]:
    return np.arange(N_EXAMPLES) % 3


@pytest.fixture
def texts() -> list[str]:
    return HOSTILE + [f"utterance {i}" for i in range(len(HOSTILE), N_EXAMPLES)]


@pytest.fixture
def labels(gold: NDArray[Any]) -> Arrays:
    """Labels of which some switch; the hostile texts are among the switching examples."""
    rng = np.random.default_rng(1)
    runs = {}
    for method, rate in (("Control", 0.6), ("TGTSS", 0.3)):
        flips = rng.random((N_RUNS, N_EXAMPLES)) < rate * (np.arange(N_EXAMPLES) < 25)
        runs[method] = np.where(flips, (gold + 1) % 3, gold)
    runs["Control"][0, :3] = 2 - runs["Control"][1, :3]
    runs["Control"][:, 30] = (gold[30] + 1) % 3
    runs["Control"][:2, 1] = [0, 1]
    return runs


@pytest.fixture
def quantities(labels: Arrays) -> dict[str, Arrays]:
    rng = np.random.default_rng(2)
    return {
        method: {
            "mu_m": rng.random(N_EXAMPLES),
            "sigma_m": rng.random(N_EXAMPLES) / 2,
            "LE_m": label_entropy(runs),
        }
        for method, runs in labels.items()
    }


@pytest.fixture
def points() -> pd.DataFrame:
    """Two small models, one of them hostile, and the linear one; rows in no order."""
    rng = np.random.default_rng(3)
    curves = [
        ("linear", "linear", "relu", 1.0, "same", 14),
        (HOSTILE[0], "1 unit", HOSTILE[1], 1.0, "same", 14),
        ("smelu 1, diff", "1 unit", "smelu", 0.5, "distinct", 15),
    ]
    rows = [
        (*curve[:4], "adagrad 0.1", *curve[4:], window, examples)
        for curve in curves
        for examples in (13, 14)
        for window in (0, 8, 4)
    ]
    settings = ["curve", "model", "activation", "beta", "optimizer", "init", "stream"]
    frame = pd.DataFrame(rows, columns=[*settings, "log2_window", "log2_examples"])
    frame["pd"] = 10.0 ** rng.uniform(-9, -1, len(frame))
    frame.loc[0, "pd"] = 0.0
    frame["pd_low"], frame["pd_high"] = frame["pd"] / 2, frame["pd"] * 2
    frame["loss"] = rng.random(len(frame))
    return frame


@pytest.fixture
def pair_weights() -> dict[tuple[str, int], NDArray[Any]]:
    values = np.random.default_rng(4).normal(size=(2, 33))
    return {("linear", 8): values, ("linear", 0): -values, (HOSTILE[0], 4): np.zeros((2, 0))}


@pytest.fixture
def explained() -> dict[str, Any]:
    """Two methods, four runs, five texts of 1 to 11 tokens; LIME for two of them, some of it 0."""
    rng = np.random.default_rng(5)
    sizes = [6, 1, 11, 3, 5]
    tokens = [[f"word{at}" for at in range(size)] for size in sizes]
    tokens[0][:3] = HOSTILE
    explanations: dict[str, dict[str, list[Any]]] = {}
    for method in ("Control", "ASWA"):
        lime: list[Any] = [rng.dirichlet(np.ones(size), 4) if size > 5 else None for size in sizes]
        lime[0][:, 2] = 0.0
        lime[0] /= lime[0].sum(axis=1, keepdims=True)
        attention = [rng.dirichlet(np.full(size, 0.3), 4) for size in sizes]
        explanations[method] = {"attention": attention, "LIME": lime}
    return {
        "explanations": explanations,
        "tokens": tokens,
        "scores": {method: rng.random((4, 5)) for method in explanations},
        "gold": [0, 1, 1, 0, 1],
        "label_names": ["negative", "<b>positive</b>"],
    }


def twin_arrays() -> dict[str, Any]:
    """Two sources of three and four twins, seen after five steps, with two followed examples."""
    rng = np.random.default_rng(8)

    def unchanged() -> dict[str, NDArray[Any]]:
        return {"loss": rng.random(5), "logits": rng.normal(size=(5, 2, 3))}

    def twins(n: int) -> dict[str, NDArray[Any]]:
        curves = {key: rng.random((n, 5)) for key in ("distance", "disagreement", "loss")}
        return {**curves, "logits": rng.normal(size=(n, 5, 2, 3))}

    return {
        "networks": {
            "deep": {
                "unchanged": unchanged(),
                "twins": {"one bit": {1: twins(3)}, "order": {1: twins(4), 5: twins(3)}},
            },
            "flat": {"unchanged": unchanged(), "twins": {"order": {1: twins(3)}}},
        },
        "steps": [1, 3, 10, 32, 100],
        "gold": [0, 2],
        "label_names": NAMES,
        "texts": ["image 1", "image 2"],
    }


def a_twin() -> dict[str, Any]:
    twins: dict[str, Any] = twin_arrays()["networks"]["deep"]["twins"]["order"][1]
    return twins


def parted_by(**twins: Any) -> dict[str, Any]:
    """One network with other twins."""
    return {"networks": {"deep": {**twin_arrays()["networks"]["deep"], "twins": twins}}}


def item_weights(seed: int = 0, **replaced: Any) -> dict[str, NDArray[Any]]:
    """Weights of a small model of five items by name; this file is tested without torch, too."""
    rng = np.random.default_rng(seed)
    shapes = {
        "history": (5, 3),
        "targets": (5, 3),
        "item_bias": (5, 2),
        "attention_weight": (2, 3),
        "attention_bias": (2,),
        "attention_top": (2,),
        "weights.0": (4, 3),
        "biases.0": (4,),
        **{f"norms.0.{part}": (4,) for part in ("weight", "bias", "running_mean", "running_var")},
        "top": (2, 4),
    }
    return {name: rng.random(shape) for name, shape in shapes.items()} | replaced


def films() -> dict[str, Any]:
    return {
        "models": {"seed 1": item_weights(), "seed 2": item_weights(1)},
        "histories": [[0, 1, 2], [3, 4]],
        "candidates": [[3, 4], [0, 1]],
        "titles": ["one", HOSTILE[0], "three", "four", "five"],
    }


def a_cell(**replaced: Any) -> dict[str, Any]:
    effect = {"reduction": 20.0, "low": 10.0, "high": 30.0, "trainings": 2, "failed": 0}
    gain = {"gain": 0.5, "gain_low": 0.1, "gain_high": 0.9}
    return {**effect, **gain, **of_runs(), **replaced}


def of_runs(**replaced: Any) -> dict[str, Any]:
    return {"accuracies": [90.0, 91.0], "apart": [4.0, 5.0], **replaced}


def matrix_cells() -> dict[str, Any]:
    nothing = a_cell(reduction=np.nan, low=np.nan, high=np.nan)
    return {
        "cells": {
            "heads": {"SWA": a_cell(), HOSTILE[0]: nothing},
            "images": {"SWA": a_cell(reduction=-3.0, low=-9.0, high=4.0)},
        },
        "plain": {"heads": of_runs(), "images": of_runs()},
        "methods": ["SWA", HOSTILE[0]],
        "reasons": {"images": {HOSTILE[0]: "not trained here"}},
    }


def a_task(**replaced: Any) -> dict[str, Any]:
    """Three training and two test examples of two features and classes."""
    inputs = {"train": np.eye(3, 2), "test": np.eye(2)}
    gold = {"train": np.array([0, 1, 1]), "test": np.array([0, 1])}
    task = Task(inputs, gold, 2)
    return {"task": task, "texts": HOSTILE[:2], "label_names": NAMES[1:], **replaced}


@pytest.fixture
def build(
    labels: Arrays,
    quantities: dict[str, Arrays],
    gold: NDArray[Any],
    texts: list[str],
    points: pd.DataFrame,
    pair_weights: dict[tuple[str, int], NDArray[Any]],
    explained: dict[str, Any],
) -> Callable[..., HostedWidget]:
    """Build a widget by name, with some arguments replaced."""
    curves = {"Control": np.linspace(0, 1, N_STEPS * N_EXAMPLES).reshape(N_STEPS, N_EXAMPLES)}
    described = {"gold": gold, "label_names": NAMES, "texts": texts}
    builders: dict[str, tuple[Callable[..., HostedWidget], dict[str, Any]]] = {
        "seed_explorer": (seed_explorer, {"labels": labels, "trajectories": curves, **described}),
        "instability_map": (instability_map, {"quantities": quantities, **described}),
        "how_many_seeds": (how_many_seeds, {"labels": labels, "baseline": "Control", "gold": gold}),
        "pd_explorer": (
            lambda points, **rest: pd_explorer(points, rest.pop("weights"), **rest),
            {"points": points, "weights": pair_weights},
        ),
        "explanation_comparer": (explanation_comparer, explained),
        "descent": (lambda starts, **rest: descent(starts=starts, **rest), {"starts": STARTS}),
        "divergence_viewer": (divergence_viewer, twin_arrays()),
        "why_this_film": (why_this_film, films()),
        "mitigation_matrix": (mitigation_matrix, matrix_cells()),
        "train_again": (train_again, a_task()),
        "train_pairs": (train_pairs, {"chances": [0.6, 0.2], "truth": [2.0, -1.0]}),
    }

    def build_widget(which: str, **replaced: Any) -> HostedWidget:
        builder, arguments = builders[which]
        arguments = {"name": "sample", **arguments, **replaced}
        return builder(arguments.pop(next(iter(builders[which][1]))), **arguments)

    return build_widget


WIDGETS = [
    "seed_explorer",
    "instability_map",
    "how_many_seeds",
    "pd_explorer",
    "explanation_comparer",
    "descent",
    "divergence_viewer",
    "why_this_film",
    "mitigation_matrix",
    "train_again",
    "train_pairs",
]


def embedded_state(page: str) -> dict[str, Any]:
    """Read the JSON out of a static page the way a browser does: up to the first end tag."""
    found = re.search(r'<script type="application/json">(.*?)</script', page, re.DOTALL)
    assert found
    state: dict[str, Any] = json.loads(found[1])
    return state


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("shape", [(3, 4), (0, 2), (5,)])
def test_arrays_survive_the_round_trip(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).uniform(0, 250, shape).astype(dtype)
    decoded = decode_array(json.loads(json.dumps(encode_array(array))))
    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


def test_an_array_without_a_javascript_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype uint8, .* got int64"):
        encode_array(np.arange(3, dtype=np.int64))


def test_script_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json([float("nan")])


@pytest.mark.parametrize("which", WIDGETS)
def test_a_page_holds_only_the_tags_of_its_frame(
    build: Callable[..., HostedWidget], which: str
) -> None:
    page = build(which).static_html()
    assert len(re.findall(r"<script", page)) == 2
    assert len(re.findall(r"</script", page)) == 2
    assert "<!--" not in page
    assert "<img" not in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


@pytest.mark.parametrize("which", ["seed_explorer", "instability_map"])
def test_hostile_texts_arrive_unchanged(build: Callable[..., HostedWidget], which: str) -> None:
    data = embedded_state(build(which).static_html())["data"]
    assert set(HOSTILE) <= set(data["texts"])
    assert data["label_names"] == NAMES


@pytest.mark.parametrize("which", WIDGETS)
def test_the_same_arguments_give_the_same_page(
    build: Callable[..., HostedWidget], which: str
) -> None:
    first, second = build(which), build(which)
    assert first.static_html() == second.static_html()
    assert repr(first) == repr(second)
    assert 'id="stablib-sample"' in first.static_html()
    assert build(which, name="other").static_html() != first.static_html()


@pytest.mark.parametrize("which", WIDGETS)
def test_the_bundle_holds_the_widget_and_the_page(
    build: Callable[..., HostedWidget], which: str
) -> None:
    widget = build(which, picture="<svg id='still'></svg>")
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    content, _ = bundle
    assert "application/vnd.jupyter.widget-view+json" in content
    assert content["text/html"] == widget.static_html()
    assert "<svg id='still'></svg>" in content["text/html"]


def test_the_page_carries_the_state_at_the_time(build: Callable[..., HostedWidget]) -> None:
    widget = build("how_many_seeds")
    widget.set_trait("k", 3)
    assert embedded_state(widget.static_html())["k"] == 3


def test_seed_explorer_embeds_switching_examples_and_their_entropy(
    build: Callable[..., HostedWidget], labels: Arrays
) -> None:
    data = build("seed_explorer").data
    positions = decode_array(data["positions"])
    switches = np.any([label_entropy(runs) > 0 for runs in labels.values()], axis=0)
    np.testing.assert_array_equal(positions, np.flatnonzero(switches))
    assert 0 < positions.size < N_EXAMPLES
    for method in data["methods"]:
        runs = labels[method["name"]]
        np.testing.assert_array_equal(decode_array(method["labels"]), runs[:, positions])
        np.testing.assert_allclose(
            decode_array(method["entropy"]), label_entropy(runs)[positions], rtol=1e-6
        )


def test_seed_explorer_keeps_the_accuracy_of_each_run(
    build: Callable[..., HostedWidget], labels: Arrays, gold: NDArray[Any]
) -> None:
    data = build("seed_explorer").data
    embedded_gold = decode_array(data["gold"])
    for method in data["methods"]:
        right = (decode_array(method["labels"]) == embedded_gold).sum(axis=1)
        expected = (labels[method["name"]] == gold).sum(axis=1)
        np.testing.assert_array_equal(right + method["omitted_right"], expected)


def test_trajectories_are_thinned_with_both_ends_and_quantised(
    build: Callable[..., HostedWidget],
) -> None:
    steps = np.arange(N_STEPS) * 10
    widget = build("seed_explorer", steps=steps)
    kept = widget.data["steps"]
    assert len(kept) == 120
    assert (kept[0], kept[-1]) == (0, 10 * (N_STEPS - 1))
    curve = np.linspace(0, 1, N_STEPS * N_EXAMPLES).reshape(N_STEPS, N_EXAMPLES)
    positions = decode_array(widget.data["positions"])
    expected = curve[np.array(kept) // 10][:, positions]
    values = decode_array(widget.data["trajectories"][0]["values"])
    np.testing.assert_allclose(values / 255, expected, atol=0.5 / 255)


def test_unanimous_runs_make_a_widget_without_examples(gold: NDArray[Any]) -> None:
    widget = seed_explorer(
        {"Control": np.tile(gold, (3, 1))},
        gold=gold,
        label_names=NAMES,
        texts=[str(i) for i in range(N_EXAMPLES)],
        name="calm",
    )
    assert widget.picked == -1
    assert widget.data["texts"] == []
    assert widget.data["methods"][0]["omitted_right"] == N_EXAMPLES


def test_instability_map_embeds_the_quantities_as_given(
    build: Callable[..., HostedWidget], quantities: dict[str, Arrays]
) -> None:
    quantities["Control"]["LE_s"] = np.ones(N_EXAMPLES)
    data = build("instability_map").data
    assert [quantity["key"] for quantity in data["quantities"]] == [
        "mu_m",
        "sigma_m",
        "LE_m",
        "LE_s",
    ]
    for method in data["methods"]:
        assert method["values"].keys() == quantities[method["name"]].keys()
        for key, encoded in method["values"].items():
            np.testing.assert_allclose(
                decode_array(encoded), quantities[method["name"]][key], rtol=1e-6
            )


def test_how_many_seeds_embeds_each_methods_switching_examples(
    build: Callable[..., HostedWidget], labels: Arrays, gold: NDArray[Any]
) -> None:
    for method in build("how_many_seeds").data["methods"]:
        runs = labels[method["name"]]
        embedded = decode_array(method["labels"])
        np.testing.assert_array_equal(embedded, runs[:, label_entropy(runs) > 0])
        assert label_entropy(embedded).sum() == pytest.approx(label_entropy(runs).sum())
        np.testing.assert_allclose(method["accuracy"], (runs == gold).mean(axis=1), atol=1e-5)


def test_pd_explorer_embeds_each_curves_points_and_weights(
    build: Callable[..., HostedWidget],
    points: pd.DataFrame,
    pair_weights: dict[tuple[str, int], NDArray[Any]],
) -> None:
    truth = np.linspace(-3, 3, 32)
    shuffled = points.sample(frac=1, random_state=0)
    page = build("pd_explorer", points=shuffled, truth=truth).static_html()
    data = embedded_state(page)["data"]
    assert {curve["name"] for curve in data["curves"]} == set(points["curve"])
    np.testing.assert_allclose(decode_array(data["truth"]), truth, rtol=1e-6)
    for curve in data["curves"]:
        rows = points[points["curve"] == curve["name"]]
        rows = rows.sort_values(["log2_examples", "log2_window"])
        for column in ("log2_window", "log2_examples", "pd", "pd_low", "pd_high", "loss"):
            np.testing.assert_allclose(decode_array(curve[column]), rows[column], rtol=1e-6)
        assert curve["stream"] == rows["stream"].iloc[0]
        kept = {
            (curve["name"], weights["log2_window"]): decode_array(weights["values"])
            for weights in curve["weights"]
        }
        given = {k: v for k, v in pair_weights.items() if k[0] == curve["name"] and v.size}
        assert kept.keys() == given.keys()
        for key, values in kept.items():
            np.testing.assert_allclose(values, given[key], rtol=1e-6)


def test_pd_explorer_begins_with_the_first_nonlinear_curve_at_its_end(
    build: Callable[..., HostedWidget],
) -> None:
    state = build("pd_explorer").state()
    assert state["model"] == "1 unit"
    assert state["activation"] == HOSTILE[1]
    assert (state["init"], state["stream"]) == ("same", 14)
    assert (state["log2_examples"], state["log2_window"]) == (14, 8)


def test_settings_that_a_curve_lacks_are_left_out(build: Callable[..., HostedWidget]) -> None:
    curves = {curve["model"]: curve for curve in build("pd_explorer").data["curves"]}
    assert (curves["linear"]["activation"], curves["linear"]["beta"]) == (None, None)
    assert (curves["1 unit"]["activation"], curves["1 unit"]["beta"]) == ("smelu", 0.5)


def shares_of(data: dict[str, Any], method: int, kind: int) -> dict[int, NDArray[Any]]:
    """Read the shares of a method and kind out of the data, by text."""
    codes = decode_array(data["methods"][method]["kinds"][kind]["shares"]).astype(float)
    shares = np.where(codes == data["zero"], 0.0, np.exp(-codes * data["log_step"]))
    found, start = {}, 0
    for text in decode_array(data["kinds"][kind]["texts"]):
        end = start + 4 * len(data["tokens"][text])
        found[int(text)] = shares[start:end].reshape(4, -1)
        start = end
    assert start == shares.size
    return found


def test_explanation_comparer_embeds_each_share_and_keeps_zeros(
    build: Callable[..., HostedWidget], explained: dict[str, Any]
) -> None:
    data = embedded_state(build("explanation_comparer").static_html())["data"]
    assert data["tokens"] == explained["tokens"]
    for m, (method, kinds) in enumerate(explained["explanations"].items()):
        assert data["methods"][m]["name"] == method
        np.testing.assert_allclose(
            decode_array(data["methods"][m]["scores"]), explained["scores"][method], rtol=1e-6
        )
        for k, (kind, arrays) in enumerate(kinds.items()):
            assert data["kinds"][k]["name"] == kind
            found = shares_of(data, m, k)
            given = {text: array for text, array in enumerate(arrays) if array is not None}
            assert found.keys() == given.keys()
            for text, array in given.items():
                # Half a step of the logarithm is the most that rounding moves it.
                np.testing.assert_allclose(found[text], array, rtol=data["log_step"])
                np.testing.assert_array_equal(found[text] == 0, array == 0)


def test_texts_on_which_runs_name_the_same_words_disagree_least(
    build: Callable[..., HostedWidget], explained: dict[str, Any]
) -> None:
    """Of ten tokens two are on top: by hand, runs that share one are 2/3 apart, strangers 1."""
    one = np.full((4, 10), 0.05)
    one[:, 0] = 0.3
    for run, second in enumerate([1, 1, 2, 2]):
        one[run, second] = 0.3
    others = np.full((4, 10), 0.05)
    for run in range(4):
        others[run, 2 * run : 2 * run + 2] = 0.3
    same = np.tile(others[0], (4, 1))
    kinds = {"attention": [same, one, others]}
    widget = build(
        "explanation_comparer",
        explanations={"A": kinds, "B": kinds},
        tokens=[list("abcdefghij")] * 3,
        scores={"A": np.zeros((4, 3)), "B": np.ones((4, 3))},
        gold=[0, 0, 1],
    )
    found = decode_array(widget.data["methods"][0]["kinds"][0]["disagreement"])
    np.testing.assert_allclose(found, [0, 4 / 6 * 2 / 3, 1], rtol=1e-6)
    assert widget.state()["picked"] == 2


def test_a_kind_that_no_text_has_leaves_nothing_to_pick(
    build: Callable[..., HostedWidget], explained: dict[str, Any]
) -> None:
    explanations = {method: {"LIME": [None] * 5} for method in ("Control", "ASWA")}
    widget = build("explanation_comparer", explanations=explanations)
    assert widget.state()["picked"] == -1
    assert shares_of(widget.data, 0, 0) == {}


def replace_text(
    explained: dict[str, Any], text: int, value: Any, method: str = "Control"
) -> dict[str, Any]:
    """The explanations with the attention of one text replaced."""
    attention = list(explained["explanations"][method]["attention"])
    attention[text] = value
    kinds = explained["explanations"][method] | {"attention": attention}
    return {**explained["explanations"], method: kinds}


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        (0, np.full((4, 5), 0.2), r"\[0\] must have shape \(4, 6\), got \(4, 5\)"),
        (1, np.ones((3, 1)), r"\[1\] must have shape \(4, 1\), got \(3, 1\)"),
        (1, np.full((4, 1), 0.5), r"\[1\] must sum to 1"),
        (1, -np.ones((4, 1)), r"\[1\] must be finite and 0 or more"),
        (3, np.full((4, 3), np.nan), r"\[3\] must be finite"),
    ],
)
def test_explanation_comparer_checks_each_array(
    build: Callable[..., HostedWidget],
    explained: dict[str, Any],
    text: int,
    value: Any,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=r"explanations\['Control'\]\['attention'\]" + message):
        build("explanation_comparer", explanations=replace_text(explained, text, value))


def test_methods_explain_the_same_texts_in_the_same_kinds(
    build: Callable[..., HostedWidget], explained: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"explanations\['ASWA'\].*same texts.*at position 3"):
        build("explanation_comparer", explanations=replace_text(explained, 3, None, method="ASWA"))
    control, aswa = explained["explanations"].values()
    for kinds, message in (
        ({"attention": aswa["attention"]}, r"\['ASWA'\] must hold every kind .*missing 'LIME'"),
        (aswa | {"atention": []}, r"kind in explanations\['ASWA'\].*did you mean 'attention'"),
        ({}, r"explanations\['ASWA'\] must hold at least one kind"),
        ([1], r"explanations\['ASWA'\] must be a mapping"),
        (aswa | {"LIME": [None]}, r"\['LIME'\] must hold 5 texts, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            build("explanation_comparer", explanations={"Control": control, "ASWA": kinds})


@pytest.mark.parametrize(
    ("which", "replaced", "message"),
    [
        ("explanation_comparer", {"explanations": {}}, "explanations must hold at least one"),
        ("explanation_comparer", {"explanations": [1]}, "explanations must be a mapping"),
        ("explanation_comparer", {"tokens": [["a"]]}, "tokens must hold 5 texts"),
        (
            "explanation_comparer",
            {"tokens": [["a"], [], ["a"], ["a"], ["a"]]},
            r"tokens\[1\] must be a sequence of at least one token",
        ),
        ("explanation_comparer", {"tokens": ["abc"] * 5}, r"tokens\[0\] must be a sequence"),
        ("explanation_comparer", {"gold": [0, 1, 2, 0, 1]}, "gold must be class indices below 2"),
        ("explanation_comparer", {"label_names": list("abc")}, "label_names must hold two names"),
        ("explanation_comparer", {"scores": {}}, "scores must hold every method.*'Control'"),
        (
            "explanation_comparer",
            {"scores": {"Contrl": np.zeros((4, 5))}},
            "unknown method in scores 'Contrl'; did you mean 'Control'",
        ),
        (
            "explanation_comparer",
            {"scores": {"Control": np.zeros((4, 5)), "ASWA": np.zeros((3, 5))}},
            r"scores\['ASWA'\] must have the same number of runs, got 4 and 3",
        ),
        (
            "explanation_comparer",
            {"scores": {"Control": np.zeros((4, 4))}},
            r"scores\['Control'\] must have shape \(n_runs, 5\), got \(4, 4\)",
        ),
        (
            "explanation_comparer",
            {"scores": {"Control": np.zeros((1, 5))}},
            r"scores\['Control'\] must hold at least 2 runs, got 1",
        ),
        (
            "explanation_comparer",
            {"scores": {"Control": np.full((4, 5), 1.5)}},
            r"scores\['Control'\] must be probabilities",
        ),
        ("explanation_comparer", {"seeds": {"Control": [1]}}, r"seeds\['Control'\] must hold 4"),
        ("divergence_viewer", {"networks": {}}, "networks must hold at least one network"),
        (
            "divergence_viewer",
            {"networks": {"a": {"twins": {}}}},
            r"networks\['a'\] must hold 'unchanged', it has twins",
        ),
        (
            "divergence_viewer",
            {"networks": {"a": {"unchanged": {"loss": np.zeros(5)}, "twins": {"b": {}}}}},
            r"networks\['a'\]\['unchanged'\] must hold 'logits'",
        ),
        ("divergence_viewer", parted_by(), r"\['twins'\] must hold at least one source"),
        ("divergence_viewer", parted_by(a={}), r"\['a'\] must hold twins of at least one epoch"),
        ("divergence_viewer", parted_by(a={1: {}}), r"\['a'\]\[1\] must hold 'distance'"),
        *(
            (
                "divergence_viewer",
                parted_by(a={key: a_twin()}),
                rf"\['a'\] must map epochs, counted from 1, to twins, got the key {key!r}",
            )
            for key in (0, "distance", True)
        ),
        (
            "divergence_viewer",
            parted_by(a={1: {**a_twin(), "loss": np.zeros((4, 6))}}),
            r"\['twins'\]\['a'\]\[1\]\['loss'\] must have shape \(4, 5\), got \(4, 6\)",
        ),
        (
            "divergence_viewer",
            parted_by(a={1: {**a_twin(), "distance": -np.ones((4, 5))}}),
            r"\['twins'\]\['a'\]\[1\]\['distance'\] must not be negative, got -1",
        ),
        ("divergence_viewer", {"steps": [1.5, 2.0]}, "steps must be at least two whole numbers"),
        ("divergence_viewer", {"steps": [3, 1, 4, 5, 9]}, "steps must ascend from 1"),
        ("divergence_viewer", {"gold": [0, 3]}, "gold must be class indices below 3"),
        ("divergence_viewer", {"texts": ["a"]}, "texts must hold 2 texts"),
        ("mitigation_matrix", {"cells": {}}, "cells must hold at least one workload"),
        ("mitigation_matrix", {"cells": {"heads": {"SVA": a_cell()}}}, "did you mean 'SWA'"),
        ("mitigation_matrix", {"cells": {"heads": {"SWA": {}}}}, "must hold 'reduction'"),
        ("mitigation_matrix", {"reasons": {}}, r"cells\['images'\].* is missing, and reasons"),
        (
            "mitigation_matrix",
            {"cells": {"heads": {"SWA": a_cell(accuracies=[])}}},
            r"\['accuracies'\] must have shape \(n_runs,\), one number a run, got \(0,\)",
        ),
        (
            "mitigation_matrix",
            {"cells": {"heads": {"SWA": a_cell(apart=[1.0])}}},
            r"\['apart'\] must have shape \(n_runs,\), one number a run, got \(1,\)",
        ),
        ("mitigation_matrix", {"methods": ["Control", "SWA"]}, "must not hold 'Control'"),
        ("mitigation_matrix", {"plain": {"heads": of_runs()}}, r"plain\['images'\] is missing"),
        ("mitigation_matrix", {"plain": {"heads": {}}}, r"plain\['heads'\] must hold 'accuracies'"),
        (
            "mitigation_matrix",
            {"cells": {"images": {}}, "methods": ["SWA"], "reasons": {"images": {"SWA": "no"}}},
            "at least one method with runs",
        ),
        ("why_this_film", {"models": {"one": item_weights()}}, "at least two runs, got 1"),
        ("why_this_film", {"beta": 2.0}, "beta must be between 0 and 1, got 2"),
        ("why_this_film", {"histories": [[0, 1, 2]]}, "must hold as many users"),
        ("why_this_film", {"histories": [[0, 9], [3, 4]]}, r"histories\[0\] .* 0 to 4, got 9"),
        ("why_this_film", {"candidates": [[3], [0, 1]]}, "at least two whole numbers"),
        (
            "why_this_film",
            {"models": {"a": item_weights(), "b": {"history": np.zeros((5, 3))}}},
            r"models\['b'\] must hold 'attention_weight'",
        ),
        (
            "why_this_film",
            {"models": {"a": item_weights(), "b": item_weights(targets=np.zeros((5, 2)))}},
            r"models\['b'\]\['targets'\] must have shape \(5, 3\), got \(5, 2\)",
        ),
        (
            "why_this_film",
            {"models": {"a": item_weights(), "b": item_weights(top=np.full((2, 4), np.nan))}},
            r"models\['b'\]\['top'\] must be finite",
        ),
        ("train_again", {"task": None}, "texts, label_names and source go with a task"),
        ("train_again", {"label_names": []}, "label_names must hold 2 names, got 0"),
        ("train_again", {"texts": []}, "texts must hold 2 texts, one an example, got 0"),
        ("train_again", {"texts": ["a"]}, "texts must hold 2 texts, one an example, got 1"),
        ("train_again", {"label_names": ["a"]}, "label_names must hold 2 names, got 1"),
        ("train_again", {"dropout": 1.0}, "dropout must be at least 0 and less than 1, got 1"),
        ("train_again", {"hidden": 0}, "hidden must be an integer >= 1"),
        ("train_again", {"batch_size": 1.5}, "batch_size must be an integer >= 1"),
        (
            "train_again",
            {"task": Task({"train": np.eye(2)}, {"train": np.arange(2)}, 2)},
            "unknown split 'test'",
        ),
        ("train_pairs", {"chances": [0.5]}, r"chances must have shape \(2,\), got \(1,\)"),
        ("train_pairs", {"chances": [0.5, 1.5]}, r"chances must be fractions"),
        ("train_pairs", {"truth": [0.5, np.nan]}, "truth must be finite"),
        ("train_pairs", {"truth": np.zeros(33)}, r"1 to 32, got \(33,\)"),
        ("descent", {"name": "Not A Name"}, "name must be lower-case"),
        ("descent", {"learning_rate": 1.0}, "learning_rate must be 0.001 to 0.1, got 1"),
        ("descent", {"learning_rate": "fast"}, "learning_rate must be a number"),
        ("descent", {"noise": -1.0}, "noise must be 0 to 3, got -1"),
        ("descent", {"noise": np.nan}, "noise must be 0 to 3, got nan"),
        ("descent", {"seed": -1}, "seed must be an integer >= 0, got -1"),
        ("descent", {"seed": 2**31}, "seed must be 0 to"),
        ("descent", {"momentum": 1.0}, "momentum must be at least 0 and less than 1, got 1"),
        ("descent", {"steps": 0}, "steps must be an integer >= 1"),
        ("descent", {"epochs": 1.5}, "epochs must be an integer >= 1"),
        ("descent", {"n_seeds": 1}, "n_seeds must be an integer >= 2, got 1"),
        ("descent", {"starts": [[0, 0]]}, r"starts must have shape \(2, 2\), got \(1, 2\)"),
        ("descent", {"starts": [[0, 0], [0, 3]]}, r"starts\[1\]\[1\] must be -1.2 to 2, got 3"),
        ("descent", {"starts": [[0, 0], [0, np.nan]]}, "starts must be finite"),
        ("seed_explorer", {"name": "Not A Name"}, "name must be lower-case"),
        ("seed_explorer", {"gold": np.zeros((2, 2), int)}, r"gold must be integers of shape"),
        ("seed_explorer", {"gold": np.full(N_EXAMPLES, 3)}, "gold must be class indices below 3"),
        ("seed_explorer", {"texts": ["a"]}, f"texts must hold {N_EXAMPLES} texts"),
        ("seed_explorer", {"labels": {}}, "labels must hold at least one method"),
        (
            "seed_explorer",
            {"labels": {"A": np.zeros((1, N_EXAMPLES), int)}},
            "labels must hold at least 2 runs, got 1",
        ),
        (
            "seed_explorer",
            {"labels": {"A": np.zeros((2, 3), int)}},
            rf"labels\['A'\] must have shape \(2, {N_EXAMPLES}\), got \(2, 3\)",
        ),
        (
            "seed_explorer",
            {"labels": {"A": np.full((2, N_EXAMPLES), 7)}},
            r"labels\['A'\] must be class indices below 3",
        ),
        (
            "seed_explorer",
            {"labels": {"A": np.full((2, N_EXAMPLES), 0.5)}},
            r"labels\['A'\] must be integers \(class indices\), got 0.5",
        ),
        ("seed_explorer", {"seeds": {"Control": [1]}}, r"seeds\['Control'\] must hold 6 seeds"),
        (
            "seed_explorer",
            {"trajectories": {"A": np.full((3, N_EXAMPLES), 1.5)}},
            r"trajectories\['A'\] must be fractions",
        ),
        (
            "seed_explorer",
            {"trajectories": {"A": np.zeros((3, 2))}},
            rf"trajectories\['A'\] must have shape \(3, {N_EXAMPLES}\)",
        ),
        ("seed_explorer", {"trajectories": {"A": np.zeros((1, 2))}}, "at least two steps, got 1"),
        ("seed_explorer", {"steps": [2, 1]}, "steps must be 300 ascending numbers"),
        ("instability_map", {"quantities": {}}, "quantities must hold at least one method"),
        (
            "instability_map",
            {"quantities": {"A": {"mu_m": np.zeros(N_EXAMPLES)}}},
            r"quantities\['A'\] must hold mu_m, sigma_m, LE_m; missing sigma_m",
        ),
        ("instability_map", {"gold": np.zeros(0, int), "texts": []}, "gold must hold at least one"),
        ("how_many_seeds", {"baseline": "Contrl"}, "did you mean 'Control'"),
        ("how_many_seeds", {"n_resamples": 0}, "n_resamples must be at least 1, got 0"),
        ("how_many_seeds", {"gold": np.zeros((2, 2))}, "gold must have shape"),
        (
            "pd_explorer",
            {"points": pd.DataFrame({"curve": []})},
            "points must hold .*missing model",
        ),
        ("pd_explorer", {"truth": np.zeros(31)}, r"truth must have shape \(32,\), got \(31,\)"),
        ("pd_explorer", {"truth": np.full(32, np.nan)}, "truth must be finite"),
        (
            "pd_explorer",
            {"weights": {("linaer", 0): np.zeros((2, 3))}},
            "unknown curve in weights 'linaer'; did you mean 'linear'",
        ),
        (
            "pd_explorer",
            {"weights": {("linear", 5): np.zeros((2, 3))}},
            r"weights\[\('linear', 5\)\]: points have no such window",
        ),
        (
            "pd_explorer",
            {"weights": {("linear", 0): np.zeros((3, 2))}},
            r"weights\[\('linear', 0\)\] must have shape \(2, 3\), got \(3, 2\)",
        ),
        (
            "pd_explorer",
            {"weights": {("linear", 0): np.full((2, 3), np.inf)}},
            r"weights\[\('linear', 0\)\] must be finite",
        ),
    ],
)
def test_errors_name_the_argument(
    build: Callable[..., HostedWidget], which: str, replaced: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build(which, **replaced)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mu_m", np.full(N_EXAMPLES, 2.0), r"quantities\['Control'\]\['mu_m'\] must be fractions"),
        ("LE_m", np.full(N_EXAMPLES, np.nan), r"\['LE_m'\] must be finite"),
        ("sigma_m", np.zeros(2), rf"\['sigma_m'\] must have shape \({N_EXAMPLES},\)"),
        ("LEm", np.zeros(N_EXAMPLES), "did you mean 'LE_m'"),
    ],
)
def test_instability_map_checks_each_quantity(
    build: Callable[..., HostedWidget],
    quantities: dict[str, Arrays],
    key: str,
    value: NDArray[Any],
    message: str,
) -> None:
    quantities["Control"][key] = value
    with pytest.raises(ValueError, match=message):
        build("instability_map")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("pd", -0.1, r"points\['pd'\] must not be negative, got -0.1"),
        ("pd", np.nan, r"points\['pd'\] must be finite"),
        ("loss", np.inf, r"points\['loss'\] must be finite"),
        ("loss", -1e-9, r"points\['loss'\] must not be negative, got -1e-09"),
        ("pd_low", 0.9, r"points\['pd_low'\] must not exceed points\['pd_high'\]"),
        ("log2_examples", 15, r"points\['log2_examples'\] must not exceed points\['stream'\]"),
        ("log2_window", 0.5, r"points\['log2_window'\] must be whole numbers"),
        ("log2_window", 8, "'linear' has several at log2_window 8 and log2_examples 13"),
        ("model", None, r"points\['model'\] must be text, got NaN"),
        ("model", "2 units", "curve 'linear' must have one model, got 2 units and linear"),
        ("stream", 20, "curve 'linear' must have one stream, got 20 and 14"),
        ("init", "sane", "unknown init in points 'sane'; did you mean 'same'"),
    ],
)
def test_pd_explorer_checks_each_column(
    build: Callable[..., HostedWidget],
    points: pd.DataFrame,
    column: str,
    value: Any,
    message: str,
) -> None:
    points[column] = points[column].astype(object)
    points.loc[0, column] = value
    with pytest.raises(ValueError, match=message):
        build("pd_explorer")


def test_pd_explorer_needs_a_row(build: Callable[..., HostedWidget], points: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="points must hold at least one row, got none"):
        build("pd_explorer", points=points.iloc[:0])


@pytest.mark.parametrize(
    ("which", "trait", "value", "message"),
    [
        ("seed_explorer", "method", "TGTS", "did you mean 'TGTSS'"),
        ("seed_explorer", "rows", [0, N_RUNS], "rows must be 0 to 5"),
        ("seed_explorer", "picked", N_EXAMPLES, "picked must be -1"),
        ("seed_explorer", "gold", 3, "gold must be -1"),
        ("instability_map", "method", "?", "unknown method"),
        ("instability_map", "x", "LE_s", "unknown x 'LE_s'"),
        ("instability_map", "gold", -2, "gold must be -1"),
        ("instability_map", "picked", N_EXAMPLES, "picked must be -1"),
        ("instability_map", "brush", [0.0, 1.0], "brush must be empty or 4 numbers"),
        ("how_many_seeds", "k", 1, "k must be 2 to 6, got 1"),
        ("pd_explorer", "model", "1 units", "did you mean '1 unit'"),
        ("pd_explorer", "beta", 1.0, "beta must be one of 0.5, got 1"),
        ("pd_explorer", "init", "none", "init"),
        ("pd_explorer", "stream", 16, "stream must be one of 14, 15, got 16"),
        ("pd_explorer", "log2_window", 1, "log2_window must be one of 0, 4, 8, got 1"),
        ("explanation_comparer", "methods", ["Control", "ASVA"], "did you mean 'ASWA'"),
        ("explanation_comparer", "methods", ["Control"], "methods"),
        ("explanation_comparer", "rows", [0, 4], "rows must be 0 to 3"),
        ("explanation_comparer", "kind", "atention", "did you mean 'attention'"),
        ("explanation_comparer", "picked", 5, "picked must be -1"),
        ("explanation_comparer", "gold", 2, "gold must be -1"),
        ("explanation_comparer", "order", "entropy", "order"),
        ("descent", "learning_rate", 0.0, "learning_rate must be 0.001 to 0.1, got 0"),
        ("descent", "noise", 4.0, "noise must be 0 to 3, got 4"),
        ("descent", "seed", -1, "seed must be 0 to"),
        ("descent", "starts", [[0.0, 0.0], [2.0, 0.0]], r"starts\[1\]\[0\] must be -1.8 to 1.8"),
        ("descent", "starts", [[0.0, 0.0]], "starts"),
        ("descent", "shown", ["ASVA"], "did you mean 'ASWA'"),
    ],
)
def test_a_state_that_the_view_cannot_show_is_refused(
    build: Callable[..., HostedWidget], which: str, trait: str, value: Any, message: str
) -> None:
    widget = build(which)
    before = widget.state()
    with pytest.raises(traitlets.TraitError, match=message):
        widget.set_trait(trait, value)
    assert widget.state() == before


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("n_seeds", 1, "n_seeds must be 2 to 200, got 1"),
        ("first_seed", 0, "first_seed must be 1 to 99999, got 0"),
        ("temperature", 3.0, "temperature must be 0.1 to 2, got 3"),
        ("learning_rate", 0.02, "learning_rate must be one of 0.003, 0.01, 0.03, 0.1, got 0.02"),
        ("epochs", 3, "epochs must be one of 2, 5, 10, 20, got 3"),
        ("method", "SVA", "did you mean 'SWA'"),
        ("teacher", "mine", "teacher"),
        ("vary", [], "vary needs at least one of initial weights"),
        ("vary", ["ordr"], "did you mean 'order'"),
        ("example", 400, "example must be 0 to 399, got 400"),
    ],
)
def test_train_again_refuses_what_it_cannot_train(trait: str, value: Any, message: str) -> None:
    widget = train_again()
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        widget.set_trait(trait, value)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("hidden", 3, "hidden must be 0, 1 or 2, got 3"),
        ("activation", "rulu", "did you mean 'relu'"),
        ("beta", 0.0, "beta must be 0.1 to 4, got 0"),
        ("learning_rate", 2.0, "learning_rate must be 0.01 to 1, got 2"),
        ("log2_examples", 20, "log2_examples must be 10 to 18, got 20"),
        ("log2_window", 14, "log2_window must be 0 to 13, got 14"),
        ("n_pairs", 0, "n_pairs must be 1 to 64, got 0"),
        ("first_seed", 0, "first_seed must be 1 to 99999, got 0"),
    ],
)
def test_train_pairs_refuses_what_it_cannot_train(trait: str, value: Any, message: str) -> None:
    widget = train_pairs([0.6], [1.0])
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        widget.set_trait(trait, value)


def test_train_again_fits_a_page() -> None:
    """Features and texts take at most 300 KB."""
    assert len(json.dumps(train_again().data)) < 300_000


@pytest.mark.slow
def test_the_utterances_are_those_of_massive_and_its_encoder() -> None:
    """Another processor may round a feature to the next byte."""
    from stablib.reproduce.utterances import make

    made, shipped = make(), json.loads(asset("utterances.json"))
    for split in ("train", "test"):
        fresh, kept = made.pop(split), shipped.pop(split)
        assert fresh["labels"] == kept["labels"]
        bytes_of = [decode_array(one["features"]).astype(int) for one in (fresh, kept)]
        assert np.abs(bytes_of[0] - bytes_of[1]).max() <= 1
    assert made == shipped


# The panel: what it does is tried without a view; its view is tried in the browser.


class Waits:
    """An experiment that tells of tenths, and waits for a word to go on."""

    def __init__(self) -> None:
        self.go, self.told, self.fault = threading.Event(), threading.Event(), None

    def price(self, values: Any) -> str:
        return f"{values['number']} seconds"

    def run(self, values: Any, tell: Any) -> Effects:
        if self.fault is not None:
            raise self.fault
        tell(0.5, "halving")
        self.told.set()
        assert self.go.wait(10)
        tell(1.0, "halving")
        return Effects({"half": (values["number"] / 2, 0.0, 9.0)}, "1 run")


def waiting(**options: Any) -> tuple[Waits, RerunPanel]:
    experiment = Waits()
    parameters = [Parameter("number", 4, 2, 9, "what is halved"), Parameter("rate", 0.5, 0, 1, "")]
    panel = rerun_panel(
        experiment, parameters, effect="half", data="none", command="halve", **options
    )
    return experiment, panel


def test_a_parameter_begins_within_its_range() -> None:
    with pytest.raises(UsageError, match="limit must be a whole number from 100 to 50, got 50"):
        Parameter("limit", 50, 100, 50, "utterances")


def test_the_panel_trains_while_the_kernel_stays_free_and_keeps_what_came_out() -> None:
    experiment, panel = waiting()
    panel.train()
    assert experiment.told.wait(10)
    assert panel.running
    panel.train()  # The second click does nothing.
    experiment.go.set()
    panel.join(10)
    assert not panel.running
    panel.values = {"number": 6.0, "rate": 1}
    panel.train()
    panel.join(10)
    assert [one["effects"]["half"][0] for one in panel.tries] == [3.0, 2.0]
    assert [one["number"] for one in panel.tries] == [2, 1]
    assert panel.said.startswith("Done in 0 s. 1 run")
    assert panel.problem == ""


def test_a_click_brings_the_values_that_the_view_shows() -> None:
    """The view sends what is typed later, when the kernel is slow to answer."""
    _, panel = waiting()
    panel._handle_custom_msg({"ask": "price", "values": {"number": 7, "rate": 0.5}}, [])
    assert panel.said == "7 seconds"


def test_a_cancelled_panel_says_so_and_trains_again() -> None:
    experiment, panel = waiting()
    panel.train()
    assert experiment.told.wait(10)
    panel.cancel()
    assert panel.said == "Cancelling …"
    experiment.go.set()
    panel.join(10)
    assert panel.said == "Cancelled."
    assert (panel.running, panel.done, panel.tries) == (False, 0.0, [])
    panel.train()
    panel.join(10)
    assert len(panel.tries) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"number": 1}, "number must be a whole number from 2 to 9, got 1"),
        ({"number": 2.5}, "number must be a whole number from 2 to 9, got 2.5"),
        ({"number": None}, "number must be a whole number from 2 to 9, got None"),
        ({"number": True}, "number must be a whole number from 2 to 9, got True"),
        ({"rate": "much"}, "rate must be a number from 0 to 1, got 'much'"),
    ],
)
@pytest.mark.parametrize("ask", ["price", "train"])
def test_the_panel_refuses_what_is_not_allowed(ask: str, values: Any, message: str) -> None:
    _, panel = waiting()
    panel.values = {**panel.values, **values}
    getattr(panel, ask)()
    assert panel.problem == message
    assert (panel.said, panel.running) == ("", False)
    panel.values = {"number": 4, "rate": 0.5}
    panel.price()
    assert (panel.problem, panel.said) == ("", "4 seconds")


def test_a_panel_shows_why_its_experiment_failed() -> None:
    experiment, panel = waiting()
    experiment.fault = UsageError("leaves no step")
    panel.train()
    panel.join(10)
    assert (panel.problem, panel.running) == ("leaves no step", False)


def test_what_a_panel_does_not_expect_is_shown_and_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: raised.append(hook.exc_type))
    experiment, panel = waiting()
    experiment.fault = ZeroDivisionError("by zero")
    panel.train()
    panel.join(10)
    assert raised == [ZeroDivisionError]
    assert (panel.problem, panel.running) == ("ZeroDivisionError: by zero", False)


def test_progress_may_come_from_many_threads() -> None:
    """Whatever they told before, the last word comes when nothing runs any more."""

    class Many:
        def price(self, values: Any) -> str:
            return ""

        def run(self, values: Any, tell: Any) -> Effects:
            threads = [
                threading.Thread(target=lambda: [tell(k / 200, "half") for k in range(200)])
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return Effects({}, "many")

    panel = rerun_panel(
        Many(), [Parameter("n", 1, 0, 2, "")], effect="none", data="none", command="many"
    )
    seen: list[tuple[str, bool]] = []
    panel.observe(lambda change: seen.append((change["new"], panel.running)), "said")
    panel.train()
    panel.join(10)
    assert seen[-1] == ("Done in 0 s. many", False)
    assert len(panel.tries) == 1
