"""Unpadded transformers: equal to the library's, and trainable whole or from the top."""

from __future__ import annotations

import dataclasses
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

from stablib.data import stand_in
from stablib.errors import UsageError
from stablib.models import encoders
from stablib.models.features import features
from stablib.models.tokens import tokenize
from stablib.models.transformer import by_length, hidden_states, load_classifier, load_encoder
from stablib.training import Final, FineTune, Head, Probabilities, Recipe, seed_plans, train
from stablib.training.task import prepare

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


def finetune_recipe(encoder: str, top_layers: int | None) -> Recipe:
    return Recipe(
        dataset="standin",
        label="domain",
        limit=48,
        encoder=encoder,
        model=FineTune(top_layers=top_layers),
        learning_rate=1e-4,
        epochs=1,
        batch_size=24,
    )


@pytest.mark.parametrize("top_layers", [None, 1])
def test_fine_tuning_repeats_bit_for_bit(encoder, top_layers: int | None) -> None:
    recipe = finetune_recipe(encoder.name, top_layers)
    task = prepare(recipe, stand_in())
    plans = seed_plans(2)
    both = train(recipe, plans, task, [Final()])
    alone = train(recipe, plans[1:], task, [Final()])
    np.testing.assert_array_equal(both[1][0]["gold_test"], alone[0][0]["gold_test"])
    assert not np.array_equal(both[0][0]["gold_test"], both[1][0]["gold_test"])


@pytest.mark.parametrize("top_layers", [None, 1])
def test_fine_tuned_distilbert_equals_the_padded_model_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top_layers: int | None
) -> None:
    """The library's model, padded, with autograd and Adam; without dropout, which has own masks."""
    rates = ("dropout", "attention_dropout", "seq_classif_dropout")
    folder = make_distilbert(tmp_path / DISTILBERT, **dict.fromkeys(rates, 0.0))
    monkeypatch.setenv("STABLIB_MODELS", str(tmp_path))
    recipe = finetune_recipe(DISTILBERT, top_layers).model_copy(update={"learning_rate": 1e-3})
    data, (plan,) = stand_in().head(recipe.limit), seed_plans(1)
    record = Probabilities(split="test")
    ((ours,),) = train(recipe, [plan], prepare(recipe, stand_in()), [record])

    model = load_classifier(folder, data.n_classes, plan.generator("init")).model
    if top_layers:
        for part in (model.distilbert.embeddings, model.distilbert.transformer.layer[0]):
            part.requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    adam = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    order = plan.generator("shuffle").permutation(recipe.limit)
    for rows in (order[:24], order[24:]):
        batch = [data.texts["train"][i] for i in rows]
        gold = torch.tensor(data.gold["train"][rows])
        adam.zero_grad()
        model(**tokenizer(batch, padding=True, return_tensors="pt"), labels=gold).loss.backward()
        adam.step()
    texts = tokenizer(list(data.texts["test"]), padding=True, return_tensors="pt")
    with torch.no_grad():
        theirs = torch.softmax(model(**texts).logits, dim=-1).numpy()
    np.testing.assert_allclose(ours["probabilities"], theirs, atol=1e-3)


def test_heads_train_on_distilbert_features(distilbert) -> None:
    """The head learns the training texts from the features of even a random encoder."""
    recipe = finetune_recipe(DISTILBERT, None).model_copy(
        update={"model": Head(), "epochs": 50, "learning_rate": 1e-2}
    )
    task = prepare(recipe, stand_in())
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
