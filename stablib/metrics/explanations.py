"""One run's explanation of a text as a distribution over its tokens, and how flat it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_distributions, as_explanations, as_finite


def importance_shares(importance: ArrayLike) -> NDArray[np.float64]:
    """Absolute importance of each token as a share of the text's: a distribution over tokens.

    Parameters
    ----------
    importance : array_like of float, shape (n_runs, n_tokens)
        Signed or unsigned importance of the tokens of one text, such as gradients, or attention
        that does not sum to 1, as that of DeepICF.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_tokens)
        Fractions; rows sum to 1.

    Raises
    ------
    UsageError
        If the array is not 2-d or empty, a value is not finite, or a row is 0 throughout: gradients
        of a saturated probability are; take those of the logit.

    Notes
    -----
    Random seed paper, section 2.2: "probabilistic gradient scores by normalizing over the absolute
    values". For a binary model, the shares of the logit's and of the probability's gradients are
    the same: the slope of the sigmoid cancels.

    Examples
    --------
    >>> importance_shares([[1.0, -3.0], [2.0, 2.0]])
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    runs = as_explanations(as_finite(importance, name="importance"), name="importance")
    sizes = np.abs(runs)
    largest = sizes.max(axis=1, keepdims=True)
    if not largest.all():
        raise UsageError(
            "importance must have a value other than 0 in each row, got only 0 in row "
            f"{int(np.argmin(largest))}; explain the logit rather than a saturated probability"
        )
    sizes = sizes / largest  # The sum of tiny or huge values would be 0 or infinite.
    return sizes / sizes.sum(axis=1, keepdims=True)


def explanation_entropy(
    explanations: ArrayLike, *, normalised: bool = False
) -> NDArray[np.float64]:
    """Entropy of each run's explanation of one text: how flat it is.

    Parameters
    ----------
    explanations : array_like of float, shape (n_runs, n_tokens)
        Distributions over the tokens of one text, such as attention.
    normalised : bool, default False
        Divide by the entropy of equal weights, log(n_tokens), so that texts of different length
        compare.

    Returns
    -------
    ndarray of float64, shape (n_runs,)
        Nats, from 0 (all weight on one token) to log(n_tokens) (equal weights); normalised, a
        fraction, which is nan for a text of one token.

    Raises
    ------
    UsageError
        If the array is not 2-d or empty, a weight is negative or not finite, or a row does not sum
        to 1 (within 0.001).

    Notes
    -----
    Shown beside :func:`stablib.metrics.pairwise_relative_entropy`: flat explanations resemble each
    other whatever they say, so that a method which flattens attention looks stable. Tokens that are
    masked count as tokens; leave them out.

    Examples
    --------
    >>> explanation_entropy([[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]).round(3)
    array([0.693, 0.   ])
    >>> explanation_entropy([[0.5, 0.5, 0.0, 0.0]], normalised=True)
    array([0.5])
    """
    from scipy.special import entr  # Loading it takes as long as all the rest.

    rows = as_distributions(explanations, name="explanations", shape="(n_runs, n_tokens)")
    entropies = entr(as_explanations(rows, name="explanations")).sum(axis=1)
    if not normalised:
        return entropies
    most = np.log(rows.shape[1])
    return entropies / most if most > 0.0 else np.full(len(rows), np.nan)
