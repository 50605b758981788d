"""Rank correlation of the predictions of different runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite


def pairwise_spearman(logits: ArrayLike) -> NDArray[np.float64]:
    """Spearman correlation of the predictions of each two runs, over examples and classes.

    Parameters
    ----------
    logits : array_like of float, shape (n_runs, n_examples, n_classes)
        Logits or other scores. All values of a run are ranked together, so that any shape
        (n_runs, ...) will do.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        From -1 to 1; the diagonal is 1. nan where the values of a run are all the same. Its mean
        over pairs is :func:`stablib.metrics.pair_mean`.

    Raises
    ------
    UsageError
        If there is no run, a run has fewer than two values or a value is not finite.

    Notes
    -----
    Nondeterminism paper, section 3.1: predictions "flattened into vectors of length N * C". Equal
    values share their mean rank.

    Examples
    --------
    >>> pairwise_spearman([[[0.1, 2.0], [0.3, 1.0]], [[0.0, 9.0], [1.0, 0.5]]])
    array([[1. , 0.8],
           [0.8, 1. ]])
    """
    from scipy.stats import rankdata  # Loading it takes most of a second.

    array = as_finite(logits, name="logits")
    if array.ndim < 2 or len(array) == 0 or array[0].size < 2:
        raise UsageError(
            "logits must have shape (n_runs, n_examples, n_classes) with n_runs >= 1 and at least "
            f"two values a run, got shape {array.shape}"
        )
    ranks = rankdata(array.reshape(len(array), -1), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1)
    ranks /= np.where(norms > 0.0, norms, np.nan)[:, None]
    correlations = np.clip(ranks @ ranks.T, -1.0, 1.0)
    np.fill_diagonal(correlations, np.where(norms > 0.0, 1.0, np.nan))
    return correlations
