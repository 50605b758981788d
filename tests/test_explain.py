"""Explanations against captum, the lime package as it is called on texts, and closed forms."""

from __future__ import annotations

import subprocess
import sys

import captum.attr
import numpy as np
import pytest
import torch
from lime.lime_text import LimeTextExplainer

from stablib import metrics
from stablib.errors import UsageError
from stablib.explain import input_gradients, lime_weights, noise_floor

SEEDS = range(5)


class Attentive(torch.nn.Module):
    """A small model with attention, whose graph is cut at it or not."""

    def __init__(self, seed: int, *, cut: bool = False) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.encoder, self.attention, self.output = (
            torch.nn.Parameter(torch.randn(*shape, generator=generator, dtype=torch.float64))
            for shape in ((6, 8), (8,), (8,))
        )
        self.cut = cut

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(embeddings @ self.encoder)
        weights = torch.softmax(hidden @ self.attention, dim=1)
        if self.cut:
            weights = weights.detach()
        return (weights.unsqueeze(-1) * hidden).sum(dim=1) @ self.output


def texts(seed: int, n_texts: int = 3, n_tokens: int = 9) -> torch.Tensor:
    generator = torch.Generator().manual_seed(100 + seed)
    return torch.randn(n_texts, n_tokens, 6, generator=generator, dtype=torch.float64)


