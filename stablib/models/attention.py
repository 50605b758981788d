"""Classifiers that read words with an encoder and attend to them; of texts, and of pairs.

The layers are those of the released code (Jain and Wallace 2019, which the random-seed paper
builds on). Start and end tokens are never attended to. All weights come from one generator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from stablib.models.batch import Sentences, asking, pairs, sentences
from stablib.models.convolution import Convolution
from stablib.models.drawing import linear
from stablib.models.ragged import Ragged
from stablib.models.recurrent import BiLSTM

EncoderName = Literal["cnn", "bilstm"]
AttentionName = Literal["additive", "dot"]

ENCODERS: dict[str, Callable[[int, np.random.Generator], Convolution | BiLSTM]] = {
    "cnn": Convolution,
    "bilstm": BiLSTM,
}


class Additive(torch.nn.Module):
    """Scores v . tanh(W h + b), and with a question v . tanh(W h + b + U q + c).

    Parameters
    ----------
    n_inputs : int
        Size of a hidden state; the layer inside has half of it.
    rng : numpy.random.Generator
        Draws the initial weights.
    asked : bool
        Whether there is a question.

    Examples
    --------
    >>> sum(p.numel() for p in Additive(128, np.random.default_rng(0), asked=False).parameters())
    8320
    """

    def __init__(self, n_inputs: int, rng: np.random.Generator, *, asked: bool) -> None:
        super().__init__()
        self.states = linear(n_inputs, n_inputs // 2, rng)
        self.question = linear(n_inputs, n_inputs // 2, rng) if asked else None
        self.scores = linear(n_inputs // 2, 1, rng, bias=False)

    def forward(self, hidden: Tensor, batch: Sentences, question: Tensor | None) -> Tensor:
        """Scores of tokens, shape (n_tokens,)."""
        seen = self.states(hidden)
        if self.question is not None and question is not None:
            seen = seen + self.question(question).index_select(0, torch.from_numpy(batch.sentence))
        scores: Tensor = self.scores(torch.tanh(seen)).squeeze(1)
        return scores


class Dot(torch.nn.Module):
    """Scores w . h / sqrt(n_inputs), and with a question q . h / sqrt(n_inputs).

    Parameters
    ----------
    n_inputs : int
        Size of a hidden state.
    rng : numpy.random.Generator
        Draws the initial weights.
    asked : bool
        Whether there is a question; then there are no weights.

    Examples
    --------
    >>> sum(p.numel() for p in Dot(128, np.random.default_rng(0), asked=False).parameters())
    128
    """

    def __init__(self, n_inputs: int, rng: np.random.Generator, *, asked: bool) -> None:
        super().__init__()
        self.scale = n_inputs**-0.5
        self.scores = None if asked else linear(n_inputs, 1, rng, bias=False)

    def forward(self, hidden: Tensor, batch: Sentences, question: Tensor | None) -> Tensor:
        """Scores of tokens, shape (n_tokens,)."""
        if self.scores is None and question is not None:
            asked = question.index_select(0, torch.from_numpy(batch.sentence))
            return (hidden * asked).sum(dim=1) * self.scale
        assert self.scores is not None
        scores: Tensor = self.scores(hidden).squeeze(1) * self.scale
        return scores


ATTENTIONS: dict[str, type[Additive] | type[Dot]] = {"additive": Additive, "dot": Dot}


def attend(scores: Tensor, batch: Sentences) -> Tensor:
    """Attention of every sentence to every token of the batch.

    Parameters
    ----------
    scores : Tensor, shape (n_tokens,)
        Any numbers.
    batch : Sentences
        Which tokens belong together.

    Returns
    -------
    Tensor, shape (n_sentences, n_tokens)
        Each row sums to 1 over the inner tokens of its sentence and is exactly 0 elsewhere. A
        product with hidden states is the context of each sentence, without padding.

    Examples
    --------
    >>> batch = Sentences(np.array([2, 7, 8, 3, 2, 9, 3]), np.array([4, 3]))
    >>> attend(torch.zeros(7), batch).tolist()
    [[0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]]
    """
    spread = scores.unsqueeze(0).expand(batch.n_sentences, -1)
    return torch.softmax(spread.masked_fill(batch.outside, -torch.inf), dim=1)


class TextClassifier(torch.nn.Module):
    """Encoder, attention and a linear decoder; of two classes one logit, the second's log odds.

    Parameters
    ----------
    encoder : {"cnn", "bilstm"}
        What reads the words.
    attention : {"additive", "dot"}
        How words are scored.
    width : int
        Numbers of a word vector.
    n_classes : int
        Two or more.
    rng : numpy.random.Generator
        Draws all initial weights.

    Examples
    --------
    >>> model = TextClassifier("cnn", "additive", 50, 2, np.random.default_rng(0))
    >>> texts = Ragged(np.array([2, 7, 3, 2, 8, 9, 3]), np.array([0, 3, 7]))
    >>> [tuple(part.shape) for part in model(torch.zeros(7, 50), texts)]
    [(2, 2), (2, 7)]
    """

    def __init__(
        self,
        encoder: EncoderName,
        attention: AttentionName,
        width: int,
        n_classes: int,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.encoder = ENCODERS[encoder](width, rng)
        n_outputs = self.encoder.n_outputs
        self.attention = ATTENTIONS[attention](n_outputs, rng, asked=False)
        self.decoder = linear(n_outputs, 1 if n_classes == 2 else n_classes, rng)

    def forward(
        self, vectors: Tensor, texts: Ragged, *, cut_attention: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Logits of classes and attention.

        Parameters
        ----------
        vectors : Tensor, shape (n_tokens, width)
            Word vectors of all tokens of the texts.
        texts : Ragged
            Ids of n_texts texts.
        cut_attention : bool, default False
            Let no gradient flow through the attention: it counts as given.

        Returns
        -------
        logits : Tensor, shape (n_texts, n_classes)
            Of two classes the first is 0.
        attention : Tensor, shape (n_texts, n_tokens)
            See :func:`attend`.
        """
        batch = sentences(texts)
        hidden = self.encoder(vectors, batch)
        attention = attend(self.attention(hidden, batch, None), batch)
        if cut_attention:
            attention = attention.detach()
        return _two_sided(self.decoder(attention @ hidden)), attention


