"""Unpadded transformers: equal to the library's, and trainable whole or from the top."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertTokenizer,
    DistilBertConfig,
    DistilBertForMaskedLM,
)

from stablib import files
from stablib.data import stand_in
from stablib.errors import StablibError, UsageError
from stablib.mitigation import (
    ASWA,
    EMA,
    NASWA,
    SWA,
    TGTSS,
    Averaged,
    Ensemble,
    StepSWA,
    WeightAverager,
)
from stablib.mitigation.by_step import ByStep
from stablib.models import encoders
from stablib.models.features import features
from stablib.models.tokens import tokenize
from stablib.models.transformer import by_length, hidden_states, load_classifier, load_encoder
from stablib.runs import Group, RunStore, obtain
from stablib.runs.watch import silent
from stablib.training import (
    Bit,
    Final,
    Method,
    Probabilities,
    Record,
    Request,
    SeedPlan,
    Steps,
    Task,
    TrainMean,
    seed_plans,
)
from stablib.training.record import Arrays
from stablib.workloads import FineTuneRecipe, HeadRecipe, TopLayerRecipe
from stablib.workloads.heads.training import prepare
from stablib.workloads.text import TextRecipe
from tests.test_methods import Kept, Scheduled, Seen, Shrunk, mean_of_logits
from tests.test_seeds import Spy
from tests.test_training import assert_same_bits, order_by_hand, train

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXTS = stand_in().texts["test"][:60]


DISTILBERT = "distilbert-base-uncased"


def make_distilbert(folder: Path, **options: float) -> Path:
    """Save a small random DistilBERT with the files that the hub has of the real one."""
    words = sorted({word for text in TEXTS for word in text.lower().split()})
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(vocabulary),
        dim=32,
        n_layers=2,
        n_heads=4,
        hidden_dim=64,
        initializer_range=0.3,  # Not the usual 0.02, so that small mistakes show.
        **options,
    )
    DistilBertForMaskedLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def distilbert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> encoders.Encoder:
    make_distilbert(tmp_path / DISTILBERT)
    monkeypatch.setenv("STABLIB_MODELS", str(tmp_path))
    return encoders.find(DISTILBERT)


@pytest.fixture(params=["all-MiniLM-L6-v2", DISTILBERT])
def encoder(request: pytest.FixtureRequest) -> encoders.Encoder:
    if request.param == DISTILBERT:
        return request.getfixturevalue("distilbert")
    return encoders.find(request.param)


def test_hidden_states_equal_the_librarys(encoder) -> None:
    network = load_encoder(encoder.folder)
    ours = hidden_states(network, tokenize(encoder, TEXTS))
    padded = AutoTokenizer.from_pretrained(encoder.folder)(
        list(TEXTS), padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        theirs = network.model(**padded).last_hidden_state.numpy()
    for i, length in enumerate(ours.lengths):
        mine = ours.values[ours.starts[i] : ours.starts[i + 1]]
        np.testing.assert_allclose(mine, theirs[i, :length], atol=1e-5)


def test_features_are_the_mean_over_real_tokens(encoder) -> None:
    model = AutoModel.from_pretrained(encoder.folder).eval()
    padded = AutoTokenizer.from_pretrained(encoder.folder)(
        list(TEXTS), padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        states = model(**padded).last_hidden_state
    mask = padded["attention_mask"][:, :, None]
    means = (states * mask).sum(dim=1) / mask.sum(dim=1)
    np.testing.assert_allclose(features(encoder, TEXTS), means.numpy(), atol=1e-5)


@pytest.mark.parametrize("damage", ["truncated", "empty", "a bit", "other texts'", "foreign"])
def test_damaged_features_are_named_and_made_again(distilbert, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "features"
    expected = features(distilbert, TEXTS, cache=cache)
    (path,) = cache.glob("*.npz")
    whole = path.read_bytes()
    if damage == "other texts'":
        features(distilbert, TEXTS[:1], cache=cache)
        (other,) = set(cache.glob("*.npz")) - {path}
        path.write_bytes(other.read_bytes())
    elif damage == "foreign":
        np.savez(path, features=np.zeros_like(expected))
    elif damage == "a bit":
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :])
    else:
        path.write_bytes(whole[:-30] if damage == "truncated" else b"")
    with pytest.warns(files.Damaged, match=f"{path.name} is damaged .* made again"):
        again = features(distilbert, TEXTS, cache=cache)
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal(features(distilbert, TEXTS, cache=cache), expected)


def test_logits_equal_the_librarys(encoder) -> None:
    network = load_classifier(encoder.folder, 5, np.random.default_rng(0))
    texts = tokenize(encoder, TEXTS)
    order = by_length(texts)
    batch = texts.take(order)
    padded = AutoTokenizer.from_pretrained(encoder.folder)(
        [TEXTS[i] for i in order], padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        first = network.run_layers(
            network.embed(batch), batch.starts, slice(None), first_tokens=True
        )
        ours, theirs = network.classify(first), network.model(**padded).logits
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


class ForgetsFirstKey:
    """Stands in for dropout: nobody hears the first token; hidden states stay as they are."""

    def __call__(self, values: torch.Tensor, rate: float) -> torch.Tensor:
        is_attention = values.ndim > 2
        heard = torch.ones(values.shape[-1])
        heard[0] = 0.0 if is_attention else 1.0
        return values * heard * (1.25 if is_attention else 1.0)


@pytest.mark.parametrize("dropout", [None, ForgetsFirstKey()])
def test_the_last_layer_alone_gives_what_all_layers_give(encoder, dropout) -> None:
    """In values and in gradients, among which the keys' bias has none: it changes nothing."""
    network = load_encoder(encoder.folder)
    texts = tokenize(encoder, TEXTS)
    batch = texts.take(by_length(texts))
    last = network.layers[-1]
    parts = (last.query.weight, last.key.weight, last.value.weight, last.value.bias)
    below = network.run_layers(network.embed(batch), batch.starts, slice(-1), dropout=dropout)
    every = network.run_layers(below, batch.starts, slice(-1, None), dropout=dropout)
    expected = every[torch.from_numpy(batch.starts[:-1])]
    gradients = torch.autograd.grad(expected.square().sum(), parts, retain_graph=True)
    for first in (
        network.run_layers(
            below, batch.starts, slice(-1, None), dropout=dropout, first_tokens=True
        ),
        network.run_last_layer(below, batch.starts, dropout=dropout),
    ):
        torch.testing.assert_close(first, expected, atol=1e-5, rtol=0)
        found = torch.autograd.grad(first.square().sum(), parts, retain_graph=True)
        for ours, theirs in zip(found, gradients, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
    bias = torch.autograd.grad(expected.square().sum(), last.key.bias, retain_graph=True)[0]
    torch.testing.assert_close(bias, torch.zeros_like(bias), atol=1e-4, rtol=0)


def finetune_recipe(
    encoder: str, trained: type[TextRecipe] = FineTuneRecipe, **fields: object
) -> TextRecipe:
    usual = {
        "dataset": "standin",
        "label": "domain",
        "limit": 48,
        "learning_rate": 1e-4,
        "epochs": 1,
        "batch_size": 24,
    }
    return trained(encoder=encoder, **{**usual, **fields})


def tune(recipe: TextRecipe, plans: Sequence[SeedPlan], *records: Record) -> list:
    """What the workload keeps on the data that it finds: ``result[run][record]``."""
    (inputs,) = recipe.workload.inputs(recipe, strict=True)
    finished = recipe.workload.train(
        Request(recipe, tuple(plans), records),
        inputs,
        lambda _: None,
        report=lambda done, state=None: None,
        state=None,
    )
    return [run for part in finished for _, run in part]


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
def test_fine_tuning_repeats_bit_for_bit(encoder, trained: type[TextRecipe]) -> None:
    recipe = finetune_recipe(encoder.name, trained)
    plans = seed_plans(2)
    both = tune(recipe, plans, Final())
    (alone,) = tune(recipe, plans[1:], Final())
    assert_same_bits(both[1], alone)
    assert not np.array_equal(both[0][0]["gold_test"], both[1][0]["gold_test"])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_no_bit_and_is_put_back(distilbert, threads: int) -> None:
    recipe, before = finetune_recipe(DISTILBERT), torch.get_num_threads()
    (expected,) = tune(recipe, seed_plans(1), Final())
    torch.set_num_threads(threads)
    try:
        (found,) = tune(recipe, seed_plans(1), Final())
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert_same_bits(found, expected)


@pytest.fixture
def undropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DistilBERT without dropout, whose masks are our own."""
    rates = ("dropout", "attention_dropout", "seq_classif_dropout")
    monkeypatch.setenv("STABLIB_MODELS", str(tmp_path))
    return make_distilbert(tmp_path / DISTILBERT, **dict.fromkeys(rates, 0.0))


def padded_by_hand(
    folder: Path,
    recipe: TextRecipe,
    plan: SeedPlan,
    *,
    rate: float = 1.0,
    shrink: float = 1.0,
    method: ByStep | None = None,
) -> np.ndarray:
    """Test probabilities of the library's model, padded, with autograd and Adam."""
    data = stand_in().head(recipe.limit)
    model = load_classifier(folder, data.n_classes, plan.generator("init")).model
    if isinstance(recipe, TopLayerRecipe):
        for part in (model.distilbert.embeddings, model.distilbert.transformer.layer[0]):
            part.requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    adam = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate * rate)
    averager = None if method is None else WeightAverager(method, model)
    for order in order_by_hand(plan, recipe.limit, recipe.epochs):
        for rows in order.split(recipe.batch_size):
            batch = [data.texts["train"][i] for i in rows]
            gold = torch.tensor(data.gold["train"][rows.numpy()])
            adam.zero_grad()
            padded = tokenizer(batch, padding=True, return_tensors="pt")
            model(**padded, labels=gold).loss.backward()
            adam.step()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(shrink if parameter.requires_grad else 1.0)
            if averager is not None:
                averager.step()
        if averager is not None:
            averager.restart()
    texts = tokenizer(list(data.texts["test"]), padding=True, return_tensors="pt")
    beside = averager is not None and not averager.method.writes_back
    with torch.no_grad(), averager.averaged() if beside else contextlib.nullcontext():
        return torch.softmax(model(**texts).logits, dim=-1).numpy()