# Gradients.


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_those_of_captum(seed: int, cut: bool) -> None:
    model, embeddings = Attentive(seed, cut=cut), texts(seed)
    product = captum.attr.InputXGradient(model).attribute(embeddings.clone().requires_grad_())
    gradient = captum.attr.Saliency(model).attribute(embeddings.clone().requires_grad_(), abs=False)
    np.testing.assert_allclose(
        input_gradients(model, embeddings), product.sum(-1).detach().numpy(), rtol=1e-12
    )
    np.testing.assert_allclose(
        input_gradients(model, embeddings, kind="norm"), gradient.norm(dim=-1).numpy(), rtol=1e-12
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_product_is_how_the_score_changes_as_a_token_fades(seed: int) -> None:
    model, embeddings, step = Attentive(seed), texts(seed), 1e-6
    found = input_gradients(model, embeddings)
    for token in range(embeddings.shape[1]):
        faded = embeddings.clone()
        faded[:, token] *= 1.0 - step
        change = (model(embeddings) - model(faded)).detach().numpy() / step
        np.testing.assert_allclose(found[:, token], change, rtol=1e-3, atol=1e-5)


def test_cutting_the_graph_at_attention_matters() -> None:
    embeddings = texts(0)
    whole, cut = (input_gradients(Attentive(0, cut=cut), embeddings) for cut in (False, True))
    assert np.abs(whole - cut).max() > 0.1


def test_texts_do_not_influence_each_other_and_the_model_is_left_alone() -> None:
    model, embeddings = Attentive(0), texts(0)
    together = input_gradients(model, embeddings)
    for off in (torch.no_grad, torch.inference_mode):  # As where a model predicts.
        with off():
            np.testing.assert_array_equal(input_gradients(model, embeddings), together)
            np.testing.assert_array_equal(input_gradients(model, 1.0 * embeddings), together)
    alone = [input_gradients(model, embeddings[[k]])[0] for k in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    assert all(p.grad is None for p in model.parameters())
    assert not embeddings.requires_grad


def test_shares_of_the_logit_are_those_of_the_probability_until_it_saturates() -> None:
    """The slope of the sigmoid is one factor for all tokens of a text."""
    model, embeddings = Attentive(1), texts(1)
    logit = input_gradients(model, embeddings)
    p = input_gradients(lambda e: torch.sigmoid(model(e)), embeddings)
    np.testing.assert_allclose(metrics.importance_shares(p), metrics.importance_shares(logit))

    def saturated(e: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(model(e.double()).float() + 50.0)

    with pytest.raises(UsageError, match="only 0 in row 0; explain the logit"):
        metrics.importance_shares(input_gradients(saturated, embeddings.float()))


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (lambda e: e.sum(dim=2), r"shape \[3\], one number a text, got \[3, 9\]"),
        (lambda e: 1.0, "got <class 'float'>"),
        (lambda e: e.detach().sum(dim=(1, 2)), "must depend on embeddings"),
        (lambda e: torch.ones(3, requires_grad=True) * 2, "must depend on embeddings"),
    ],
)
def test_a_score_that_has_no_gradient_is_refused(score, said) -> None:
    with pytest.raises(UsageError, match=said):
        input_gradients(score, texts(0))


@pytest.mark.parametrize(
    ("embeddings", "said"),
    [
        (np.ones((1, 2, 3)), "torch.Tensor of floats, got <class 'numpy.ndarray'>"),
        (torch.ones(1, 2, 3, dtype=torch.int64), "of floats, got torch.int64"),
        (torch.ones(2, 3), r"\(n_texts, n_tokens, n_dimensions\), none of them 0, .*\(2, 3\)"),
        (torch.ones(2, 0, 3), "none of them 0"),
    ],
)
def test_what_are_no_embeddings_is_refused(embeddings, said) -> None:
    with pytest.raises(UsageError, match=said):
        input_gradients(lambda e: e.sum(dim=(1, 2)), embeddings)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown kind 'norms'; did you mean 'norm'"):
        input_gradients(lambda e: e.sum(dim=(1, 2)), texts(0), kind="norms")  # type: ignore


# LIME.

WORDS = ["not", "a", "good", "film", "but", "what", "a", "good", "cast"]
VALUES = {"not": -1.5, "good": 1.0, "film": 0.2, "cast": 0.4}


def predict(batch: list[list[str]]) -> np.ndarray:
    """A model that sees each word, and that "not" comes right before or not."""
    logits = np.array([sum(VALUES.get(w, 0.0) for w in text) for text in batch])
    logits += [0.5 * ("not" in text[:1]) for text in batch]
    p = 1.0 / (1.0 + np.exp(-logits))
    return np.column_stack([1.0 - p, p])


@pytest.mark.parametrize("seed", SEEDS)
def test_words_are_weighed_as_lime_does_by_default(seed: int) -> None:
    """As the released code calls it: on a sentence, all words, 5000 samples."""
    explanation = LimeTextExplainer(random_state=seed).explain_instance(
        " ".join(WORDS),
        lambda batch: predict([text.split() for text in batch]),
        num_features=len(WORDS),
        num_samples=5000,
    )
    expected = dict(explanation.as_list())
    found = lime_weights(predict, WORDS, seed=seed, features="words")
    np.testing.assert_allclose(found, [expected[word] for word in WORDS], rtol=1e-9, atol=1e-12)


def test_tokens_are_weighed_one_by_one() -> None:
    """Of a model that only sees the second "good", the first one has no weight."""

    def second(batch: list[list[str]]) -> np.ndarray:
        p = np.array([0.2 + 0.6 * (text[-2:] == ["good", "cast"]) for text in batch])
        return np.column_stack([1.0 - p, p])

    weights = lime_weights(second, WORDS, seed=0)
    assert np.abs(weights[7:]).min() > 10 * np.abs(weights[:7]).max()
    words = lime_weights(second, WORDS, seed=0, features="words")
    assert words[2] == words[7]
    assert words[1] == words[6]


def test_of_a_linear_model_the_weights_are_its_own() -> None:
    """A probability that is linear in what is there is imitated exactly, but for the ridge."""
    slopes = np.array([0.1, -0.05, 0.2, 0.0, 0.15])
    tokens = [f"<{k}> & '" for k in range(5)]  # What would not survive a rule for splitting.

    def linear(batch: list[list[str]]) -> np.ndarray:
        p = np.array([0.3 + sum(slopes[tokens.index(t)] for t in text) for text in batch])
        return np.column_stack([1.0 - p, p])

    found = lime_weights(linear, tokens, seed=3, n_samples=2000)
    np.testing.assert_allclose(found, slopes, atol=0.01)
    other = lime_weights(linear, tokens, seed=3, n_samples=2000, label=0)
    np.testing.assert_allclose(other, -found, atol=1e-9)


def test_the_seed_alone_decides_whatever_else_was_drawn() -> None:
    first = lime_weights(predict, WORDS, seed=7, n_samples=200)
    np.random.random(5)  # noqa: NPY002 - the generator that LIME uses unless it has a seed.
    np.testing.assert_array_equal(lime_weights(predict, WORDS, seed=7, n_samples=200), first)
    assert np.abs(lime_weights(predict, WORDS, seed=8, n_samples=200) - first).max() > 1e-4


def test_the_text_is_predicted_whole_and_in_its_order() -> None:
    seen: list[list[str]] = []

    def watching(batch: list[list[str]]) -> np.ndarray:
        seen.extend(batch)
        return predict(batch)

    lime_weights(watching, WORDS, seed=0, n_samples=300)
    assert len(seen) == 300
    assert seen[0] == WORDS
    for text in seen:
        remaining = iter(WORDS)
        assert all(word in remaining for word in text)  # A subsequence.
    assert [] in seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tokens": "good film"}, "not one string, got str of length 9"),
        ({"tokens": []}, "at least one string"),
        ({"tokens": [3, 4]}, "at least one string"),
        ({"seed": None}, "seed must be an int .* got None"),
        ({"seed": -1}, "seed must be an int .* got -1"),
        ({"label": 2}, "label must be below the 2 classes, got 2"),
        ({"n_samples": 1}, "n_samples must be an integer >= 2"),
        ({"features": "word"}, "did you mean 'words'"),
        ({"predict": lambda batch: np.ones(len(batch))}, r"shape \(5000, n_classes\), got"),
        ({"predict": lambda batch: np.full((len(batch), 2), np.nan)}, "predict must be finite"),
    ],
)
def test_a_wrong_argument_of_lime_is_named(arguments, said) -> None:
    with pytest.raises(UsageError, match=said):
        lime_weights(**({"predict": predict, "tokens": WORDS, "seed": 0} | arguments))


