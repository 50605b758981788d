"""BERT and DistilBERT on unpadded tokens.

The library's models pad every text of a batch to the longest. Utterances are short and their
lengths differ, so most of that work is on padding. Here the tokens of a batch form one flat array,
texts in order of length: linear layers see only real tokens, and attention runs on groups of
texts of equal length, which need neither padding nor masks. Batches hold the same examples as in
the paper's protocol, and hidden states equal the library's up to rounding.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stablib.errors import StablibError
from stablib.models.tokens import Ragged


class Dropout:
    """Dropout whose masks come from an explicit generator.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of randomness, with 64-bit raw output.
    """

    def __init__(self, generator: np.random.Generator) -> None:
        self.bits = generator.bit_generator

    def __call__(self, values: Tensor, rate: float) -> Tensor:
        """Zero a share ``rate`` of the values, to 1/65536, and scale up the others."""
        threshold = round(rate * 65536)
        if threshold == 0:
            return values
        raw = self.bits.random_raw(-(-values.numel() // 4)).view(np.uint16)[: values.numel()]
        mask = torch.from_numpy(raw >= threshold).view(values.shape).to(values.dtype)
        return values * mask.mul_(65536 / (65536 - threshold))


@dataclasses.dataclass(frozen=True)
class Layer:
    """The modules of one transformer layer, under one set of names."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attended: nn.Linear
    attended_norm: nn.LayerNorm
    wide: nn.Linear
    narrow: nn.Linear
    norm: nn.LayerNorm


def _layers(model: Any) -> list[Layer]:
    """Find the layers' modules in the library's model."""
    if model.config.model_type == "distilbert":
        return [
            Layer(
                query=block.attention.q_lin,
                key=block.attention.k_lin,
                value=block.attention.v_lin,
                attended=block.attention.out_lin,
                attended_norm=block.sa_layer_norm,
                wide=block.ffn.lin1,
                narrow=block.ffn.lin2,
                norm=block.output_layer_norm,
            )
            for block in model.base_model.transformer.layer
        ]
    return [
        Layer(
            query=block.attention.self.query,
            key=block.attention.self.key,
            value=block.attention.self.value,
            attended=block.attention.output.dense,
            attended_norm=block.attention.output.LayerNorm,
            wide=block.intermediate.dense,
            narrow=block.output.dense,
            norm=block.output.LayerNorm,
        )
        for block in model.base_model.encoder.layer
    ]


