"""Means of examples that are binned by their score, with intervals over runs."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_finite, as_floats, as_fractions
from stablib.metrics.bootstrap import Interval, centred_interval


class Bin(NamedTuple):
    """The examples whose score is at least ``low`` and below ``high``; the last bin takes in 1.

    ``mean`` and ``interval`` are in the unit of the values, and nan if there is no example.
    """

    low: float
    high: float
    n_examples: int
    mean: float
    interval: Interval


def binned_means(
    values: ArrayLike,
    scores: ArrayLike,
    replicates: ArrayLike,
    *,
    n_bins: int = 10,
    confidence: float = 0.95,
) -> list[Bin]:
    """Mean of the examples' values in bins of their scores, with intervals over runs.

    Parameters
    ----------
    values : array_like of float, shape (n_examples,)
        A measure of each example over all runs, such as its standard deviation or its mean relative
        entropy.
    scores : array_like of float, shape (n_examples,)
        What the examples are binned by, as a fraction: the mean over runs of the probability of the
        positive label.
    replicates : array_like of float, shape (n_resamples, n_examples)
        The same measure in bootstrap resamples of the runs, as
        :func:`stablib.metrics.resampled_sd` and :func:`stablib.metrics.resampled_pair_mean` make
        them. Runs, not examples, are resampled, and examples stay in their bins. A resample in
        which the measure is undefined (nan) is left out.
    n_bins : int, default 10
        Bins of equal width from 0 to 1.
    confidence : float, default 0.95
        Of the intervals, between 0 and 1.

    Returns
    -------
    list of Bin
        From the lowest to the highest score, empty bins included.

    Raises
    ------
    UsageError
        If the shapes do not fit, there is no example or resample, a value is not finite, a score is
        not between 0 and 1, or an option is out of range.

    Notes
    -----
    Random seed paper, Figures 3 to 10, and thesis, Figures 3.10 and 3.11: intervals of size 0.1,
    starting from 0. The papers show no intervals.

    With few runs a bootstrap underestimates how much a standard deviation varies: of ten normal
    runs, 85 % of the 95 % intervals cover what they should.

    Examples
    --------
    >>> from stablib.metrics import resample_runs, resampled_sd, sd_over_runs
    >>> p = np.array([[0.15, 0.5, 0.55], [0.13, 0.3, 0.65], [0.14, 0.7, 0.6]])
    >>> replicates = resampled_sd(p, resample_runs(len(p), rng=0))
    >>> low, high = binned_means(sd_over_runs(p), p.mean(axis=0), replicates, n_bins=2)
    >>> low.n_examples, round(low.mean, 3), high.n_examples, round(high.mean, 3)
    (1, 0.008, 2, 0.102)
    >>> high.interval.low < high.mean < high.interval.high
    True
    """
    array, scored = as_finite(values, name="values"), as_fractions(scores, name="scores")
    drawn, count = as_floats(replicates, name="replicates"), as_count(n_bins, name="n_bins")
    if array.ndim != 1 or array.size == 0 or scored.shape != array.shape:
        raise UsageError(
            "values and scores must have one shape (n_examples,) with n_examples >= 1, "
            f"got {array.shape} and {scored.shape}"
        )
    if drawn.ndim != 2 or len(drawn) == 0 or drawn.shape[1] != len(array):
        raise UsageError(
            f"replicates must have shape (n_resamples, {len(array)}) with n_resamples >= 1, "
            f"got shape {drawn.shape}"
        )
    edges = np.arange(count + 1) / count
    bin_of = np.searchsorted(edges[1:-1], scored, side="right")
    bins = []
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = bin_of == number
        n_examples = int(inside.sum())
        mean, spread = float("nan"), np.full(1, np.nan)
        if n_examples:
            mean, spread = float(array[inside].mean()), drawn[:, inside].mean(axis=1)
        interval = centred_interval(mean, spread, confidence=confidence)
        bins.append(Bin(float(low), float(high), n_examples, mean, interval))
    return bins
