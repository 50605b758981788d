"""Relative entropy between the explanations that different runs give of one text."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.metrics._check import as_distributions, as_explanations


def pairwise_relative_entropy(explanations: ArrayLike) -> NDArray[np.float64]:
    r"""Relative entropy (Kullback-Leibler divergence) between each two runs' explanations.

    .. math:: H_{ij} = \sum_{t} p_i(t) \log \frac{p_i(t)}{p_j(t)}

    where :math:`p_i(t)` is the weight that run *i* gives token *t* of one text.

    Parameters
    ----------
    explanations : array_like of float, shape (n_runs, n_tokens)
        Distributions over the tokens of one text, such as attention. What is no distribution, such
        as a gradient, becomes one by :func:`stablib.metrics.importance_shares`.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_runs)
        Nats. Not symmetric; the diagonal is 0. Infinite where run j gives exactly 0 to a token that
        run i uses, as rounding to 16 bits may; what every run gives 0 does not count.

    Raises
    ------
    UsageError
        If the array is not 2-d or empty, a weight is negative or not finite, or a row does not sum
        to 1 (within 0.001).

    Notes
    -----
    Random seed paper, section 2.2 (a); natural logarithm. The text means it over pairs of runs:
    see :func:`stablib.metrics.pair_mean`. Rows are divided by their sum first.

    Examples
    --------
    >>> matrix = pairwise_relative_entropy([[0.5, 0.5], [0.75, 0.25]])
    >>> matrix.round(3)
    array([[0.   , 0.144],
           [0.131, 0.   ]])
    >>> from stablib.metrics import pair_mean
    >>> float(pair_mean(matrix).round(3))
    0.137
    """
    from scipy.special import kl_div  # Loading it takes as long as all the rest.

    rows = as_distributions(explanations, name="explanations", shape="(n_runs, n_tokens)")
    runs = as_explanations(rows, name="explanations")
    # Its terms x log(x / y) - x + y are 0 or more, and exactly 0 for equal runs; their sum is the
    # relative entropy, as both rows sum to 1.
    return np.array([kl_div(run, runs).sum(axis=1) for run in runs])
