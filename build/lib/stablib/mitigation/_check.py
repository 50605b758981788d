"""Argument checks that the plain functions share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_array, as_floats

#: How far a row of probabilities may be from summing to 1: what 16-bit floats round away and more.
_TOLERANCE = 1e-3


def as_probabilities(values: ArrayLike, *, name: str = "probabilities") -> NDArray[Any]:
    """Return probabilities of classes, shape (..., n_classes), in the type they came in."""
    array = as_array(values, name=name)
    numbers = as_floats(array, name=name)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise UsageError(f"{name} must have shape (n_examples, n_classes), got shape {array.shape}")
    odd = numbers[~(np.isfinite(numbers) & (numbers >= 0.0))]
    if odd.size:
        raise UsageError(f"{name} must be finite and 0 or more, got {odd[0]:g} (logits?)")
    sums = numbers.sum(axis=-1).ravel()
    if sums.size and np.abs(sums - 1.0).max() > _TOLERANCE:
        worst = sums[np.abs(sums - 1.0).argmax()]
        raise UsageError(
            f"{name} must sum to 1 in each row (within {_TOLERANCE}), got rows that sum to "
            f"{worst:g} (logits?)"
        )
    return array
