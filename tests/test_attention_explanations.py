"""Explanations that are kept of runs: captum, autograd by hand and known words as oracles."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import captum.attr
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stablib.data import from_frame, sentiment
from stablib.errors import UsageError
from stablib.explain import lime_weights
from stablib.metrics import importance_shares, over_examples, pair_mean, pairwise_relative_entropy
from stablib.mitigation import EMA, Averaged, StepSWA
from stablib.models.batch import sentences
from stablib.models.ragged import Ragged
from stablib.models.words import END, START
from stablib.runs import RunStore, obtain
from stablib.training import Control, Request, SeedPlan
from stablib.training.loop import FlatWeights
from stablib.training.predict import Predictor
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.workloads import AttentionRecipe, Checkpoints, Explanations
from stablib.workloads.attention import attended, explained
from stablib.workloads.attention.explainer import gradients, log_shares, predictor
from stablib.workloads.attention.network import AttentionNetwork
from stablib.workloads.attention.training import prepare
from tests.test_attention_texts import (
    ENCODERS,
    PLAN,
    RECIPE,
    ROOT,
    Naive,
    made_inputs,
    refuse,
    reviews,
    train,
    two_texts,
)
from tests.test_training import assert_same_bits

RECORD = Explanations(n_texts=12, n_lime=3, n_samples=60)
GRADIENTS = ("log_gradients", "log_gradients_cut")
LIME = ("log_lime", "log_lime_again")


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


def make_network(
    encoder: str = "cnn", attention: str = "additive", seed: int = 7
) -> tuple[AttentionNetwork, Ragged]:
    """A model with its initial weights, and test texts."""
    recipe = RECIPE.model_copy(update={"encoder": encoder, "attention": attention})
    prepared = prepare(recipe, made_inputs(reviews()))
    goals = prepared.task.one_hot()
    plan = SeedPlan.same(seed)
    network = AttentionNetwork(recipe, plan, prepared, goals, pause=lambda: None)
    return network, prepared.task.inputs["test"].take(np.arange(8))


def alone_and_inner(texts: Ragged, row: int) -> tuple[Ragged, slice]:
    """One text, and the place of its words among those of all."""
    starts = texts.starts - 2 * np.arange(len(texts) + 1)
    return texts.take(np.array([row])), slice(starts[row], starts[row + 1])


def with_attention_given(network: AttentionNetwork, text: Ragged) -> Callable:
    """The log odds, of which attention is a constant that was found before."""
    model, batch = network.model, sentences(text)
    with torch.no_grad():
        _, attention = model(network.embedded(text), text)

    def score(embeddings: torch.Tensor) -> torch.Tensor:
        return model.decoder(attention @ model.encoder(embeddings[0], batch))[:, 0]

    return score


def with_attention(network: AttentionNetwork, text: Ragged) -> Callable:
    """The log odds of the second class."""
    return lambda embeddings: network.model(embeddings[0], text)[0][:, 1]


# Gradients.


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("attention", ["additive", "dot"])
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_gradients_are_those_of_captum_text_by_text(encoder, attention, cut) -> None:
    network, texts = make_network(encoder, attention)
    products = gradients(network, texts, cut=cut, kind="dot")
    norms = gradients(network, texts, cut=cut, kind="norm")
    assert len(products) == len(texts.values) - 2 * len(texts)
    for row in range(len(texts)):
        text, words = alone_and_inner(texts, row)
        score = (with_attention_given if cut else with_attention)(network, text)
        embeddings = network.embedded(text).detach()[None]
        product = captum.attr.InputXGradient(score).attribute(embeddings.clone().requires_grad_())
        gradient = captum.attr.Saliency(score).attribute(
            embeddings.clone().requires_grad_(), abs=False
        )
        expected = product.sum(dim=-1)[0, 1:-1].detach().numpy()
        np.testing.assert_allclose(products[words], expected, rtol=1e-3, atol=1e-6)
        expected = gradient.norm(dim=-1)[0, 1:-1].numpy()
        np.testing.assert_allclose(norms[words], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["dot", "norm"])
def test_what_is_kept_is_the_gradient_of_the_best_epochs_weights(kind: str) -> None:
    """By hand, with autograd, on a model whose weights change after its best epoch."""
    network, _ = make_network()
    models = FlatWeights(network)
    stack = Predictor(models, Control(), n_epochs=3)
    task = prepare(RECIPE, made_inputs(reviews())).task
    second = stack.probabilities(0, task.inputs["val"])[:, 1]
    gold = {**task.gold, "val": (second > np.median(second)).astype(int)}
    record = RECORD.model_copy(update={"gradient": kind, "n_lime": 0})
    observer = record.observer(dataclasses.replace(task, gold=gold), 1)
    best = models.weights.clone()
    observer.after_epoch(1, stack)
    observer.after_epoch(2, stack)
    models.weights.mul_(0.0)  # Tells no texts apart, as the second does perfectly.
    observer.after_epoch(3, stack)
    (kept,) = observer.finish(stack)
    assert kept["best_epoch"] == 2
    assert not models.weights.any()

    models.weights.copy_(best)
    row = int(kept["explained_texts"][5])
    text = task.inputs["test"].take(np.array([row]))
    embeddings = network.vectors.detach()[torch.from_numpy(text.values)].requires_grad_()
    with_attention(network, text)(embeddings[None]).sum().backward()
    assert embeddings.grad is not None
    each = embeddings.grad * embeddings if kind == "dot" else embeddings.grad**2
    sums = each.sum(dim=1).detach().numpy()[1:-1]
    expected = importance_shares([sums if kind == "dot" else np.sqrt(sums)])[0]
    found = explained(kept["log_gradients"], kept["explained_starts"])[5]
    np.testing.assert_allclose(found, expected, rtol=5e-3)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_cutting_the_graph_at_attention_matters(encoder: str) -> None:
    recipe = RECIPE.model_copy(update={"encoder": encoder, "learning_rate": 5e-3})
    (kept,) = train(recipe, records=(RECORD,))
    whole, cut = (attended(kept[name], kept["explained_starts"]) for name in GRADIENTS)
    assert np.abs(whole - cut).max() > 0.01
    network, texts = make_network(encoder)
    logits = [
        network.model(network.embedded(texts), texts, cut_attention=cut)[0] for cut in (False, True)
    ]
    assert torch.equal(*logits)


def test_a_model_that_says_nothing_has_equal_shares() -> None:
    """Neither the rounding errors of LIME nor nan."""
    network, _ = make_network()
    models = FlatWeights(network)
    models.weights.mul_(0.0)
    task = prepare(RECIPE, made_inputs(reviews())).task
    (kept,) = RECORD.observer(task, 1).finish(Predictor(models, Control(), n_epochs=1))
    for names, starts in ((GRADIENTS, "explained_starts"), (LIME, "lime_starts")):
        lengths = np.diff(kept[starts])
        for name in names:
            found = attended(kept[name], kept[starts])
            np.testing.assert_allclose(found, np.repeat(1.0 / lengths, lengths))


def test_shares_of_any_size_are_kept() -> None:
    """The sum of the first overflows, the squares of the second underflow."""
    sizes = np.array([1e308, 1e308, 1e-200, 3e-200, 1.0, 1e-12])
    starts = np.array([0, 2, 4, 6])
    found = attended(log_shares(sizes, starts), starts)
    np.testing.assert_allclose(found, [0.5, 0.5, 0.25, 0.75, 1.0, 1e-12], rtol=1e-2)


# LIME.


@pytest.mark.parametrize("encoder", ENCODERS)
def test_lime_explains_what_a_naive_model_predicts(encoder: str) -> None:
    """Padded and unpadded; of an empty text the bias is left."""
    network, texts = make_network(encoder)
    naive, bias = Naive(network), network.model.decoder.bias.item()

    def predict(rows: list[list[str]]) -> np.ndarray:
        ids = [torch.tensor([START, *map(int, row), END]) for row in rows]
        with torch.no_grad():
            logits = naive(ids).numpy()
        logits[[not row for row in rows]] = bias
        second = 1 / (1 + np.exp(-logits))
        return np.column_stack([1 - second, second])

    words = [str(i) for i in texts.values[1 : texts.starts[1] - 1]]
    samples = [words, [], words[::2], words[:1], []]
    found = predictor(network)(samples)
    np.testing.assert_allclose(found, predict(samples), atol=1e-6)
    np.testing.assert_allclose(predictor(network)([[]]), predict([[]]), atol=1e-6)
    ours = lime_weights(predictor(network), words, seed=0, n_samples=200)
    np.testing.assert_allclose(
        ours, lime_weights(predict, words, seed=0, n_samples=200), rtol=1e-3, atol=1e-6
    )


def test_the_seed_of_the_explainer_is_one_for_all_runs_and_texts_keep_their_weights() -> None:
    (kept,) = train(records=(RECORD,))
    (again,) = train(records=(RECORD,))
    assert_same_bits([kept], [again])
    other = RECORD.model_copy(update={"explainer_seed": 1})
    (shifted,) = train(records=(other,))
    np.testing.assert_array_equal(shifted["log_lime"], kept["log_lime_again"])
    assert (kept["log_lime"] != kept["log_lime_again"]).mean() > 0.5
    for name in GRADIENTS:
        np.testing.assert_array_equal(shifted[name], kept[name])
    (without,) = train(records=(RECORD.model_copy(update={"n_lime": 0}),))
    assert not [name for name in without if "lime" in name]


def test_explanations_point_at_the_words_that_decide() -> None:
    recipe = RECIPE.model_copy(update={"epochs": 6, "learning_rate": 5e-3})
    data = reviews(n_train=600, n_test=200)
    record = Explanations(n_texts=60, n_lime=20, n_samples=300)
    (kept,) = train(recipe, data=data, records=(record,))
    assert data.texts is not None
    for names, which in ((GRADIENTS, "explained"), (LIME, "lime")):
        texts = [data.texts["test"][k] for k in kept[f"{which}_texts"]]
        decisive = [list(sentiment.positions(text)) for text in texts]
        chance = np.mean([len(d) / len(t.split()) for d, t in zip(decisive, texts, strict=True)])
        for name in names:
            shares = explained(kept[name], kept[f"{which}_starts"])
            hit = np.mean([s[d].sum() for s, d in zip(shares, decisive, strict=True)])
            assert hit > 2.5 * chance, (name, hit, chance)


# What is kept.


def test_texts_are_those_of_the_checkpoints_and_lime_takes_some_of_them() -> None:
    kept, checkpoints = train(records=(RECORD, Checkpoints(n_texts=12)))
    np.testing.assert_array_equal(kept["explained_texts"], checkpoints["attention_texts"])
    np.testing.assert_array_equal(kept["explained_starts"], checkpoints["attention_starts"])
    for name in ("validation", "best_epoch"):
        assert kept[name].tobytes() == checkpoints[name].tobytes()
    rows = kept["lime_texts"].tolist()
    assert set(rows) <= set(kept["explained_texts"].tolist())
    assert (len(rows), rows[0], rows[-1]) == (3, 0, 49)
    texts = reviews().texts
    assert texts is not None
    assert np.diff(kept["lime_starts"]).tolist() == [len(texts["test"][k].split()) for k in rows]
    for names, starts in ((GRADIENTS, "explained_starts"), (LIME, "lime_starts")):
        for name in names:
            assert kept[name].dtype == np.float16
            raw = np.exp(kept[name].astype(float))
            sums = np.add.reduceat(raw, kept[starts][:-1])
            np.testing.assert_allclose(sums, 1.0, rtol=5e-3)


def test_all_texts_are_taken_where_there_are_not_so_many() -> None:
    (kept,) = train(records=(Explanations(n_texts=99, n_lime=2, n_samples=5),))
    assert kept["explained_texts"].tolist() == list(range(50))


def test_the_best_checkpoint_is_a_training_that_ended_there() -> None:
    recipe = RECIPE.model_copy(update={"epochs": 8, "learning_rate": 0.1})
    record = RECORD.model_copy(update={"n_lime": 1})
    kept, last = train(recipe, records=(record, Checkpoints(n_texts=1)))
    best = int(kept["best_epoch"])
    assert best < 8
    # One epoch explains what it has; another training chooses the same epoch when it ends there.
    (ended,) = train(recipe.model_copy(update={"epochs": best}), records=(record,))
    for name in (*GRADIENTS, *LIME):
        assert kept[name].tobytes() == ended[name].tobytes()
    (plain,) = train(recipe, records=(Checkpoints(n_texts=1),))
    assert_same_bits([last], [plain])  # The record leaves the model as it was.


def test_runs_are_compared_text_by_text_with_the_metrics(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    request = Request(RECIPE, (SeedPlan.same(9), PLAN, SeedPlan.same(8)), (RECORD,))
    runs = obtain(request, store, inputs=made_inputs(reviews()))
    (alone,) = train(records=(RECORD,))
    for name, array in alone.items():
        assert runs[name][1].tobytes() == array.tobytes(), name
    texts = explained(runs["log_gradients"], runs["explained_starts"][0])
    assert len(texts) == 12
    entropy = pair_mean(over_examples(pairwise_relative_entropy, texts))
    assert (entropy > 0.0).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_bits_are_the_same_in_another_process_with_more_threads(encoder: str) -> None:
    change = f"RECIPE.model_copy(update={{'encoder': '{encoder}'}})"
    code = (
        "import torch, sys; torch.set_num_threads(2); torch.manual_seed(5)\n"
        "import numpy as np; np.random.seed(5)\n"
        "from tests.test_attention_explanations import *\n"
        f"(kept,) = train({change}, records=(RECORD,))\n"
        "sys.stdout.buffer.write(b''.join(kept[n].tobytes() for n in (*GRADIENTS, *LIME)))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    (kept,) = train(RECIPE.model_copy(update={"encoder": encoder}), records=(RECORD,))
    assert made.stdout == b"".join(kept[name].tobytes() for name in (*GRADIENTS, *LIME))


AVERAGED = Averaged(record=RECORD, methods=(StepSWA(), EMA(memory=0.9)))


@pytest.mark.parametrize("step", [2, 10])
def test_a_run_goes_on_from_any_step_to_the_same_bits(step: int) -> None:
    """Within an epoch, and at an epoch's last step; averages beside it too."""
    records, states = (RECORD, AVERAGED), list[Arrays]()

    def report(done: int, state: Callable[[], Arrays] | None = None) -> None:
        if state is not None:
            states.append({name: array.copy() for name, array in state().items()})

    whole = train(records=records, report=report)
    assert_same_bits(train(records=records, state=states[step - 1]), whole)


