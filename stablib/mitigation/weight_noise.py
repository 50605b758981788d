"""Gradients at weights that are moved at random: an attempt that the paper reports as vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from stablib.training.method import Averager, Method


class WeightNoise(Method):
    """Take the gradient of every step at weights that are moved at random, and move them back.

    Over many steps the gradient is that of the loss averaged around the weights.

    Parameters
    ----------
    scale : float, default 0.01
        Standard deviation of the moves, as a share of the root mean square of each tensor. A tensor
        that is 0 is not moved, nor are running statistics.
    seed : int, default 0
        Of the moves. It belongs to the method: all runs are moved in the same directions.

    Notes
    -----
    Nondeterminism paper, appendix A, "weight augmentation", which gives no size and no distribution
    of the offset: normal numbers are ours.

    Examples
    --------
    >>> WeightNoise(scale=0.1).changes
    frozenset({'averager'})
    """

    kind: Literal["weight_noise"] = "weight_noise"
    scale: float = Field(default=0.01, gt=0.0, le=1.0)
    seed: int = Field(default=0, ge=0)

    def averager(self, n_epochs: int) -> Mover:
        """What moves the weights."""
        return Mover(self)


class Mover(Averager):
    """Moves the weights before each step, and takes the move back after it."""

    #: A move lasts one step, and is drawn from the step's number: nothing outlasts it.
    growing: ClassVar[tuple[str, ...]] = ()

    def __init__(self, method: WeightNoise) -> None:
        self.method = method
        self._places: list[slice] = []
        self._move: Any = None

    def locate(self, places: Mapping[str, slice]) -> None:
        """Leave out the running statistics of norms."""
        self._places = [
            place
            for name, place in places.items()
            if not name.rsplit(".", 1)[-1].startswith("running_")
        ]

    def before_step(self, step: int, weights: Any) -> None:
        """Move."""
        rng = np.random.default_rng([self.method.seed, step])
        self._move = weights.new_zeros(weights.shape)
        for place in self._places:
            own = weights[:, place]
            size = self.method.scale * own.square().mean(dim=1, keepdim=True).sqrt()
            drawn = rng.standard_normal(own.shape[1], dtype=np.float32)
            self._move[:, place] = size * weights.new_tensor(drawn)
        weights.add_(self._move)

    def after_step(self, step: int, weights: Any) -> None:
        """Move back."""
        weights.sub_(self._move)
