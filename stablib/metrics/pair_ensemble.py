"""What is won when the predictions of two runs are averaged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite, as_number


def pairwise_ensemble_delta(
    logits: ArrayLike, measure: Callable[[NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    r"""Change of a measure when two runs are averaged, for each two runs.

    .. math:: \Delta_{ij} = f\left(\frac{S_i + S_j}{2}\right) - \frac{f(S_i) + f(S_j)}{2}

    Parameters
    ----------
    logits : array_like of float, shape (n_runs, n_examples, n_classes)
        What is averaged: logits in the paper. Any shape (n_runs, ...) that ``measure`` takes by
        run.
    measure : callable
        Takes the array of one run, shape (n_examples, n_classes), and returns one number, such as
        its accuracy in percent.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        In the unit of ``measure``. Symmetric; the diagonal is 0, as equal runs win nothing. Its
        mean over pairs is :func:`stablib.metrics.pair_mean`.

    Raises
    ------
    UsageError
        If there is no run, a value is not finite, or ``measure`` is not callable or does not return
        one number.

    Notes
    -----
    Nondeterminism paper, section 3.1. The printed factor 1 / R^2 stands for one over the number of
    pairs, R (R - 1) / 2, as in the released code.

    Examples
    --------
    >>> logits = [[[2.0, 0.0], [1.0, 2.0]], [[1.0, 2.0], [0.0, 3.0]]]
    >>> pairwise_ensemble_delta(logits, lambda run: 100.0 * (run.argmax(axis=1) == [0, 1]).mean())
    array([[ 0., 25.],
           [25.,  0.]])
    """
    if not callable(measure):
        raise UsageError(f"measure must be callable, got {measure!r}")
    runs = as_finite(logits, name="logits")
    if runs.ndim < 2 or len(runs) == 0:
        raise UsageError(
            "logits must have shape (n_runs, n_examples, n_classes) with n_runs >= 1, "
            f"got shape {runs.shape}"
        )

    def value(run: NDArray[np.float64]) -> float:
        return as_number(measure(run), name="the value of measure")

    alone = [value(run) for run in runs]
    deltas = np.zeros((len(runs), len(runs)))
    for i, j in zip(*np.triu_indices(len(runs), 1), strict=True):
        together = value((runs[i] + runs[j]) / 2.0)
        deltas[i, j] = deltas[j, i] = together - (alone[i] + alone[j]) / 2.0
    return deltas