def test_averages_beside_a_run_are_explained() -> None:
    """After one epoch the best of the averages is that which a run of its own ends with."""
    recipe = RECIPE.model_copy(update={"epochs": 1})
    plain, averages = train(recipe, records=(RECORD, AVERAGED))
    for method in AVERAGED.methods:
        (own,) = train(recipe.with_method(method), records=(RECORD,))
        for name in (*GRADIENTS, *LIME):
            found = averages[f"{method.kind}_{name}"]
            assert found.tobytes() == own[name].tobytes() != plain[name].tobytes()
    assert AVERAGED.difference(averages, averages) == 0.0


def test_the_difference_is_the_largest_mean_total_variation() -> None:
    starts = np.array([0, 2, 4], dtype=np.int32)
    published = {
        "log_gradients": np.log([0.5, 0.5, 0.25, 0.75]),
        "log_gradients_cut": np.log([0.5, 0.5, 0.5, 0.5]),
        "explained_starts": starts,
    }
    fresh = {**published, "log_gradients": np.log([0.5, 0.5, 0.75, 0.25])}
    record = Explanations(n_lime=0)
    assert record.difference(fresh, published) == pytest.approx((0.0 + 0.5) / 2)
    assert record.difference(published, published) == 0.0


def test_work_adds_up_to_what_is_reported() -> None:
    inputs, told = made_inputs(reviews()), list[int]()
    request = Request(RECIPE, (PLAN,), (RECORD, AVERAGED))

    def report(done: int, state: Callable[[], Arrays] | None = None) -> None:
        told.append(done)

    list(RECIPE.workload.train(request, inputs, lambda _: None, report=report, state=None))
    assert sum(told) == RECIPE.workload.work(request, inputs)


