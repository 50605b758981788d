"""The widget that trains pairs in the page, against torch and the metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from scipy.special import expit

from stablib.metrics import relative_prediction_difference
from stablib.show.widgets import train_pairs
from stablib.show.widgets.hosted import module_text
from stablib.workloads.streams import DataModel, StreamRecipe, network
from tests.browser.test_train_again import finished
from tests.browser.test_widgets_static import FRAME, part, table_rows, widget_of

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("error")]

MODEL = DataModel(kind="linear")
CHANCES, TRUTH = MODEL.feature_probabilities(), MODEL.weights()
N_EXAMPLES = 512

#: Traces a training in the page: all that was drawn, and the weights at its end.
TRACE = """
window.trace = ({ model, settings, seed }) => {
  const { hidden, activation, beta, learningRate } = settings;
  const nFeatures = model.chances.length;
  const bend = makeActivation(activation, beta);
  const network = { nFeatures, hidden, activation: bend, batchSize: 32 };
  const stream = drawStream(512, model, generator(seed));
  const orders = [1, 2].map((k) => windowOrder(512, 64, generator(seed + k)));
  const first = firstWeights(nFeatures, hidden, generator(seed + 3));
  const pair = orders.map((order) => {
    const weights = first.slice();
    const memory = new Float32Array(weights.length).fill(0.1);
    trainOnStream(weights, memory, stream, order, 0, 512, network, learningRate);
    return weights;
  });
  const truths = trueChances(stream, model.truth);
  return {
    bits: [...stream.bits],
    labels: [...stream.labels],
    orders: orders.map((order) => [...order]),
    first: [...first],
    pair: pair.map((weights) => [...weights]),
    truths: [...truths],
    difference: relativeDifference(pair, stream, network, truths),
  };
};
window.draw = ({ model, count, seed }) => {
  const { bits, labels } = drawStream(count, model, generator(seed));
  return { bits: [...bits], labels: [...labels], truths: [...trueChances({ bits }, model.truth)] };
};
window.order = ({ count, window, seed }) => [...windowOrder(count, window, generator(seed))];
window.run = (argument, seed) => makePairs(argument)(seed);
"""


def features_of(bits: Any) -> NDArray[np.float32]:
    patterns = np.array(bits, dtype=np.uint32)
    return ((patterns[:, None] >> np.arange(32, dtype=np.uint32)) & 1).astype(np.float32)


@pytest.fixture
def trainer(open_page: Callable[..., Page], tmp_path: Path) -> Page:
    module = module_text("workers.js", "pair_trainer.js")
    path = tmp_path / "trainer.html"
    body = f'<script type="module">{module}\n{TRACE}</script>'
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    return open_page(path)


def model() -> dict[str, Any]:
    return {"chances": CHANCES.tolist(), "truth": TRUTH.tolist()}


def by_torch(
    recipe: StreamRecipe, first: Any, x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The same training with autograd and torch's AdaGrad."""
    parameters = torch.tensor(np.array(first, dtype=np.float32), requires_grad=True)
    adagrad = torch.optim.Adagrad(
        [parameters], lr=recipe.learning_rate, initial_accumulator_value=0.1, eps=1e-7
    )
    act = {
        "relu": torch.relu,
        "identity": lambda z: z,
        "swish": lambda z: z * torch.sigmoid(recipe.beta * z),
        "smelu": lambda z: torch.where(
            z <= -recipe.beta,
            0.0 * z,
            torch.where(z >= recipe.beta, z, (z + recipe.beta) ** 2 / (4 * recipe.beta)),
        ),
    }[recipe.activation]
    for start in range(0, len(x), 32):
        values, at = torch.from_numpy(x[start : start + 32]), 0
        for number, (n_in, n_out) in enumerate(recipe.shapes):
            weights = parameters[at : at + n_in * n_out].view(n_in, n_out)
            values = values @ weights + parameters[at + n_in * n_out : at + (n_in + 1) * n_out]
            at += (n_in + 1) * n_out
            values = act(values) if number < len(recipe.shapes) - 1 else values
        goals = torch.from_numpy(y[start : start + 32])
        adagrad.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(values[:, 0], goals).backward()
        adagrad.step()
    return parameters.detach().numpy()


@pytest.mark.parametrize(
    ("hidden", "activation", "beta"),
    [
        (0, "relu", 1.0),
        (1, "relu", 1.0),
        (2, "smelu", 0.7),
        (2, "swish", 2.0),
        (1, "identity", 1.0),
    ],
)
def test_weights_and_difference_are_those_of_torch_and_the_metrics(
    trainer: Page, hidden: int, activation: Any, beta: float
) -> None:
    rate = 0.3
    settings = {"hidden": hidden, "activation": activation, "beta": beta, "learningRate": rate}
    traced = trainer.evaluate(
        "given => window.trace(given)", {"model": model(), "settings": settings, "seed": 11}
    )
    recipe = StreamRecipe(
        data=MODEL,
        hidden=(hidden,) if hidden else (),
        activation=activation,
        beta=beta,
        learning_rate=rate,
        log2_examples=9,
    )
    x, y = features_of(traced["bits"]), np.array(traced["labels"], dtype=np.float32)
    ends = []
    for order, found in zip(traced["orders"], traced["pair"], strict=True):
        expected = by_torch(recipe, traced["first"], x[order], y[order])
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
        ends.append(np.array(found, dtype=np.float32))
    truths = expit(MODEL.log_odds(x))
    np.testing.assert_allclose(traced["truths"], truths, rtol=1e-12)
    predictions = expit([network.log_odds(recipe, weights, x) for weights in ends])
    expected_difference = relative_prediction_difference(predictions, truths)[0]
    assert traced["difference"] == pytest.approx(expected_difference, rel=1e-9)


