"""The widget that trains networks in the page, against torch and the metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect
from scipy.special import softmax

from stablib.metrics import label_entropy, pairwise_disagreement
from stablib.mitigation import ASWA, SWA, temper
from stablib.models.head import HeadStack
from stablib.show.widgets import train_again
from stablib.show.widgets.hosted import module_text
from stablib.training import Task
from tests.browser.test_widgets_static import FRAME, part, table_rows, widget_of

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("error")]

#: Twenty-five training examples of four features and three classes; batches of 8 leave one over.
SHAPE = {"nFeatures": 4, "hidden": 6, "nClasses": 3}
N_TRAIN, N_TEST, BATCH, EPOCHS, RATE, DROPOUT = 25, 30, 8, 4, 0.05, 0.25

#: Traces a training in the page: its weights after each step, and all that was drawn for it.
TRACE = """
window.trace = ({ shape, features, targets, method, seed, settings }) => {
  const task = { features: Float32Array.from(features), targets: Float32Array.from(targets) };
  const { weights, order, dropout } = beginHead(shape, settings.vary, seed, 0);
  const again = beginHead(shape, settings.vary, seed, 0);
  const initial = [...weights];
  const steps = [];
  const own = { ...settings, method };
  trainHead(weights, shape, task, own, { order, dropout }, () => steps.push([...weights]));
  const nTrain = features.length / shape.nFeatures;
  const batches = [];
  const masks = [];
  for (let epoch = 0; epoch < settings.epochs; epoch += 1) {
    const places = permutation(nTrain, again.order);
    for (let start = 0; start < nTrain; start += settings.batchSize) {
      const rows = [...places.subarray(start, start + settings.batchSize)];
      batches.push(rows);
      masks.push([...dropoutMask(rows.length * shape.hidden, settings.dropoutRate, again.dropout)]);
    }
  }
  return { initial, steps, batches, masks, last: [...weights] };
};
window.labels = ({ task, settings, seed }) => {
  const arrays = Object.fromEntries(
    Object.entries(task).map(([k, v]) => [k, k === "shape" ? v : Float32Array.from(v)]),
  );
  return [...makeTrainer({ task: { ...arrays, labels: task.labels }, settings })(seed)];
};
window.teacher = ({ shape, features, targets, settings, seed }) => {
  const task = { features: Float32Array.from(features), targets: Float32Array.from(targets) };
  return [...teacherMean(shape, task, settings, settings.vary, seed, 0)];
};
window.temper = (chances, nClasses, temperature) =>
  [...temperAll(Float32Array.from(chances), nClasses, temperature)];