TEST = Probabilities(split="test")


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
def test_fine_tuned_distilbert_equals_the_padded_model_by_hand(
    undropped: Path, trained: type[TextRecipe]
) -> None:
    recipe, (plan,) = finetune_recipe(DISTILBERT, trained, learning_rate=1e-3), seed_plans(1)
    ((ours,),) = tune(recipe, [plan], TEST)
    theirs = padded_by_hand(undropped, recipe, plan)
    np.testing.assert_allclose(ours["probabilities"], theirs, atol=1e-3)


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        (Scheduled(), {"rate": 0.0}),
        (Scheduled(then=3.0), {"rate": 3.0}),
        (Shrunk(step=0.95), {"shrink": 0.95}),
        (Seen(), {}),
    ],
    ids=lambda value: str(value),
)
def test_methods_of_fine_tuning_equal_the_padded_model_by_hand(
    undropped: Path, trained: type[TextRecipe], method: Method, options: dict
) -> None:
    """With a rate of 0 it is the untrained model."""
    recipe, (plan,) = finetune_recipe(DISTILBERT, trained, learning_rate=1e-3), seed_plans(1)
    ((found,),) = tune(recipe.with_method(method), [plan], TEST)
    expected = padded_by_hand(undropped, recipe, plan, **options)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-3)
    ((plain,),) = tune(recipe, [plan], TEST)
    far = np.abs(plain["probabilities"].astype(np.float64) - expected).max() > 0.005
    assert far == bool(options)


