"""Bootstrap confidence intervals over runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_array, as_count, as_floats, as_generator, as_number


class Interval(NamedTuple):
    """A confidence interval, in the unit of the statistic."""

    low: float
    high: float


def resample_runs(
    n_runs: int, *, rng: np.random.Generator | int, n_resamples: int = 1000
) -> NDArray[np.int64]:
    """Draw how often each run counts in each bootstrap resample.

    Parameters
    ----------
    n_runs : int
        Runs at hand, and drawn with replacement.
    rng : numpy.random.Generator or int
        Source of randomness, or its seed.
    n_resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    ndarray of int64, shape (n_resamples, n_runs)
        Rows sum to ``n_runs``.

    Raises
    ------
    UsageError
        If ``n_runs`` or ``n_resamples`` is no integer or below 1, or ``rng`` is neither a
        generator nor a seed.

    Examples
    --------
    >>> resample_runs(5, rng=np.random.default_rng(0), n_resamples=3).sum(axis=1)
    array([5, 5, 5])
    """
    runs, size = as_count(n_runs, name="n_runs"), as_count(n_resamples, name="n_resamples")
    return as_generator(rng).multinomial(runs, np.full(runs, 1.0 / runs), size=size)


def centred_interval(
    estimate: float, replicates: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Interval around an estimate from the spread of its bootstrap replicates.

    Parameters
    ----------
    estimate : float
        The statistic of all runs; where it is undefined (nan), so is the interval.
    replicates : array_like of float, shape (n_resamples,)
        The statistic of each resample.
    confidence : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    Interval
        Quantiles of the replicates about their own mean, moved to the estimate. Replicates that
        are not finite are left out; nan if none is finite.

    Raises
    ------
    UsageError
        If there is no replicate, something is not a number, or ``confidence`` is not between 0
        and 1.

    Notes
    -----
    A resample repeats runs, so it sees less variety than the runs themselves: the replicates of an
    entropy lie systematically below the estimate, and their plain percentiles may not even contain
    it. Only their spread is used. The interval is one for the expectation of the statistic at this
    number of runs, not for infinitely many runs.

    Examples
    --------
    >>> low, high = centred_interval(1.0, [0.7, 0.8, 0.9], confidence=0.5)
    >>> round(low, 3), round(high, 3)
    (0.95, 1.05)
    """
    centre, level = as_number(estimate, name="estimate"), as_number(confidence, name="confidence")
    if not 0.0 < level < 1.0:
        raise UsageError(f"confidence must be between 0 and 1, got {confidence}")
    values = as_floats(replicates, name="replicates")
    if values.ndim != 1 or values.size == 0:
        raise UsageError(
            "replicates must have shape (n_resamples,) with n_resamples >= 1, "
            f"got shape {values.shape}"
        )
    # With few runs a resample may repeat one run only: a ratio of its entropies is undefined.
    values = values[np.isfinite(values)]
    if values.size == 0:
        return Interval(float("nan"), float("nan"))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(values - values.mean(), [tail, 1.0 - tail])
    return Interval(centre + float(low), centre + float(high))


def bootstrap_interval(
    statistic: Callable[..., float],
    *samples: ArrayLike,
    rng: np.random.Generator | int,
    n_resamples: int = 1000,
    confidence: float = 0.95,
) -> Interval:
    """Bootstrap interval over runs of any statistic of one or more sets of runs.

    Parameters
    ----------
    statistic : callable
        Takes one array a sample, shape (n_runs, ...), and returns one number.
    *samples : array_like, shape (n_runs, ...)
        Sets of runs, e.g. predicted labels of a method and of control; each is resampled along
        its first axis on its own. Runs that belong together, such as the old and the new model of
        a churn, are one sample of shape (n_runs, 2, n_examples).
    rng : numpy.random.Generator or int
        Source of randomness, or its seed.
    n_resamples : int, default 1000
        Number of resamples.
    confidence : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    Interval
        See :func:`centred_interval`.

    Raises
    ------
    UsageError
        If there is no sample, a sample has no run, ``statistic`` does not return one number, or
        as :func:`resample_runs` and :func:`centred_interval`.

    Notes
    -----
    A run that is drawn twice agrees with itself, so resamples of n runs show less disagreement
    than the runs, on average by the factor 1 - 1 / n: the reason for :func:`centred_interval`. A
    statistic that compares label entropies needs equally many runs in each sample, see
    :func:`stablib.metrics.equal_runs`.

    Examples
    --------
    >>> from stablib.metrics import pairwise_disagreement
    >>> labels = np.random.default_rng(0).integers(2, size=(20, 100))
    >>> low, high = bootstrap_interval(
    ...     lambda runs: pairwise_disagreement(runs).mean(), labels, rng=np.random.default_rng(0)
    ... )
    >>> bool(low < pairwise_disagreement(labels).mean() < high)
    True
    """
    if not callable(statistic):
        raise UsageError(f"statistic must be callable, got {statistic!r}")
    arrays = [as_array(sample, name=f"samples[{k}]") for k, sample in enumerate(samples)]
    shapes = [array.shape for array in arrays]
    if not arrays or any(array.ndim == 0 or len(array) == 0 for array in arrays):
        raise UsageError(f"samples must be arrays of at least one run each, got shapes {shapes}")
    generator = as_generator(rng)
    weights = [resample_runs(len(a), rng=generator, n_resamples=n_resamples) for a in arrays]

    def value(*runs: NDArray[Any]) -> float:
        return as_number(statistic(*runs), name="the value of statistic")

    replicates = [
        value(*(np.repeat(a, w[b], axis=0) for a, w in zip(arrays, weights, strict=True)))
        for b in range(n_resamples)
    ]
    return centred_interval(value(*arrays), replicates, confidence=confidence)
