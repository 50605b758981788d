"""Uniform label smoothing."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stablib.training.method import Method


def smooth_labels(one_hot: NDArray[np.floating], alpha: float) -> NDArray[np.float32]:
    """Mix one-hot labels with the uniform distribution.

    Parameters
    ----------
    one_hot : ndarray of float, shape (n_examples, n_classes)
        Gold labels.
    alpha : float
        Share of the uniform distribution, from 0 to 1.

    Returns
    -------
    ndarray of float32, shape (n_examples, n_classes)
        ``(1 - alpha) * one_hot + alpha / n_classes``.

    Raises
    ------
    ValueError
        If ``alpha`` is not between 0 and 1.

    Notes
    -----
    Local instability paper, section 4.3.

    Examples
    --------
    >>> smooth_labels(np.array([[1.0, 0.0]]), alpha=0.1)
    array([[0.95, 0.05]], dtype=float32)
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    return ((1.0 - alpha) * one_hot + alpha / one_hot.shape[1]).astype(np.float32)


class LabelSmoothing(Method):
    """Train on uniformly smoothed labels.

    Parameters
    ----------
    alpha : float
        The paper uses 0.1 for MASSIVE and 0.5 for CLINC150 (section 5.3.1).
    """

    name: Literal["label_smoothing"] = "label_smoothing"
    alpha: float = Field(gt=0.0, le=1.0)

    def targets(
        self, one_hot: NDArray[np.float32], taught: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Smoothed gold labels."""
        return smooth_labels(one_hot, self.alpha)
