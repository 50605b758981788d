"""Accuracy of each run."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite, as_gold, as_labels


def accuracy(labels: ArrayLike, gold: ArrayLike) -> NDArray[np.float64]:
    """Fraction of examples that each run gets right.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices.
    gold : array_like of int, shape (n_examples,)
        Gold class indices.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions.

    Raises
    ------
    UsageError
        If the shapes do not fit, there is no example, or labels break the rule for labels in
        :mod:`stablib.metrics`.

    Examples
    --------
    >>> accuracy([[0, 1], [0, 0]], gold=[0, 1])
    array([1. , 0.5])
    """
    array = as_labels(labels)
    return (array == as_gold(gold, array.shape[1])).mean(axis=1)


def mean_sd(values: ArrayLike) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof = 1) over runs.

    Parameters
    ----------
    values : array_like of float, shape (n_runs,)
        One value a run.

    Returns
    -------
    mean, sd : float
        In the unit of ``values``; sd is nan for a single run, whose spread is unknown.

    Raises
    ------
    UsageError
        If there is no value, or one is not finite.

    Notes
    -----
    The form of Table 3 of the local instability paper (90.6 +- 0.6), which does not state ddof.

    Examples
    --------
    >>> mean_sd([1.0, 3.0])
    (2.0, 1.4142135623730951)
    """
    array = as_finite(values, name="values")
    if array.ndim != 1 or array.size == 0:
        raise UsageError(f"values must have shape (n_runs,) with n_runs >= 1, got {array.shape}")
    return float(array.mean()), float(array.std(ddof=1)) if array.size > 1 else float("nan")
