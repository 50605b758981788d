"""Bring two sets of runs to the same number of runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.metrics._check import as_generator, as_labels


def equal_runs(
    labels: ArrayLike, baseline: ArrayLike, *, rng: np.random.Generator | int
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Draw as many runs of the larger of two sets as the smaller one has.

    Label entropy grows with the number of runs: twenty runs show more different labels than five
    runs of the very same training. Only entropies over equally many runs may be compared.

    Parameters
    ----------
    labels, baseline : array_like of int, shape (n_runs, n_examples)
        Predicted class indices of a method and of control; the numbers of runs may differ.
    rng : numpy.random.Generator or int
        Source of randomness, or its seed. Nothing is drawn if the numbers are equal.

    Returns
    -------
    labels, baseline : ndarray of int, shape (n_fewest_runs, n_examples)
        The smaller set whole, of the larger one runs drawn without replacement, in their order.

    Raises
    ------
    UsageError
        If ``rng`` is neither a generator nor a seed, or as :func:`stablib.metrics.label_entropy`.

    Notes
    -----
    One draw is one of many: how much the choice matters shows if it is repeated. With three
    equally frequent labels, two runs have an expected entropy of 0.46 nats, many runs of 1.10.

    Examples
    --------
    >>> few, many = [[0], [1]], [[0], [0], [0], [1]]
    >>> ours, theirs = equal_runs(few, many, rng=0)
    >>> ours.shape, theirs.shape
    ((2, 1), (2, 1))
    """
    generator = as_generator(rng)
    arrays = as_labels(labels), as_labels(baseline, name="baseline")
    n_runs = min(len(array) for array in arrays)
    first, second = (_draw(array, n_runs, generator) for array in arrays)
    return first, second


def _draw(array: NDArray[np.integer], n_runs: int, rng: np.random.Generator) -> NDArray[np.integer]:
    """Draw runs without replacement, in their order; all of them without drawing."""
    if len(array) == n_runs:
        return array
    return array[np.sort(rng.choice(len(array), size=n_runs, replace=False))]


def unequal_runs(n_runs: int, n_others: int) -> str:
    """Say why two sets of runs cannot be compared by label entropy, and what to do."""
    return (
        f"must have the same number of runs, got {n_runs} and {n_others}: label entropy grows with "
        "the number of runs; draw equally many with stablib.metrics.equal_runs, or compare "
        "stablib.metrics.pairwise_disagreement"
    )