# What is refused, before anything is trained.


def test_more_than_two_classes_and_pairs_are_refused() -> None:
    three = two_texts()
    with pytest.raises(UsageError, match="'explanations' needs two classes, the data have 3"):
        train(data=three, records=(RECORD,), report=refuse)
    frame = sentiment.generate(seed=1, n_train=60, n_val=20, n_test=20)
    frame["text"] = frame["text"] + "\tis it good"
    pairs = from_frame(frame, name="pairs", label="label", source="made")
    with pytest.raises(UsageError, match="'explanations' needs single texts, the data are pairs"):
        train(data=pairs, records=(RECORD,), report=refuse)
    data = reviews()
    gold = {**data.gold, "val": np.ones_like(data.gold["val"])}
    with pytest.raises(UsageError, match="validation texts of both classes"):
        train(data=dataclasses.replace(data, gold=gold), records=(RECORD,), report=refuse)


def test_without_lime_nothing_is_trained_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lime", None)
    monkeypatch.setitem(sys.modules, "lime.lime_text", None)
    with pytest.raises(UsageError, match=r"pip install 'stablib\[explain\]'"):
        train(records=(RECORD,), report=refuse)
    short = AttentionRecipe(dataset="reviews", vectors="drawn", epochs=1)
    (kept,) = train(short, records=(Explanations(n_texts=2, n_lime=0),))
    assert len(kept["explained_texts"]) == 2


@pytest.mark.parametrize(
    "fields",
    [{"n_texts": 0}, {"n_lime": -1}, {"n_samples": 1}, {"explainer_seed": 2**32 - 1},
     {"gradient": "sum"}],
    ids=str,
)  # fmt: skip
def test_options_out_of_range_are_refused(fields: dict) -> None:
    with pytest.raises(ValidationError):
        Explanations(**fields)
