"""Ranking metrics of recommenders that are tested with one positive item a case."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_finite, as_floats, as_labels


def positive_ranks(positives: ArrayLike, negatives: ArrayLike) -> NDArray[np.int64]:
    """Rank of the positive item of each test case among its candidates.

    Parameters
    ----------
    positives : array_like of float, shape (n_runs, n_cases)
        Score of the item that the user chose. Any shape (..., n_cases).
    negatives : array_like of float, shape (n_runs, n_cases, n_negatives)
        Scores of the other candidates; -inf for one that does not count, such as a negative that
        is the positive item.

    Returns
    -------
    ndarray of int64, shape (n_runs, n_cases)
        From 0, the first place. Ties go against the positive: a model that gives all candidates
        one score ranks it last.

    Raises
    ------
    UsageError
        If the shapes do not fit, there is no case or no negative, or a score is NaN, infinite, or
        -inf for a positive.

    Notes
    -----
    Thesis, section 3.1.4; ties as in the released code, where the positive comes last.

    Examples
    --------
    >>> positive_ranks([0.9, 0.5], [[0.1, 0.8], [0.5, 0.1]])
    array([0, 1])
    """
    chosen, others = as_finite(positives, name="positives"), as_floats(negatives, name="negatives")
    odd = others[np.isnan(others) | (others == np.inf)]
    if odd.size:
        raise UsageError(f"negatives must be finite or -inf, got {odd[0]:g}")
    if chosen.ndim == 0 or others.size == 0 or others.shape[:-1] != chosen.shape:
        raise UsageError(
            "positives must have shape (n_runs, n_cases) and negatives (n_runs, n_cases, "
            f"n_negatives), none of them 0, got {chosen.shape} and {others.shape}"
        )
    return (others >= chosen[..., None]).sum(axis=-1, dtype=np.int64)


def hit_rate(positives: ArrayLike, negatives: ArrayLike, *, k: int = 10) -> NDArray[np.float64]:
    """Share of the test cases whose positive item is among the first k candidates (HR@k).

    Parameters
    ----------
    positives, negatives
        As for :func:`positive_ranks`.
    k : int, default 10
        At most the number of candidates, n_negatives + 1.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions.

    Raises
    ------
    UsageError
        If ``k`` is no integer from 1 to the number of candidates, or as :func:`positive_ranks`.

    Notes
    -----
    Thesis, section 3.1.4 and Table 3.2.

    Examples
    --------
    >>> hit_rate([[0.9, 0.5]], [[[0.1, 0.8], [0.5, 0.1]]], k=1)
    array([0.5])
    """
    ranks, first = _ranks_and_k(positives, negatives, k)
    return _hits(ranks, first)


def ndcg(positives: ArrayLike, negatives: ArrayLike, *, k: int = 10) -> NDArray[np.float64]:
    r"""Normalised discounted cumulative gain of the first k candidates (NDCG@k).

    .. math:: \frac{1}{n} \sum_{c=1}^{n} \frac{[r_c < k]}{\log_2(r_c + 2)}

    where :math:`r_c`, from 0, is the rank of the positive item of case *c*.

    Parameters
    ----------
    positives, negatives
        As for :func:`positive_ranks`.
    k : int, default 10
        At most the number of candidates, n_negatives + 1.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions: 1 if every positive comes first.

    Raises
    ------
    UsageError
        As :func:`hit_rate`.

    Notes
    -----
    Thesis, section 3.1.4 (where ranks start from 1) and Table 3.2.

    Examples
    --------
    >>> ndcg([[0.9, 0.5]], [[[0.1, 0.8], [0.5, 0.1]]], k=2).round(3)
    array([0.815])
    """
    ranks, first = _ranks_and_k(positives, negatives, k)
    return _gains(ranks, first)


def hit_rate_of_ranks(ranks: ArrayLike, *, k: int = 10) -> NDArray[np.float64]:
    """Share of the test cases whose positive item has a rank below k.

    Parameters
    ----------
    ranks : array_like of int, shape (n_runs, n_cases)
        From 0, as :func:`positive_ranks` gives them.
    k : int, default 10
        First places that count.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions, as :func:`hit_rate`.

    Raises
    ------
    UsageError
        If a rank is no whole number from 0, there is no run, or ``k`` is no integer from 1 on.

    Notes
    -----
    Thesis, section 3.1.4.

    Examples
    --------
    >>> hit_rate_of_ranks([[0, 12, 9]])
    array([0.66666667])
    """
    return _hits(as_labels(ranks, name="ranks"), as_count(k, name="k"))


def ndcg_of_ranks(ranks: ArrayLike, *, k: int = 10) -> NDArray[np.float64]:
    """NDCG of test cases whose positive items have these ranks.

    Parameters
    ----------
    ranks, k
        As for :func:`hit_rate_of_ranks`.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Fractions, as :func:`ndcg`.

    Raises
    ------
    UsageError
        If a rank is no whole number from 0, there is no run, or ``k`` is no integer from 1 on.

    Notes
    -----
    Thesis, section 3.1.4.

    Examples
    --------
    >>> ndcg_of_ranks([[0, 2, 50]]).round(3)
    array([0.5])
    """
    return _gains(as_labels(ranks, name="ranks"), as_count(k, name="k"))


def _hits(ranks: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    return np.asarray((ranks < k).mean(axis=-1))


def _gains(ranks: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    # In one order in memory, whatever held the ranks: sums are the same to the last bit.
    gains = np.ascontiguousarray(np.where(ranks < k, 1.0 / np.log2(ranks + 2.0), 0.0))
    return np.asarray(gains.mean(axis=-1))


def _ranks_and_k(
    positives: ArrayLike, negatives: ArrayLike, k: int
) -> tuple[NDArray[np.int64], int]:
    """Return the ranks, and how many of the first places count."""
    ranks, first = positive_ranks(positives, negatives), as_count(k, name="k")
    n_candidates = np.shape(negatives)[-1] + 1
    if first > n_candidates:
        raise UsageError(f"k must be at most the number of candidates, {n_candidates}, got {first}")
    return ranks, first
