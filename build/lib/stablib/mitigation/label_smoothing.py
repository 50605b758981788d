"""Uniform label smoothing."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from stablib.errors import UsageError
from stablib.metrics._check import as_array, as_number
from stablib.mitigation._check import as_probabilities
from stablib.training.method import Method


def smooth_labels(one_hot: ArrayLike, alpha: float) -> NDArray[np.float32]:
    """Mix one-hot labels with the uniform distribution.

    Parameters
    ----------
    one_hot : array_like of float, shape (n_examples, n_classes)
        Gold labels, or soft ones: entries are 0 or more, rows sum to 1 (within 0.001). Of class
        indices make ``numpy.eye(n_classes)[labels]``.
    alpha : float
        Share of the uniform distribution, from 0 to 1.

    Returns
    -------
    ndarray of float32, shape (n_examples, n_classes)
        ``(1 - alpha) * one_hot + alpha / n_classes``.

    Raises
    ------
    UsageError
        If ``alpha`` is not between 0 and 1, or ``one_hot`` has another shape, masked entries or
        rows that are no probabilities.

    Notes
    -----
    Local instability paper, section 4.3.

    Examples
    --------
    >>> smooth_labels(np.array([[1.0, 0.0]]), alpha=0.1)
    array([[0.95, 0.05]], dtype=float32)
    """
    share = as_number(alpha, name="alpha")
    if not 0.0 <= share <= 1.0:
        raise UsageError(f"alpha must be between 0 and 1, got {alpha}")
    labels = as_array(one_hot, name="one_hot")
    if labels.ndim != 2:
        raise UsageError(
            f"one_hot must have shape (n_examples, n_classes), got shape {labels.shape}; of class "
            "indices make numpy.eye(n_classes)[labels]"
        )
    labels = as_probabilities(labels, name="one_hot")
    return ((1.0 - share) * labels + share / labels.shape[1]).astype(np.float32)


class LabelSmoothing(Method):
    """Train on uniformly smoothed labels.

    Parameters
    ----------
    alpha : float
        The paper uses 0.1 for MASSIVE and 0.5 for CLINC150 (section 5.3.1).
    """

    kind: Literal["label_smoothing"] = "label_smoothing"
    alpha: float = Field(gt=0.0, le=1.0)

    def targets(
        self, one_hot: NDArray[np.float32], taught: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Smoothed gold labels."""
        return smooth_labels(one_hot, self.alpha)
