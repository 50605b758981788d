"""Means over pairs of runs, of one example or of many, and their bootstrap replicates."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_finite, as_weights

#: All pairs of different runs in both orders, or those in which the first run comes first.
Pairs = Literal["ordered", "upper"]


def pair_mean(matrices: ArrayLike, *, pairs: Pairs = "ordered") -> NDArray[np.float64]:
    """Mean of a measure over all pairs of different runs.

    Parameters
    ----------
    matrices : array_like of float, shape (..., n_runs, n_runs)
        Entry (i, j) compares run i with run j, as the functions ``pairwise_*`` that return such
        matrices do. At least two runs; the diagonal is not used.
    pairs : {"ordered", "upper"}, default "ordered"
        ``"ordered"``: the n_runs (n_runs - 1) pairs with i != j. ``"upper"``: the
        n_runs (n_runs - 1) / 2 pairs with i < j. Of a symmetric measure both are the same.

    Returns
    -------
    ndarray of float64, shape (...)
        In the unit of the measure.

    Raises
    ------
    UsageError
        If the matrices are not square, there are fewer than two runs, an entry is not finite or
        ``pairs`` is unknown.

    Notes
    -----
    The random seed paper, section 2.2, averages relative entropy over pairs without saying which;
    the fragment that is released takes i < j. Relative entropy is not symmetric, so that the result
    of ``"upper"`` depends on how the runs are numbered; that of ``"ordered"`` does not.

    Examples
    --------
    >>> matrix = [[0.0, 0.2], [0.4, 0.0]]
    >>> float(pair_mean(matrix).round(3)), float(pair_mean(matrix, pairs="upper"))
    (0.3, 0.2)
    """
    array = _chosen(matrices, pairs)
    return np.asarray(array[..., ~np.eye(array.shape[-1], dtype=bool)].mean(axis=-1))


def resampled_pair_mean(
    matrices: ArrayLike, weights: ArrayLike, *, pairs: Pairs = "ordered"
) -> NDArray[np.float64]:
    """Mean over pairs when run r counts ``weights[b, r]`` times.

    Parameters
    ----------
    matrices : array_like of float, shape (..., n_runs, n_runs)
        As for :func:`pair_mean`. The diagonal is not used: a run that is drawn twice makes no pair
        with itself, which would be alike by necessity.
    weights : array_like of int, shape (n_resamples, n_runs)
        Multiplicity of each run in each resample, as :func:`stablib.metrics.resample_runs` draws
        them. Each row has the same sum.
    pairs : {"ordered", "upper"}, default "ordered"
        As for :func:`pair_mean`.

    Returns
    -------
    ndarray of float64, shape (n_resamples, ...)
        Row b is the mean over pairs of different runs i and j, each of which counts
        ``weights[b, i] * weights[b, j]`` times; nan where one run alone was drawn. Feed to
        :func:`stablib.metrics.centred_interval` or :func:`stablib.metrics.binned_means`.

    Raises
    ------
    UsageError
        As :func:`pair_mean`, or if ``weights`` do not fit or are no counts.

    Notes
    -----
    A mean over pairs is a U-statistic. Were a run a pair with itself, replicates would vary with
    the number of such pairs even if all runs were equally far apart: of five runs with a Jaccard
    index of exactly .225 the interval would reach from .06 to .53.

    Examples
    --------
    >>> matrix = [[0.0, 0.2, 0.3], [0.2, 0.0, 0.4], [0.3, 0.4, 0.0]]
    >>> resampled_pair_mean(matrix, [[1, 1, 1], [2, 1, 0]]).round(3)
    array([0.3, 0.2])
    """
    array = _chosen(matrices, pairs)
    n_runs = array.shape[-1]
    counts = as_weights(weights, n_runs)
    drawn = int(counts[0].sum())
    if drawn < 2:
        raise UsageError(f"weights must draw at least two runs, got rows that sum to {drawn}")
    times = np.ascontiguousarray(counts, dtype=np.float64)
    # How often each pair occurs in each resample: one product for all examples.
    pair_counts = times[:, :, None] * times[:, None, :]
    runs = np.arange(n_runs)
    pair_counts[:, runs, runs] = 0.0
    n_pairs = pair_counts.sum(axis=(1, 2))
    flat = array.reshape(-1, n_runs * n_runs)
    sums = pair_counts.reshape(len(times), -1) @ flat.T
    with np.errstate(invalid="ignore"):
        means = sums / n_pairs[:, None]
    return means.reshape(len(times), *array.shape[:-2])


def _chosen(matrices: ArrayLike, pairs: Pairs) -> NDArray[np.float64]:
    """Return matrices of which the mean off the diagonal is that of the chosen pairs.

    Those above it count twice where those below it do not count.
    """
    array = as_finite(matrices, name="matrices")
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or array.shape[-1] < 2:
        raise UsageError(
            "matrices must have shape (..., n_runs, n_runs) with n_runs >= 2, "
            f"got shape {array.shape}"
        )
    if pairs == "ordered":
        return array
    if pairs != "upper":
        raise unknown("pairs", pairs, get_args(Pairs))
    return np.triu(array) + np.triu(array, 1)
