"""Argument checks that the plain functions share."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from stablib.metrics._check import as_array, as_distributions


def as_probabilities(values: ArrayLike, *, name: str = "probabilities") -> NDArray[Any]:
    """Return probabilities of classes, shape (..., n_classes), in the type they came in."""
    array = as_array(values, name=name)
    as_distributions(array, name=name, shape="(n_examples, n_classes)")
    return array
