"""Argument checks that every metric shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError


def as_labels(labels: ArrayLike, *, name: str = "labels") -> NDArray[np.integer]:
    """Return predicted labels as a 2-d integer array with at least one row."""
    array = np.asarray(labels)
    if array.ndim != 2:
        raise UsageError(f"{name} must have shape (n_runs, n_examples), got shape {array.shape}")
    if array.shape[0] == 0:
        raise UsageError(f"{name} must hold at least one run, got shape {array.shape}")
    return as_whole(array, name=name)


def as_row(labels: ArrayLike, *, name: str) -> NDArray[np.integer]:
    """Return the labels of one run as a 1-d integer array with at least one example."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.size == 0:
        raise UsageError(
            f"{name} must have shape (n_examples,) with n_examples >= 1, got shape {array.shape}"
        )
    return as_whole(array, name=name)


def as_gold(gold: ArrayLike, n_examples: int) -> NDArray[np.integer]:
    """Return gold labels as a 1-d integer array of the given length, which is not 0."""
    array = as_row(gold, name="gold")
    if len(array) != n_examples:
        raise UsageError(f"gold must have shape ({n_examples},), got shape {array.shape}")
    return array


def as_whole(array: NDArray[Any], *, name: str, what: str = "class indices") -> NDArray[np.integer]:
    """Return an array of whole numbers as it is; refuse another type and negative numbers."""
    if not np.issubdtype(array.dtype, np.integer):
        raise UsageError(f"{name} must be integers ({what}), got dtype {array.dtype}")
    if array.size and array.min() < 0:
        raise UsageError(f"{name} must be {what} >= 0, got {array.min()}")
    return array


def as_runs(values: ArrayLike, *, name: str) -> NDArray[np.floating]:
    """Return per-run values as a 2-d float64 array with at least one row."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] == 0:
        raise UsageError(
            f"{name} must have shape (n_runs, n_examples) with n_runs >= 1, got shape {array.shape}"
        )
    return array


def as_mask(where: ArrayLike, n_examples: int) -> NDArray[np.bool_]:
    """Return a choice of examples as a boolean array of the given length."""
    array = np.asarray(where, dtype=bool)
    if array.shape != (n_examples,):
        raise UsageError(f"where must have shape ({n_examples},), got shape {array.shape}")
    return array