RELEASED = NASWA(
    denominator="accepted",
    norm="mean",
    tensors=("pre_classifier.bias", "distilbert.transformer.layer.1.attention.v_lin.weight"),
    history="reset",
)


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
@pytest.mark.parametrize(
    "method",
    [ASWA(), ASWA(denominator="accepted", restart="exchange"), NASWA(), RELEASED, EMA(memory=0.6)],
    ids=lambda method: f"{method.kind}-{getattr(method, 'denominator', '')}",
)
def test_averages_of_fine_tuning_are_those_of_a_loop_of_ones_own(
    undropped: Path, trained: type[TextRecipe], method: ByStep
) -> None:
    recipe, (plan,) = (
        finetune_recipe(DISTILBERT, trained, learning_rate=1e-3, batch_size=16, epochs=2),
        seed_plans(1),
    )
    ((found,),) = tune(recipe.with_method(method), [plan], TEST)
    expected = padded_by_hand(undropped, recipe, plan, method=method)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-3)
    ((plain,),) = tune(recipe, [plan], TEST)
    assert np.abs(plain["probabilities"].astype(np.float64) - expected).max() > 0.005


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
def test_a_late_order_equals_the_padded_model_by_hand(undropped, trained) -> None:
    recipe = finetune_recipe(DISTILBERT, trained, learning_rate=1e-3, epochs=2)
    late, base = SeedPlan(shuffle=5, onset={"shuffle": 2}), SeedPlan()
    (ours, steps), (_, others) = tune(
        recipe, [late, base], TEST, Steps(split="val", confidence=True)
    )
    theirs = padded_by_hand(undropped, recipe, late)
    np.testing.assert_allclose(ours["probabilities"], theirs, atol=1e-3)
    np.testing.assert_array_equal(steps["gold"][:2], others["gold"][:2])
    assert (steps["gold"][2:] != others["gold"][2:]).any(axis=1).all()