class PairClassifier(torch.nn.Module):
    """Two encoders; attention to the first text, asked by the last state of the second.

    Parameters are those of :class:`TextClassifier`. The decoder is
    ``V tanh(W context + b + U question + c)`` with half as many units as a hidden state.

    Examples
    --------
    >>> model = PairClassifier("cnn", "dot", 50, 3, np.random.default_rng(0))
    >>> texts = Ragged(np.array([2, 7, 3, 2, 8, 9, 3]), np.array([0, 7]))
    >>> [tuple(part.shape) for part in model(torch.zeros(7, 50), texts)]
    [(1, 3), (1, 3)]
    """

    def __init__(
        self,
        encoder: EncoderName,
        attention: AttentionName,
        width: int,
        n_classes: int,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.encoder = ENCODERS[encoder](width, rng)
        self.asking = ENCODERS[encoder](width, rng)
        n_outputs = self.encoder.n_outputs
        self.attention = ATTENTIONS[attention](n_outputs, rng, asked=True)
        self.context = linear(n_outputs, n_outputs // 2, rng)
        self.question = linear(n_outputs, n_outputs // 2, rng)
        self.decoder = linear(n_outputs // 2, 1 if n_classes == 2 else n_classes, rng)

    def forward(self, vectors: Tensor, texts: Ragged) -> tuple[Tensor, Tensor]:
        """Logits of classes and attention.

        Parameters
        ----------
        vectors : Tensor, shape (n_tokens, width)
            Word vectors of all tokens of the pairs.
        texts : Ragged
            Ids of n_texts pairs.

        Returns
        -------
        logits : Tensor, shape (n_texts, n_classes)
            Of two classes the first is 0.
        attention : Tensor, shape (n_texts, n_first)
            To the tokens of the first texts, see :func:`attend`.
        """
        batch, asks = pairs(texts)
        second = torch.from_numpy(asking(texts))
        hidden = self.encoder(vectors[~second], batch)
        question = self.asking.last(self.asking(vectors[second], asks), asks)
        attention = attend(self.attention(hidden, batch, question), batch)
        seen = torch.tanh(self.context(attention @ hidden) + self.question(question))
        return _two_sided(self.decoder(seen)), attention


def _two_sided(logits: Tensor) -> Tensor:
    """Put a zero before the only logit of two classes."""
    if logits.shape[1] > 1:
        return logits
    return torch.cat([torch.zeros_like(logits), logits], dim=1)
