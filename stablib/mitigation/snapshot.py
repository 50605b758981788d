"""Snapshot ensembles: members of an ensemble from one training with a cyclic learning rate."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from stablib.errors import UsageError
from stablib.training.method import Method


class Snapshot(Method):
    """Let the learning rate fall to 0 several times, and average the logits of where it does.

    It takes the place of a workload's own schedule.

    Parameters
    ----------
    cycles : int, default 5
        Members of the ensemble; the epochs must be a multiple of it.
    warm_up : float, default 0.03
        Share of a cycle in which the rate rises linearly from 0, before it follows a cosine: three
        of a hundred epochs in the paper.

    Notes
    -----
    Nondeterminism paper, section 5 and Table 5; Huang et al. 2017. What is averaged are logits, and
    the rate moves at every step, as in the released code of the paper.

    Examples
    --------
    >>> method = Snapshot(cycles=5)
    >>> method.snapshots(500)
    [100, 200, 300, 400, 500]
    >>> [round(method.rate(step, 500), 3) for step in (1, 2, 4, 51, 100, 101)]
    [0.0, 0.333, 0.998, 0.5, 0.0, 0.0]
    """

    kind: Literal["snapshot"] = "snapshot"
    cycles: int = Field(default=5, ge=2)
    warm_up: float = Field(default=0.03, ge=0.0, lt=1.0)

    def rate(self, step: int, n_steps: int) -> float:
        """Linear from 0, then a cosine to 0, in each cycle."""
        cycle = n_steps / self.cycles
        done = (step - 1) % cycle
        rising = self.warm_up * cycle
        return done / rising if done < rising else 0.5 * (1.0 + math.cos(math.pi * done / cycle))

    def snapshots(self, n_epochs: int) -> list[int]:
        """Last epoch of each cycle.

        Raises
        ------
        UsageError
            If cycles would not end with epochs.
        """
        if n_epochs % self.cycles:
            raise UsageError(
                f"cycles must divide the epochs, got {self.cycles} cycles in {n_epochs} epochs"
            )
        return [n_epochs // self.cycles * (k + 1) for k in range(self.cycles)]
