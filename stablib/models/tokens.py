"""Token ids of texts, without padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from stablib.models.encoders import Encoder
from stablib.models.ragged import Ragged

#: Longest sequence kept, in tokens; the utterances of the data sets have fewer than 50.
MAX_TOKENS = 128


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
