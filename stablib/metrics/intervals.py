"""Bootstrap replicates over runs of the entropy metrics, vectorised over the resamples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_generator, as_labels, as_mask, as_runs
from stablib.metrics.bootstrap import resample_runs
from stablib.metrics.entropy import resampled_label_entropy
from stablib.metrics.spread import resampled_sd
from stablib.metrics.subsampling import unequal_runs


def reduction_replicates(
    labels: ArrayLike,
    baseline: ArrayLike,
    *,
    rng: np.random.Generator | int,
    where: ArrayLike | None = None,
    paired: bool = False,
    n_resamples: int = 1000,
) -> NDArray[np.float64]:
    """Replicates of the percentage reduction of summed label entropy.

    Parameters
    ----------
    labels, baseline : array_like of int, shape (n_runs, n_examples)
        Predicted class indices of a method and of control, equally many runs of each.
    rng : numpy.random.Generator or int
        Source of randomness, or its seed.
    where : array_like of bool, shape (n_examples,), optional
        Only these examples; the subset is not chosen anew in each resample.
    paired : bool, default False
        Whether run k of both has the same seeds: then both are resampled together, and what the
        seeds do to both cancels. Otherwise each is resampled for itself.
    n_resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    ndarray of float64, shape (n_resamples,)
        Percent; nan where the resampled baseline has no entropy. Feed to
        :func:`stablib.metrics.centred_interval`.

    Raises
    ------
    UsageError
        If the examples of ``labels``, ``baseline`` and ``where`` differ in number, or the runs of
        ``labels`` and ``baseline`` do, or as :func:`stablib.metrics.resampled_label_entropy`.

    Notes
    -----
    Label entropy grows with the number of runs: with fewer runs than control, a method without any
    effect seems to reduce it. :func:`stablib.metrics.equal_runs` brings both to one number.

    Examples
    --------
    >>> same = np.zeros((4, 3), dtype=int)
    >>> mixed = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 1], [1, 1, 0]])
    >>> reduction_replicates(same, mixed, rng=np.random.default_rng(0), n_resamples=2)
    array([100., 100.])
    """
    generator = as_generator(rng)
    arrays = as_labels(labels), as_labels(baseline, name="baseline")
    (n_runs, n_examples), others = arrays[0].shape, arrays[1].shape
    if others[1] != n_examples:
        raise UsageError(
            f"labels and baseline must have the same examples, got shapes {arrays[0].shape} and "
            f"{others}"
        )
    if others[0] != n_runs:
        raise UsageError(f"labels and baseline {unequal_runs(n_runs, others[0])}")
    mask = slice(None) if where is None else as_mask(where, n_examples)
    drawn = resample_runs(n_runs, rng=generator, n_resamples=n_resamples)
    also = drawn if paired else resample_runs(n_runs, rng=generator, n_resamples=n_resamples)
    ours, theirs = (
        resampled_label_entropy(array[:, mask], weights).sum(axis=1)
        for array, weights in zip(arrays, (drawn, also), strict=True)
    )
    return 100.0 * (1.0 - ours / np.where(theirs > 0.0, theirs, np.nan))


def entropy_confidence_replicates(
    labels: ArrayLike,
    gold_probability: ArrayLike,
    *,
    rng: np.random.Generator | int,
    n_resamples: int = 1000,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Replicates of LE_m and sigma_m of every example, over the same resamples of runs.

    Parameters
    ----------
    labels : array_like of int, shape (n_runs, n_examples)
        Predicted class indices.
    gold_probability : array_like of float, shape (n_runs, n_examples)
        Probability of the gold label.
    rng : numpy.random.Generator or int
        Source of randomness, or its seed.
    n_resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    le_m, sigma_m : ndarray of float64, shape (n_resamples, n_examples)
        In nats, and as fractions with ddof = 0.

    Raises
    ------
    UsageError
        If the shapes differ, a probability is not between 0 and 1, or as
        :func:`stablib.metrics.resampled_label_entropy`.

    Notes
    -----
    Local instability paper, Figure 1: behind the interval of the correlation of the two.

    Examples
    --------
    >>> le_m, sigma_m = entropy_confidence_replicates(
    ...     [[0, 1], [0, 0]], [[0.9, 0.4], [0.9, 0.6]], rng=0, n_resamples=100
    ... )
    >>> le_m.max(axis=0).round(3), sigma_m.max(axis=0).round(3)
    (array([0.   , 0.693]), array([0. , 0.1]))
    """
    array, values = as_labels(labels), as_runs(gold_probability, name="gold_probability")
    if array.shape != values.shape:
        raise UsageError(
            "labels and gold_probability must have one shape (n_runs, n_examples), "
            f"got {array.shape} and {values.shape}"
        )
    weights = resample_runs(len(values), rng=rng, n_resamples=n_resamples)
    return resampled_label_entropy(array, weights), resampled_sd(values, weights)
