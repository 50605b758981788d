"""Temporal guided temperature scaled smoothing: a student learns one teacher's time average."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from stablib.mitigation.soft_labels import SoftLabels
from stablib.training.record import TrainMean


class TGTSS(SoftLabels):
    """Section 4.5: average the teacher's predictions after each step once it has converged.

    Parameters
    ----------
    after_step : int
        N: only steps after this one are averaged; 180 for MASSIVE, 200 for CLINC150.
    every : int, default 1
        Average every k-th step; the paper takes each and names the saving as future work.
    """

    name: Literal["tgtss"] = "tgtss"
    after_step: int = Field(ge=0)
    every: int = Field(default=1, ge=1)

    @property
    def lesson(self) -> TrainMean:
        """The teacher's predictions on the training set, averaged over its last steps."""
        return TrainMean(after_step=self.after_step, every=self.every)


class TemporalMean:
    """Running mean of predictions over training steps, for a training loop of your own.

    Nothing but the sum is stored, whatever the number of steps.

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
        """Add the predictions of one step, shape (n_examples, n_classes).

        Raises
        ------
        ValueError
            If the shape differs from that of the steps before.
        """
        array = np.asarray(probabilities, dtype=np.float64)
        if self._sum is None:
            self._sum = np.zeros_like(array)
        if array.shape != self._sum.shape:
            raise ValueError(f"probabilities must have shape {self._sum.shape}, got {array.shape}")
        self._sum += array
        self._count += 1

    @property
    def value(self) -> NDArray[np.float64]:
        """The mean so far, shape (n_examples, n_classes).

        Raises
        ------
        ValueError
            Before the first update.
        """
        if self._sum is None:
            raise ValueError("no step has been added yet")
        return self._sum / self._count
