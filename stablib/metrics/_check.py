"""Argument checks that every metric shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_labels(labels: ArrayLike, *, name: str = "labels") -> NDArray[np.integer]:
    """Return predicted labels as a 2-d integer array with at least one row."""
    array = np.asarray(labels)
    if array.ndim != 2:
        raise ValueError(f"{name} must have shape (n_runs, n_examples), got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be integers (class indices), got dtype {array.dtype}")
    if array.shape[0] == 0:
        raise ValueError(f"{name} must hold at least one run, got shape {array.shape}")
    if array.size and array.min() < 0:
        raise ValueError(f"{name} must be class indices >= 0, got {array.min()}")
    return array


def as_runs(values: ArrayLike, *, name: str) -> NDArray[np.floating]:
    """Return per-run values as a 2-d float64 array with at least one row."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] == 0:
        raise ValueError(
            f"{name} must have shape (n_runs, n_examples) with n_runs >= 1, got shape {array.shape}"
        )
    return array


def as_gold(gold: ArrayLike, n_examples: int) -> NDArray[np.integer]:
    """Return gold labels as a 1-d integer array of the given length."""
    array = np.asarray(gold)
    if array.shape != (n_examples,):
        raise ValueError(f"gold must have shape ({n_examples},), got shape {array.shape}")
    return array