def test_late_dropout_leaves_the_first_epochs_alone(distilbert) -> None:
    recipe = finetune_recipe(DISTILBERT, learning_rate=1e-3, epochs=3)
    plans = [SeedPlan(), SeedPlan(dropout=5, onset={"dropout": 3})]
    (base,), (late,) = tune(recipe, plans, Steps(split="val", confidence=True))
    np.testing.assert_array_equal(base["gold"][:4], late["gold"][:4])
    assert (base["gold"][4:] != late["gold"][4:]).any(axis=1).all()


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
def test_snapshots_of_fine_tuning_are_shorter_runs(distilbert, trained: type[TextRecipe]) -> None:
    recipe = finetune_recipe(DISTILBERT, trained, learning_rate=2e-3, epochs=3)
    records, (plan,) = (Final(), TEST, TrainMean()), seed_plans(1)
    members = [
        tune(recipe.model_copy(update={"epochs": k}), [plan], *records)[0] for k in (1, 2, 3)
    ]
    for k, member in enumerate(members, start=1):
        (kept,) = tune(recipe.with_method(Kept(after=(k,))), [plan], *records)
        assert_same_bits(kept, member)
    ((final, found, _),) = tune(recipe.with_method(Kept(after=(1, 3))), [plan], *records)
    expected = mean_of_logits([members[0][1]["probabilities"], members[2][1]["probabilities"]])
    np.testing.assert_allclose(found["probabilities"], expected, atol=2e-3)
    assert np.abs(members[2][1]["probabilities"] - expected).max() > 0.01
    assert (final["labels_test"] == found["probabilities"].argmax(axis=1)).mean() > 0.95


def test_identical_views_and_averagers_that_look_on_change_no_bit_of_fine_tuning(distilbert):
    recipe, records = finetune_recipe(DISTILBERT), (Final(), TrainMean(after_step=1))
    (plain,) = tune(recipe, seed_plans(1), *records)
    for method in (Seen(), Shrunk(), Scheduled(then=1.0), Spy()):
        (found,) = tune(recipe.with_method(method), seed_plans(1), *records)
        assert_same_bits(found, plain)


@pytest.mark.parametrize(
    ("trained", "tensor"),
    [
        (FineTuneRecipe, "distilbert.embeddings.word_embeddings.weight"),
        (TopLayerRecipe, "distilbert.transformer.layer.1.attention.v_lin.weight"),
    ],
)
def test_one_bit_changes_one_initial_weight_of_an_encoder(distilbert, trained, tensor) -> None:
    recipe = finetune_recipe(DISTILBERT, trained, learning_rate=1e-3)
    first, last = [], []
    for bit in (None, Bit(tensor=tensor, index=40, direction="down")):
        for factor, weights in ((0.0, first), (1.0, last)):
            tuned = tune(recipe.with_method(Spy(factor=factor)), [SeedPlan(bit=bit)], TEST)
            weights.append((Spy.seen.pop(), tuned[0][0]["probabilities"]))
    (plain, _), (changed, _) = first
    (place,) = np.flatnonzero(plain != changed)
    assert changed[place] == np.nextafter(plain[place], np.float32(-np.inf))
    assert (last[0][0] != last[1][0]).sum() > 100
    np.testing.assert_allclose(last[0][1], last[1][1], atol=0.02)


