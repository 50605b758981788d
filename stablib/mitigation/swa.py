"""Stochastic weight averaging over the last epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from stablib.training.method import Method


class SWA(Method):
    """Predict with the mean of the weights at the end of the last epochs.

    Parameters
    ----------
    last_epochs : int, default 2
        How many; the paper averages two, with an unchanged learning rate (section 4.2), unlike
        the original SWA of Izmailov et al. 2018.
    """

    name: Literal["swa"] = "swa"
    last_epochs: int = Field(default=2, ge=1)

    @property
    def averaged_epochs(self) -> int:
        """The last epochs."""
        return self.last_epochs


def average_weights(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Equal mean of the weights of several checkpoints of one model.

    Parameters
    ----------
    states : sequence of dict
        Results of ``state_dict()``, all with the same keys and shapes.

    Returns
    -------
    dict
        Ready for ``load_state_dict``. Integer entries (batch counters) are taken from the last
        checkpoint. Batch-norm statistics are averaged too; recompute them if that matters.

    Raises
    ------
    ValueError
        If there is no checkpoint or the keys differ.

    Examples
    --------
    >>> average_weights([{"w": torch.tensor([1.0])}, {"w": torch.tensor([3.0])}])
    {'w': tensor([2.])}
    """
    if not states:
        raise ValueError("states must hold at least one checkpoint")
    if any(state.keys() != states[0].keys() for state in states):
        raise ValueError("states must all have the same keys")
    return {
        key: torch.stack([state[key] for state in states]).mean(dim=0)
        if torch.is_floating_point(last)
        else last
        for key, last in states[-1].items()
    }
