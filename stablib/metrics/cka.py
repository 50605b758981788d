"""Similarity of the representations that two networks make of the same examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite


def linear_cka(first: ArrayLike, second: ArrayLike) -> float:
    r"""Linear centred kernel alignment of two representations of the same examples.

    .. math:: \frac{\|Y^T X\|_F^2}{\|X^T X\|_F \|Y^T Y\|_F}

    with the mean of each column of *X* and *Y* taken out.

    Parameters
    ----------
    first, second : array_like of float, shape (n_examples, n_features)
        Outputs of a layer, flattened to one row an example; the numbers of features may differ. At
        least two examples.

    Returns
    -------
    float
        From 0 to 1, and 1 for a representation and itself, also turned, scaled or shifted. nan if
        a representation is the same for all examples. Computed in float64.

    Raises
    ------
    UsageError
        If the numbers of examples differ or are below 2, or a value is not finite.

    Notes
    -----
    Kornblith et al. 2019, eq. 3 to 5; nondeterminism paper, Figure 1. With fewer examples than
    features it is computed from products of examples, which are then smaller. It is biased upwards
    if there are few examples: any two representations of two examples have 1.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(linear_cka(x, 2.0 * x[:, ::-1] + 1.0), 6), round(linear_cka(x, x[:, :1]), 3)
    (1.0, 0.707)
    """
    ours, theirs = _aligned(first, name="first"), _aligned(second, name="second")
    if len(ours) != len(theirs):
        raise UsageError(
            f"first and second must have the same examples, got {len(ours)} and {len(theirs)}"
        )
    return _similarity(ours, theirs)


def centred_products(representation: ArrayLike) -> NDArray[np.float64]:
    r"""Products of the centred states of each two examples, scaled to a norm of 1.

    All that linear CKA asks of a representation, and much smaller than one of many features.

    Parameters
    ----------
    representation : array_like of float, shape (n_examples, n_features)
        Outputs of a layer, flattened to one row an example; at least two examples.

    Returns
    -------
    ndarray of float64, shape (n_examples, n_examples)
        :math:`X X^T / \|X X^T\|_F`, with the mean of each column of *X* taken out. Symmetric. nan
        if the representation is the same for all examples.

    Raises
    ------
    UsageError
        As :func:`linear_cka`.

    Notes
    -----
    Kornblith et al. 2019, eq. 3.

    Examples
    --------
    >>> centred_products([[0.0], [2.0]])
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    aligned = _aligned(representation, name="representation")
    return aligned @ aligned.T


def cka_of_products(products: ArrayLike) -> NDArray[np.float64]:
    """Linear CKA of one layer between each two runs, from products of its examples.

    Parameters
    ----------
    products : array_like of float, shape (n_runs, n_examples, n_examples)
        :func:`centred_products` of each run, of the same examples; scaled or not.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        As :func:`pairwise_cka`: their cosines.

    Raises
    ------
    UsageError
        If the shape is another one, or a value is not finite.

    Examples
    --------
    >>> runs = np.random.default_rng(0).normal(size=(2, 50, 3))
    >>> found = cka_of_products([centred_products(run) for run in runs])
    >>> bool(np.allclose(found, pairwise_cka(runs)))
    True
    """
    array = as_finite(products, name="products")
    if array.ndim != 3 or array.shape[1] != array.shape[2] or not len(array):
        raise UsageError(
            "products must have shape (n_runs, n_examples, n_examples) with n_runs >= 1, "
            f"got shape {array.shape}"
        )
    flat = array.reshape(len(array), -1)
    norms = np.linalg.norm(flat, axis=1)
    flat = flat / np.where(norms > 0.0, norms, np.nan)[:, None]
    return np.clip(flat @ flat.T, 0.0, 1.0)


def pairwise_cka(representations: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Linear CKA of one layer between each two runs.

    Parameters
    ----------
    representations : sequence of array_like of float, shape (n_examples, n_features)
        One a run, of the same examples.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        As :func:`linear_cka`. Symmetric; the diagonal is 1. Its mean over pairs is
        :func:`stablib.metrics.pair_mean`.

    Raises
    ------
    UsageError
        If there is no run, or as :func:`linear_cka`.

    Notes
    -----
    Nondeterminism paper, Figure 1: the mean over the pairs of 25 models, layer by layer.

    Examples
    --------
    >>> runs = np.random.default_rng(0).normal(size=(2, 50, 3))
    >>> pairwise_cka(runs).shape
    (2, 2)
    """
    try:
        arrays = list(representations)
    except TypeError:
        arrays = []
    if not arrays:
        raise UsageError(
            "representations must hold one array of shape (n_examples, n_features) a run, "
            f"got {type(representations).__name__} without any"
        )
    runs = [_aligned(a, name=f"representations[{k}]") for k, a in enumerate(arrays)]
    sizes = sorted({len(run) for run in runs})
    if len(sizes) > 1:
        raise UsageError(f"representations must have the same examples, got {sizes} of them")
    result = np.eye(len(runs))
    for i, j in zip(*np.triu_indices(len(runs)), strict=True):
        result[i, j] = result[j, i] = _similarity(runs[i], runs[j])
    return result


def _aligned(values: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Centre the features, and scale so that the norm of their products is 1."""
    array = as_finite(values, name=name)
    if array.ndim != 2 or len(array) < 2 or array.shape[1] == 0:
        raise UsageError(
            f"{name} must have shape (n_examples, n_features) with n_examples >= 2 and "
            f"n_features >= 1, got shape {array.shape}"
        )
    # The rounding of its mean must not make a feature of a constant.
    centred = np.where(np.ptp(array, axis=0) > 0.0, array - array.mean(axis=0), 0.0)
    largest = np.abs(centred).max()
    if largest == 0.0:
        return np.full(array.shape, np.nan)
    centred /= largest  # So that products of tiny or huge features neither vanish nor overflow.
    return centred / np.sqrt(np.sqrt(_squared_norm(centred, centred)))


def _similarity(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the CKA of two aligned representations, of which rounding may make more than 1."""
    return float(np.minimum(_squared_norm(first, second), 1.0))


def _squared_norm(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the squared Frobenius norm of Y^T X, from whichever products are smaller."""
    if first.shape[1] * second.shape[1] <= len(first) ** 2:
        return float(((second.T @ first) ** 2).sum())
    return float(((first @ first.T) * (second @ second.T)).sum())
