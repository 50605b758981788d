"""Ordinary ensembles of runs that are there already."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_finite


def vanilla_ensembles(logits: ArrayLike, members: int) -> NDArray[np.float64]:
    """Average the logits of runs, each of which is a member of one ensemble.

    Parameters
    ----------
    logits : array_like of float, shape (n_runs, ...)
        Logits or other scores, such as (n_runs, n_examples, n_classes).
    members : int
        Runs of an ensemble. Runs that are left over belong to none.

    Returns
    -------
    ndarray of float64, shape (n_runs // members, ...)
        Mean logits of the ensembles, which share no run and so vary independently.

    Raises
    ------
    UsageError
        If there are fewer runs than members, or a value is not finite.

    Notes
    -----
    Nondeterminism paper, Table 5: it draws ensembles of N from 100 runs. Their cost is N trainings
    each; :class:`stablib.mitigation.Snapshot` costs one.

    Examples
    --------
    >>> vanilla_ensembles([[0.0, 1.0], [2.0, 1.0], [9.0, 9.0]], 2)
    array([[1., 1.]])
    """
    array = as_finite(logits, name="logits")
    n_members = as_count(members, name="members")
    if array.ndim == 0 or not len(array):
        raise UsageError(
            f"logits must have shape (n_runs, ...) with n_runs >= 1, got shape {array.shape}"
        )
    if len(array) < n_members:
        raise UsageError(
            f"members must be at most {len(array)}, the number of runs, got {n_members}"
        )
    n_ensembles = len(array) // n_members
    grouped = array[: n_ensembles * n_members].reshape(n_ensembles, n_members, *array.shape[1:])
    return np.asarray(grouped.mean(axis=1))