def test_a_bit_of_a_frozen_layer_is_refused(distilbert) -> None:
    bit = Bit(tensor="distilbert.embeddings.word_embeddings.weight")
    with pytest.raises(UsageError, match="unknown tensor 'distilbert.embeddings.word_embeddings"):
        tune(finetune_recipe(DISTILBERT, TopLayerRecipe), [SeedPlan(bit=bit)], Final())


@pytest.mark.parametrize("method", [TGTSS(after_step=2), Ensemble(members=2, teacher="own")])
def test_teachers_of_fine_tuned_students_are_trained_first(distilbert, method, tmp_path) -> None:
    recipe = finetune_recipe(DISTILBERT, TopLayerRecipe, epochs=2, method=method)
    request = Request(recipe, seed_plans(2), (TEST,))
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    runs = obtain(request, store, watch=silent)
    (inputs,) = recipe.workload.inputs(recipe, strict=True)
    lessons = recipe.workload.before(request)
    taught = {}
    for plan in request.plans:
        teachers = tune(recipe.with_method(Kept(after=(2,))), method.teachers(plan), method.lesson)
        taught[plan] = np.mean([run[0]["mean"] for run in teachers], axis=0, dtype=np.float64)
    students = recipe.workload.train(
        request,
        inputs,
        lambda plan: taught[plan].astype(np.float32),
        report=lambda done, state=None: None,
        state=None,
    )
    for row, ((plan, (found,)),) in zip(runs["probabilities"], students, strict=True):
        assert plan in request.plans
        np.testing.assert_array_equal(row, found["probabilities"])
    n_teachers = len({t for plan in request.plans for t in method.teachers(plan)})
    assert sum(len(lesson.plans) for lesson in lessons) == n_teachers


def test_heads_train_on_distilbert_features(distilbert) -> None:
    """The head learns the training texts from the features of even a random encoder."""
    recipe = HeadRecipe(
        dataset="standin",
        label="domain",
        limit=48,
        encoder=DISTILBERT,
        epochs=50,
        learning_rate=1e-2,
        batch_size=24,
    )
    (inputs,) = recipe.workload.inputs(recipe, strict=True)
    task = prepare(recipe, inputs)
    assert {split: x.shape for split, x in task.inputs.items()} == dict.fromkeys(
        ("train", "val", "test"), (48, 32)
    )
    task = dataclasses.replace(
        task,
        inputs={**task.inputs, "test": task.inputs["train"]},
        gold={**task.gold, "test": task.gold["train"]},
    )
    ((final,),) = train(recipe, seed_plans(1), task, [Final()])
    assert np.mean(final["labels_test"] == task.gold["train"]) > 0.9


def test_other_weights_under_an_encoders_name_make_another_key(distilbert) -> None:
    recipes = [finetune_recipe(DISTILBERT), finetune_recipe("all-MiniLM-L6-v2")]
    before, other = (Group(recipe, "abc", Final()).key for recipe in recipes)
    weights = distilbert.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert Group(recipes[0], "abc", Final()).key != before
    assert Group(recipes[1], "abc", Final()).key == other


def test_a_missing_encoder_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(encoders.EncoderMissing, match="STABLIB_MODELS"):
        encoders.find("distilbert-base-uncased")
    with pytest.raises(UsageError, match="did you mean 'all-MiniLM-L6-v2'"):
        encoders.find("all-MiniLM-L6")


def test_an_encoder_folder_without_its_tokenizer_is_refused_by_name(distilbert) -> None:
    (distilbert.folder / "tokenizer.json").unlink()
    with pytest.raises(encoders.EncoderMissing, match="distilbert.* lacks tokenizer.json"):
        encoders.find(DISTILBERT)


@pytest.mark.parametrize("keep", [0, 20, 5000])
def test_a_truncated_encoder_is_one_clear_error(distilbert, keep: int) -> None:
    weights = distilbert.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(StablibError, match=r"the encoder in .* cannot be loaded: "):
        load_encoder(distilbert.folder)
    with pytest.raises(StablibError, match=r"the encoder in .* cannot be loaded: "):
        load_classifier(distilbert.folder, 3, np.random.default_rng(0))