window.begin = (shape, vary, seed) => [...beginHead(shape, vary, seed, 0).weights];
"""


def data(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(SHAPE["nClasses"], size=n)
    centres = np.random.default_rng(0).normal(size=(SHAPE["nClasses"], SHAPE["nFeatures"]))
    return (centres[labels] + rng.normal(size=(n, 4))).astype(np.float32), labels


X, Y = data(N_TRAIN, 1)
X_TEST, Y_TEST = data(N_TEST, 2)
SETTINGS: dict[str, Any] = {
    "vary": ["initial weights", "order", "dropout"],
    "method": "plain",
    "teacher": "own",
    "temperature": 0.5,
    "learningRate": RATE,
    "epochs": EPOCHS,
    "batchSize": BATCH,
    "dropoutRate": DROPOUT,
}


@pytest.fixture
def trainer(open_page: Callable[..., Page], tmp_path: Path) -> Page:
    """A page whose functions are called from here."""
    body = f'<script type="module">{module_text("workers.js", "head_trainer.js")}\n{TRACE}</script>'
    path = tmp_path / "trainer.html"
    path.write_text(FRAME.format(attributes="", body=body), encoding="utf-8")
    return open_page(path)


def by_torch(traced: dict[str, Any], method: str) -> tuple[list[Any], Any]:
    """The same training by the heads of stablib, torch's Adam and stablib's averages."""
    stack = HeadStack(
        [np.random.default_rng(0)],
        n_features=SHAPE["nFeatures"],
        hidden=SHAPE["hidden"],
        n_classes=SHAPE["nClasses"],
    )
    size = len(traced["initial"])
    stack.weights[0, :size] = torch.tensor(traced["initial"])
    weights = torch.nn.Parameter(stack.weights)
    weights.grad = stack.gradients
    adam = torch.optim.Adam([weights], lr=RATE)
    averager = {"ASWA": ASWA(), "SWA": SWA()}.get(method)
    running = averager.averager(EPOCHS) if averager else None
    goals = torch.eye(SHAPE["nClasses"])[torch.tensor(Y)]
    steps = []
    per_epoch = -(-N_TRAIN // BATCH)
    with torch.no_grad():
        for step, (rows, mask) in enumerate(
            zip(traced["batches"], traced["masks"], strict=True), start=1
        ):
            if running:
                running.before_step(step, weights)
            kept = torch.tensor(mask).view(1, len(rows), -1)
            features = torch.from_numpy(X[rows])
            stack.backward([features], [goals[rows]], kept, scale=1 / (1 - DROPOUT))
            adam.step()
            if running:
                running.after_step(step, weights)
            steps.append(weights[0, :size].detach().numpy().copy())
            if running and step % per_epoch == 0:
                running.after_epoch(step // per_epoch, weights)
        if running:
            running.finish(weights)
    return steps, weights[0, :size].detach().numpy()


@pytest.mark.parametrize("method", ["plain", "SWA", "ASWA"])
def test_weights_are_those_of_torch(trainer: Page, method: str) -> None:
    given = {
        "shape": SHAPE,
        "features": X.ravel().tolist(),
        "targets": np.eye(3)[Y].ravel().tolist(),
        "method": method,
        "seed": 7,
        "settings": SETTINGS,
    }
    traced = trainer.evaluate("given => window.trace(given)", given)
    assert len(traced["steps"]) == EPOCHS * 4
    assert 0.0 in np.concatenate(traced["masks"])
    steps, last = by_torch(traced, method)
    np.testing.assert_allclose(traced["steps"], steps, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(traced["last"], last, rtol=2e-4, atol=2e-5)
    assert np.abs(np.array(last) - traced["initial"]).max() > 0.1


def test_a_teacher_is_averaged_over_the_last_fifth_of_its_steps(trainer: Page) -> None:
    given = {
        "shape": SHAPE,
        "features": X.ravel().tolist(),
        "targets": np.eye(3)[Y].ravel().tolist(),
        "method": "plain",
        "seed": 7,
        "settings": {**SETTINGS, "epochs": 10},
    }
    traced = trainer.evaluate("given => window.trace(given)", given)
    n_hidden, n_classes = SHAPE["hidden"], SHAPE["nClasses"]
    seen = []
    # Forty steps, of which the last eight count.
    for row in traced["steps"][32:]:
        first, bias, second, last = np.split(
            np.array(row), np.cumsum([4 * n_hidden, n_hidden, n_hidden * n_classes])
        )
        hidden = np.maximum(X @ first.reshape(4, n_hidden) + bias, 0.0)
        seen.append(softmax(hidden @ second.reshape(n_hidden, n_classes) + last, axis=1))
    found = trainer.evaluate("given => window.teacher(given)", given)
    assert len(seen) == 8
    np.testing.assert_allclose(np.reshape(found, (-1, 3)), np.mean(seen, axis=0), atol=1e-5)


def test_a_temperature_is_that_of_the_equation(trainer: Page) -> None:
    chances = np.random.default_rng(3).dirichlet(np.ones(5), 8).astype(np.float32)
    for temperature in (0.3, 1.0, 2.0):
        found = trainer.evaluate(
            "([chances, n, t]) => window.temper(chances, n, t)",
            [chances.ravel().tolist(), 5, temperature],
        )
        np.testing.assert_allclose(
            np.reshape(found, (8, 5)), temper(chances, temperature), rtol=1e-5, atol=1e-7
        )


def test_a_seed_decides_what_it_is_asked_to(trainer: Page) -> None:
    def begin(vary: list[str], seed: int) -> NDArray[np.float32]:
        found = trainer.evaluate(
            "([shape, vary, seed]) => window.begin(shape, vary, seed)", [SHAPE, vary, seed]
        )
        return np.array(found, dtype=np.float32)

    first = begin(["initial weights"], 1)
    np.testing.assert_array_equal(first, begin(["initial weights"], 1))
    assert (first != begin(["initial weights"], 2)).mean() > 0.99
    fixed = begin(["order"], 1)
    np.testing.assert_array_equal(fixed, begin(["order"], 2))
    # Uniform within 1 / sqrt(fan in): 4 features, then 6 hidden units.
    assert np.abs(first[:30]).max() <= 0.5
    assert np.abs(first[:30]).max() > 0.45
    assert np.abs(first[30:]).max() <= 6**-0.5
    other = begin(["one bit"], 5)
    assert (other != fixed).nonzero()[0].tolist() == [5]
    assert other[5] == np.nextafter(fixed[5], np.float32(np.sign(fixed[5]) * np.inf))


def task(n_test: int = N_TEST) -> Task:
    x_test, y_test = data(n_test, 2)
    return Task({"train": X, "test": x_test}, {"train": Y, "test": y_test}, 3)


def shown(open_page: Callable[..., Page], folder: Path, **options: Any) -> Page:
    names = ["alarm", "lists", "<b>music</b>"]
    made = train_again(
        task(), label_names=names, source="drawn", hidden=6, batch_size=BATCH, dropout=DROPOUT
    )
    made.set_trait("n_seeds", 12)
    path = folder / "page.html"
    path.write_text(FRAME.format(attributes="", body=made.static_html()), encoding="utf-8")
    return open_page(path, **options)


def finished(widget: Locator, tries: int) -> None:
    expect(part(widget, "tries").locator("tbody tr")).to_have_count(tries, timeout=30_000)


@pytest.fixture
def page(open_page: Callable[..., Page], tmp_path: Path) -> Page:
    return shown(open_page, tmp_path)


def answers(widget: Locator) -> list[str]:
    return [
        str(one.get_attribute("title")) for one in part(widget, "squares").locator("span").all()
    ]


def test_what_is_said_is_what_the_metrics_say(page: Page, trainer: Page) -> None:
    widget = widget_of(page, "train-again")
    finished(widget, 1)
    given = {
        "shape": SHAPE,
        "features": X.ravel().tolist(),
        "labels": Y.tolist(),
        "testFeatures": X_TEST.ravel().tolist(),
    }
    settings = {**SETTINGS, "learningRate": 0.01, "epochs": 10}
    labels = np.array(
        [
            trainer.evaluate(
                "given => window.labels(given)", {"task": given, "settings": settings, "seed": seed}
            )
            for seed in range(1, 13)
        ]
    )
    accuracies = (labels == Y_TEST).mean(axis=1)
    said = part(widget, "summary").inner_text().replace("\u00a0", " ")
    assert said == (
        f"12 networks, seeds 1 to 12: right on {100 * accuracies.mean():.1f} % "
        f"(SD {100 * accuracies.std():.1f} points). Two of them differ on "
        f"{100 * pairwise_disagreement(labels).mean():.1f} % of the 30 examples; all agree on "
        f"{int((labels == labels[0]).all(axis=0).sum())}. Label entropy LEₘ "
        f"{label_entropy(labels).mean():.3f} nats."
    )
    names = ["alarm", "lists", "<b>music</b>"]
    assert answers(widget) == [
        f"seed {seed}: {names[label]}" for seed, label in enumerate(labels[:, 0], start=1)
    ]


def test_the_same_seeds_answer_the_same_and_others_do_not(page: Page) -> None:
    widget = widget_of(page, "train-again")
    finished(widget, 1)
    first = part(widget, "summary").inner_text()
    part(widget, "same").click()
    finished(widget, 2)
    assert part(widget, "summary").inner_text() == first
    expect(part(widget, "changes")).to_contain_text("0 of 12 answer otherwise")
    part(widget, "again").click()
    finished(widget, 3)
    expect(part(widget, "summary")).to_contain_text("seeds 13 to 24")
    rows = table_rows(widget, "tries")
    assert list(rows) == ["3", "2", "1"]
    assert rows["1"] == rows["2"] != rows["3"]
    widget.locator("summary").click()
    part(widget, "first-seed").fill("101")
    part(widget, "again").click()
    finished(widget, 4)
    expect(part(widget, "summary")).to_contain_text("seeds 101 to 112")
    part(widget, "clear").click()
    expect(part(widget, "tries")).to_have_count(0)


def test_settings_change_what_is_trained(page: Page) -> None:
    widget = widget_of(page, "train-again")
    finished(widget, 1)
    widget.locator("summary").click()
    expect(part(widget, "teacher")).to_be_hidden()
    part(widget, "method").select_option("TGTSS")
    expect(part(widget, "teacher")).to_be_visible()
    part(widget, "teacher").select_option("shared")
    part(widget, "temperature").fill("1.5")
    part(widget, "learning-rate").select_option("0.03")
    part(widget, "epochs").select_option("5")
    for source in ("initial-weights", "dropout"):
        part(widget, f"vary-{source}").uncheck()
    part(widget, "same").click()
    finished(widget, 2)
    row = table_rows(widget, "tries")["2"]
    assert row[3:] == ["TGTSS, one for all, T = 1.5", "order", "0.03", "5"]
    expect(part(widget, "tries").locator("caption")).to_contain_text("In all: Seeds 1 to 12")
    part(widget, "vary-order").click()
    expect(part(widget, "problem")).to_have_text("The seed must decide something.")
    expect(part(widget, "vary-order")).to_be_checked()


def test_one_bit_of_a_calm_network_changes_nothing(page: Page) -> None:
    widget = widget_of(page, "train-again")
    finished(widget, 1)
    widget.locator("summary").click()
    part(widget, "vary-one-bit").check()
    for source in ("initial-weights", "dropout", "order"):
        part(widget, f"vary-{source}").uncheck()
    part(widget, "learning-rate").select_option("0.003")
    part(widget, "same").click()
    finished(widget, 2)
    assert table_rows(widget, "tries")["2"][0] == "0.0\u00a0%"
    expect(part(widget, "list").get_by_role("option")).to_have_count(0)


@pytest.mark.parametrize(
    ("control", "value", "message"),
    [
        ("n-seeds", "1", "Networks must be a whole number from 2 to 200."),
        ("n-seeds", "500", "Networks must be a whole number from 2 to 200."),
        ("n-seeds", "", "Networks must be a whole number from 2 to 200."),
        ("first-seed", "0", "First seed must be a whole number from 1 to 99,999."),
        ("first-seed", "1.5", "First seed must be a whole number from 1 to 99,999."),
    ],
)
def test_a_silly_number_is_answered_and_not_trained(
    page: Page, control: str, value: str, message: str
) -> None:
    widget = widget_of(page, "train-again")
    finished(widget, 1)
    widget.locator("summary").click()
    part(widget, control).fill(value)
    expect(part(widget, "problem")).to_have_text(message)
    expect(part(widget, control)).to_have_attribute("aria-invalid", "true")
    part(widget, "again").click()
    finished(widget, 2)
    expect(part(widget, "summary")).to_contain_text("12 networks, seeds 13 to 24")
    expect(part(widget, "problem")).to_have_text("")
    expect(part(widget, control)).to_have_attribute("aria-invalid", "false")


def test_a_picked_example_is_shown(page: Page) -> None:
    widget = widget_of(page, "train-again")
    finished(widget, 1)
    option = part(widget, "list").get_by_role("option").nth(1)
    option.click()
    example = int(option.get_attribute("data-id") or -1)
    expect(part(widget, "picked-text")).to_have_text(f"“example {example + 1}”")
    detail = option.locator(".sw-detail").inner_text()
    counts = {name: int(n) for name, n in (one.rsplit(" ", 1) for one in detail.split(", "))}
    assert sum(counts.values()) == 12
    for name, count in counts.items():
        expect(part(widget, "answers")).to_contain_text(
            re.compile(rf"{re.escape(name)}.*: {count}")
        )


def test_training_stops_when_it_is_told_to(open_page: Callable[..., Page], tmp_path: Path) -> None:
    """On the utterances, of which the last network would take a while."""
    made = train_again()
    made.n_seeds = 200
    path = tmp_path / "long.html"
    path.write_text(FRAME.format(attributes="", body=made.static_html()), encoding="utf-8")
    page = open_page(path)
    widget = widget_of(page, "train-again")
    expect(part(widget, "summary")).to_contain_text("of 200 networks so far", timeout=30_000)
    # Nothing is listed yet, so there is no more of it.
    expect(part(widget, "more")).to_be_hidden()
    part(widget, "stop").click()
    expect(part(widget, "stop")).to_be_disabled()
    before = part(widget, "summary").inner_text()
    assert "of 200 networks, then stopped: right on" in before
    page.wait_for_timeout(700)
    assert part(widget, "summary").inner_text() == before
    expect(part(widget, "tries")).to_have_count(0)


def test_a_page_that_allows_no_worker_says_so(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    made = train_again(task(), batch_size=BATCH)
    policy = '<meta http-equiv="Content-Security-Policy" content="worker-src \'none\'">'
    path = tmp_path / "strict.html"
    text = FRAME.format(attributes="", body=made.static_html())
    path.write_text(text.replace("<head>", f"<head>{policy}"), encoding="utf-8")
    page = open_page(path, ignore=("Content Security Policy",))
    widget = widget_of(page, "train-again")
    expect(part(widget, "fault")).to_contain_text("The training stopped")
    expect(part(widget, "summary")).to_have_text("Stopped before the first network.")


def test_the_utterances_are_whole() -> None:
    made = json.loads(json.dumps(train_again().data))
    assert made["train"]["features"]["shape"] == [1200, 32]
    assert made["test"]["features"]["shape"] == [len(made["texts"]), 32]
    assert "CC BY" in made["source"]
