"""Convolutions of several widths over words, as one matrix product on unpadded tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from stablib.models.batch import Sentences
from stablib.models.drawing import draw_uniform

#: Widths of the kernels, and filters of each (random-seed paper, section 4.3).
KERNELS = (1, 3, 5, 7)
FILTERS = 32

#: Tokens on each side of the middle of the widest kernel.
_REACH = KERNELS[-1] // 2


class Convolution(torch.nn.Module):
    """ReLU of convolutions of widths 1, 3, 5 and 7, each sentence surrounded by zeros.

    Parameters
    ----------
    width : int
        Numbers of a word vector.
    rng : numpy.random.Generator
        Draws the initial weights, as ``torch.nn.Conv1d`` does.

    Notes
    -----
    A kernel of width k is k taps: products of a token's vector with a matrix, added to the tokens
    around it. The taps of all kernels are the columns of one matrix, ordered by the distance that
    they reach; so all products are one, and seven shifted additions of neighbouring columns make
    the outputs. Three rows of zeros between sentences take up what reaches beyond their ends.

    Examples
    --------
    >>> encoder = Convolution(50, np.random.default_rng(0))
    >>> encoder.n_outputs, sum(p.numel() for p in encoder.parameters())
    (128, 25728)
    """

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.n_outputs = FILTERS * len(KERNELS)
        self.weights = torch.nn.ParameterList(torch.empty(FILTERS, width, k) for k in KERNELS)
        self.biases = torch.nn.ParameterList(torch.empty(FILTERS) for _ in KERNELS)
        for kernel, weight, bias in zip(KERNELS, self.weights, self.biases, strict=True):
            draw_uniform([weight, bias], width * kernel, rng)

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
        Tensor, shape (n_tokens, 128)
            Zero at start and end tokens, as in the released code.
        """
        places = torch.from_numpy(np.arange(len(batch.ids)) + _REACH * (batch.sentence + 1))
        n_rows = len(batch.ids) + _REACH * (batch.n_sentences + 1)
        apart = vectors.new_zeros(n_rows, vectors.shape[1]).index_copy(0, places, vectors)
        added = _ShiftAdd.apply(apart @ self._taps())
        outputs = added.index_select(0, places - _REACH) + torch.cat(list(self.biases))
        return torch.relu(outputs) * batch.inner.unsqueeze(1)

    def last(self, hidden: Tensor, batch: Sentences) -> Tensor:
        """Largest state of each filter in a sentence, shape (n_sentences, 128)."""
        longest = int(batch.lengths.max())
        place = np.arange(longest)[None, :]
        rows = np.where(place < batch.lengths[:, None], batch.starts[:-1, None] + place, -1)
        # States are not negative, so a row of zeros in the place of padding changes no maximum.
        padded = torch.cat([hidden, hidden.new_zeros(1, hidden.shape[1])])
        flat = padded.index_select(0, torch.from_numpy(rows.ravel() % len(padded)))
        return flat.view(batch.n_sentences, longest, -1).amax(dim=1)

    def _taps(self) -> Tensor:
        """Matrix of all taps, shape (width, 512), by the distance from -3 to 3."""
        return torch.cat(
            [
                weight[:, :, distance + kernel // 2].T
                for distance in range(-_REACH, _REACH + 1)
                for kernel, weight in zip(KERNELS, self.weights, strict=True)
                if kernel // 2 >= abs(distance)
            ],
            dim=1,
        )


def _blocks() -> list[tuple[int, slice, slice]]:
    """Of each distance its columns among the products, and those among the outputs."""
    blocks, start = [], 0
    for distance in range(-_REACH, _REACH + 1):
        # Kernels of width 2 |distance| + 1 or more reach so far: the last ones.
        n_columns = FILTERS * (len(KERNELS) - abs(distance))
        outputs = slice(FILTERS * abs(distance), FILTERS * len(KERNELS))
        blocks.append((distance, slice(start, start + n_columns), outputs))
        start += n_columns
    return blocks


_BLOCKS = _blocks()


class _ShiftAdd(torch.autograd.Function):
    """Add the products of each distance to the rows that it reaches.

    By hand, because autograd would make a full array of zeros for each of the seven slices.
    """

    @staticmethod
    def forward(ctx: Any, products: Tensor) -> Tensor:
        n_rows = len(products) - 2 * _REACH
        outputs = products.new_zeros(n_rows, FILTERS * len(KERNELS))
        for distance, columns, filters in _BLOCKS:
            first = _REACH + distance
            outputs[:, filters] += products[first : first + n_rows, columns]
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        n_rows = len(gradient)
        back = gradient.new_zeros(n_rows + 2 * _REACH, _BLOCKS[-1][1].stop)
        for distance, columns, filters in _BLOCKS:
            first = _REACH + distance
            back[first : first + n_rows, columns] = gradient[:, filters]
        return back
