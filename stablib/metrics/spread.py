"""Standard deviation over runs, of anything, with its bootstrap error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_finite, as_generator, as_weights
from stablib.metrics.bootstrap import resample_runs


def sd_over_runs(values: ArrayLike, *, ddof: int = 0) -> NDArray[np.float64]:
    """Standard deviation over runs of each value.

    Parameters
    ----------
    values : array_like of float, shape (n_runs, ...)
        One value a run (accuracies), one a run and example (predicted probabilities), or one a run
        and token (explanations of one text).
    ddof : int, default 0
        0 describes the runs at hand, 1 estimates a population.

    Returns
    -------
    ndarray of float64, shape (...)
        In the unit of ``values``.

    Raises
    ------
    UsageError
        If there are not more runs than ``ddof``, or a value is not finite.

    Notes
    -----
    Random seed paper, Figures 3 and 6 (predictions) and thesis, Figures 4.19 and 4.20 (attention of
    each token), which do not state ddof; nondeterminism paper, Tables 1 to 8 (accuracy, loss),
    whose released code takes 0.

    Examples
    --------
    >>> sd_over_runs([[0.2, 0.5], [0.4, 0.5]]).round(3)
    array([0.1, 0. ])
    """
    array = _runs(values)
    if len(array) <= as_count(ddof, name="ddof", at_least=0):
        raise UsageError(f"values needs more than ddof={ddof} runs, got {len(array)}")
    return np.asarray((array - array[0]).std(axis=0, ddof=ddof))  # Equal runs: exactly 0.


def resampled_sd(values: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Standard deviation over runs (ddof = 0) when run r counts ``weights[b, r]`` times.

    Parameters
    ----------
    values : array_like of float, shape (n_runs, ...)
        As for :func:`sd_over_runs`.
    weights : array_like of int, shape (n_resamples, n_runs)
        Multiplicity of each run in each resample, as :func:`stablib.metrics.resample_runs` draws
        them. Each row has the same sum.

    Returns
    -------
    ndarray of float64, shape (n_resamples, ...)
        Row b is ``sd_over_runs(np.repeat(values, weights[b], axis=0))``.

    Raises
    ------
    UsageError
        If there is no run, a value is not finite, or ``weights`` do not fit or are no counts.

    Examples
    --------
    >>> resampled_sd([1.0, 3.0], [[1, 1], [2, 0]])
    array([1., 0.])
    """
    array = _runs(values)
    counts = as_weights(weights, len(array))
    shares = counts / counts[0].sum()
    # About their mean: the squares of a loss near 2 would hide an sd below 1e-8.
    flat = (array - array.mean(axis=0)).reshape(len(array), -1)
    variances = shares @ flat**2 - (shares @ flat) ** 2
    return np.sqrt(np.maximum(variances, 0.0)).reshape(len(counts), *array.shape[1:])


def sd_with_error(
    values: ArrayLike, *, rng: np.random.Generator | int, n_resamples: int = 10_000
) -> tuple[float, float]:
    """Standard deviation over runs (ddof = 0), and the standard deviation of that.

    Parameters
    ----------
    values : array_like of float, shape (n_runs,)
        One value a run, such as its accuracy.
    rng : numpy.random.Generator or int
        Source of randomness, or its seed.
    n_resamples : int, default 10000
        Number of bootstrap resamples of the runs.

    Returns
    -------
    sd, error : float
        In the unit of ``values``; the error is the standard deviation (ddof = 0) of the resamples'
        standard deviations.

    Raises
    ------
    UsageError
        If the array is not 1-d, there is no run, a value is not finite, or as
        :func:`stablib.metrics.resample_runs`.

    Notes
    -----
    Nondeterminism paper, Table 1: "error bars, corresponding to the standard deviation of the
    standard deviation"; its released code bootstraps 10,000 times. For normal values it is about
    sd / sqrt(2 n_runs): 13 % with 30 runs, 7 % with 100.

    Examples
    --------
    >>> accuracy = np.random.default_rng(0).normal(90.0, 0.2, size=100)
    >>> sd, error = sd_with_error(accuracy, rng=0)
    >>> round(sd, 2), round(error, 3)
    (0.19, 0.011)
    """
    generator = as_generator(rng)
    array = _runs(values)
    if array.ndim != 1:
        raise UsageError(f"values must have shape (n_runs,), got shape {array.shape}")
    weights = resample_runs(len(array), rng=generator, n_resamples=n_resamples)
    return float(sd_over_runs(array)), float(resampled_sd(array, weights).std())


def _runs(values: ArrayLike) -> NDArray[np.float64]:
    """Return finite values of at least one run."""
    array = as_finite(values, name="values")
    if array.ndim == 0 or len(array) == 0:
        raise UsageError(
            f"values must have shape (n_runs, ...) with n_runs >= 1, got shape {array.shape}"
        )
    return array
