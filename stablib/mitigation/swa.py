"""Stochastic weight averaging over the last epochs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stablib.training.method import Averager, Method


class SWA(Method):
    """Predict with the mean of the weights at the end of the last epochs.

    Parameters
    ----------
    last_epochs : int, default 2
        How many; the paper averages two, with an unchanged learning rate (section 4.2), unlike
        the original SWA of Izmailov et al. 2018.
    """

    kind: Literal["swa"] = "swa"
    last_epochs: int = Field(default=2, ge=1)

    def averager(self, n_epochs: int) -> LastEpochs:
        """The mean of the last epochs' ends."""
        return LastEpochs(first=n_epochs - self.last_epochs + 1)


class LastEpochs(Averager):
    """Mean of the weights at the end of the epochs from ``first`` on."""

    growing = ("count", "total")

    def __init__(self, first: int) -> None:
        self.first = first
        self.count = 0
        self.total: Any = None

    def after_epoch(self, epoch: int, weights: Any) -> None:
        """Add the weights if the epoch is among the last ones."""
        if epoch >= self.first:
            self.count += 1
            self.total = weights.clone() if self.total is None else self.total.add_(weights)

    def finish(self, weights: Any) -> None:
        """Put the mean in the place of the final weights."""
        weights.copy_(self.total / self.count)