def test_without_lime_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["lime"] = None  # What an import finds where it is not installed.
from stablib import StablibError, lime_weights
try:
    lime_weights(lambda texts: None, ["a"], seed=0)
except StablibError as error:
    print(error)
assert "torch" not in sys.modules
"""
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "pip install 'stablib[explain]'" in said


# The noise floor.


def top_distance(explanations: np.ndarray) -> np.ndarray:
    top = metrics.top_share(np.abs(explanations), 0.2)
    return metrics.pair_mean(metrics.pairwise_jaccard_distance(top))


def test_more_samples_lower_the_floor_and_one_seed_has_none() -> None:
    def floor(n_samples: int, seeds: range | list[int]) -> float:
        return float(
            noise_floor(
                lambda seed: lime_weights(predict, WORDS, seed=seed, n_samples=n_samples),
                lambda runs: metrics.sd_over_runs(runs).mean(),
                seeds=seeds,
            )
        )

    assert floor(4000, range(6)) < floor(100, range(6)) / 3
    assert floor(100, [5, 5]) == 0.0


def test_gradients_have_no_floor() -> None:
    model, embeddings = Attentive(0), texts(0)
    floor = noise_floor(lambda seed: input_gradients(model, embeddings)[0], top_distance)
    assert floor == 0.0


@pytest.mark.parametrize(
    ("explain", "seeds", "said"),
    [
        (lambda seed: [1.0, 2.0], [0], "at least two seeds, got 1"),
        (lambda seed: [1.0] * (seed + 1), [0, 1], r"one shape \(n_tokens,\)"),
        (lambda seed: [[1.0]], [0, 1], r"one shape \(n_tokens,\)"),
        (lambda seed: [np.nan], [0, 1], "explain must be finite, got NaN"),
    ],
)
def test_what_is_no_explanation_is_refused(explain, seeds, said) -> None:
    with pytest.raises(UsageError, match=said):
        noise_floor(explain, top_distance, seeds=seeds)