def test_own_token_ids_pass_through_the_frozen_layers_or_are_refused(distilbert) -> None:
    data, recipe = stand_in().head(48), finetune_recipe(DISTILBERT, TopLayerRecipe)
    ids = {split: tokenize(distilbert, texts) for split, texts in data.texts.items()}
    try:
        ((own,),) = train(recipe, seed_plans(1), Task(ids, data.gold, data.n_classes), [TEST])
    except UsageError:
        return
    ((found,),) = tune(recipe, seed_plans(1), TEST)
    np.testing.assert_array_equal(own["probabilities"], found["probabilities"])


EVERYTHING = (
    Final(),
    TEST,
    Steps(split="val", every=2, confidence=True),
    TrainMean(after_step=1, every=2),
    Averaged(record=TEST, methods=(StepSWA(), EMA(memory=0.6))),
    Averaged(record=Steps(split="val", every=2), methods=(StepSWA(),)),
)


class Killed(Exception):
    """Ends a training in a test."""


@pytest.mark.parametrize("trained", [FineTuneRecipe, TopLayerRecipe])
@pytest.mark.parametrize(
    ("method", "plan"),
    [
        (SWA(last_epochs=2), SeedPlan()),
        (Kept(after=(1, 3)), SeedPlan(dropout=4, onset={"dropout": 2})),
        (Shrunk(step=0.98, epoch=0.9), SeedPlan(shuffle=5, onset={"shuffle": 3})),
        (ASWA(denominator="accepted", restart="exchange"), SeedPlan()),
        (NASWA(), SeedPlan()),
        (RELEASED, SeedPlan()),
        (EMA(memory=0.6), SeedPlan()),
    ],
    ids=["averaged", "snapshots", "changed", "aswa", "naswa", "naswa-released", "ema"],
)
def test_an_interrupted_run_goes_on_to_the_same_bits(
    distilbert, trained: type[TextRecipe], method: Method, plan: SeedPlan, tmp_path: Path
) -> None:
    """Killed after every step in turn, in the middle and at the end of epochs."""
    recipe = finetune_recipe(DISTILBERT, trained, learning_rate=1e-3, epochs=3).with_method(method)
    (inputs,) = recipe.workload.inputs(recipe, strict=True)
    request = Request(recipe, (plan,), EVERYTHING)
    n_steps = recipe.steps(48)
    told: list[int] = []

    def go(state: Arrays | None, until: int) -> tuple[list[Arrays] | None, Arrays | None]:
        """Train for some steps, or to the end."""
        kept: list[Arrays] = []

        def report(done: int, state: Callable[[], Arrays] | None = None) -> None:
            told.append(done)
            if state is not None:
                kept.append({name: array.copy() for name, array in state().items()})
            if len(kept) == until:
                raise Killed

        work = recipe.workload.train(request, inputs, lambda _: None, report=report, state=state)
        try:
            (((_, arrays),),) = work
        except Killed:
            return None, kept[-1]
        return arrays, None

    whole, _ = go(None, n_steps + 1)
    total = sum(told)
    state = None
    for _ in range(n_steps - 1):
        _, state = go(state, 1)
        files.write(tmp_path / "state", state, {}, compress=False)  # As the store keeps it.
        state, _ = files.read(tmp_path / "state")
    told.clear()
    resumed, _ = go(state, n_steps + 1)
    assert_same_bits(resumed, whole)
    assert sum(told) == total == recipe.workload.work(request, inputs)


def test_a_prediction_of_many_texts_can_be_interrupted(distilbert) -> None:
    """Told between batches: the evaluation of a large encoder takes longer than anyone waits."""
    recipe = finetune_recipe(DISTILBERT, limit=600, batch_size=600)
    (inputs,) = recipe.workload.inputs(recipe, strict=True)
    calls: list[int] = []
    list(
        recipe.workload.train(
            Request(recipe, seed_plans(1), (TEST,)),
            inputs,
            lambda _: None,
            report=lambda done, state=None: calls.append(done),
            state=None,
        )
    )
    n_batches = -(-len(inputs.data.head(600).gold["test"]) // 256)
    assert calls.count(0) == n_batches + 1 > 2  # Before it began, nothing was done.
