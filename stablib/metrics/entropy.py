"""Label entropy: how often the predicted label of an example changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_labels, as_weights


def _n_log_n(n: int) -> NDArray[np.float64]:
    """Table of k log k for k = 0 ... n, with 0 log 0 = 0."""
    counts = np.arange(n + 1, dtype=np.float64)
    return counts * np.log(np.maximum(counts, 1.0))


def _entropy(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Entropy of n rows from the sums of n_k log n_k; exactly 0 where all rows agree."""
    entropy = np.log(n) - sums / n
    # One row that differs gives more than log(n) / n already: what is less is rounding.
    return np.where(entropy < np.log(n) / n, 0.0, entropy)


def label_entropy(labels: ArrayLike) -> NDArray[np.float64]:
    r"""Label entropy of each example over runs (LE_m) or over training steps (LE_s).

    .. math:: LE^{(i)} = -\sum_k \frac{n_k^{(i)}}{N} \log \frac{n_k^{(i)}}{N}

    where :math:`n_k^{(i)}` counts how often example *i* was predicted as class *k* in *N* rows.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices; one row a run (LE_m), or one row a step of one run (LE_s).

    Returns
    -------
    ndarray of float64, shape (n_examples,)
        Entropy in nats: 0 if all rows agree (even on a wrong class), at most log(n_runs).

    Raises
    ------
    UsageError
        If ``labels`` is not a 2-d array with at least one row, or breaks the rule for labels in
        :mod:`stablib.metrics`.

    Notes
    -----
    Local instability paper, section 3, eq. 1; natural logarithm, as its worked example
    (0.39 for 90 %, 5 %, 5 %) and its threshold 0.56 = H(.75, .25) show. It grows with the number
    of rows, so compare entropies of equally many, see :func:`stablib.metrics.equal_runs`.

    Rows are sorted and the lengths of equal stretches counted, so time and memory do not depend on
    the number of classes.

    Examples
    --------
    >>> labels = [[0]] * 18 + [[1]] + [[2]]
    >>> label_entropy(labels).round(2)
    array([0.39])
    """
    array = as_labels(labels)
    n_runs, n_examples = array.shape
    if n_examples == 0:
        return np.zeros(0)
    rows = np.sort(np.ascontiguousarray(_narrow(array).T), axis=1)
    starts_here = np.ones(rows.shape, dtype=bool)
    np.not_equal(rows[:, 1:], rows[:, :-1], out=starts_here[:, 1:])
    starts = np.flatnonzero(starts_here)
    lengths = np.diff(starts, append=rows.size)
    first_of_example = np.searchsorted(starts, np.arange(0, rows.size, n_runs))
    sums = np.add.reduceat(_n_log_n(n_runs)[lengths], first_of_example)
    return _entropy(sums, n_runs)


def _narrow(array: NDArray[np.integer]) -> NDArray[np.integer]:
    """Use the smallest unsigned type: sorting bytes is several times faster than sorting int64."""
    return array.astype(np.min_scalar_type(int(array.max())), copy=False)


def cumulative_label_entropy(labels: ArrayLike) -> NDArray[np.float64]:
    """Label entropy of each example over a growing number of rows.

    Parameters
    ----------
    labels : array_like of int, shape (n_steps, n_examples)
        Predicted class indices after each optimization step of one run.

    Returns
    -------
    ndarray of float64, shape (n_steps, n_examples)
        Row t is ``label_entropy(labels[: t + 1])``, in nats.

    Raises
    ------
    UsageError
        As :func:`label_entropy`.

    Notes
    -----
    Local instability paper, appendix A.4 and Figure 8.

    Examples
    --------
    >>> cumulative_label_entropy([[0], [1], [1]]).round(3).ravel()
    array([0.   , 0.693, 0.637])
    """
    # Renumbered, so that the counts below are as wide as an example has classes.
    array = _renumber(as_labels(labels))
    n_steps, n_examples = array.shape
    if n_examples == 0:
        return np.zeros((n_steps, 0))
    table = _n_log_n(n_steps)
    counts = np.zeros((n_examples, int(array.max()) + 1), dtype=np.int64)
    sums = np.zeros(n_examples)
    examples = np.arange(n_examples)
    entropies = np.empty((n_steps, n_examples))
    for step, row in enumerate(array):
        before = counts[examples, row]
        counts[examples, row] = before + 1
        sums += table[before + 1] - table[before]
        entropies[step] = _entropy(sums, step + 1)
    return entropies


