"""Temporal guided temperature scaled smoothing: a student learns one teacher's time average."""

from __future__ import annotations

from typing import Literal

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

    kind: Literal["tgtss"] = "tgtss"
    after_step: int = Field(ge=0)
    every: int = Field(default=1, ge=1)

    @property
    def lesson(self) -> TrainMean:
        """The teacher's predictions on the training set, averaged over its last steps."""
        return TrainMean(after_step=self.after_step, every=self.every)
