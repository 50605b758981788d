"""Unpadded transformers: equal to the library's, and trainable whole or from the top."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from stablib.data import stand_in
from stablib.errors import UsageError
from stablib.models import encoders
from stablib.models.tokens import tokenize
from stablib.models.transformer import by_length, hidden_states, load_classifier, load_encoder
from stablib.training import Final, FineTune, Recipe, seed_plans, train
from stablib.training.task import prepare

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXTS = stand_in().texts["test"][:60]


@pytest.fixture(scope="module")
def encoder():
    return encoders.find("all-MiniLM-L6-v2")


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


@pytest.mark.parametrize("top_layers", [None, 1])
def test_fine_tuning_repeats_bit_for_bit(top_layers: int | None) -> None:
    recipe = Recipe(
        dataset="standin",
        label="domain",
        limit=48,
        model=FineTune(top_layers=top_layers),
        learning_rate=1e-4,
        epochs=1,
        batch_size=24,
    )
    task = prepare(recipe, stand_in())
    plans = seed_plans(2)
    both = train(recipe, plans, task, [Final()])
    alone = train(recipe, plans[1:], task, [Final()])
    np.testing.assert_array_equal(both[1][0]["gold_test"], alone[0][0]["gold_test"])
    assert not np.array_equal(both[0][0]["gold_test"], both[1][0]["gold_test"])


def test_a_missing_encoder_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(encoders.EncoderMissing, match="STABLIB_MODELS"):
        encoders.find("distilbert-base-uncased")
    with pytest.raises(UsageError, match="did you mean 'all-MiniLM-L6-v2'"):
        encoders.find("all-MiniLM-L6")
