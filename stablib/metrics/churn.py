"""Churn: how many predictions differ between two runs, and in which direction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_gold, as_labels, as_row


class Churn(NamedTuple):
    """Churn from an old model to a new one, in fractions of the examples.

    ``total = good + bad + neutral``; neutral changes go from one wrong class to another.
    """

    total: float
    good: float
    bad: float
    neutral: float


def churn(old: ArrayLike, new: ArrayLike, gold: ArrayLike) -> Churn:
    """Share of examples whose predicted label changes from one model to another.

    Parameters
    ----------
    old, new : array_like of int, shape (n_examples,)
        Predicted class indices of the two models.
    gold : array_like of int, shape (n_examples,)
        Gold class indices.

    Returns
    -------
    Churn
        Fractions: all changes, wrong to right (good), right to wrong (bad), wrong to wrong.

    Raises
    ------
    UsageError
        If the shapes do not fit, there is no example, or labels break the rule for labels in
        :mod:`stablib.metrics`.

    Notes
    -----
    Milani Fard et al. 2016, section 2.

    Examples
    --------
    >>> churn(old=[0, 1, 1, 2], new=[0, 0, 2, 1], gold=[0, 0, 1, 0])
    Churn(total=0.75, good=0.25, bad=0.25, neutral=0.25)
    """
    before, after = as_row(old, name="old"), as_row(new, name="new")
    if before.shape != after.shape:
        raise UsageError(
            f"old and new must have one shape (n_examples,), got {before.shape} and {after.shape}"
        )
    truth = as_gold(gold, len(before))
    changed = before != after
    good = changed & (after == truth)
    bad = changed & (before == truth)
    parts = (changed, good, bad, changed & ~good & ~bad)
    return Churn(*(float(part.mean()) for part in parts))


def pairwise_disagreement(labels: ArrayLike) -> NDArray[np.float64]:
    """Share of the pairs of runs that predict different labels, per example.

    Its mean over examples is the expected churn between two runs picked at random. What it expects
    does not depend on the number of runs, so that sets of different size may be compared.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices, at least two runs.

    Returns
    -------
    ndarray of float64, shape (n_examples,)
        Fractions of the n_runs (n_runs - 1) / 2 unordered pairs.

    Raises
    ------
    UsageError
        If there are fewer than two runs, or as :func:`stablib.metrics.label_entropy`.

    Examples
    --------
    >>> pairwise_disagreement([[0, 0], [0, 1], [0, 1]]).round(3)
    array([0.   , 0.667])
    """
    array = as_labels(labels)
    n_runs = array.shape[0]
    if n_runs < 2:
        raise UsageError(f"labels must hold at least two runs, got {n_runs}")
    rows = np.sort(array, axis=0)
    agreeing = np.zeros(array.shape[1], dtype=np.int64)
    stretch = np.zeros(array.shape[1], dtype=np.int64)
    # In sorted order, the j-th member of a stretch of equal labels agrees with j members before it.
    for same in rows[1:] == rows[:-1]:
        stretch = np.where(same, stretch + 1, 0)
        agreeing += stretch
    return 1.0 - agreeing / (n_runs * (n_runs - 1) / 2)


def disagreement_of_runs(labels: ArrayLike) -> NDArray[np.float64]:
    """Share of the examples on which each two runs predict different labels.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        Fractions. Symmetric; the diagonal is 0. Its mean over pairs is that of
        :func:`pairwise_disagreement` over examples.

    Raises
    ------
    UsageError
        As :func:`stablib.metrics.label_entropy`.

    Examples
    --------
    >>> disagreement_of_runs([[0, 0], [0, 1], [0, 1]])
    array([[0. , 0.5, 0.5],
           [0.5, 0. , 0. ],
           [0.5, 0. , 0. ]])
    """
    array = as_labels(labels)
    return np.array([(array != one).mean(axis=1) for one in array])
