"""Ensemble soft labels: a student learns the mean prediction of many independent runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stablib.mitigation.soft_labels import SoftLabels
from stablib.training.record import TrainMean


class Ensemble(SoftLabels):
    """The paper's gold standard E_b (section 4.4).

    Parameters
    ----------
    members : int, default 200
        Teachers of one student. With ``teacher="own"`` every student has as many of its own.
    """

    kind: Literal["ensemble"] = "ensemble"
    members: int = Field(default=200, ge=1)

    @property
    def n_teachers(self) -> int:
        """The members."""
        return self.members

    @property
    def lesson(self) -> TrainMean:
        """Predictions of the trained members on the training set."""
        return TrainMean()
