"""Sentences of a mini-batch side by side in one flat array, without padding."""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.models.ragged import Ragged
from stablib.models.words import START, inner


@dataclasses.dataclass(frozen=True)
class Sentences:
    """Sentences with a start and an end token each.

    Parameters
    ----------
    ids : ndarray of int, shape (n_tokens,)
        Ids of all sentences, one after the other.
    lengths : ndarray of int, shape (n_sentences,)
        Tokens of each, start and end included.
    """

    ids: NDArray[np.integer]
    lengths: NDArray[np.integer]

    @property
    def n_sentences(self) -> int:
        """How many."""
        return len(self.lengths)

    @cached_property
    def starts(self) -> NDArray[np.integer]:
        """Place of the first token of each sentence, and the number of tokens."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    @cached_property
    def sentence(self) -> NDArray[np.integer]:
        """Number of the sentence of each token."""
        return np.repeat(np.arange(self.n_sentences), self.lengths)

    @cached_property
    def inner(self) -> Tensor:
        """Which tokens are neither start nor end, shape (n_tokens,)."""
        return torch.from_numpy(inner(self.ids))

    @cached_property
    def outside(self) -> Tensor:
        """What a sentence must not attend to, shape (n_sentences, n_tokens).

        Tokens of other sentences, and its own start and end.
        """
        own = self.sentence[None, :] == np.arange(self.n_sentences)[:, None]
        return torch.from_numpy(~own) | ~self.inner


def sentences(texts: Ragged) -> Sentences:
    """Take every text as one sentence.

    Examples
    --------
    >>> texts = Ragged(np.array([2, 7, 3, 2, 8, 9, 3]), np.array([0, 3, 7]))
    >>> sentences(texts).inner.tolist()
    [False, True, False, False, True, True, False]
    """
    return Sentences(texts.values, texts.lengths)


def pairs(texts: Ragged) -> tuple[Sentences, Sentences]:
    """Part pairs into what is attended to and what asks.

    Parameters
    ----------
    texts : Ragged
        Ids of n_texts texts with two sentences each.

    Returns
    -------
    tuple of Sentences
        The first and the second of each, n_texts sentences both.

    Examples
    --------
    >>> texts = Ragged(np.array([2, 7, 3, 2, 8, 9, 3]), np.array([0, 7]))
    >>> [part.ids.tolist() for part in pairs(texts)]
    [[2, 7, 3], [2, 8, 9, 3]]
    """
    asks = asking(texts)
    begins = np.flatnonzero(texts.values == START)
    lengths = np.diff(np.append(begins, len(texts.values)))
    first, second = texts.values[~asks], texts.values[asks]
    return Sentences(first, lengths[::2]), Sentences(second, lengths[1::2])


def asking(texts: Ragged) -> NDArray[np.bool_]:
    """Say which tokens of pairs belong to their second texts, shape (n_tokens,)."""
    return np.cumsum(texts.values == START) % 2 == 0
