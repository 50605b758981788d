"""The most important tokens of a text."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_explanations, as_finite, as_number


def top_share(explanations: ArrayLike, share: float) -> NDArray[np.bool_]:
    """Which tokens belong to the share of the most important ones, by run.

    Parameters
    ----------
    explanations : array_like of float, shape (n_runs, n_tokens)
        Importance of each token of one text, such as attention; the largest are the most important.
        Of signed weights, such as those of LIME, pass the absolute values if both signs count.
    share : float
        More than 0, at most 1. The number of tokens is rounded up: at least one is chosen.

    Returns
    -------
    ndarray of bool, shape (n_runs, n_tokens)
        ``ceil(share * n_tokens)`` true values a row. Of equally important tokens the earlier ones
        are taken.

    Raises
    ------
    UsageError
        If the array is not 2-d or empty, a value is not finite or ``share`` is out of range.

    Notes
    -----
    The random seed paper's Figures 5, 7 and 10 take 20 %; the thesis's Listing 4.1 and its chapter
    3 take 10 %.

    Examples
    --------
    >>> top_share([[0.2, 0.1, 0.1, 0.6], [0.4, 0.1, 0.4, 0.1]], 0.5)
    array([[ True, False, False,  True],
           [ True, False,  True, False]])
    """
    runs = as_explanations(as_finite(explanations, name="explanations"), name="explanations")
    n_tokens = runs.shape[1]
    count = top_count(n_tokens, share)
    chosen = np.zeros(runs.shape, dtype=bool)
    best = np.argsort(-runs, axis=1, kind="stable")[:, :count]
    np.put_along_axis(chosen, best, True, axis=1)
    return chosen


def top_count(n_tokens: int, share: float) -> int:
    """How many tokens the share of the most important ones are, rounded up: at least one.

    Parameters
    ----------
    n_tokens : int
        Tokens of a text, or items of a history.
    share : float
        As for :func:`top_share`.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        If there is no token, or ``share`` is out of range.

    Examples
    --------
    >>> [top_count(n, 0.1) for n in (1, 10, 11, 299)]
    [1, 1, 2, 30]
    """
    count, part = as_count(n_tokens, name="n_tokens"), as_number(share, name="share")
    if not 0.0 < part <= 1.0:
        raise UsageError(f"share must be more than 0 and at most 1, got {part:g}")
    # As a floating point number 0.07 * 100 is above 7.
    return max(1, math.ceil(round(part * count, 9)))
