"""Token ids of texts, without padding."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stablib.models.encoders import Encoder

#: Longest sequence kept, in tokens; the utterances of the data sets have fewer than 50.
MAX_TOKENS = 128


@dataclasses.dataclass(frozen=True)
class Ragged:
    """Sequences of different lengths in one flat array.

    Parameters
    ----------
    values : ndarray, shape (n_tokens, ...)
        Token ids or hidden states of all texts, one text after the other.
    starts : ndarray of int64, shape (n_texts + 1,)
        Text i is ``values[starts[i] : starts[i + 1]]``.
    """

    values: NDArray[Any]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape (n_texts,)."""
        return np.diff(self.starts)

    def take(self, rows: NDArray[np.integer]) -> Ragged:
        """Return the texts of the given rows, in their order.

        Examples
        --------
        >>> texts = Ragged(np.array([1, 2, 3, 4, 5]), np.array([0, 2, 5]))
        >>> texts.take(np.array([1, 0])).values
        array([3, 4, 5, 1, 2])
        """
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Ragged(self.values[places], starts)


def tokenize(encoder: Encoder, texts: Sequence[str]) -> Ragged:
    """Turn texts into token ids with the encoder's own tokenizer, special tokens included.

    Parameters
    ----------
    encoder : Encoder
        Its ``tokenizer.json`` is used.
    texts : sequence of str, length n_texts
        Texts.

    Returns
    -------
    Ragged
        Ids without padding, each text cut at :data:`MAX_TOKENS`.
    """
    tokenizer = Tokenizer.from_file(str(encoder.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    ids = [np.asarray(e.ids, dtype=np.int64) for e in tokenizer.encode_batch(list(texts))]
    starts = np.cumsum([0, *(len(row) for row in ids)])
    return Ragged(np.concatenate([np.zeros(0, dtype=np.int64), *ids]), starts)
