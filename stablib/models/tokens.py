"""Token ids of texts, without padding."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stablib.models.encoders import Encoder

#: Longest sequence kept, in tokens; the utterances of the data sets have fewer than 50.
MAX_TOKENS = 128


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Token ids of many texts in one flat array.

    Parameters
    ----------
    ids : ndarray of int64, shape (n_tokens,)
        Ids of all texts, one after the other.
    starts : ndarray of int64, shape (n_texts + 1,)
        Text i is ``ids[starts[i] : starts[i + 1]]``.
    """

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: NDArray[np.integer]) -> Tokens:
        """The texts of the given rows, in their order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return Tokens(self.ids[places], starts)


def tokenize(encoder: Encoder, texts: Sequence[str]) -> Tokens:
    """Turn texts into token ids with the encoder's own tokenizer, special tokens included.

    Parameters
    ----------
    encoder : Encoder
        Its ``tokenizer.json`` is used.
    texts : sequence of str, length n_texts
        Texts.

    Returns
    -------
    Tokens
        Unpadded, cut at :data:`MAX_TOKENS`.
    """
    tokenizer = Tokenizer.from_file(str(encoder.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    starts = np.cumsum([0, *(len(row) for row in ids)])
    return Tokens(np.concatenate([np.asarray(row, dtype=np.int64) for row in ids]), starts)
