"""Perplexity of a language model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite


def perplexity(losses: ArrayLike) -> NDArray[np.float64]:
    """Perplexity of each run: the exponential of its mean loss.

    Parameters
    ----------
    losses : array_like of float, shape (n_runs, n_tokens)
        Negative log-probability that each run gives each token that comes next, in nats. Any shape
        (..., n_tokens).

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        From 1 (certain of every token); the size of the vocabulary if all words are equally likely.

    Raises
    ------
    UsageError
        If there is no token, or a loss is negative or not finite.

    Notes
    -----
    Nondeterminism paper, section 3.3 and Table 2. Lower is better.

    Examples
    --------
    >>> perplexity(-np.log([[0.25, 0.25], [0.5, 0.125]])).round(6)
    array([4., 4.])
    """
    array = as_finite(losses, name="losses")
    if array.ndim == 0 or array.size == 0:
        raise UsageError(
            f"losses must have shape (n_runs, n_tokens), neither of them 0, got shape {array.shape}"
        )
    if array.min() < 0.0:
        raise UsageError(
            f"losses must be 0 or more, got {array.min():g}; they are minus the log-probabilities"
        )
    return np.asarray(np.exp(array.mean(axis=-1)))
