"""Descent on a surface with a saddle, with and without averaging: Figure 2, computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stablib.mitigation.by_step import ByStep
from stablib.runs import Runs
from stablib.studies.base import Outcome

#: Steps of an epoch, and epochs.
STEPS, EPOCHS = 20, 20
#: Of the optimizer, and the standard deviation of the noise that is added to every gradient.
LEARNING_RATE, MOMENTUM, NOISE = 0.02, 0.9, 1.0


class Walk(NamedTuple):
    """Weights after each step, shape (n_steps + 1, 2), and after each epoch, (n_epochs, 2)."""

    steps: NDArray[np.float64]
    epochs: NDArray[np.float64]


def height(weights: Any) -> Any:
    """Surface with minima at (-1, 0) and (1, 0) and a saddle at the origin.

    Parameters
    ----------
    weights : tensor or array of float, shape (2, ...)
        Both coordinates.

    Examples
    --------
    >>> import torch
    >>> [height(torch.tensor([x, 0.0])).item() for x in (-1.0, 0.0, 1.0)]
    [-0.25, 0.0, -0.25]
    """
    x, y = weights
    return x**4 / 4 - x**2 / 2 + y**2


def walk(method: ByStep | None, start: tuple[float, float], seed: int) -> Walk:
    """Descend with noisy gradients and momentum.

    Parameters
    ----------
    method : Method or None
        Such as :class:`stablib.mitigation.ASWA`; None for plain descent.
    start : tuple of float
        First weights.
    seed : int
        Of the noise.

    Returns
    -------
    Walk
        The weights as they are trained; where a method writes back, an epoch begins at its average.

    Examples
    --------
    >>> walk(None, (0.1, 1.0), 0).steps.shape
    (401, 2)
    """
    import torch

    from stablib.mitigation import WeightAverager

    model = torch.nn.Module()
    model.weights = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = torch.optim.SGD([model.weights], lr=LEARNING_RATE, momentum=MOMENTUM)
    averager = WeightAverager(method, model) if method else None
    noise = np.random.default_rng(seed)
    steps, epochs = [model.weights.detach().numpy().copy()], []
    for _ in range(EPOCHS):
        for _ in range(STEPS):
            optimizer.zero_grad()
            height(model.weights).backward()
            assert model.weights.grad is not None
            model.weights.grad += torch.from_numpy(noise.normal(0.0, NOISE, 2))
            optimizer.step()
            if averager:
                averager.step()
            steps.append(model.weights.detach().numpy().copy())
        if averager:
            averager.restart()
        epochs.append(model.weights.detach().numpy().copy())
    return Walk(np.stack(steps), np.stack(epochs))


@dataclasses.dataclass(frozen=True)
class Computed(Outcome):
    """What rests on no runs, but on a formula; ``how`` says on which."""

    how: str

    def all_runs(self) -> Mapping[str, Runs]:
        """None."""
        return {}

    def about(self) -> str:
        """How it was computed."""
        return self.how

    def basis(self) -> str:
        """The same: there is nothing else to know."""
        return f"{self.how}; preset {self.study.preset}"