class Unpadded:
    """Forward passes of a library model on unpadded tokens.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A BERT or DistilBERT, bare or with a sequence classification head. Its parameters are
        used as they are, so it can be trained through this class.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.layers = _layers(model)
        config = model.config
        self.n_attention_heads = config.num_attention_heads
        distil = config.model_type == "distilbert"
        self.dropout_rate: float = config.dropout if distil else config.hidden_dropout_prob
        self.attention_rate: float = (
            config.attention_dropout if distil else config.attention_probs_dropout_prob
        )

    def embed(self, texts: Ragged, dropout: Dropout | None = None) -> Tensor:
        """Embedding layer, shape (n_tokens, width)."""
        embeddings = self.model.base_model.embeddings
        places = np.arange(len(texts.values)) - np.repeat(texts.starts[:-1], texts.lengths)
        states = embeddings.word_embeddings(torch.from_numpy(texts.values))
        states = states + embeddings.position_embeddings(torch.from_numpy(places))
        if hasattr(embeddings, "token_type_embeddings"):
            states = states + embeddings.token_type_embeddings.weight[0]
        states = embeddings.LayerNorm(states)
        return dropout(states, self.dropout_rate) if dropout else states

    def run_layers(
        self,
        states: Tensor,
        starts: np.ndarray,
        layers: slice,
        *,
        dropout: Dropout | None = None,
        first_tokens: bool = False,
    ) -> Tensor:
        """Run some of the layers.

        Parameters
        ----------
        states : Tensor, shape (n_tokens, width)
            Hidden states of texts in order of length.
        starts : ndarray of int64, shape (n_texts + 1,)
            Where each text begins.
        layers : slice
            Which layers.
        dropout : Dropout, optional
            None for evaluation.
        first_tokens : bool, default False
            Return only the first token of each text; the last layer then computes no other.

        Returns
        -------
        Tensor, shape (n_tokens, width) or (n_texts, width)
            Hidden states.
        """
        chosen = self.layers[layers]
        for number, layer in enumerate(chosen, start=1):
            last = first_tokens and number == len(chosen)
            asking = _first(states, starts) if last else states
            mixed = self._attend(layer, asking, states, starts, dropout)
            states = self._after_attention(layer, asking, mixed, dropout)
        return states

    def run_last_layer(
        self, states: Tensor, starts: np.ndarray, *, dropout: Dropout | None = None
    ) -> Tensor:
        """Run the last layer for the first token of each text.

        The same as :meth:`run_layers` up to rounding, in half the time where the states below are
        not trained: no token needs a key or a value of its own.

        Parameters
        ----------
        states, starts, dropout
            As for :meth:`run_layers`.

        Returns
        -------
        Tensor, shape (n_texts, width)
            Hidden states of the first tokens.
        """
        layer, asking = self.layers[-1], _first(states, starts)
        mixed = self._attend_from(layer, asking, states, starts, dropout)
        return self._after_attention(layer, asking, mixed, dropout)

    def _after_attention(
        self, layer: Layer, asking: Tensor, mixed: Tensor, dropout: Dropout | None
    ) -> Tensor:
        mixed = layer.attended(mixed)
        if dropout:
            mixed = dropout(mixed, self.dropout_rate)
        states = layer.attended_norm(asking + mixed)
        changed = layer.narrow(functional.gelu(layer.wide(states)))
        if dropout:
            changed = dropout(changed, self.dropout_rate)
        return layer.norm(states + changed)

    def _attend(
        self,
        layer: Layer,
        asking: Tensor,
        states: Tensor,
        starts: np.ndarray,
        dropout: Dropout | None,
    ) -> Tensor:
        """Attention within each text, one group of equally long texts at a time."""
        heads, width = self.n_attention_heads, states.shape[1]
        groups = _equal_lengths(starts)
        n_texts, n_tokens = [n for n, _ in groups], [n * length for n, length in groups]
        # One split has one gradient; a slice a group would have one of the whole size a group.
        queries = layer.query(asking).split(n_tokens if len(asking) == len(states) else n_texts)
        keys, values = layer.key(states).split(n_tokens), layer.value(states).split(n_tokens)
        mixed = []
        for n, *parts in zip(n_texts, queries, keys, values, strict=True):
            q, k, v = (part.view(n, -1, heads, width // heads).transpose(1, 2) for part in parts)
            weights = torch.softmax(q @ k.transpose(2, 3) * (width // heads) ** -0.5, dim=-1)
            if dropout:
                weights = dropout(weights, self.attention_rate)
            mixed.append((weights @ v).transpose(1, 2).reshape(-1, width))
        return torch.cat(mixed)

    def _attend_from(
        self,
        layer: Layer,
        asking: Tensor,
        states: Tensor,
        starts: np.ndarray,
        dropout: Dropout | None,
    ) -> Tensor:
        """Attention of one token of each text to the whole text.

        With one query a text, no token needs a key or a value of its own: ``q . (K x)`` is
        ``(K' q) . x``, and the weighted mean of values is the value of the weighted mean. The
        bias of the keys adds the same to every score of a text, so softmax never sees it.
        """
        heads, width = self.n_attention_heads, states.shape[1]
        by_head = (heads, width // heads, width)
        queries = layer.query(asking).view(-1, heads, width // heads).transpose(0, 1)
        queries = (queries @ layer.key.weight.view(by_head)).transpose(0, 1)
        queries = queries * (width // heads) ** -0.5
        groups = _equal_lengths(starts)
        pieces = (
            queries.split([n_texts for n_texts, _ in groups]),
            states.split([n_texts * length for n_texts, length in groups]),
        )
        means, sums = [], []
        for (n_texts, length), q, tokens in zip(groups, *pieces, strict=True):
            tokens = tokens.view(n_texts, length, width)
            weights = torch.softmax(q @ tokens.transpose(1, 2), dim=-1)
            if dropout:
                weights = dropout(weights, self.attention_rate)
            means.append(weights @ tokens)
            sums.append(weights.sum(dim=-1))  # Not one under dropout.
        mean = torch.cat(means).transpose(0, 1)
        values = mean @ layer.value.weight.view(by_head).transpose(1, 2)
        values = values + torch.cat(sums).t().unsqueeze(2) * layer.value.bias.view(heads, 1, -1)
        return values.transpose(0, 1).reshape(-1, width)

    def classify(self, first: Tensor, dropout: Dropout | None = None) -> Tensor:
        """Logits of the library's classification head, shape (n_texts, n_classes).

        Parameters
        ----------
        first : Tensor, shape (n_texts, width)
            Last hidden state of each text's first token.
        dropout : Dropout, optional
            None for evaluation.
        """
        model, config = self.model, self.model.config
        if config.model_type == "distilbert":
            pooled, rate = torch.relu(model.pre_classifier(first)), config.seq_classif_dropout
        else:
            pooled = torch.tanh(model.base_model.pooler.dense(first))
            rate = config.classifier_dropout or config.hidden_dropout_prob
        return model.classifier(dropout(pooled, rate) if dropout else pooled)


def _first(states: Tensor, starts: np.ndarray) -> Tensor:
    """States of the first token of each text."""
    return states.index_select(0, torch.from_numpy(starts[:-1]))


def _equal_lengths(starts: np.ndarray) -> list[tuple[int, int]]:
    """Groups of equally long neighbours: (number of texts, length)."""
    lengths = np.diff(starts)
    edges = np.flatnonzero(np.diff(lengths, prepend=-1, append=-1))
    return [(int(b - a), int(lengths[a])) for a, b in itertools.pairwise(edges)]


def by_length(texts: Ragged) -> np.ndarray:
    """Order of the texts by length, shortest first; texts of one length keep their order."""
    return np.argsort(texts.lengths, kind="stable")


def hidden_states(
    network: Unpadded,
    texts: Ragged,
    layers: slice = slice(None),
    *,
    pause: Callable[[], object] = lambda: None,
) -> Ragged:
    """Hidden states of texts after some layers, in evaluation mode, in batches.

    Parameters
    ----------
    network : Unpadded
        The encoder.
    texts : Ragged
        Token ids.
    layers : slice, default all
        Layers to run after the embedding.
    pause : callable, optional
        Called between batches; may raise.

    Returns
    -------
    Ragged
        ``values`` of shape (n_tokens, width), float32, in the order of ``texts``.
    """
    width = network.model.config.hidden_size if len(texts) else 0
    values = np.empty((len(texts.values), width), dtype=np.float32)
    order = by_length(texts)
    with torch.inference_mode():
        for start in range(0, len(order), 256):
            rows = order[start : start + 256]
            batch = texts.take(rows)
            states = network.run_layers(network.embed(batch), batch.starts, layers)
            places = Ragged(np.arange(len(texts.values)), texts.starts).take(rows).values
            values[places] = states.numpy()
            pause()
    return Ragged(values, texts.starts)


def load_encoder(folder: Path) -> Unpadded:
    """Load a bare encoder."""
    from transformers import AutoModel

    return Unpadded(_quietly(AutoModel, folder)[0].eval())


def load_classifier(folder: Path, n_classes: int, generator: np.random.Generator) -> Unpadded:
    """Load an encoder with a fresh classification head.

    Parameters
    ----------
    folder : Path
        Files of the encoder.
    n_classes : int
        Number of classes.
    generator : numpy.random.Generator
        Draws every weight that the files do not hold: normal with the library's own spread,
        biases zero.

    Returns
    -------
    Unpadded
        Ready to be trained.
    """
    from transformers import AutoModelForSequenceClassification

    model, missing = _quietly(AutoModelForSequenceClassification, folder, num_labels=n_classes)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if name in missing:
                spread = model.config.initializer_range if parameter.ndim > 1 else 0.0
                draws = generator.normal(0.0, spread, tuple(parameter.shape))
                parameter.copy_(torch.from_numpy(draws.astype(np.float32)))
    return Unpadded(model.eval())


def _quietly(kind: Any, folder: Path, **options: Any) -> tuple[Any, set[str]]:
    """Load without progress bar and notes on missing heads; return the model and what was missing.

    The bar would also leave a semaphore behind in a worker process that is stopped.
    """
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, report = kind.from_pretrained(folder, output_loading_info=True, **options)
    except Exception as error:  # Whatever altered files make the library stumble over.
        raise StablibError(f"the encoder in {folder} cannot be loaded: {error}") from error
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
    return model, set(report["missing_keys"])
