"""Prediction differences between the two models of a pair, and their excess loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite, as_fractions


def relative_prediction_difference(
    predictions: ArrayLike, truth: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Mean relative difference between the predictions of paired models.

    Parameters
    ----------
    predictions : array_like of float, shape (n_models, n_examples)
        Probability of the positive label; rows 0 and 1 are a pair, 2 and 3, and so on.
    truth : array_like of float, shape (n_examples,), optional
        True probabilities, which divide the differences (eq. 3). Where they are not known, the
        mean prediction of the pair divides instead.

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
        Fractions. Their mean is the paper's Delta_r.

    Raises
    ------
    UsageError
        If the number of models is odd, shapes do not fit, a probability is not between 0 and 1,
        or a divisor is 0.

    Notes
    -----
    Snapp and Shamir 2021, eq. 3. There M is the number of models (2/M sums over M/2 pairs),
    although the text also calls the 16 pairs M. The mean of a pair is not the mean over all models
    by which Shamir et al. 2020 divide: pairs here have conditions of their own.

    Examples
    --------
    >>> relative_prediction_difference([[0.5, 0.2], [0.4, 0.2]], truth=[0.5, 0.1])
    array([0.1])
    """
    p = as_fractions(predictions, name="predictions")
    if p.ndim != 2 or len(p) % 2 or not p.size:
        raise UsageError(
            "predictions must have the shape (n_models, n_examples) with an even number of "
            f"models, got {p.shape}"
        )
    first, second = p[0::2], p[1::2]
    divisor = (first + second) / 2 if truth is None else as_fractions(truth, name="truth")
    if truth is not None and divisor.shape != p.shape[1:]:
        raise UsageError(f"truth must have the shape {p.shape[1:]}, got {divisor.shape}")
    if not (divisor > 0.0).all():
        what = "truth" if truth is not None else "the mean prediction of a pair"
        raise UsageError(f"{what} must be greater than 0 to divide by, got {divisor.min():g}")
    return np.asarray((np.abs(first - second) / divisor).mean(axis=1))


def excess_label_loss(predictions: ArrayLike, truth: ArrayLike) -> NDArray[np.float64]:
    """Mean Kullback-Leibler divergence of predictions from the true label probabilities.

    Parameters
    ----------
    predictions : array_like of float, shape (..., n_examples)
        Probability of the positive label.
    truth : array_like of float, shape (n_examples,)
        True probability.

    Returns
    -------
    ndarray of float64, shape (...)
        Nats; 0 for a perfect model.

    Raises
    ------
    UsageError
        If the shapes do not fit, there is no example or a probability is not between 0 and 1.

    Notes
    -----
    Snapp and Shamir 2021, eq. 2. Infinite where a model rules out what can happen.

    Examples
    --------
    >>> excess_label_loss([[0.5, 0.5], [0.75, 0.5]], truth=[0.75, 0.5]).round(4)
    array([0.0654, 0.    ])
    """
    from scipy.special import rel_entr  # Loading it takes as long as all the rest.

    p, q = as_fractions(truth, name="truth"), as_fractions(predictions, name="predictions")
    if p.ndim != 1 or p.size == 0 or q.shape[-1:] != p.shape:
        raise UsageError(
            "predictions must have shape (..., n_examples) and truth (n_examples,) with "
            f"n_examples >= 1, got {q.shape} and {p.shape}"
        )
    return np.asarray((rel_entr(p, q) + rel_entr(1.0 - p, 1.0 - q)).mean(axis=-1))


def error_cosine(first: ArrayLike, second: ArrayLike, truth: ArrayLike) -> float:
    """Cosine between the errors of two weight vectors.

    Parameters
    ----------
    first, second, truth : array_like of float, shape (n_weights,)
        Learned and true weights.

    Returns
    -------
    float
        1 if both models are off in the same direction, 0 if their errors are unrelated.

    Raises
    ------
    UsageError
        If the shapes differ, a weight is not finite or a model has no error.

    Notes
    -----
    Snapp and Shamir 2021, section 3.

    Examples
    --------
    >>> error_cosine([1.0, 0.0], [0.0, 2.0], truth=[0.0, 0.0])
    0.0
    """
    t = as_finite(truth, name="truth")
    a, b = as_finite(first, name="first"), as_finite(second, name="second")
    if a.ndim != 1 or not a.shape == b.shape == t.shape:
        raise UsageError(
            "first, second and truth must have one shape (n_weights,), "
            f"got {a.shape}, {b.shape} and {t.shape}"
        )
    a, b = a - t, b - t
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0.0:
        raise UsageError("first and second must differ from truth: without error, no direction")
    return float((a * b).sum()) / norms
