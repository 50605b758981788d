"""Whether a model is right as often as it is confident."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_distributions, as_gold


class ReliabilityBin(NamedTuple):
    """Examples whose confidence is above ``low`` and at most ``high``; the first takes in its low.

    ``confidence`` is their mean confidence and ``accuracy`` the fraction that is right, both nan if
    there is no example.
    """

    low: float
    high: float
    n_examples: int
    confidence: float
    accuracy: float


def reliability_curve(
    probabilities: ArrayLike,
    gold: ArrayLike,
    *,
    true_class: int | None = None,
    n_bins: int = 5,
) -> list[ReliabilityBin]:
    """Accuracy of one run in bins of its confidence.

    Parameters
    ----------
    probabilities : array_like of float, shape (n_examples, n_classes)
        Predicted probabilities; the confidence of an example is the largest of them.
    gold : array_like of int, shape (n_examples,)
        Gold class indices.
    true_class : int, optional
        Only the examples of this gold class.
    n_bins : int, default 5
        Bins of equal width, from 1 / n_classes, below which no confidence can be, to 1: of two
        classes, bins of 0.1 from 0.5.

    Returns
    -------
    list of ReliabilityBin
        From the lowest to the highest confidence, empty bins included. A curve below the diagonal
        is that of an over-confident model.

    Raises
    ------
    UsageError
        If the shapes do not fit, a row does not sum to 1, there are fewer than two classes, or
        ``gold`` or ``true_class`` is none of the classes.

    Notes
    -----
    Thesis, section 3.3.1 and Figure 3.7: a curve for the positive and one for the negative cases,
    from confidence 0.5. Within one true class even a calibrated model is off the diagonal: it is
    right more often than it says where the class is frequent and less often where it is rare.

    Examples
    --------
    >>> probabilities = [[0.1, 0.9], [0.2, 0.8], [0.45, 0.55], [0.9, 0.1]]
    >>> curve = reliability_curve(probabilities, gold=[1, 0, 1, 1], true_class=1)
    >>> [(round(b.high, 1), b.n_examples, b.accuracy) for b in curve if b.n_examples]
    [(0.6, 1, 1.0), (0.9, 2, 0.5)]
    """
    confidence, correct, truth, n_classes = _judged(probabilities, gold)
    if confidence.ndim != 1:
        raise UsageError(
            "probabilities must have shape (n_examples, n_classes), those of one run, "
            f"got shape {(*confidence.shape, n_classes)}"
        )
    count = as_count(n_bins, name="n_bins")
    if true_class is not None:
        label = as_count(true_class, name="true_class", at_least=0)
        if label >= n_classes:
            raise UsageError(f"true_class must be below the {n_classes} classes, got {label}")
        confidence, correct = confidence[truth == label], correct[truth == label]
    low = 1.0 / n_classes
    edges = low + (1.0 - low) * np.arange(count + 1) / count
    sizes, confidences, accuracies = _binned(confidence, correct, edges)
    return [
        ReliabilityBin(float(edges[b]), float(edges[b + 1]), int(sizes[b]), float(c), float(a))
        for b, (c, a) in enumerate(zip(confidences, accuracies, strict=True))
    ]


def expected_calibration_error(
    probabilities: ArrayLike, gold: ArrayLike, *, n_bins: int = 15
) -> NDArray[np.float64]:
    r"""Expected calibration error of each run (ECE).

    .. math:: \sum_{b} \frac{n_b}{n} \left| \mathrm{acc}_b - \mathrm{conf}_b \right|

    Parameters
    ----------
    probabilities : array_like of float, shape (n_runs, n_examples, n_classes)
        Predicted probabilities; the confidence of an example is the largest of them.
    gold : array_like of int, shape (n_examples,)
        Gold class indices.
    n_bins : int, default 15
        Bins of equal width from 0 to 1.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions, 0 if each bin is right as often as it is confident.

    Raises
    ------
    UsageError
        If the shapes do not fit, a row does not sum to 1, there are fewer than two classes, or
        ``gold`` is none of the classes.

    Notes
    -----
    Naeini et al. 2015; Guo et al. 2017, eq. 3, with its 15 bins; thesis, section 2.4. With few
    examples a bin, even a calibrated model has an error above 0.

    Examples
    --------
    An interval over runs:

    >>> from stablib.metrics import bootstrap_interval
    >>> probabilities = np.random.default_rng(0).dirichlet([1.0, 1.0], size=(10, 200))
    >>> errors = expected_calibration_error(probabilities, gold=np.arange(200) % 2)
    >>> low, high = bootstrap_interval(np.mean, errors, rng=0)
    >>> bool(0.0 < low < errors.mean() < high < 1.0)
    True

    And one over the examples of one run:

    >>> run = np.column_stack([probabilities[0], np.arange(200) % 2])
    >>> def error(rows):
    ...     return expected_calibration_error(rows[None, :, :-1], rows[:, -1])[0]
    >>> low, high = bootstrap_interval(error, run, rng=0, n_resamples=100)
    >>> bool(low < errors[0] < high)
    True
    """
    confidence, correct, _, n_classes = _judged(probabilities, gold)
    if confidence.ndim != 2 or len(confidence) == 0:
        raise UsageError(
            "probabilities must have shape (n_runs, n_examples, n_classes) with n_runs >= 1, "
            f"got shape {(*confidence.shape, n_classes)}"
        )
    edges = np.arange(as_count(n_bins, name="n_bins") + 1) / n_bins
    errors = []
    for sure, right in zip(confidence, correct, strict=True):
        sizes, confidences, accuracies = _binned(sure, right, edges)
        gaps = np.where(sizes > 0, np.abs(accuracies - confidences), 0.0)
        errors.append((sizes * gaps).sum() / len(sure))
    return np.array(errors)


def _judged(
    probabilities: ArrayLike, gold: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.integer], int]:
    """Return confidence, whether it is right, the gold labels and the number of classes."""
    array = as_distributions(
        probabilities, name="probabilities", shape="(n_runs, n_examples, n_classes)"
    )
    n_classes = array.shape[-1]
    if array.ndim < 2 or n_classes < 2 or array.shape[-2] == 0:
        raise UsageError(
            "probabilities must have shape (n_runs, n_examples, n_classes) with n_examples >= 1 "
            f"and n_classes >= 2, got shape {array.shape}"
        )
    truth = as_gold(gold, array.shape[-2])
    if truth.max() >= n_classes:
        raise UsageError(f"gold must be below the {n_classes} classes, got {truth.max()}")
    return array.max(axis=-1), array.argmax(axis=-1) == truth, truth, n_classes


def _binned(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], edges: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the number of examples, mean confidence and accuracy of each bin."""
    n_bins = len(edges) - 1
    bin_of = np.searchsorted(edges[1:-1], confidence, side="left")
    sizes = np.bincount(bin_of, minlength=n_bins)
    whole = np.where(sizes > 0, sizes, np.nan)
    sure = np.bincount(bin_of, weights=confidence, minlength=n_bins)
    right = np.bincount(bin_of, weights=correct, minlength=n_bins)
    return sizes, sure / whole, right / whole
