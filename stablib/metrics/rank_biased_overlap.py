"""Similarity of ranked lists, in which the first places count most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_labels, as_number


def pairwise_rank_biased_overlap(rankings: ArrayLike, *, p: float = 0.9) -> NDArray[np.float64]:
    r"""Rank-biased overlap of the ranked lists of each two runs.

    .. math:: \frac{X_k}{k} p^k + \frac{1 - p}{p} \sum_{d=1}^{k} \frac{X_d}{d} p^d

    where :math:`X_d` counts the items that are among the first *d* of both lists.

    Parameters
    ----------
    rankings : array_like of int, shape (n_runs, k)
        Items, as whole numbers, from the first place to the k-th; no item twice in a row.
    p : float, default 0.9
        Between 0 and 1: a reader of place d goes on to the next one with probability p. The smaller
        it is, the more the first places count.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        Fractions: 1 for equal lists, 0 for lists without a common item. Symmetric; the diagonal
        is 1. Its mean over pairs is :func:`stablib.metrics.pair_mean`.

    Raises
    ------
    UsageError
        If the array is not 2-d or empty, an item comes twice in a list, items are not whole numbers
        or ``p`` is out of range.

    Notes
    -----
    Webber, Moffat and Zobel 2010, eq. 30, the extrapolated overlap: it takes the lists to agree
    below place k as much as they do down to it.

    Examples
    --------
    >>> pairwise_rank_biased_overlap([[1, 2, 3], [2, 1, 3], [4, 5, 6]]).round(3)
    array([[1. , 0.9, 0. ],
           [0.9, 1. , 0. ],
           [0. , 0. , 1. ]])
    """
    lists, goes_on = as_labels(rankings, name="rankings"), as_number(p, name="p")
    if not 0.0 < goes_on < 1.0:
        raise UsageError(f"p must be between 0 and 1, got {goes_on:g}")
    if lists.shape[1] == 0:
        raise UsageError(f"rankings must have shape (n_runs, k), k >= 1, got shape {lists.shape}")
    in_order = np.sort(lists, axis=1)
    twice = in_order[:, 1:][in_order[:, 1:] == in_order[:, :-1]]
    if twice.size:
        raise UsageError(f"rankings must hold an item once a row, got {twice[0]} twice")
    result = np.eye(len(lists))
    for i, j in zip(*np.triu_indices(len(lists), 1), strict=True):
        result[i, j] = result[j, i] = _overlap(lists[i], lists[j], goes_on)
    return result


def _overlap(first: NDArray[np.integer], second: NDArray[np.integer], p: float) -> float:
    """Return the extrapolated overlap of two lists of one length."""
    depth = len(first)
    ours, theirs = np.nonzero(first[:, None] == second)
    shared = np.bincount(np.maximum(ours, theirs), minlength=depth).cumsum()
    places = np.arange(1, depth + 1)
    agreement = shared / places
    return float(agreement[-1] * p**depth + (1.0 - p) / p * (agreement * p**places).sum())
