"""Sequences of different lengths in one flat array."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