def test_streams_have_the_models_chances(trainer: Page) -> None:
    drawn = trainer.evaluate(
        "given => window.draw(given)", {"model": model(), "count": 40_000, "seed": 3}
    )
    x = features_of(drawn["bits"])
    np.testing.assert_allclose(x.mean(axis=0), CHANCES, atol=0.01)
    labels, truths = np.array(drawn["labels"]), np.array(drawn["truths"])
    assert labels.mean() == pytest.approx(truths.mean(), abs=0.01)
    for low in (0.0, 0.3, 0.7):
        chosen = (truths >= low) & (truths < low + 0.3)
        assert labels[chosen].mean() == pytest.approx(truths[chosen].mean(), abs=0.025)


def test_examples_stay_in_their_windows(trainer: Page) -> None:
    order = np.array(
        trainer.evaluate("given => window.order(given)", {"count": 256, "window": 64, "seed": 1})
    )
    assert sorted(order) == list(range(256))
    assert (order // 64 == np.arange(256) // 64).all()
    assert (order != np.arange(256)).mean() > 0.9


def test_rounding_alone_tells_models_apart_with_windows_of_one_mini_batch(trainer: Page) -> None:
    settings = {
        "hidden": 0,
        "activation": "relu",
        "beta": 1,
        "learningRate": 0.1,
        "sameInit": True,
        "log2Examples": 12,
        "batchSize": 32,
        "nEvaluated": 4096,
        "log2First": 8,
    }

    def last(log2_window: int) -> float:
        argument = {"model": model(), "settings": {**settings, "log2Window": log2_window}}
        found = trainer.evaluate("([given, seed]) => window.run(given, seed)", [argument, 1])
        assert len(found) == 5  # After 2^8 to 2^12 examples.
        return float(found[-1])

    assert 0.0 < last(0) < 1e-5
    assert last(7) > 1e-3


@pytest.fixture
def page(open_page: Callable[..., Page], tmp_path: Path) -> Page:
    made = train_pairs(CHANCES, TRUTH)
    made.log2_examples, made.n_pairs = 11, 3
    path = tmp_path / "page.html"
    path.write_text(FRAME.format(attributes="", body=made.static_html()), encoding="utf-8")
    return open_page(path)


def test_controls_change_what_is_trained(page: Page) -> None:
    widget = widget_of(page, "train-pairs")
    finished(widget, 1)
    expect(part(widget, "summary")).to_contain_text("3 pairs of two hidden units, ReLU: after 2¹¹")
    expect(part(widget, "beta")).to_be_hidden()
    part(widget, "activation").select_option("swish")
    expect(part(widget, "beta")).to_be_visible()
    part(widget, "beta").fill("2")
    part(widget, "init").select_option("false")
    part(widget, "learning-rate").fill("0.3")
    part(widget, "log2-examples").fill("12")
    part(widget, "log2-window").fill("3")
    part(widget, "n-pairs").fill("2")
    part(widget, "first-seed").fill("7")
    part(widget, "again").click()
    finished(widget, 2)
    row = table_rows(widget, "tries")["2"]
    assert row[2:] == ["two hidden units, Swish (β 2)", "own", "2³", "0.3", "2¹²", "2", "7"]
    expect(part(widget, "plot").locator("[data-try]")).to_have_count(2)
    expect(part(widget, "plot").locator(".sw-faint")).to_have_count(2)
    part(widget, "network").select_option("0")
    expect(part(widget, "activation")).to_be_hidden()


def test_every_control_is_seen(page: Page) -> None:
    widget = widget_of(page, "train-pairs")
    part(widget, "activation").select_option("smelu")
    for name in (
        *("network", "activation", "beta", "init", "log2-examples", "log2-window"),
        *("learning-rate", "n-pairs", "first-seed", "again"),
    ):
        expect(part(widget, name)).to_be_visible()


def test_the_same_seeds_drift_as_far(page: Page) -> None:
    widget = widget_of(page, "train-pairs")
    finished(widget, 1)
    part(widget, "again").click()
    finished(widget, 2)
    rows = table_rows(widget, "tries")
    assert rows["1"] == rows["2"]


def test_a_window_ends_with_the_stream(page: Page) -> None:
    widget = widget_of(page, "train-pairs")
    finished(widget, 1)
    expect(part(widget, "log2-window")).to_have_attribute("max", "6")
    part(widget, "log2-window").fill("6")
    expect(part(widget, "log2-window-value")).to_have_text("2⁶ mini-batches")
    part(widget, "log2-examples").fill("10")
    expect(part(widget, "log2-window")).to_have_attribute("max", "5")
    expect(part(widget, "log2-window-value")).to_have_text("2⁵ mini-batches, all of the stream")
    part(widget, "n-pairs").fill("100")
    expect(part(widget, "problem")).to_have_text("Pairs must be a whole number from 1 to 64.")
