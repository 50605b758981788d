"""How far the weights of twins have drifted apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite


def relative_weight_distance(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    r"""Distance between the weights of two networks, relative to their size.

    .. math:: \frac{\|a - b\|_2}{(\|a\|_2 + \|b\|_2) / 2}

    Parameters
    ----------
    first, second : array_like of float, shape (n_steps, n_weights)
        All weights of each of two twins, flattened, at each step. Any shape (..., n_weights).

    Returns
    -------
    ndarray of float64, shape (n_steps,)
        Fractions: 0 for equal weights, about 1.4 for unrelated ones, 2 for opposite ones.

    Raises
    ------
    UsageError
        If the shapes differ, there is no weight or a weight is not finite.

    Notes
    -----
    For the instability of nondeterminism paper, section 4.1, step by step; the paper itself reports
    differences of accuracy and loss. Unlike :func:`stablib.metrics.weight_difference` it knows no
    layers and sees where networks are as far apart as strangers.

    Examples
    --------
    >>> relative_weight_distance([[3.0, 4.0], [3.0, 4.0]], [[3.0, 4.0], [4.0, 3.0]]).round(3)
    array([0.   , 0.283])
    """
    ours, theirs = as_finite(first, name="first"), as_finite(second, name="second")
    if ours.ndim == 0 or ours.size == 0 or ours.shape != theirs.shape:
        raise UsageError(
            "first and second must have one shape (n_steps, n_weights), neither of them 0, "
            f"got {ours.shape} and {theirs.shape}"
        )
    distance = np.linalg.norm(ours - theirs, axis=-1)
    size = (np.linalg.norm(ours, axis=-1) + np.linalg.norm(theirs, axis=-1)) / 2.0
    return np.asarray(distance / np.where(size > 0.0, size, 1.0))