def label_counts(labels: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """How many runs predict each class, per example.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices.
    n_classes : int
        Number of classes; every label is below it.

    Returns
    -------
    ndarray of int64, shape (n_examples, n_classes)
        Rows sum to ``n_runs``.

    Raises
    ------
    UsageError
        If ``n_classes`` is no integer >= 1, a label is not below it, or as :func:`label_entropy`.

    Notes
    -----
    Local instability paper, Table 1, third column.

    Examples
    --------
    >>> label_counts([[0, 2], [0, 1]], n_classes=3)
    array([[2, 0, 0],
           [0, 1, 1]])
    """
    array, width = as_labels(labels), as_count(n_classes, name="n_classes")
    if array.size and array.max() >= width:
        raise UsageError(f"labels must be below n_classes={width}, got {array.max()}")
    n_examples = array.shape[1]
    # As int64: numpy would add uint64 to it as floats.
    flat = array.astype(np.int64) + np.arange(n_examples, dtype=np.int64) * width
    counts = np.bincount(flat.ravel(), minlength=n_examples * width)
    return counts.reshape(n_examples, width)


def resampled_label_entropy(labels: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Label entropy of each example when run r counts ``weights[b, r]`` times.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices.
    weights : array_like of int, shape (n_resamples, n_runs)
        Multiplicity of each run in each resample, as :func:`stablib.metrics.resample_runs` draws
        them. Each row has the same sum.

    Returns
    -------
    ndarray of float64, shape (n_resamples, n_examples)
        In nats; row b equals ``label_entropy(np.repeat(labels, weights[b], axis=0))``.

    Raises
    ------
    UsageError
        If the shapes do not fit, ``weights`` are not integers >= 0 with rows of one sum, or as
        :func:`label_entropy`.

    Notes
    -----
    One matrix product for all resamples. Examples on which all runs agree have entropy zero in
    every resample and are skipped; the others rarely see more than a handful of classes, which
    are renumbered per example.

    Examples
    --------
    >>> labels = [[0, 0], [0, 1]]
    >>> resampled_label_entropy(labels, [[1, 1], [2, 0]]).round(3)
    array([[0.   , 0.693],
           [0.   , 0.   ]])
    """
    array = as_labels(labels)
    multiplicity = as_weights(weights, array.shape[0])
    total = int(multiplicity[0].sum())
    entropies = np.zeros((multiplicity.shape[0], array.shape[1]))
    switching = np.flatnonzero((array != array[0]).any(axis=0))
    if switching.size == 0:
        return entropies
    local = _renumber(array[:, switching])
    sums = np.zeros((multiplicity.shape[0], switching.size))
    for label in range(int(local.max()) + 1):
        counts = multiplicity.astype(np.float32) @ (local == label).astype(np.float32)
        sums += _n_log_n(total)[counts.astype(np.int64)]
    entropies[:, switching] = _entropy(sums, total)
    return entropies


def _renumber(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Renumber the labels of each column 0, 1, ... so that few distinct numbers are in use."""
    order = np.argsort(labels, axis=0, kind="stable")
    ordered = np.take_along_axis(labels, order, axis=0)
    ranks = np.zeros(labels.shape, dtype=np.int64)
    np.cumsum(ordered[1:] != ordered[:-1], axis=0, out=ranks[1:])
    renumbered = np.empty_like(ranks)
    np.put_along_axis(renumbered, order, ranks, axis=0)
    return renumbered
