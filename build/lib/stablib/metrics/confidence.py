"""Mean and spread of the probability of the gold label."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_runs


def confidence_mean(gold_probability: ArrayLike) -> NDArray[np.float64]:
    """Mean over runs of the probability of the gold label (mu_m).

    Parameters
    ----------
    gold_probability : array_like of float, shape (n_runs, n_examples)
        Probability (fraction) that each run gives the gold label of each example.

    Returns
    -------
    ndarray of float64, shape (n_examples,)
        Fractions.

    Raises
    ------
    UsageError
        If the array is not 2-d or has no run, or a value is not a fraction from 0 to 1.

    Notes
    -----
    Local instability paper, Figures 4 and 5.

    Examples
    --------
    >>> confidence_mean([[0.2], [0.4]]).round(3)
    array([0.3])
    """
    return as_runs(gold_probability, name="gold_probability").mean(axis=0)


def confidence_sd(gold_probability: ArrayLike, *, ddof: int = 0) -> NDArray[np.float64]:
    """Standard deviation over runs of the probability of the gold label (sigma_m).

    Parameters
    ----------
    gold_probability : array_like of float, shape (n_runs, n_examples)
        Probability (fraction) that each run gives the gold label of each example.
    ddof : int, default 0
        The paper does not say. 0 describes the runs at hand, as dataset cartography does
        (Swayamdipta et al. 2020), and is defined for one run; 1 estimates a population.

    Returns
    -------
    ndarray of float64, shape (n_examples,)
        Fractions.

    Raises
    ------
    UsageError
        If the array is not 2-d or has not more runs than ``ddof``, or a value is not a fraction
        from 0 to 1.

    Notes
    -----
    Local instability paper, section 3, Figures 1, 4, 5 and 7.

    Examples
    --------
    >>> confidence_sd([[0.2], [0.4]]).round(3)
    array([0.1])
    """
    array = as_runs(gold_probability, name="gold_probability")
    if len(array) <= as_count(ddof, name="ddof", at_least=0):
        raise UsageError(f"gold_probability needs more than ddof={ddof} runs, got {len(array)}")
    return array.std(axis=0, ddof=ddof)
