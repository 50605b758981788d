"""A bidirectional LSTM over words, without packed sequences."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from stablib.models.batch import Sentences
from stablib.models.drawing import draw_uniform

#: Units of each direction (random-seed paper, section 4.3).
UNITS = 128


class BiLSTM(torch.nn.Module):
    """One layer of ``torch.nn.LSTM(width, 128, bidirectional=True)`` as two of one direction.

    Parameters
    ----------
    width : int
        Numbers of a word vector.
    rng : numpy.random.Generator
        Draws the initial weights, as ``torch.nn.LSTM`` does.

    Notes
    -----
    The backward direction reads every sentence from its own end, so padding stands behind the
    words in both directions and changes no state of theirs. Packed sequences give the same states
    and take two to three times as long.

    Examples
    --------
    >>> encoder = BiLSTM(50, np.random.default_rng(0))
    >>> encoder.n_outputs, sum(p.numel() for p in encoder.parameters())
    (256, 184320)
    """

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.n_outputs = 2 * UNITS
        # Made without numbers, which would come from torch's global generator.
        self.forwards = torch.nn.LSTM(width, UNITS, device="meta").to_empty(device="cpu")
        self.backwards = torch.nn.LSTM(width, UNITS, device="meta").to_empty(device="cpu")
        draw_uniform(list(self.parameters()), UNITS, rng)

    def forward(self, vectors: Tensor, batch: Sentences) -> Tensor:
        """Hidden states of tokens.

        Parameters
        ----------
        vectors : Tensor, shape (n_tokens, width)
            Word vectors.
        batch : Sentences
            Which tokens belong together.

        Returns
        -------
        Tensor, shape (n_tokens, 256)
            The forward direction's states, then the backward direction's.
        """
        start, end = (
            np.repeat(ends, batch.lengths) for ends in (batch.starts[:-1], batch.starts[1:])
        )
        token = np.arange(len(batch.ids))
        states = []
        for layer, step in ((self.forwards, token - start), (self.backwards, end - 1 - token)):
            # Step by step, the tokens that all sentences have there; token 0 where one has ended.
            place = torch.from_numpy(step * batch.n_sentences + batch.sentence)
            shape = (int(batch.lengths.max()), batch.n_sentences)
            read = torch.zeros(shape, dtype=torch.int64).view(-1)
            read[place] = torch.from_numpy(token)
            output, _ = layer(vectors.index_select(0, read).view(*shape, -1))
            states.append(output.flatten(0, 1).index_select(0, place))
        return torch.cat(states, dim=1)

    def last(self, hidden: Tensor, batch: Sentences) -> Tensor:
        """Where each direction ends in a sentence, shape (n_sentences, 256)."""
        first, end = (torch.from_numpy(ends) for ends in (batch.starts[:-1], batch.starts[1:]))
        return torch.cat([hidden[end - 1, :UNITS], hidden[first, UNITS:]], dim=1)
