"""The mean of the weights of all steps, from the first on, beside a training that stays plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from stablib.mitigation.by_step import Average, ByStep


class StepAverage(Average):
    """An average that takes the weights after each step and leaves the training alone.

    Parameters
    ----------
    share : callable
        Share of the weights after a step, counted from 1, in the average; 1 at the first.
    """

    def __init__(self, share: Callable[[int], float]) -> None:
        super().__init__()
        self.share = share

    def after_step(self, step: int, weights: Any) -> None:
        """Let the newest weights enter."""
        if self.average is None:
            self.average = weights.clone()
        else:
            self.average.lerp_(weights, self.share(step))

    def finish(self, weights: Any) -> None:
        """Put the average in the place of the final weights."""
        weights.copy_(self.average)


class StepSWA(ByStep):
    """Predict with the mean of the weights after every step, from the first on.

    The control that ASWA needs and the paper lacks: the same average, but nothing goes on from it.
    The training is that of the plain run, so :class:`stablib.mitigation.Averaged` gets its
    predictions from one.

    Notes
    -----
    Polyak and Juditsky 1992. Unlike in Algorithm 1, all steps count the same, those at an epoch's
    end included, and the initial weights do not.

    Examples
    --------
    >>> [StepSWA().share(step) for step in (1, 2, 4)]
    [1.0, 0.5, 0.25]
    """

    kind: Literal["step_swa"] = "step_swa"
    writes_back: ClassVar[bool] = False

    def share(self, step: int) -> float:
        """Share of the weights after a step, counted from 1, in the average."""
        return 1.0 / step

    def new_average(self) -> StepAverage:
        """The mean."""
        return StepAverage(self.share)
