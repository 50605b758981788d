"""Predictions of models that train side by side, as their method makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.errors import UsageError
from stablib.training.method import Method


class Models(Protocol):
    """Models that train side by side, one a seed."""

    n_models: int
    #: All weights, shape (n_models, n_parameters); writing into them changes the models.
    weights: Tensor
    #: Where the weights of each name lie in a row of them.
    places: Mapping[str, slice]

    def logits(self, model: int, inputs: Any) -> Tensor:
        """Logits (n_examples, n_classes) of one model, without dropout."""


class Predictor:
    """A stack of models whose logits are averaged over views, and over snapshots at the end.

    Parameters
    ----------
    models : Models
        What is trained.
    method : Method
        Its hooks ``snapshots``, ``views`` and ``averager`` are honoured here.
    n_epochs : int
        Length of the training.
    """

    def __init__(self, models: Models, method: Method, n_epochs: int) -> None:
        self.models, self.n_models = models, models.n_models
        self._views = method.views()
        self._averager = method.averager(n_epochs)
        if self._averager is not None:
            self._averager.locate(models.places)
        late = [epoch for epoch in method.snapshots(n_epochs) if not 1 <= epoch <= n_epochs]
        if late:
            raise UsageError(f"snapshots must be epochs from 1 to {n_epochs}, got {late}")
        self._epochs = frozenset(method.snapshots(n_epochs)) - {n_epochs}
        self._with_last = n_epochs in method.snapshots(n_epochs)
        self._kept: list[Tensor] = []
        self._members: list[Tensor] = []

    def before_step(self, step: int) -> None:
        """Let the method average before an optimization step."""
        if self._averager is not None:
            self._averager.before_step(step, self.models.weights)

    def after_step(self, step: int) -> None:
        """Let the method average after an optimization step."""
        if self._averager is not None:
            self._averager.after_step(step, self.models.weights)

    def after_epoch(self, epoch: int) -> None:
        """Let the method average, and keep a member, at the end of an epoch."""
        if self._averager is not None:
            self._averager.after_epoch(epoch, self.models.weights)
        if epoch in self._epochs:
            self._kept.append(self.models.weights.clone())

    def state(self) -> dict[str, Any]:
        """What has grown in the training so far."""
        grown = self._averager.grown() if self._averager is not None else {}
        return {"kept": self._kept, "averager": grown}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` said."""
        self._kept = state["kept"]
        if self._averager is not None:
            self._averager.grow(state["averager"])

    def finish(self) -> None:
        """From now on predict as the trained model."""
        if self._averager is not None:
            self._averager.finish(self.models.weights)
        if self._kept:
            last = [self.models.weights.clone()] if self._with_last else []
            self._members = [*self._kept, *last]

    @property
    def weights(self) -> Tensor:
        """Weights of the models, shape (n_models, n_parameters)."""
        return self.models.weights

    @contextmanager
    def showing(self, weights: Tensor) -> Iterator[None]:
        """Predict with other weights in the meantime, and with no snapshot beside them."""
        own, members = self.models.weights.clone(), self._members
        self.models.weights.copy_(weights)
        self._members = []
        try:
            yield
        finally:
            self.models.weights.copy_(own)
            self._members = members

    def probabilities(self, model: int, inputs: Any) -> NDArray[np.float32]:
        """Class probabilities of one model, shape (n_examples, n_classes)."""
        with torch.inference_mode():
            return torch.softmax(self.logits(model, inputs), dim=-1).numpy()

    def logits(self, model: int, inputs: Any) -> Tensor:
        """Logits of one model, shape (n_examples, n_classes): means over views and snapshots."""
        return mean_of([self.viewed(model, inputs) for _ in self.in_turn(model)])

    def in_turn(self, model: int) -> Iterator[None]:
        """Give one model the weights of each of its snapshots; where there are none, its own."""
        if not self._members:
            yield
        for member in self._members:
            self.models.weights[model].copy_(member[model])
            yield

    def viewed(self, model: int, inputs: Any) -> Tensor:
        """Logits of one model with the weights that it has now, whatever snapshots there are."""
        return mean_of([self.models.logits(model, view(inputs)) for view in self._views])


def mean_of(logits: Sequence[Tensor]) -> Tensor:
    """Mean of logits of the same examples; of one alone that itself."""
    return logits[0] if len(logits) == 1 else torch.stack(list(logits)).mean(dim=0)
