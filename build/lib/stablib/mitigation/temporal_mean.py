"""The running mean of predictions that temporal guided smoothing learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.mitigation._check import as_probabilities


class TemporalMean:
    """Running mean of predictions over training steps, for a training loop of your own.

    Nothing but the sum is stored, whatever the number of steps.

    Notes
    -----
    Local instability paper, section 4.5.

    Examples
    --------
    >>> mean = TemporalMean()
    >>> for predictions in ([[0.6, 0.4]], [[0.8, 0.2]]):
    ...     mean.update(predictions)
    >>> mean.value.round(3)
    array([[0.7, 0.3]])
    """

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._count = 0

    def update(self, probabilities: ArrayLike) -> None:
        """Add the predictions of one step.

        Parameters
        ----------
        probabilities : array_like of float, shape (n_examples, n_classes)
            Entries are 0 or more; rows sum to 1 (within 0.001). Take the softmax of logits first.

        Raises
        ------
        UsageError
            If the shape differs from that of the steps before, entries are masked or rows are no
            probabilities. The mean stays as it was.
        """
        array = as_probabilities(probabilities).astype(np.float64)
        if self._sum is None:
            self._sum = np.zeros_like(array)
        if array.shape != self._sum.shape:
            raise UsageError(f"probabilities must have shape {self._sum.shape}, got {array.shape}")
        self._sum += array
        self._count += 1

    @property
    def value(self) -> NDArray[np.float64]:
        """The mean so far, shape (n_examples, n_classes).

        Raises
        ------
        UsageError
            Before the first update.
        """
        if self._sum is None:
            raise UsageError("no step has been added yet")
        return self._sum / self._count
