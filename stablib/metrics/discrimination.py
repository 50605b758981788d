"""How well a binary model ranks, and how often it is right at a fixed positive rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite, as_gold, as_number


def roc_auc(scores: ArrayLike, gold: ArrayLike) -> NDArray[np.float64]:
    """Area under the ROC curve of each run of a binary model.

    Parameters
    ----------
    scores : array_like of float, shape (n_runs, n_examples)
        Probability, or any increasing function of it, of the positive label.
    gold : array_like of int, shape (n_examples,)
        1 for positive examples, 0 for negative ones; both must occur.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions: how often a positive example scores above a negative one, ties counting half.
        For the spread over runs see :func:`stablib.metrics.sd_over_runs`.

    Raises
    ------
    UsageError
        If the shapes do not fit, a score is not finite or ``gold`` does not hold 0 and 1.

    Notes
    -----
    The random seed paper stops early by it. Unlike accuracy it does not depend on a threshold.

    Examples
    --------
    >>> roc_auc([[0.1, 0.4, 0.35, 0.8], [0.1, 0.2, 0.7, 0.8]], gold=[0, 0, 1, 1])
    array([0.75, 1.  ])
    """
    from scipy.stats import rankdata  # Loading it takes most of a second.

    array, positive = _binary(scores, gold)
    n_positive = int(positive.sum())
    ranks = rankdata(array, axis=1)[:, positive].sum(axis=1) - n_positive * (n_positive + 1) / 2
    return ranks / (n_positive * (len(positive) - n_positive))


def accuracy_at_rate(scores: ArrayLike, gold: ArrayLike, rate: float) -> NDArray[np.float64]:
    """Accuracy of each run if it calls the same share of the examples positive.

    Parameters
    ----------
    scores : array_like of float, shape (n_runs, n_examples)
        Probability, or any increasing function of it, of the positive label.
    gold : array_like of int, shape (n_examples,)
        1 for positive examples, 0 for negative ones; both must occur.
    rate : float
        Share of the examples that is called positive, from 0 to 1: ``round(rate * n_examples)`` of
        them, those with the highest scores.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions. Of examples that tie at the threshold some are called positive; the result is the
        mean over all choices.

    Raises
    ------
    UsageError
        If the shapes do not fit, a score is not finite, ``gold`` does not hold 0 and 1 or ``rate``
        is not between 0 and 1.

    Notes
    -----
    Accuracy at p > 0.5 varies over runs also because the share of positive predictions does. With
    the share fixed, only the order of the examples is left to vary.

    Examples
    --------
    >>> accuracy_at_rate([[0.6, 0.7, 0.8, 0.9], [0.1, 0.3, 0.2, 0.4]], gold=[0, 0, 1, 1], rate=0.5)
    array([1. , 0.5])
    """
    array, positive = _binary(scores, gold)
    part = as_number(rate, name="rate")
    if not 0.0 <= part <= 1.0:
        raise UsageError(f"rate must be between 0 and 1, got {part:g}")
    n_examples, called = len(positive), round(part * len(positive))
    if called == 0:
        return np.full(len(array), 1.0 - positive.mean())
    threshold = np.sort(array, axis=1)[:, [n_examples - called]]
    above, tied = array > threshold, array == threshold
    share = (called - above.sum(axis=1)) / tied.sum(axis=1)
    hits = (above & positive).sum(axis=1) + share * (tied & positive).sum(axis=1)
    # Of all that are called positive, the others are false; of the negatives, the others are right.
    return (2.0 * hits - called + n_examples - positive.sum()) / n_examples


def _binary(scores: ArrayLike, gold: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return scores by run, and which examples are positive."""
    array = as_finite(scores, name="scores")
    if array.ndim != 2 or array.size == 0:
        raise UsageError(
            "scores must have shape (n_runs, n_examples), neither of them 0, "
            f"got shape {array.shape}"
        )
    truth = as_gold(gold, array.shape[1])
    classes = np.unique(truth)
    if classes.tolist() != [0, 1]:
        raise UsageError(f"gold must hold the labels 0 and 1, both of them, got {classes[:5]}")
    return array, truth == 1
