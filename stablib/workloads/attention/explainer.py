"""Explain the best model of a training by input gradients and LIME."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.errors import UsageError
from stablib.explain import input_gradients, lime_weights
from stablib.explain.surrogate import need_lime
from stablib.models.ragged import Ragged
from stablib.models.words import END, START, inner
from stablib.training.observe import Stack
from stablib.training.record import Arrays
from stablib.training.task import Task
from stablib.workloads.attention.explanations import Explanations
from stablib.workloads.attention.network import AttentionNetwork
from stablib.workloads.attention.observer import BestObserver, logs_of, models_of, spread

#: Texts whose gradients are computed at once.
_AT_ONCE = 64


class ExplanationsObserver(BestObserver):
    """Gradients and LIME at the best checkpoint, see :class:`Explanations`."""

    def __init__(self, task: Task, record: Explanations) -> None:
        super().__init__(task)
        if task.n_classes != 2:
            raise UsageError(
                f"the record 'explanations' needs two classes, the data have {task.n_classes}"
            )
        if np.count_nonzero(self.test.values == START) > len(self.test):
            raise UsageError("the record 'explanations' needs single texts, the data are pairs")
        if record.n_lime:
            need_lime()
        self.record = record
        self.rows = spread(len(self.test), record.n_texts)
        self.lime_rows = self.rows[spread(len(self.rows), record.n_lime)]

    def finish(self, stack: Stack) -> list[Arrays]:
        """Explain the best model; the trained one stays."""
        models = models_of(stack)
        network = cast(AttentionNetwork, models.network)
        with self.best(models):
            arrays = self._gradients(network)
            if len(self.lime_rows):
                arrays |= self._lime(network)
        return [arrays | self.chosen()]

    def _gradients(self, network: AttentionNetwork) -> Arrays:
        """Shares of the gradients, with the whole graph and with that which is cut."""
        texts, kind = self.test.take(self.rows), self.record.gradient
        starts = words_of(texts).starts
        return {
            "explained_texts": self.rows.astype(np.int32),
            "explained_starts": starts.astype(np.int32),
            **{
                name: log_shares(gradients(network, texts, cut=cut, kind=kind), starts)
                for name, cut in (("log_gradients", False), ("log_gradients_cut", True))
            },
        }

    def _lime(self, network: AttentionNetwork) -> Arrays:
        """Shares of the weights of LIME, with two seeds of the explainer."""
        texts, seed = words_of(self.test.take(self.lime_rows)), self.record.explainer_seed
        arrays: Arrays = {
            "lime_texts": self.lime_rows.astype(np.int32),
            "lime_starts": texts.starts.astype(np.int32),
        }
        predict = predictor(network)
        for name, own_seed in (("log_lime", seed), ("log_lime_again", seed + 1)):
            weights = [
                lime_weights(
                    predict,
                    [str(word) for word in words],
                    seed=own_seed,
                    n_samples=self.record.n_samples,
                )
                for words in np.split(texts.values, texts.starts[1:-1])
            ]
            arrays[name] = log_shares(told_apart(np.concatenate(weights)), texts.starts)
        return arrays


def words_of(texts: Ragged) -> Ragged:
    """Texts without their start and end tokens.

    Examples
    --------
    >>> words = words_of(Ragged(np.array([2, 7, 3, 2, 8, 9, 3]), np.array([0, 3, 7])))
    >>> words.values.tolist(), words.starts.tolist()
    ([7, 8, 9], [0, 1, 3])
    """
    words = inner(texts.values)
    return Ragged(texts.values[words], np.concatenate([[0], np.cumsum(words)])[texts.starts])


def gradients(
    network: AttentionNetwork, texts: Ragged, *, cut: bool, kind: Literal["dot", "norm"]
) -> NDArray[np.float64]:
    """Input gradients of the log odds of the second class.

    Parameters
    ----------
    network : AttentionNetwork
        Of two classes.
    texts : Ragged
        Ids of n_texts texts.
    cut : bool
        Cut the graph at attention.
    kind : {"dot", "norm"}
        See :func:`stablib.explain.input_gradients`.

    Returns
    -------
    ndarray of float64, shape (n_tokens,)
        Of all tokens that are neither start nor end, one text after the other.
    """
    found = []
    for start in range(0, len(texts), _AT_ONCE):
        batch = texts.take(np.arange(start, min(start + _AT_ONCE, len(texts))))

        def score(embeddings: Tensor, batch: Ragged = batch) -> Tensor:
            # No token changes the score of another text, so that the sum has all gradients.
            logits, _ = network.model(embeddings[0], batch, cut_attention=cut)
            return cast(Tensor, logits[:, 1].sum()[None])

        each = input_gradients(score, network.embedded(batch)[None], kind=kind)
        found.append(each[0, inner(batch.values)])
        network.pause()
    return np.concatenate(found)


def predictor(
    network: AttentionNetwork,
) -> Callable[[Sequence[Sequence[str]]], NDArray[np.float32]]:
    """Probabilities of texts of which LIME has removed tokens.

    Parameters
    ----------
    network : AttentionNetwork
        Of two classes.

    Returns
    -------
    callable
        Takes texts, each a list of the ids of its words as strings, perhaps an empty one, and
        returns probabilities, shape (n_texts, 2). An empty text attends to nothing: its context
        is 0.
    """

    def predict(texts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        filled = np.array([len(text) > 0 for text in texts])
        ids = [[START, *map(int, text), END] for text in texts if text]
        with torch.inference_mode():
            logits = torch.zeros(len(texts), 2)
            logits[:, 1] = network.model.decoder.bias
            if ids:
                starts = np.cumsum([0, *map(len, ids)])
                some = Ragged(np.fromiter((i for row in ids for i in row), np.int64), starts)
                logits[torch.from_numpy(filled)] = network.logits(some)
            return torch.softmax(logits, dim=1).numpy()

    return predict


def told_apart(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of LIME that single precision probabilities can tell from 0, others 0.

    A model that predicts the same for all texts has weights that are rounding errors; their shares
    would look like an explanation.

    Examples
    --------
    >>> told_apart(np.array([-0.5, 1e-9]))
    array([-0.5,  0. ])
    """
    return np.where(np.abs(weights) < np.finfo(np.float32).eps, 0.0, weights)


def log_shares(
    importance: NDArray[np.floating], starts: NDArray[np.integer]
) -> NDArray[np.float16]:
    """Logarithms of the shares of the absolute values of each text.

    Parameters
    ----------
    importance : ndarray of float, shape (n_tokens,)
        Of n_texts texts.
    starts : ndarray of int, shape (n_texts + 1,)
        Where each text begins.

    Returns
    -------
    ndarray of float16, shape (n_tokens,)
        See :func:`explained`. Equal for all tokens of a text that has only 0.

    Examples
    --------
    >>> np.exp(log_shares(np.array([-1.0, 3.0, 0.0, 0.0]), np.array([0, 2, 4]))).round(2).tolist()
    [0.25, 0.75, 0.5, 0.5]
    """
    lengths = np.diff(starts)
    sizes = np.abs(importance)
    largest = np.repeat(np.maximum.reduceat(sizes, starts[:-1]), lengths)
    # The sum of tiny or huge values would be 0 or infinite.
    sizes = np.divide(sizes, largest, out=np.ones_like(sizes), where=largest > 0)
    sums = np.repeat(np.add.reduceat(sizes, starts[:-1]), lengths)
    return logs_of(sizes / sums).astype(np.float16)
